import { WeappError } from '../errors.js'
import { checkOptionNames, type OptionNames, positiveNumber } from '../options.js'
import type { Visit } from '../sessions/session-registry.js'

/**
 * What a sensitive action asks for, besides a live session: one of both, or both.
 *
 * @example
 * const stepUp = { maxAgeSeconds: 600, confirmedWithinSeconds: 300 }
 */
export interface StepUp {
  /** How long ago the login or its renewal may be, in seconds. Default: no limit. */
  readonly maxAgeSeconds?: number | undefined
  /**
   * How long ago the user may have confirmed an action in this session, in seconds. Default: never needed.
   */
  readonly confirmedWithinSeconds?: number | undefined
}

/** What the built-in routes ask for where nothing is said. */
export const DEFAULT_STEP_UP: StepUp = { maxAgeSeconds: 600 }

const NAMES: OptionNames<StepUp> = { maxAgeSeconds: true, confirmedWithinSeconds: true }

/** Checks a `stepUp` option; false asks for nothing. */
export function stepUpOption(where: string, given: false | StepUp): StepUp {
  if (given === false) return {}
  checkOptionNames<StepUp>(where, given, NAMES)
  const limits = Object.entries(given).filter(([, seconds]) => seconds !== undefined)
  if (limits.length === 0) {
    throw new TypeError(`${where} must have maxAgeSeconds or confirmedWithinSeconds, or be false`)
  }
  for (const [name, seconds] of limits) positiveNumber(`${where}.${name}`, seconds)
  return given
}

/**
 * Throws `ERR_LOGIN_TOO_OLD`, then `ERR_CONFIRMATION_REQUIRED`: in this order, as a new login has no
 * confirmation.
 */
export function checkStepUp(
  { ageMs, confirmationAgeMs }: Visit,
  { maxAgeSeconds, confirmedWithinSeconds }: StepUp,
): void {
  if (!isWithin(ageMs, maxAgeSeconds)) {
    throw new WeappError(
      'ERR_LOGIN_TOO_OLD',
      'This action requires a recent login. Call wx.login and log in again.',
    )
  }
  if (!isWithin(confirmationAgeMs, confirmedWithinSeconds)) {
    throw new WeappError('ERR_CONFIRMATION_REQUIRED', 'This action requires that you confirm it first.')
  }
}

/**
 * What happened in the future happened before the clock of the store was set back: how long ago is unknown.
 */
function isWithin(ageMs: number, limitSeconds: number | undefined): boolean {
  return limitSeconds === undefined || Math.abs(ageMs) <= limitSeconds * 1000
}
