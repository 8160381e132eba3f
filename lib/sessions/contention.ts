import { WeappError } from '../errors.js'
import type { Logger } from '../logger.js'
import type { App } from './app-info.js'

/** The error when every try has lost to another change. */
export function changedAllTheTime(): WeappError {
  return new WeappError('ERR_STORE_UNAVAILABLE', 'Too many concurrent changes. Please try again.')
}

/** The error when the sessions of a user were ended during the login. Also tells the operator. */
export function revokedMeanwhile(app: App, logger: Logger): WeappError {
  logger.warn(
    `a login of ${app.appid} came to nothing, as the sessions of its user were ended meanwhile. ` +
      'If onLogin does that: maxSessionsPerUser: 1 leaves a user one session',
  )
  return new WeappError(
    'ERR_CODE_INVALID',
    'The sessions of this user were ended during this login. Call wx.login and log in again.',
  )
}
