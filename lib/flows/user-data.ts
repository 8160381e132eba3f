import type { Clock } from '../clock.js'
import { WeappError } from '../errors.js'
import { checkOptionNames, oneOf, positiveNumber } from '../options.js'
import type { Apps } from '../sessions/apps.js'
import type { SessionRef, SessionSelector, UserSelector } from '../sessions/session.js'
import { frozen } from '../sessions/session-data.js'
import type { SessionKeys } from '../sessions/session-keys.js'
import type { SessionRegistry } from '../sessions/session-registry.js'
import type { UserInfo, UserInfoRules } from '../sessions/user-info.js'
import type { UserProfiles } from '../sessions/user-profiles.js'
import { checkSignedData, type EncryptedData, readCiphertext, type SignedData } from '../wechat/open-data.js'
import { asKind, OPEN_DATA_KINDS, type OpenDataAs, type OpenDataOf } from '../wechat/open-data-kinds.js'
import { unknownSession } from './authenticate.js'
import type { CandidateKeys, Decryptions } from './decryptions.js'
import type { FreshKey, KeyOwner } from './fresh-key.js'
import type { CallOnUserInfo } from './hooks.js'
import { namedSession, namedUser, sessionIdIn } from './named-user.js'
import {
  needsKey,
  profileFrom,
  readReceivedData,
  requireFields,
  type UserDataRequest,
  verifyFor,
} from './received-data.js'

/** What decrypted data has to fulfil. */
export interface DecryptOptions<As extends OpenDataAs = OpenDataAs> {
  /** One of the kinds, or a function that reads another one. Types the result, too. Default `any`. */
  readonly as?: As
  /**
   * The greatest age of the data by its watermark, in seconds. It keeps honest phones from sending old data
   * and proves nothing. Default: no limit.
   */
  readonly maxAgeSeconds?: number
  /** Whether the data was encrypted as in 2016, with the key as iv and no `iv` sent. Default false. */
  readonly ivIsKey?: boolean | undefined
}

/** The use cases about the data of a user: the profile, and what WeChat has encrypted or signed. */
export interface UserDataCalls {
  /**
   * Sets the profile that all sessions of a user share, or deletes it (null). Returns the profile as it is
   * then: WeChat's placeholder replaces no other one. Throws `ERR_REQUEST_INVALID`, `ERR_USER_INFO_REFUSED`,
   * `ERR_HOOK_FAILED`, `ERR_SESSION_UNKNOWN` for a session that has ended, and for encrypted data and a fresh
   * code what `decrypt` throws.
   */
  setUserInfo(user: UserSelector | SessionSelector, data: UserDataRequest | null): Promise<UserInfo | null>
  /**
   * Decrypts `encryptedData` of a session's user. `data` comes from the phone, `options` never do. The
   * encryption proves little: what is worth stealing needs a proof of its own, as `phoneNumber` is for a
   * number. Throws `ERR_SESSION_KEY_STALE`, `ERR_DATA_MALFORMED`, `ERR_DECRYPTION_LIMIT`; with a fresh code
   * also `ERR_CODE_INVALID`, `ERR_USER_CHANGED` and `ERR_WECHAT_…`.
   */
  decrypt<As extends OpenDataAs = 'any'>(
    session: SessionSelector,
    data: EncryptedData,
    options?: DecryptOptions<As>,
  ): Promise<OpenDataOf<As>>
  /** Checks that WeChat signed `rawData`. Throws `ERR_SESSION_KEY_STALE`, `ERR_DATA_MALFORMED`. */
  verifySignature(session: SessionSelector, data: SignedData): Promise<void>
}

interface UserDataCallsParts {
  readonly apps: Apps
  readonly registry: SessionRegistry
  readonly profiles: UserProfiles
  readonly sessionKeys: SessionKeys
  readonly freshKey: FreshKey
  readonly decryptions: Decryptions
  readonly callOnUserInfo: CallOnUserInfo
  readonly profileRules: UserInfoRules
  readonly clock: Clock
}

/**
 * Makes those use cases. The form is checked before a code is spent. The session_key of a fresh code is tried
 * first, then that of the session, then those of the user's other sessions.
 */
export function createUserDataCalls(parts: UserDataCallsParts): UserDataCalls {
  const { apps, registry, profiles, sessionKeys, freshKey, decryptions, profileRules, clock } = parts

  /** The code is exchanged before it is the turn of the data: nobody else's data has to wait for WeChat. */
  async function candidatesFor(owner: KeyOwner, code: string | null | undefined): Promise<CandidateKeys> {
    const fresh =
      code === undefined || code === null
        ? []
        : await decryptions.withCode(owner, () => freshKey(owner, code))
    return async function* () {
      yield fresh
      yield sessionKeys.keysOf(owner, owner.sessionId)
    }
  }

  return {
    async setUserInfo(selector, data) {
      const { app, user } = namedUser(apps, selector)
      const owner = 'sessionId' in selector ? { ...user, sessionId: sessionIdIn(selector.sessionId) } : user
      const given = data && readReceivedData(data, profileRules)
      const candidates = await candidatesFor(owner, given && needsKey(given) ? data?.code : undefined)
      const userInfo = given && (await profileFrom(given, candidates, user, decryptions))
      if (userInfo === undefined) {
        throw new WeappError(
          'ERR_REQUEST_INVALID',
          'Send encryptedData and iv, or rawData and signature, or userInfo.',
        )
      }
      const kept = await profiles.keptOver(user, userInfo)
      if (!kept) await parts.callOnUserInfo({ ...user, userInfo })
      // The user may have been forgotten during the calls of WeChat and the hook.
      if (isSession(owner) && !(await registry.isThere(owner))) throw unknownSession()
      if (kept) return frozen(kept)
      await profiles.set(app, user.openid, userInfo)
      return frozen(userInfo)
    },

    async decrypt<As extends OpenDataAs = 'any'>(
      selector: SessionSelector,
      data: EncryptedData,
      options: DecryptOptions<As> = {},
    ) {
      checkOptionNames<DecryptOptions>('decrypt', options, { as: true, maxAgeSeconds: true, ivIsKey: true })
      const { as = 'any', maxAgeSeconds, ivIsKey } = options
      if (typeof as !== 'function') oneOf('decrypt: as', as, OPEN_DATA_KINDS)
      const notBefore =
        maxAgeSeconds === undefined
          ? undefined
          : clock() / 1000 - positiveNumber('decrypt: maxAgeSeconds', maxAgeSeconds)
      const session = namedSession(apps, selector)
      const { encryptedData, iv, code } = requireFields(data)
      const ciphertext = readCiphertext({ encryptedData, iv, ivIsKey })
      return decryptions.decrypt({
        data: ciphertext,
        owner: { appid: session.appid, openid: session.openid, notBefore },
        candidates: await candidatesFor(session, code),
        read: (openData) => asKind(as as As, openData),
      })
    },

    async verifySignature(selector, data) {
      const session = namedSession(apps, selector)
      checkSignedData(requireFields(data))
      await verifyFor(data, await candidatesFor(session, data.code))
    },
  }
}

function isSession(owner: KeyOwner): owner is SessionRef {
  return owner.sessionId !== undefined
}
