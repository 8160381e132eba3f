import { type ErrorCode, WeappError } from '../errors.js'

interface Meaning {
  readonly code: ErrorCode
  readonly detail: string
  readonly hint?: string
}

const BUSY = -1
const MISCONFIGURED = 'Login is not set up correctly on the server. Its operator has been told.'
const NEW_CODE =
  'WeChat does not accept this code: it is used, expired or of another mini-program. Call wx.login for a new one.'

/** For the operator alone: what is wrong with the account or its settings. */
const OPERATOR_HINTS: Readonly<Record<number, string>> = {
  40002: 'grant_type is wrong',
  40013: 'the AppID is not valid: compare it with the one in the WeChat console',
  40090:
    'invalid request source: an app run through a third-party platform has to use the component endpoint',
  40125: 'the AppSecret is wrong, perhaps it was reset in the WeChat console',
  40164: 'the address of this server is not in the IP whitelist of the WeChat console',
  40243: 'the AppSecret is frozen: unfreeze it in the WeChat console',
  41002: 'the AppID is missing',
  41004: 'the AppSecret is missing',
  48001: 'this account may not use the API',
  50002: 'the account is frozen or closed, or its API is banned',
  50007: 'the account is frozen',
}

const MEANINGS: Readonly<Record<number, Meaning>> = {
  [BUSY]: { code: 'ERR_WECHAT_BUSY', detail: 'WeChat is busy. Please try again in a moment.' },
  40029: {
    code: 'ERR_CODE_INVALID',
    detail: NEW_CODE,
    hint: 'when every code is refused, the mini-program was built with another AppID than the one set here',
  },
  40163: { code: 'ERR_CODE_INVALID', detail: NEW_CODE },
  40226: { code: 'ERR_USER_BLOCKED', detail: 'WeChat refuses this user as high-risk.' },
  41008: { code: 'ERR_CODE_INVALID', detail: NEW_CODE },
  45009: {
    code: 'ERR_WECHAT_QUOTA',
    detail: 'No more logins are possible at the moment.',
    hint: 'the daily quota of the API is used up',
  },
  45011: { code: 'ERR_WECHAT_RATE_LIMITED', detail: 'Too many logins within a minute. Please wait.' },
}

/**
 * What an errcode of WeChat means here. `errmsg` is looked through for its `rid`, by which WeChat finds the call again, and for
 * the caller's address with 40164; the rest of it goes nowhere.
 * Source: https://developers.weixin.qq.com/miniprogram/dev/OpenApiDoc/user-login/code2Session.html
 */
export function errorFromErrcode(errcode: number, errmsg: unknown): WeappError {
  const operatorHint = OPERATOR_HINTS[errcode]
  const meaning = operatorHint
    ? { code: 'ERR_SERVER_MISCONFIGURED' as const, detail: MISCONFIGURED, hint: operatorHint }
    : (MEANINGS[errcode] ?? unknownErrcode())
  return new WeappError(meaning.code, meaning.detail, { hint: hintFor(errcode, errmsg, meaning.hint) })
}

function unknownErrcode(): Meaning {
  return {
    code: 'ERR_WECHAT_ANSWER_INVALID',
    detail: 'WeChat answered with an error that is not known here.',
  }
}

function hintFor(errcode: number, errmsg: unknown, hint: string | undefined): string {
  const text = typeof errmsg === 'string' ? errmsg.slice(0, 500) : ''
  const rid = /\brid: ?([0-9a-f]{8}-[0-9a-f]{8}-[0-9a-f]{8})\b/.exec(text)?.[1]
  const address = errcode === 40164 ? /\bip ([0-9a-f.:]+)/i.exec(text)?.[1] : undefined
  return [`WeChat answered errcode ${errcode}`, rid && `rid ${rid}`, hint, address && `address ${address}`]
    .filter(Boolean)
    .join(', ')
}
