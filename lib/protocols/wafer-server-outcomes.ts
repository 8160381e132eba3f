import { type ErrorCode, WeappError } from '../errors.js'

/** A `returnCode` of the Wafer session server and its `returnMessage`. */
export type Outcome = readonly [returnCode: number, returnMessage: string]

const NOT_JSON: Outcome = [1009, 'REQUEST_IS_NOT_JSON']
const NO_APP: Outcome = [1012, 'NO_APPID']
const WECHAT_AWAY: Outcome = [1005, 'WEIXIN_NET_ERR']
const ODD_ANSWER: Outcome = [1007, 'WEIXIN_RETURN_ERR']
const CODE_INVALID: Outcome = [40029, 'WEIXIN_CODE_ERR']
const NOT_AUTHENTICATED: Outcome = [60012, 'AUTH_FAIL']
const NOT_DECRYPTED: Outcome = [60021, 'DECRYPT_FAIL']
const SERVER_FAILED: Outcome = [1001, 'DATABASE_ERR']

export const PARA_ERR: Outcome = [1003, 'PARA_ERR']

const OUTCOMES: Readonly<Record<ErrorCode, Outcome>> = {
  ERR_ACCESS_TOKEN_UNAVAILABLE: WECHAT_AWAY,
  ERR_APP_UNKNOWN: NO_APP,
  ERR_BODY_INVALID: NOT_JSON,
  ERR_BODY_TIMEOUT: NOT_JSON,
  ERR_BODY_TOO_LARGE: NOT_JSON,
  ERR_CODE_INVALID: CODE_INVALID,
  ERR_CODE_MOCK: CODE_INVALID,
  ERR_DATA_MALFORMED: NOT_DECRYPTED,
  ERR_DECRYPTION_LIMIT: NOT_DECRYPTED,
  ERR_HOOK_FAILED: SERVER_FAILED,
  ERR_LOGIN_LIMIT: WECHAT_AWAY,
  ERR_LOGIN_REFUSED: [1006, 'CHANGE_SESSION_ERR'],
  ERR_LOGIN_TOO_OLD: NOT_AUTHENTICATED,
  ERR_METHOD_NOT_ALLOWED: PARA_ERR,
  ERR_PHONE_CODE_INVALID: CODE_INVALID,
  ERR_REQUEST_INVALID: PARA_ERR,
  ERR_SERVER_MISCONFIGURED: ODD_ANSWER,
  ERR_SESSION_KEY_STALE: NOT_DECRYPTED,
  ERR_SESSION_LIMIT: [1006, 'CHANGE_SESSION_ERR'],
  ERR_SESSION_NOT_FOUND: NOT_AUTHENTICATED,
  ERR_SESSION_UNKNOWN: NOT_AUTHENTICATED,
  ERR_STORE_UNAVAILABLE: SERVER_FAILED,
  ERR_TOKEN_MALFORMED: NOT_AUTHENTICATED,
  ERR_TOKEN_MISSING: PARA_ERR,
  ERR_USER_BLOCKED: CODE_INVALID,
  ERR_USER_CHANGED: NOT_AUTHENTICATED,
  ERR_USER_INFO_REFUSED: [1006, 'CHANGE_SESSION_ERR'],
  ERR_WECHAT_ANSWER_INVALID: ODD_ANSWER,
  ERR_WECHAT_BUSY: WECHAT_AWAY,
  ERR_WECHAT_NO_ANSWER: WECHAT_AWAY,
  ERR_WECHAT_QUOTA: ODD_ANSWER,
  ERR_WECHAT_RATE_LIMITED: ODD_ANSWER,
  ERR_WECHAT_UNREACHABLE: WECHAT_AWAY,
}

/** A request that the session server refuses with an outcome of its own. */
export class RefusedInterface extends WeappError {
  readonly outcome: Outcome

  constructor(outcome: Outcome) {
    super('ERR_REQUEST_INVALID', `The session server refuses this request: ${outcome[1]}.`)
    this.outcome = outcome
  }
}

export function outcomeOf(error: WeappError): Outcome {
  return error instanceof RefusedInterface ? error.outcome : OUTCOMES[error.code]
}
