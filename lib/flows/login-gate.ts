import type { Logger } from '../logger.js'
import type { AppSelector } from '../sessions/app-info.js'
import type { Apps } from '../sessions/apps.js'
import type { BackgroundWork } from '../sessions/once.js'
import type { CountedValue, SessionStore, ValueAddition } from '../sessions/store.js'
import type { LoginSource, RefusedLogins } from './refused-logins.js'
import type { Sessions } from './sessions.js'

/** Under a symbol of all copies of this package, so that `{ ...sessions }` takes it along. */
const GATE = Symbol.for('weapp-session.loginGate')

/** What a router needs of sessions to limit logins. `Sessions` that are not made here have none. */
export interface LoginGate {
  /** Returns the AppID of the app that a login is for; undefined when it may not log in here. */
  appidOf(login: AppOfLogin): string | undefined
  /** Throws `ERR_STORE_UNAVAILABLE`. */
  count(addition: ValueAddition): Promise<CountedValue>
  /** Does work that nobody waits for but `close`. */
  later(work: Promise<unknown>): void
  tellRefused(error: unknown, source: LoginSource): void
  warn(line: string): void
}

interface GateParts {
  readonly apps: Apps
  readonly store: Required<SessionStore>
  readonly background: BackgroundWork
  readonly refusedLogins: RefusedLogins
  readonly logger: Logger
}

/** The app that a login names, or the session that it renews. */
interface AppOfLogin {
  readonly app?: AppSelector | undefined
  readonly renewedToken?: string | undefined
}

export function withLoginGate(sessions: Sessions, parts: GateParts): Sessions {
  const { apps, store, background, refusedLogins, logger } = parts
  const gate: LoginGate = {
    appidOf({ app, renewedToken }) {
      const found = renewedToken === undefined ? apps.chosen(app) : apps.ofToken(renewedToken)
      return found?.appid
    },
    count: (addition) => store.addToValue(addition),
    later: (work) => background.add(work),
    tellRefused: (error, source) => refusedLogins.tellUntold(error, source),
    warn: (line) => logger.warn(line),
  }
  return Object.assign(sessions, { [GATE]: gate })
}

export function loginGateOf(sessions: Sessions): LoginGate | undefined {
  return (sessions as { readonly [GATE]?: LoginGate })[GATE]
}
