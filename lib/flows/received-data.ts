import { WeappError } from '../errors.js'
import { isJsonObject } from '../json-object.js'
import type { Secret } from '../secret.js'
import {
  type UserInfo,
  type UserInfoRules,
  unverifiedUserInfo,
  wechatUserInfo,
} from '../sessions/user-info.js'
import { hasControls } from '../wechat/lenient-json.js'
import {
  type Ciphertext,
  checkSignedData,
  type DataOwner,
  isSignedBy,
  type OpenData,
  readCiphertext,
  type SignedData,
} from '../wechat/open-data.js'
import { profileData } from '../wechat/open-data-kinds.js'
import { type CandidateKeys, type Decryptions, withFittingKeys } from './decryptions.js'

/** User data as a mini-program sends it: encrypted, signed, or neither. */
export interface UserDataRequest {
  /** Base64, with `iv`. */
  readonly encryptedData?: string | undefined
  /** Base64, with `encryptedData`. */
  readonly iv?: string | undefined
  /** Whether the data was encrypted as in 2016, with the key as iv and no `iv` sent. Default false. */
  readonly ivIsKey?: boolean | undefined
  /** The text WeChat signed, untouched to the byte, with `signature`. */
  readonly rawData?: string | undefined
  /** Hexadecimal SHA-1, with `rawData`. */
  readonly signature?: string | undefined
  /** A fresh code of `wx.login`: its session_key is tried first, and stored in the session. */
  readonly code?: string | undefined
  /** A profile nobody signed; kept with `verified: false`. */
  readonly userInfo?: unknown
}

interface SignedProfile extends SignedData {
  readonly profile: UserInfo
}

export interface ReceivedData {
  readonly encrypted: Ciphertext | undefined
  readonly signed: SignedProfile | undefined
  readonly unsigned: UserInfo | undefined
}

/** Checks the form of the data. Throws `ERR_DATA_MALFORMED`, `ERR_REQUEST_INVALID`. */
export function readReceivedData(request: UserDataRequest, profileRules: UserInfoRules): ReceivedData {
  const { encryptedData, iv, ivIsKey, rawData, signature, userInfo } = requireFields(request)
  if (ivIsKey !== true) requirePair('encryptedData', encryptedData, 'iv', iv)
  requirePair('rawData', rawData, 'signature', signature)
  return {
    encrypted: encryptedData === undefined ? undefined : readCiphertext({ encryptedData, iv, ivIsKey }),
    signed:
      rawData === undefined || signature === undefined ? undefined : signedProfile({ rawData, signature }),
    unsigned:
      userInfo === undefined || userInfo === null ? undefined : unverifiedUserInfo(userInfo, profileRules),
  }
}

/** Whether there is something to open or to verify, for which a key is needed. */
export function needsKey({ encrypted, signed }: ReceivedData): boolean {
  return encrypted !== undefined || signed !== undefined
}

/**
 * Returns the profile in the data: the signed one, else the decrypted one, else the one that the user typed
 * in. Throws `ERR_SESSION_KEY_STALE` unless all that comes from WeChat holds.
 */
export async function profileFrom(
  { encrypted, signed, unsigned }: ReceivedData,
  candidates: CandidateKeys,
  owner: DataOwner,
  decryptions: Decryptions,
): Promise<UserInfo | undefined> {
  const decrypted =
    encrypted && (await decryptions.decrypt({ data: encrypted, owner, candidates, read: profileIn }))
  if (!signed) return decrypted ?? unsigned
  await verifyFor(signed, candidates)
  return signed.profile
}

/** Checks that one of the keys signed the data. Throws `ERR_SESSION_KEY_STALE` when none did. */
export async function verifyFor(signed: SignedData, candidates: CandidateKeys): Promise<void> {
  const isSigned = (sessionKeys: readonly Secret[]) =>
    isSignedBy(
      signed,
      sessionKeys.map((sessionKey) => sessionKey.reveal()),
    )
  await withFittingKeys(candidates, (sessionKeys) => isSigned(sessionKeys) || undefined)
}

/**
 * WeChat begins a profile with its owner: one without may have lost its beginning to whoever sent it. A
 * nickname with control characters has room for a seam. Signed data has neither problem.
 */
function profileIn(data: OpenData): UserInfo {
  const profile = profileData(data)
  const isWhole = profile.openId !== undefined && !hasControls(String(profile.nickName))
  return wechatUserInfo(profile, isWhole)
}

/** Refuses what is not an object, such as the missing body of a request. */
export function requireFields<T>(given: T): T {
  if (isJsonObject(given)) return given
  throw new WeappError('ERR_REQUEST_INVALID', 'The data must be an object.')
}

function signedProfile(data: SignedData): SignedProfile {
  return { ...data, profile: wechatUserInfo(checkSignedData(data), true) }
}

function requirePair(oneName: string, one: unknown, otherName: string, other: unknown): void {
  if ((one === undefined) !== (other === undefined)) {
    throw new WeappError(
      'ERR_REQUEST_INVALID',
      `${oneName} and ${otherName} belong together: send both or neither.`,
    )
  }
}
