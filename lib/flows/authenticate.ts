import { WeappError } from '../errors.js'
import { checkOptionNames, type OptionNames } from '../options.js'
import type { AppSelector } from '../sessions/app-info.js'
import type { Apps } from '../sessions/apps.js'
import type { Session } from '../sessions/session.js'
import type { SessionRegistry } from '../sessions/session-registry.js'
import { addressOf, type SessionAddress } from '../sessions/token.js'

/**
 * Returns the address that a token opens, without asking the store. Throws `ERR_TOKEN_MISSING`, and
 * `ERR_TOKEN_MALFORMED` for what cannot be a token.
 */
export function addressIn(token: string | undefined): SessionAddress {
  if (token === undefined || token === '') {
    throw new WeappError('ERR_TOKEN_MISSING', 'Missing token. Log in, then send the token with each request.')
  }
  const address = typeof token === 'string' ? addressOf(token) : undefined
  if (!address) throw new WeappError('ERR_TOKEN_MALFORMED', 'Malformed token.')
  return address
}

/** What a session must fulfil besides being alive. */
export interface AuthenticateOptions {
  /** The login may be at most this long ago, in seconds. Default: no limit but the absolute end. */
  readonly maxAgeSeconds?: number | undefined
  /** The app that the session has to belong to: its appid, or its `id`. Default: any of the apps here. */
  readonly appid?: AppSelector | undefined
}

const OPTION_NAMES: OptionNames<AuthenticateOptions> = { maxAgeSeconds: true, appid: true }

export type Authenticate = (token: string | undefined, options?: AuthenticateOptions) => Promise<Session>

/** Does not tell whether an unknown session has expired, was revoked, or never existed. */
export function createAuthenticate(apps: Apps, registry: SessionRegistry): Authenticate {
  return async function authenticate(
    token: string | undefined,
    options: AuthenticateOptions = {},
  ): Promise<Session> {
    checkOptionNames<AuthenticateOptions>('authenticate', options, OPTION_NAMES)
    const address = addressIn(token)
    const appid = options.appid === undefined ? undefined : apps.choose(options.appid).appid
    const visit = await registry.visit(address, appid)
    if (!visit) throw unknownSession()
    const { maxAgeSeconds = Number.POSITIVE_INFINITY } = options
    if (!(visit.ageMs <= maxAgeSeconds * 1000)) {
      throw new WeappError(
        'ERR_LOGIN_TOO_OLD',
        'This action requires a recent login. Call wx.login and log in again.',
      )
    }
    return visit.session
  }
}

export function unknownSession(): WeappError {
  return new WeappError('ERR_SESSION_UNKNOWN', 'This session is unknown or has ended. Log in again.')
}
