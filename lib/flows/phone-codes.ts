import { WeappError } from '../errors.js'
import type { AttemptRule } from './attempt-limit.js'

const MOST_FAILURES = 8

/** Each invalid code of a phone number button is a call to WeChat, whose quota belongs to all users. */
export const PHONE_CODES: AttemptRule = {
  purpose: 'invalid phone code',
  mostFailures: MOST_FAILURES,
  isFailure: (error) => error instanceof WeappError && error.code === 'ERR_PHONE_CODE_INVALID',
  refusal: () =>
    new WeappError(
      'ERR_PHONE_CODE_LIMIT',
      'Too many codes of the phone number button were invalid. Please try again later.',
    ),
  lineFor: ({ appid, openid }) =>
    `WeChat refused ${MOST_FAILURES} phone number codes of the user ${openid} of ${appid} within minutes, as when ` +
    'somebody invents them: more is refused for a while',
}
