import { booleanOption, checkOptionNames, type OptionNames, positiveInteger } from '../options.js'
import { type AppSelector, MOST_SESSIONS } from '../sessions/app-info.js'
import type { Apps } from '../sessions/apps.js'
import { type StepUp, stepUpOption } from './step-up.js'

export interface Scope {
  readonly apps: Apps
  /** How many sessions a user may have after a login; undefined: what app or options allow. */
  readonly maxSessionsPerUser: number | undefined
  readonly keepPhoneNumbers: boolean
  /** What the sensitive actions of the built-in routes ask for. */
  readonly stepUp: StepUp
}

/** What `sessions.with` narrows sessions to. */
export interface SessionsScope {
  /** The one app that calls may act for: its appid, or its `id`. Default: as before. */
  readonly appid?: AppSelector | undefined
  /** How many sessions a user may have after any login, 1 to 1000. Default: as before. */
  readonly maxSessionsPerUser?: number | undefined
  /** Whether `phoneNumber` keeps numbers when a call does not say. Default: as before. */
  readonly keepPhoneNumbers?: boolean | undefined
  /** What the sensitive actions of the built-in routes ask for; false: nothing. Default: as before. */
  readonly stepUp?: false | StepUp | undefined
}

const NAMES: OptionNames<SessionsScope> = {
  appid: true,
  maxSessionsPerUser: true,
  keepPhoneNumbers: true,
  stepUp: true,
}

/** Narrows a scope. Throws a `TypeError` for a wrong option, and for an app that is not within the scope. */
export function narrowed(scope: Scope, options: SessionsScope): Scope {
  checkOptionNames<SessionsScope>('with', options, NAMES)
  const { appid, maxSessionsPerUser, keepPhoneNumbers, stepUp } = options
  return {
    apps: appid === undefined ? scope.apps : scope.apps.only('with: appid', appid),
    maxSessionsPerUser:
      maxSessionsPerUser === undefined
        ? scope.maxSessionsPerUser
        : positiveInteger('with: maxSessionsPerUser', maxSessionsPerUser, MOST_SESSIONS),
    keepPhoneNumbers:
      keepPhoneNumbers === undefined
        ? scope.keepPhoneNumbers
        : booleanOption('with: keepPhoneNumbers', keepPhoneNumbers),
    stepUp: stepUp === undefined ? scope.stepUp : stepUpOption('with: stepUp', stepUp),
  }
}
