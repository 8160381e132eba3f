import { type ErrorCode, WeappError } from '../errors.js'

/**
 * What an errcode means: a code, a message for the client and, where there is something to fix, a hint for
 * the operator.
 */
export interface Meaning {
  readonly code: ErrorCode
  readonly detail: string
  readonly hint?: string
}

/** Meanings by errcode. */
export type Meanings = Readonly<Record<number, Meaning>>

const NEW_CODE =
  'WeChat rejected this code: it has been used, has expired or belongs to another mini-program. Call wx.login for a new one.'
const NEW_TAP =
  'WeChat rejected this phone number code: it has been used, has expired or belongs to another user. Ask the user to tap the button again.'
const NEW_DATA =
  'The session_key of this user is out of date. Call wx.login and send the code, or log in again.'

/** For the operator only: what is wrong with the account or its settings. */
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

/** What errcodes mean in the response to a login code. */
export const LOGIN_MEANINGS: Meanings = {
  40029: {
    code: 'ERR_CODE_INVALID',
    detail: NEW_CODE,
    hint: 'if every code is rejected, the mini-program was built with an AppID other than the one configured here',
  },
  40163: { code: 'ERR_CODE_INVALID', detail: NEW_CODE },
  40226: { code: 'ERR_USER_BLOCKED', detail: 'WeChat has blocked this user as high-risk.' },
  41008: { code: 'ERR_CODE_INVALID', detail: NEW_CODE },
  40001: misconfigured('the AppSecret does not belong to the AppID'),
}

const REFUSED: Meaning = {
  code: 'ERR_ACCESS_TOKEN_UNAVAILABLE',
  detail: 'WeChat is unavailable at the moment. Please try again.',
  hint: 'the access token was rejected',
}

/** An access token that is revoked or superseded (40001), malformed (40014) or expired (42001). */
const ACCESS_TOKEN_MEANINGS: Meanings = { 40001: REFUSED, 40014: REFUSED, 42001: REFUSED }

/** What errcodes mean in the response to the code from a phone number button. */
export const PHONE_MEANINGS: Meanings = {
  ...ACCESS_TOKEN_MEANINGS,
  40013: {
    code: 'ERR_PHONE_CODE_INVALID',
    detail: NEW_TAP,
    hint: 'the code belongs to another mini-program than the session',
  },
  40029: { code: 'ERR_PHONE_CODE_INVALID', detail: NEW_TAP },
}

/** What errcodes mean in the response to a signature made with a session_key. */
export const SESSION_KEY_MEANINGS: Meanings = {
  ...ACCESS_TOKEN_MEANINGS,
  87007: { code: 'ERR_SESSION_KEY_STALE', detail: NEW_DATA },
  87009: { code: 'ERR_SESSION_KEY_STALE', detail: NEW_DATA },
}

/** Whether WeChat did nothing because it rejected the access token. */
export function isAccessTokenRefused(error: unknown): boolean {
  return error instanceof WeappError && error.code === REFUSED.code
}

/**
 * Returns the error that an errcode stands for: by `meanings` of the API, or else by those that all APIs
 * share. The hint has the `rid` from `errmsg`, by which WeChat can find the call, the caller's address with
 * 40164, and the plain words of `errmsg` where there is nothing better to say.
 * Source: https://developers.weixin.qq.com/miniprogram/dev/OpenApiDoc/user-login/code2Session.html
 */
export function errorFromErrcode(
  errcode: number,
  errmsg: unknown,
  meanings: Meanings,
  platform = 'WeChat',
): WeappError {
  const meaning = meanings[errcode] ?? operatorMeaning(errcode) ?? COMMON[errcode] ?? unknownErrcode()
  const said = `${platform} returned errcode ${errcode}`
  return new WeappError(meaning.code, meaning.detail, { hint: hintFor(said, errcode, errmsg, meaning.hint) })
}

/** What only the operator can fix. */
export function misconfigured(hint: string): Meaning {
  const detail = 'The server is misconfigured. Its operator has been notified.'
  return { code: 'ERR_SERVER_MISCONFIGURED', detail, hint }
}

function operatorMeaning(errcode: number): Meaning | undefined {
  const hint = OPERATOR_HINTS[errcode]
  return hint ? misconfigured(hint) : undefined
}

function unknownErrcode(): Meaning {
  return {
    code: 'ERR_WECHAT_ANSWER_INVALID',
    detail: 'WeChat returned an unknown error.',
  }
}

function hintFor(said: string, errcode: number, errmsg: unknown, hint: string | undefined): string {
  const text = typeof errmsg === 'string' ? errmsg.slice(0, 500) : ''
  const rid = /\brid: ?([0-9a-f]{8}-[0-9a-f]{8}-[0-9a-f]{8})\b/.exec(text)?.[1]
  const address = errcode === 40164 ? /\bip ([0-9a-f.:]+)/i.exec(text)?.[1] : undefined
  const what = hint ?? plainWordsOf(text)
  return [said, rid && `rid ${rid}`, what, address && `address ${address}`].filter(Boolean).join(', ')
}

/**
 * Returns the words of `errmsg` that are only letters: secrets, codes and addresses have other characters, or
 * are long.
 */
function plainWordsOf(errmsg: string): string {
  const words = errmsg.replace(/\brid: ?\S+/, '').split(/[\s"'()[\]{}<>]+/)
  const plain = words.flatMap((word) => /^[\p{L}_]{1,20}[,.:;!?]?$/u.exec(word)?.[0] ?? (word ? '…' : []))
  return plain.some((word) => word !== '…') ? `saying: ${plain.join(' ')}` : ''
}
