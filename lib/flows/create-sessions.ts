import { booleanOption, checkOptionNames, optionalFunction } from '../options.js'
import { frozen, type SessionData, throughJson } from '../sessions/session-data.js'
import { SessionIssuer } from '../sessions/session-issuer.js'
import { SessionKeys } from '../sessions/session-keys.js'
import { SessionRegistry } from '../sessions/session-registry.js'
import { SessionRotation } from '../sessions/session-rotation.js'
import { addressIn, createAuthenticate, unknownSession } from './authenticate.js'
import { createConfirm } from './confirm.js'
import { createEngine, type Engine } from './engine.js'
import { createFreshKey } from './fresh-key.js'
import { timely } from './hooks.js'
import { createLogIn } from './log-in.js'
import { withLoginGate } from './login-gate.js'
import { namedAddress, namedSession, namedUser, sessionIdIn } from './named-user.js'
import { createRenew } from './renew.js'
import { narrowed, type Scope } from './scope.js'
import type { RevokeAllOptions, RevokeUserOptions, RotateOptions, Sessions } from './sessions.js'
import { readSessionsOptions, type SessionsOptions } from './sessions-options.js'
import { DEFAULT_STEP_UP } from './step-up.js'
import { createUserDataCalls } from './user-data.js'
import { createWechatCalls } from './wechat-calls.js'
import { whileOpen } from './while-open.js'

/**
 * Puts login and sessions together. Wrong options throw a `TypeError` that says what is allowed.
 *
 * @example
 * const sessions = createSessions({
 *   apps: [{ appid: 'wx…', secret: '…', loginDurationDays: 30, sessionDurationSeconds: 7200 }],
 *   store: new RedisStore(new Redis('redis://127.0.0.1:6379', redisSettings())),
 * })
 */
export function createSessions(options: SessionsOptions): Sessions {
  const settings = readSessionsOptions(options)
  const scope = { apps: settings.apps, maxSessionsPerUser: undefined, keepPhoneNumbers: false }
  return sessionsWithin({ ...scope, stepUp: DEFAULT_STEP_UP }, createEngine(settings))
}

/** Makes the use cases of a scope. What they share with those of other scopes is in the engine. */
function sessionsWithin(scope: Scope, engine: Engine): Sessions {
  const { apps } = scope
  const registry = new SessionRegistry({ ...engine, apps })
  const issuer = new SessionIssuer(engine)
  const sessionKeys = new SessionKeys({ ...engine, apps })
  const freshKey = createFreshKey({ ...engine, apps, sessionKeys })
  const rotation = new SessionRotation({ ...engine, apps })
  const parts = { ...engine, ...scope, registry, issuer, sessionKeys, freshKey, rotation }
  const wechatCalls = createWechatCalls(parts)

  const appids = Object.freeze(apps.all.map(({ appid }) => appid))

  const logIn = createLogIn(parts)
  const sessions: Sessions = {
    apps: Object.freeze({ appids, isNarrowed: apps.isNarrowed }),
    async login(request) {
      try {
        return await logIn(request)
      } catch (error) {
        const { peer, mount } = request.origin ?? {}
        engine.refusedLogins.tell(error, { appid: apps.chosen(request.appid)?.appid, peer, mount })
        throw error
      }
    },
    authenticate: createAuthenticate(scope, registry),
    renew: createRenew(parts),
    async rotate(selector, options = {}) {
      checkOptionNames<RotateOptions>('rotate', options, { data: true })
      const data = options.data === undefined ? undefined : { to: throughJson(options.data) }
      const rotated = await rotation.rotate(namedSession(apps, selector), data)
      if (!rotated) throw unknownSession()
      return rotated
    },
    confirm: createConfirm({ ...parts, phoneNumber: wechatCalls.phoneNumber }),
    logout: async (token) => registry.revokeAt(addressIn(token)),
    list: async (user) => registry.list(namedUser(apps, user).user),
    find: async (selector) => (await registry.find(namedAddress(selector))) ?? null,
    revoke: async (session) => registry.revoke(namedSession(apps, session)),
    async revokeUser(user, options = {}) {
      checkOptionNames<RevokeUserOptions>('revokeUser', options, { exceptSessionId: true })
      const { exceptSessionId } = options
      const except = exceptSessionId === undefined ? undefined : sessionIdIn(exceptSessionId)
      return registry.revokeUser(namedUser(apps, user).user, except)
    },
    async revokeAll(options = {}) {
      checkOptionNames<RevokeAllOptions>('revokeAll', options, { onProgress: true, resume: true })
      const onProgress = optionalFunction('revokeAll: onProgress', options.onProgress)
      const isResumed = booleanOption('revokeAll: resume', options.resume ?? false)
      return registry.revokeAll({ onProgress: onProgress && timely(onProgress), isResumed })
    },
    async forgetUser(selector) {
      const { app, user } = namedUser(apps, selector)
      await registry.revokeUser(user)
      await engine.profiles.forget(user)
      await engine.phoneNumbers.keep(app, user.openid, undefined)
      await engine.decryptions.forget(user)
      await engine.confirmations.forget(user)
      await engine.phoneCodes.forget(user)
    },
    async setData(selector, data) {
      const kept = frozen(throughJson(data)) as SessionData
      if (!(await registry.setData(namedSession(apps, selector), kept))) throw unknownSession()
      return kept
    },
    ...createUserDataCalls(parts),
    ...wechatCalls,
    with: (options) => sessionsWithin(narrowed(scope, options), engine),
    ofApp: (appid) => sessionsWithin(narrowed(scope, { appid }), engine),
    async ping() {
      await engine.store.ping()
      await engine.keysInUse.check()
    },
    health: () => engine.health.check(),
    close: () => engine.lifecycle.close(),
  }
  return withLoginGate(whileOpen(sessions, engine.lifecycle), { ...engine, apps })
}
