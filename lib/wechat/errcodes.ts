import { type ErrorCode, WeappError } from '../errors.js'

/** What an errcode means: a code, a message for the client and perhaps a hint for the operator. */
export interface Meaning {
  readonly code: ErrorCode
  readonly detail: string
  readonly hint?: string
}

export type Meanings = Readonly<Record<number, Meaning>>

const CODE_INVALID: Meaning = {
  code: 'ERR_CODE_INVALID',
  detail:
    'WeChat rejected this code: it has been used, has expired or belongs to another mini-program. Call wx.login for a new one.',
}
const PHONE_CODE_INVALID: Meaning = {
  code: 'ERR_PHONE_CODE_INVALID',
  detail:
    'WeChat rejected this phone number code: it has been used, has expired or belongs to another user. Ask the user to tap the button again.',
}
const STALE: Meaning = {
  code: 'ERR_SESSION_KEY_STALE',
  detail: 'The session_key of this user is out of date. Call wx.login and send the code, or log in again.',
}
const REFUSED: Meaning = {
  code: 'ERR_ACCESS_TOKEN_UNAVAILABLE',
  detail: 'WeChat is unavailable at the moment. Please try again.',
  hint: 'the access token was rejected',
}
const UNKNOWN: Meaning = { code: 'ERR_WECHAT_ANSWER_INVALID', detail: 'WeChat returned an unknown error.' }

/** What is wrong with the account or its settings. */
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
  50004: 'the account may not fetch access tokens',
  50007: 'the account is frozen',
  61004: 'the address of this server is not in the IP whitelist of the third-party platform',
  89503: 'an administrator has to confirm the address of this server in WeChat',
  89506: 'an administrator has refused the address of this server for 24 hours',
  89507: 'an administrator has refused the address of this server for one hour',
}

const COMMON: Meanings = {
  [-1]: { code: 'ERR_WECHAT_BUSY', detail: 'WeChat is busy. Please try again in a moment.' },
  45009: {
    code: 'ERR_WECHAT_QUOTA',
    detail: 'The daily limit has been reached. Please try again later.',
    hint: 'the daily quota of the API is used up',
  },
  45011: { code: 'ERR_WECHAT_RATE_LIMITED', detail: 'Too many requests. Please try again in a minute.' },
}

/** The meanings in the response to a login code. */
export const LOGIN_MEANINGS: Meanings = {
  40029: {
    ...CODE_INVALID,
    hint: 'if every code is rejected, the mini-program was built with an AppID other than the one configured here',
  },
  40163: CODE_INVALID,
  40226: { code: 'ERR_USER_BLOCKED', detail: 'WeChat has blocked this user as high-risk.' },
  41008: CODE_INVALID,
  40001: misconfigured('the AppSecret does not belong to the AppID'),
}

/** An access token that is revoked or superseded (40001), malformed (40014) or expired (42001). */
const ACCESS_TOKEN_MEANINGS: Meanings = { 40001: REFUSED, 40014: REFUSED, 42001: REFUSED }

/** The meanings in the response to the code from a phone number button. */
export const PHONE_MEANINGS: Meanings = {
  ...ACCESS_TOKEN_MEANINGS,
  40013: { ...PHONE_CODE_INVALID, hint: 'the code belongs to another mini-program than the session' },
  40029: PHONE_CODE_INVALID,
}

/** The meanings in the response to a signature made with a session_key. */
export const SESSION_KEY_MEANINGS: Meanings = {
  ...ACCESS_TOKEN_MEANINGS,
  87007: STALE,
  87009: STALE,
}

/** Whether WeChat did nothing because it rejected the access token. */
export function isAccessTokenRefused(error: unknown): boolean {
  return error instanceof WeappError && error.code === REFUSED.code
}

/**
 * Returns the error that an errcode stands for, by `meanings` or else by those that all APIs share. The hint
 * has the `rid` from `errmsg`, by which WeChat can find the call, the caller's address with 40164, and the
 * plain words of `errmsg` where there is nothing better to say.
 * Source: https://developers.weixin.qq.com/miniprogram/dev/OpenApiDoc/user-login/code2Session.html
 */
export function errorFromErrcode(
  errcode: number,
  errmsg: unknown,
  meanings: Meanings,
  platform = 'WeChat',
): WeappError {
  const operatorHint = OPERATOR_HINTS[errcode]
  const shared = operatorHint === undefined ? COMMON[errcode] : misconfigured(operatorHint)
  const { code, detail, hint } = meanings[errcode] ?? shared ?? UNKNOWN
  const returned = `${platform} returned errcode ${errcode}`
  return new WeappError(code, detail, { hint: hintFor(returned, errcode, errmsg, hint) })
}

/** What only the operator can fix. */
export function misconfigured(hint: string): Meaning {
  const detail = 'The server is misconfigured. Its operator has been notified.'
  return { code: 'ERR_SERVER_MISCONFIGURED', detail, hint }
}

function hintFor(returned: string, errcode: number, errmsg: unknown, hint: string | undefined): string {
  const text = typeof errmsg === 'string' ? errmsg.slice(0, 500) : ''
  const rid = /\brid: ?([0-9a-f]{8}-[0-9a-f]{8}-[0-9a-f]{8})\b/.exec(text)?.[1]
  const address = errcode === 40164 ? /\bip ([0-9a-f.:]+)/i.exec(text)?.[1] : undefined
  const what = hint ?? plainWordsOf(text)
  return [returned, rid && `rid ${rid}`, what, address && `address ${address}`].filter(Boolean).join(', ')
}

/**
 * Returns the words of `errmsg` that cannot be a secret, a code or an address: short ones of letters only.
 */
function plainWordsOf(errmsg: string): string {
  const words = errmsg.replace(/\brid: ?\S+/, '').split(/[\s"'()[\]{}<>]+/)
  const plain = words.flatMap((word) => /^[\p{L}_]{1,20}[,.:;!?]?$/u.exec(word)?.[0] ?? (word ? '…' : []))
  return plain.some((word) => word !== '…') ? `saying: ${plain.join(' ')}` : ''
}
