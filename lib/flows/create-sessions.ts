import { checkOptionNames } from '../options.js'
import type { Apps } from '../sessions/apps.js'
import { frozen, type SessionData, throughJson } from '../sessions/session-data.js'
import { SessionIssuer } from '../sessions/session-issuer.js'
import { SessionKeys } from '../sessions/session-keys.js'
import { SessionRegistry } from '../sessions/session-registry.js'
import { addressIn, createAuthenticate, unknownSession } from './authenticate.js'
import { createEngine, type Engine } from './engine.js'
import { createFreshKey } from './fresh-key.js'
import { createLogIn, type LoginRequest } from './log-in.js'
import { withLoginGate } from './login-gate.js'
import { namedSession, namedUser, sessionIdIn } from './named-user.js'
import { narrowed, type Scope } from './scope.js'
import type { RevokeUserOptions, Sessions } from './sessions.js'
import { readSessionsOptions, type SessionsOptions } from './sessions-options.js'
import { createUserDataCalls } from './user-data.js'
import { createWechatCalls } from './wechat-calls.js'

/**
 * Puts login and sessions together. Wrong options throw a `TypeError` that says what is allowed.
 *
 * @example
 * const sessions = createSessions({
 *   apps: [{ appid: 'wx…', secret: '…', loginDurationDays: 30, sessionDurationSeconds: 7200 }],
 *   store: new RedisStore(new Redis('redis://127.0.0.1:6379', { maxRetriesPerRequest: 1 })),
 * })
 */
export function createSessions(options: SessionsOptions): Sessions {
  const settings = readSessionsOptions(options)
  const everything = { apps: settings.apps, maxSessionsPerUser: undefined, keepPhoneNumbers: false }
  return sessionsWithin(everything, createEngine(settings))
}

/** Makes the use cases of a scope. What they share with those of other scopes is in the engine. */
function sessionsWithin(scope: Scope, engine: Engine): Sessions {
  const { apps } = scope
  const registry = new SessionRegistry({ ...engine, apps })
  const issuer = new SessionIssuer({ ...engine, apps })
  const sessionKeys = new SessionKeys({ ...engine, apps })
  const freshKey = createFreshKey({ ...engine, apps, sessionKeys })
  const parts = { ...engine, ...scope, registry, issuer, sessionKeys, freshKey }

  const logIn = createLogIn(parts)
  const sessions: Sessions = {
    async login(request) {
      try {
        return await logIn(request)
      } catch (error) {
        const { peer, mount } = request.origin ?? {}
        engine.refusedLogins.tell(error, { appid: appidIn(apps, request), peer, mount })
        throw error
      }
    },
    authenticate: createAuthenticate(apps, registry),
    logout: async (token) => registry.revokeAt(addressIn(token)),
    list: async (user) => registry.list(namedUser(apps, user).user),
    revoke: async (session) => registry.revoke(namedSession(apps, session)),
    async revokeUser(user, options = {}) {
      checkOptionNames<RevokeUserOptions>('revokeUser', options, { exceptSessionId: true })
      const { exceptSessionId } = options
      const except = exceptSessionId === undefined ? undefined : sessionIdIn(exceptSessionId)
      return registry.revokeUser(namedUser(apps, user).user, except)
    },
    async revokeAll() {
      if (!apps.isNarrowed) return registry.revokeAll()
      throw new TypeError('revokeAll ends the sessions of all apps: call it on what createSessions returned')
    },
    async forgetUser(selector) {
      const { app, user } = namedUser(apps, selector)
      await registry.revokeUser(user)
      await engine.profiles.forget(user)
      await engine.phoneNumbers.keep(app, user.openid, undefined)
      await engine.decryptions.forget(user)
    },
    async setData(selector, data) {
      const kept = frozen(throughJson(data)) as SessionData
      if (!(await registry.setData(namedSession(apps, selector), kept))) throw unknownSession()
      return kept
    },
    ...createUserDataCalls(parts),
    ...createWechatCalls(parts),
    with: (options) => sessionsWithin(narrowed(scope, options), engine),
    ofApp: (appid) => sessionsWithin(narrowed(scope, { appid }), engine),
    ping: () => engine.store.ping(),
    close: () => engine.close(),
  }
  return withLoginGate(sessions, { ...engine, apps })
}

/** The app of a login that was refused, if there is one. */
function appidIn(apps: Apps, { appid }: LoginRequest): string | undefined {
  try {
    return apps.choose(appid).appid
  } catch {
    return undefined
  }
}
