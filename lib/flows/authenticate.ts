import { WeappError } from '../errors.js'
import { checkOptionNames, type OptionNames, oneOf } from '../options.js'
import type { AppSelector } from '../sessions/app-info.js'
import type { Session } from '../sessions/session.js'
import type { SessionRegistry } from '../sessions/session-registry.js'
import { addressOf, type SessionAddress } from '../sessions/token.js'
import type { Scope } from './scope.js'
import { checkStepUp, type StepUp } from './step-up.js'

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
export interface AuthenticateOptions extends StepUp {
  /**
   * The sensitive action of a built-in route, for which `stepUp` of its mount counts as well. Default: none.
   */
  readonly action?: SensitiveAction | undefined
  /** The app that the session has to belong to: its appid, or its `id`. Default: any of the apps here. */
  readonly appid?: AppSelector | undefined
}

/** Ending other sessions of the user, or replacing the phone number that is kept. */
export type SensitiveAction = (typeof ACTIONS)[number]

const ACTIONS = ['end-sessions', 'phone-number'] as const
const OPTION_NAMES: OptionNames<AuthenticateOptions> = {
  maxAgeSeconds: true,
  confirmedWithinSeconds: true,
  action: true,
  appid: true,
}

export type Authenticate = (token: string | undefined, options?: AuthenticateOptions) => Promise<Session>

/** Does not tell whether an unknown session has expired, was revoked, or never existed. */
export function createAuthenticate(scope: Scope, registry: SessionRegistry): Authenticate {
  const { apps } = scope
  return async function authenticate(
    token: string | undefined,
    options: AuthenticateOptions = {},
  ): Promise<Session> {
    checkOptionNames<AuthenticateOptions>('authenticate', options, OPTION_NAMES)
    const address = addressIn(token)
    const appid = options.appid === undefined ? undefined : apps.choose(options.appid).appid
    const visit = await registry.visit(address, appid)
    if (!visit) throw unknownSession()
    checkStepUp(visit, options)
    if (options.action) checkStepUp(visit, demandOf(scope, options.action))
    return visit.session
  }
}

/** WeChat gives a number only after a tap of the user, which is better than any other confirmation. */
function demandOf({ stepUp, keepPhoneNumbers }: Scope, action: SensitiveAction): StepUp {
  if (oneOf('authenticate: action', action, ACTIONS) === 'end-sessions') return stepUp
  return keepPhoneNumbers ? { maxAgeSeconds: stepUp.maxAgeSeconds } : {}
}

export function unknownSession(): WeappError {
  return new WeappError('ERR_SESSION_UNKNOWN', 'This session is unknown or has ended. Log in again.')
}
