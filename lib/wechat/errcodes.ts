import { type ErrorCode, WeappError } from '../errors.js'

/** What an errcode means: a code, a sentence for the client and, if there is anything to mend, one for the operator. */
export interface Meaning {
  readonly code: ErrorCode
  readonly detail: string
  readonly hint?: string
}

/** Meanings by errcode. */
export type Meanings = Readonly<Record<number, Meaning>>

const NEW_CODE =
  'WeChat does not accept this code: it is used, expired or of another mini-program. Call wx.login for a new one.'
const NEW_TAP =
  'WeChat does not accept this phone code: it is used, expired or of somebody else. Let the user tap the button again.'
const NEW_DATA =
  'The session_key of this user is out of date. Call wx.login and send the code, or log in again.'

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
    detail: 'No more of this is possible at the moment.',
    hint: 'the daily quota of the API is used up',
  },
  45011: { code: 'ERR_WECHAT_RATE_LIMITED', detail: 'Too many requests within a minute. Please wait.' },
}

/** What errcodes mean in the answer to a login code. */
export const LOGIN_MEANINGS: Meanings = {
  40029: {
    code: 'ERR_CODE_INVALID',
    detail: NEW_CODE,
    hint: 'when every code is refused, the mini-program was built with another AppID than the one set here',
  },
  40163: { code: 'ERR_CODE_INVALID', detail: NEW_CODE },
  40226: { code: 'ERR_USER_BLOCKED', detail: 'WeChat refuses this user as high-risk.' },
  41008: { code: 'ERR_CODE_INVALID', detail: NEW_CODE },
  40001: misconfigured('the AppSecret does not belong to the AppID'),
}

const REFUSED: Meaning = {
  code: 'ERR_ACCESS_TOKEN_UNAVAILABLE',
  detail: 'WeChat cannot be asked at the moment. Please try again.',
  hint: 'the access token is refused',
}

/** An access token that is revoked or not the latest, malformed, expired. */
const ACCESS_TOKEN_MEANINGS: Meanings = { 40001: REFUSED, 40014: REFUSED, 42001: REFUSED }

/** What errcodes mean in the answer to the code of a phone number button. */
export const PHONE_MEANINGS: Meanings = {
  ...ACCESS_TOKEN_MEANINGS,
  40013: {
    code: 'ERR_PHONE_CODE_INVALID',
    detail: NEW_TAP,
    hint: 'the code was given to another mini-program than the one of this session',
  },
  40029: { code: 'ERR_PHONE_CODE_INVALID', detail: NEW_TAP },
}

/** What errcodes mean in the answer to a signature made with a session_key. */
export const SESSION_KEY_MEANINGS: Meanings = {
  ...ACCESS_TOKEN_MEANINGS,
  87007: { code: 'ERR_SESSION_KEY_STALE', detail: NEW_DATA },
  87009: { code: 'ERR_SESSION_KEY_STALE', detail: NEW_DATA },
}

/** Whether WeChat did nothing, as it does not accept the access token. */
export function isAccessTokenRefused(error: unknown): boolean {
  return error instanceof WeappError && error.code === REFUSED.code
}

/**
 * What an errcode of WeChat means here: by `meanings` of the API, else by those that all APIs share. The hint tells the `rid` in `errmsg`,
 * by which WeChat finds the call again, the caller's address with 40164, and the plain words of `errmsg` where there is nothing better to say.
 * Source: https://developers.weixin.qq.com/miniprogram/dev/OpenApiDoc/user-login/code2Session.html
 */
export function errorFromErrcode(
  errcode: number,
  errmsg: unknown,
  meanings: Meanings,
  platform = 'WeChat',
): WeappError {
  const meaning = meanings[errcode] ?? operatorMeaning(errcode) ?? COMMON[errcode] ?? unknownErrcode()
  const said = `${platform} answered errcode ${errcode}`
  return new WeappError(meaning.code, meaning.detail, { hint: hintFor(said, errcode, errmsg, meaning.hint) })
}

/** What only the operator can mend. */
export function misconfigured(hint: string): Meaning {
  const detail = 'The server is not set up correctly. Its operator has been told.'
  return { code: 'ERR_SERVER_MISCONFIGURED', detail, hint }
}

function operatorMeaning(errcode: number): Meaning | undefined {
  const hint = OPERATOR_HINTS[errcode]
  return hint ? misconfigured(hint) : undefined
}

function unknownErrcode(): Meaning {
  return {
    code: 'ERR_WECHAT_ANSWER_INVALID',
    detail: 'WeChat answered with an error that is not known here.',
  }
}

function hintFor(said: string, errcode: number, errmsg: unknown, hint: string | undefined): string {
  const text = typeof errmsg === 'string' ? errmsg.slice(0, 500) : ''
  const rid = /\brid: ?([0-9a-f]{8}-[0-9a-f]{8}-[0-9a-f]{8})\b/.exec(text)?.[1]
  const address = errcode === 40164 ? /\bip ([0-9a-f.:]+)/i.exec(text)?.[1] : undefined
  const what = hint ?? plainWordsOf(text)
  return [said, rid && `rid ${rid}`, what, address && `address ${address}`].filter(Boolean).join(', ')
}

/** The words of `errmsg` that consist of letters: whatever is a secret, a code or an address holds something else, or is long. */
function plainWordsOf(errmsg: string): string {
  const words = errmsg.replace(/\brid: ?\S+/, '').split(/[\s"'()[\]{}<>]+/)
  const plain = words.flatMap((word) => /^[\p{L}_]{1,20}[,.:;!?]?$/u.exec(word)?.[0] ?? (word ? '…' : []))
  return plain.some((word) => word !== '…') ? `saying: ${plain.join(' ')}` : ''
}
