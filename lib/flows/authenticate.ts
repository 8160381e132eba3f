import { WeappError } from '../errors.js'
import { checkOptionNames, type OptionNames } from '../options.js'
import type { AppSelector, Apps } from '../sessions/app-info.js'
import type { Session } from '../sessions/session.js'
import type { SessionRegistry } from '../sessions/session-registry.js'
import { addressOf, type SessionAddress } from '../sessions/token.js'

/**
 * The address that a presented token opens, found without asking the store. Throws `ERR_TOKEN_MISSING` for none and
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

/** What a session must fulfil besides being live. */
export interface AuthenticateOptions {
  /** The login may be at most this long ago, in seconds. Default: no limit but the absolute end. */
  readonly maxAgeSeconds?: number | undefined
  /** The app it has to be of: its appid, or its `id`. A session of another one is as unknown as none. Default: any. */
  readonly appid?: AppSelector | undefined
}

const OPTION_NAMES: OptionNames<AuthenticateOptions> = { maxAgeSeconds: true, appid: true }

/** The use case "authenticate". */
export type Authenticate = (token: string | undefined, options?: AuthenticateOptions) => Promise<Session>

/** Makes the use case "authenticate". Whether an unknown session expired, was ended or never was is not told. */
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
      throw new WeappError('ERR_LOGIN_TOO_OLD', 'This action requires a recent login.')
    }
    return visit.session
  }
}

/** What there is to say of a session that is not there. */
export function unknownSession(): WeappError {
  return new WeappError('ERR_SESSION_UNKNOWN', 'This session is unknown or has ended. Log in again.')
}
