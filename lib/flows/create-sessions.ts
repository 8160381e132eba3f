import { WeappError } from '../errors.js'
import type { AppBook, AppSelector } from '../sessions/app-info.js'
import { CodeLedger } from '../sessions/code-ledger.js'
import { guardStore } from '../sessions/guarded-store.js'
import type { UserRef } from '../sessions/session.js'
import { SessionBook } from '../sessions/session-book.js'
import { isSessionId } from '../sessions/token.js'
import { code2Session } from '../wechat/code2session.js'
import { checkSignedData, readCiphertext } from '../wechat/open-data.js'
import { createTransport } from '../wechat/transport.js'
import { addressIn, createAuthenticate, unknownSession } from './authenticate.js'
import { askHook, HOOK_TIMEOUT_MS } from './hooks.js'
import { createLogIn } from './log-in.js'
import type { Sessions } from './sessions.js'
import { readSessionsOptions, type SessionsOptions } from './sessions-options.js'
import { decryptFor, profileFrom, readUserData, verifyFor } from './user-data.js'

/**
 * Puts login and sessions together. Wrong options throw a `TypeError` that says what is allowed.
 *
 * @example
 * const sessions = createSessions({
 *   apps: [{ appid: 'wx…', secret: '…', loginDurationDays: 30, sessionDurationSeconds: 7200 }],
 *   store: new RedisStore(new Redis('redis://127.0.0.1:6379')),
 * })
 */
export function createSessions(options: SessionsOptions): Sessions {
  const { apps, keyRing, cap, wechat, onLogin, onUserInfo, logger, clock, ...settings } =
    readSessionsOptions(options)
  const store = guardStore(settings.store, settings.storeTimeoutMs, logger)
  const book = new SessionBook({ apps, store, keyRing, cap, clock, logger })
  const patienceMs = wechat.timeoutMs + (onLogin ? HOOK_TIMEOUT_MS : 0) + 2 * settings.storeTimeoutMs
  const ledger = new CodeLedger({ store, clock, patienceMs })
  const transport = createTransport(wechat.baseUrl)
  const exchange = code2Session(transport, wechat.timeoutMs)
  const { logIn, idle } = createLogIn({ apps, book, ledger, exchange, onLogin, logger })
  const keysOf = (session: UserRef & { sessionId?: string }) => [
    () => book.sessionKeys(session, session.sessionId),
  ]

  const sessions: Sessions = {
    login: logIn,
    authenticate: createAuthenticate(apps, book, clock),
    logout: async (token) => book.endAt(addressIn(token)),
    list: (user) => book.list(user),
    revoke: async (session) => isSessionId(session.sessionId) && book.end(session),
    revokeUser: (user, { exceptSessionId } = {}) => book.endAllOf(user, exceptSessionId),
    revokeAll: () => book.endAll(),
    async setUserInfo(user, data) {
      const app = apps.choose(user.appid)
      const userInfo = data && (await profileFrom(readUserData(data), keysOf(user), user))
      if (userInfo === undefined) {
        throw new WeappError(
          'ERR_REQUEST_INVALID',
          'Send encryptedData and iv, or rawData and signature, or userInfo.',
        )
      }
      if (onUserInfo) {
        const hook = {
          name: 'onUserInfo',
          call: onUserInfo,
          refusal: 'ERR_USER_INFO_REFUSED',
          logger,
        } as const
        await askHook(hook, { appid: user.appid, openid: user.openid, userInfo })
      }
      await book.setUserInfo(app, user.openid, userInfo)
      return userInfo
    },
    decrypt: async (session, data) => decryptFor(session, readCiphertext(data), keysOf(session)),
    async verifySignature(session, data) {
      checkSignedData(data)
      await verifyFor(data, keysOf(session))
    },
    ofApp: (app) => narrowed(sessions, apps, app),
    ping: () => store.ping(),
    async close() {
      await idle()
      await ledger.idle()
      transport.close()
      await store.close()
    },
  }
  return sessions
}

/** The sessions of one app: whatever else a request names is not there. */
function narrowed(sessions: Sessions, apps: AppBook, selector: AppSelector): Sessions {
  const app = typeof selector === 'number' ? apps.all.find(({ id }) => id === selector) : apps.find(selector)
  if (!app) throw new TypeError('ofApp: no such app; name one of those given to createSessions')
  const isOther = (named: AppSelector | undefined) =>
    named !== undefined && named !== app.id && named !== app.appid
  const ofThisApp: Sessions = {
    ...sessions,
    async login(request) {
      if (isOther(request.appid)) throw new WeappError('ERR_APP_UNKNOWN', 'This app does not log in here.')
      return sessions.login({ ...request, appid: app.appid })
    },
    async authenticate(token, options = {}) {
      if (isOther(options.appid)) throw unknownSession()
      return sessions.authenticate(token, { ...options, appid: app.appid })
    },
    async logout(token) {
      const isOwn = await ofThisApp.authenticate(token).then(() => true, isUnknown)
      if (isOwn) await sessions.logout(token)
    },
    ofApp(other) {
      if (isOther(other)) throw new TypeError('ofApp: these sessions are of another app already')
      return ofThisApp
    },
  }
  return ofThisApp
}

/** False for a session that is not there; any other failure goes on. */
function isUnknown(error: unknown): false {
  if (error instanceof WeappError && error.code === 'ERR_SESSION_UNKNOWN') return false
  throw error
}
