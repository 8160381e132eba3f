import { WeappError } from '../errors.js'
import { isOpenid } from '../exchange.js'
import type { App } from '../sessions/app-info.js'
import type { Apps } from '../sessions/apps.js'
import type { SessionRef, SessionSelector, UserRef, UserSelector } from '../sessions/session.js'
import { addressNamed, type SessionAddress } from '../sessions/token.js'
import { requireFields } from './received-data.js'

export interface NamedUser {
  readonly app: App
  readonly user: UserRef
}

/**
 * Returns the user whom a call names. A wrong name must not look like a user without sessions: throws
 * `ERR_APP_UNKNOWN`, and `ERR_REQUEST_INVALID` for what cannot be an openid.
 */
export function namedUser(apps: Apps, selector: UserSelector): NamedUser {
  const { appid, openid } = requireFields(selector)
  const app = apps.choose(appid)
  if (!isOpenid(openid)) throw notA('openid', 'the openid of a user')
  return { app, user: { appid: app.appid, openid } }
}

export function namedSession(apps: Apps, selector: SessionSelector): SessionRef {
  const { user } = namedUser(apps, selector)
  return { ...user, sessionId: sessionIdIn(selector.sessionId) }
}

/** Returns where the session is that a call names by its id alone. Throws `ERR_REQUEST_INVALID`. */
export function namedAddress(selector: Pick<SessionSelector, 'sessionId'>): SessionAddress {
  const { sessionId } = requireFields(selector)
  return addressNamed(sessionIdIn(sessionId)) as SessionAddress
}

/** Returns a session id. Throws `ERR_REQUEST_INVALID` for what cannot be one, such as a token. */
export function sessionIdIn(sessionId: unknown): string {
  if (typeof sessionId === 'string' && addressNamed(sessionId)) return sessionId
  throw notA('sessionId', 'the id of a session')
}

function notA(name: string, what: string): WeappError {
  return new WeappError('ERR_REQUEST_INVALID', `"${name}" must be ${what}.`)
}
