import { Secret } from '../../lib/secret.js'
import type { App, AppInfo } from '../../lib/sessions/app-info.js'
import { type Apps, createApps } from '../../lib/sessions/apps.js'
import { createKeyRing } from '../../lib/sessions/key-ring.js'
import type { UserRef } from '../../lib/sessions/session.js'
import {
  type IssuedSession,
  type NewSession,
  type SessionCap,
  SessionIssuer,
} from '../../lib/sessions/session-issuer.js'
import { SessionKeys } from '../../lib/sessions/session-keys.js'
import { SessionRegistry } from '../../lib/sessions/session-registry.js'
import type { SessionStore } from '../../lib/sessions/store.js'
import { addressOf, type SessionAddress } from '../../lib/sessions/token.js'
import { UserProfiles } from '../../lib/sessions/user-profiles.js'
import { MemoryStore } from '../../lib/stores/memory-store.js'
import { type TestClock, testClock } from '../support/clock.js'
import { type KeptLog, keptLog } from '../support/log-lines.js'

export const LOGIN = Date.UTC(2026, 0, 1)
export const MINUTE_MS = 60_000
export const DAY_MS = 24 * 60 * MINUTE_MS
/**
 * Ten days from login, an hour from the last visit; with a share of 0.1 a visit is written down after six
 * minutes.
 */
export const SHOP: AppInfo = {
  appid: 'wxShop',
  secret: 'secret of the shop',
  loginDurationDays: 10,
  sessionDurationSeconds: 3600,
  userInfoDurationDays: 100,
}
export const GAME: AppInfo = { ...SHOP, appid: 'wxGame', secret: 'secret of the game' }
export const SECRETS = ['a secret of 32 characters or more']

export interface RegistrySettings {
  readonly apps?: readonly AppInfo[]
  readonly cap?: Partial<SessionCap>
  readonly clock?: TestClock
  /** Of the key ring, newest first. */
  readonly secrets?: readonly string[]
  /** What lies behind the registry; given to another registry, both see the same sessions. */
  readonly memory?: MemoryStore
  /** Methods that behave otherwise than those of the memory. */
  readonly instead?: Partial<SessionStore>
}

export interface RegistrySetup {
  readonly registry: SessionRegistry
  readonly profiles: UserProfiles
  readonly keys: ReturnType<typeof plainly>
  readonly apps: Apps
  readonly app: App
  readonly clock: TestClock
  readonly memory: MemoryStore
  /** The memory as registry and keys see it. */
  readonly store: Required<SessionStore>
  readonly log: KeptLog
  /** The calls to the store, in order, since the last login of {@link RegistrySetup.logIn}. */
  readonly calls: StoreCall[]
  /** The handle of a user of the first app. */
  handleOf(openid: string): string
  /** Starts a session of a user on the first app, or on the one named. */
  logIn(openid: string, start?: Partial<NewSession> & { app?: App; sessionKey?: string }): Promise<LoggedIn>
}

export interface StoreCall {
  readonly method: string
  readonly args: readonly unknown[]
}

export interface LoggedIn extends IssuedSession {
  readonly address: SessionAddress
}

/** A session registry and a key registry on a store in memory, with a clock that stands at {@link LOGIN}. */
export function aRegistry(settings: RegistrySettings = {}): RegistrySetup {
  const { clock = testClock(LOGIN), secrets = SECRETS, instead = {}, cap = {} } = settings
  const { memory = new MemoryStore({ clock }) } = settings
  const apps = createApps('apps', settings.apps ?? [SHOP], 0.1)
  const app = apps.all[0] as App
  const calls: StoreCall[] = []
  const log = keptLog()
  const store = recording(memory, instead, calls)
  const keyRing = createKeyRing(secrets, apps.all)
  const profiles = new UserProfiles(store, keyRing)
  const parts = { apps, store, keyRing, profiles, logger: log }
  const issuer = new SessionIssuer({
    ...parts,
    cap: { maxSessionsPerUser: 10, onLimit: 'end-oldest', ...cap },
  })

  return {
    registry: new SessionRegistry(parts),
    profiles,
    keys: plainly(new SessionKeys({ apps, store, keyRing })),
    handleOf: (openid) => keyRing.handlesOf({ appid: app.appid, openid: openid })[0] ?? '',
    apps,
    app,
    clock,
    memory,
    store,
    log,
    calls,
    async logIn(openid, { app: where = app, sessionKey = `key of ${openid}`, ...start } = {}) {
      calls.length = 0
      const identity = { openid, unionid: undefined, sessionKey: new Secret(sessionKey) }
      const nothing = {
        data: undefined,
        userInfo: undefined,
        presentedToken: undefined,
        maxSessionsPerUser: undefined,
      }
      const issued = await issuer.issue(where, { identity, ...nothing, ...start })
      return { ...issued, address: addressOf(issued.token) as SessionAddress }
    },
  }
}

/** The keys as plain texts, so that tests can compare them. */
function plainly(keys: SessionKeys) {
  return {
    async keysOf(...asked: Parameters<SessionKeys['keysOf']>) {
      return (await keys.keysOf(...asked)).map((key) => key.reveal())
    },
    async keyOf(...asked: Parameters<SessionKeys['keyOf']>) {
      const key = await keys.keyOf(...asked)
      return key === null ? null : key?.reveal()
    },
    keep: (user: UserRef, key: string, sessionId?: string) => keys.keep(user, new Secret(key), sessionId),
  }
}

/**
 * Methods of a store that keeps every session for years: only the registry is left to look at the durations.
 */
export function undropping(memory: MemoryStore): Partial<SessionStore> {
  const years = { sessionDurationMs: 10_000 * DAY_MS, loginDurationMs: 10_000 * DAY_MS }
  return {
    issue: (entry) => memory.issue({ ...entry, ...years }),
    touch: (address) => memory.touch(address, { ...years, endsBy: LOGIN + years.loginDurationMs }),
  }
}

/** The store with some methods replaced, which writes down what it is asked. */
export function recording(
  store: SessionStore,
  instead: Partial<SessionStore> = {},
  calls: StoreCall[] = [],
): Required<SessionStore> {
  return new Proxy(store as Required<SessionStore>, {
    get(target, name: keyof SessionStore) {
      const method = (instead[name] ?? target[name].bind(target)) as (...args: unknown[]) => unknown
      return (...args: unknown[]) => {
        calls.push({ method: name, args })
        return method(...args)
      }
    },
  })
}

export function methodsOf(calls: readonly StoreCall[]): string[] {
  return calls.map(({ method }) => method)
}
