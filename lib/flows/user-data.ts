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
import type { CandidateKeys } from './candidate-keys.js'
import type { Decryptions } from './decryption.js'
import type { FreshKey, KeyOwner } from './fresh-key.js'
import type { AskAboutProfile } from './hooks.js'
import { keptProfile } from './kept-profile.js'
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
  /** What it has to be: one of the kinds, or a function that reads another one. Also types the result. Default `any`: any of the kinds. */
  readonly as?: As
  /**
   * How long ago WeChat may have made it, in seconds, by its watermark. It keeps honest phones from sending old data; it proves
   * nothing. Default: any time.
   */
  readonly maxAgeSeconds?: number
  /** The data was made by the algorithm of 2016, whose iv is the key itself; there is no `iv` then. Default false. */
  readonly ivIsKey?: boolean | undefined
}

/** The use cases about the data of a user: its profile, and what WeChat has encrypted or signed. */
export interface UserDataCalls {
  /**
   * Sets a user's profile, which all of the user's sessions share, or deletes it (null). Returns the profile as it then is: WeChat's
   * placeholder takes the place of no other one. Throws `ERR_REQUEST_INVALID`, `ERR_SESSION_UNKNOWN` for a session that has ended,
   * `ERR_USER_INFO_REFUSED`, `ERR_HOOK_FAILED`, and for encrypted data and a fresh code what `decrypt` throws.
   */
  setUserInfo(user: UserSelector | SessionSelector, data: UserDataRequest | null): Promise<UserInfo | null>
  /**
   * Decrypts `encryptedData` of a session's user. `options` are the server's and never part of `data`, which is the
   * phone's. The encryption proves little: whatever is worth stealing needs a proof of its own, as `phoneNumber` is for a number.
   * Throws `ERR_SESSION_KEY_STALE`, `ERR_DATA_MALFORMED`, `ERR_DECRYPTION_LIMIT`; with a fresh code also `ERR_CODE_INVALID`,
   * `ERR_USER_CHANGED` and `ERR_WECHAT_…`.
   */
  decrypt<As extends OpenDataAs = 'any'>(
    session: SessionSelector,
    data: EncryptedData,
    options?: DecryptOptions<As>,
  ): Promise<OpenDataOf<As>>
  /** Checks that WeChat signed `rawData` for this session's user. Throws `ERR_SESSION_KEY_STALE`, `ERR_DATA_MALFORMED`. */
  verifySignature(session: SessionSelector, data: SignedData): Promise<void>
}

interface UserDataCallsParts {
  readonly apps: Apps
  readonly registry: SessionRegistry
  readonly profiles: UserProfiles
  readonly sessionKeys: SessionKeys
  readonly freshKey: FreshKey
  readonly decryptions: Decryptions
  readonly askAboutProfile: AskAboutProfile
  readonly profileRules: UserInfoRules
  readonly clock: Clock
}

/**
 * Makes the use cases about the data of a user with a session. The form is checked before a code is spent. The key of a fresh
 * code is tried first, then that of the session, then those of the user's other sessions.
 */
export function createUserDataCalls(parts: UserDataCallsParts): UserDataCalls {
  const { apps, registry, profiles, sessionKeys, freshKey, decryptions, profileRules, clock } = parts

  async function freshKeyOf(owner: KeyOwner, code: string): Promise<string[]> {
    await decryptions.refuseLimited(owner)
    return freshKey(owner, code)
  }

  /** A code is used up before the data is looked at: nobody else waits for WeChat meanwhile. */
  async function candidatesFor(owner: KeyOwner, code: string | null | undefined): Promise<CandidateKeys> {
    const fresh = code === undefined || code === null ? [] : await freshKeyOf(owner, code)
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
      const kept = await keptProfile(profiles, user, userInfo)
      if (!kept) await parts.askAboutProfile({ ...user, userInfo })
      // The user may have been forgotten while WeChat or the hook was asked.
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
