import type { Clock } from '../clock.js'
import { WeappError } from '../errors.js'
import type { Logger } from '../logger.js'
import { oneOf, positiveNumber } from '../options.js'
import type { AppBook } from '../sessions/app-info.js'
import type { KeyBook } from '../sessions/key-book.js'
import type { SessionRef, UserRef } from '../sessions/session.js'
import type { SessionBook } from '../sessions/session-book.js'
import type { UserInfo } from '../sessions/user-info.js'
import { checkSignedData, type EncryptedData, readCiphertext, type SignedData } from '../wechat/open-data.js'
import { asKind, OPEN_DATA_KINDS, type OpenDataKind, type OpenDataKinds } from '../wechat/open-data-kinds.js'
import type { FreshKey, KeyOwner } from './fresh-key.js'
import { askHook, type OnUserInfo } from './hooks.js'
import {
  decryptFor,
  type KeyGroups,
  profileFrom,
  readUserData,
  requireFields,
  type UserDataRequest,
  verifyFor,
} from './user-data.js'

/** What decrypted data has to fulfil. */
export interface DecryptOptions<Kind extends OpenDataKind = OpenDataKind> {
  /** What it has to be; also types the result. Default `any`. */
  readonly as?: Kind
  /** How long ago WeChat may have made it, in seconds, by its watermark. Default: any time. */
  readonly maxAgeSeconds?: number
}

/** The use cases about the data of a user: its profile, and what WeChat has encrypted or signed. */
export interface OwnData {
  /**
   * Sets a user's profile, which all of the user's sessions share, or deletes it (null). Throws
   * `ERR_SESSION_KEY_STALE`, `ERR_DATA_MALFORMED`, and for a fresh code what `decrypt` throws.
   */
  setUserInfo(user: UserRef | SessionRef, data: UserDataRequest | null): Promise<UserInfo | null>
  /**
   * Decrypts `encryptedData` of a session's user. `options` are the server's and never part of `data`, which is the
   * phone's. Throws `ERR_SESSION_KEY_STALE`, `ERR_DATA_MALFORMED`; with a fresh code also `ERR_CODE_INVALID`, `ERR_USER_CHANGED`
   * and `ERR_WECHAT_…`.
   */
  decrypt<Kind extends OpenDataKind = 'any'>(
    session: SessionRef,
    data: EncryptedData,
    options?: DecryptOptions<Kind>,
  ): Promise<OpenDataKinds[Kind]>
  /** Checks that WeChat signed `rawData` for this session's user. Throws `ERR_SESSION_KEY_STALE`, `ERR_DATA_MALFORMED`. */
  verifySignature(session: SessionRef, data: SignedData): Promise<void>
}

interface OwnDataParts {
  readonly apps: AppBook
  readonly book: SessionBook
  readonly keys: KeyBook
  readonly freshKey: FreshKey
  readonly onUserInfo: OnUserInfo | undefined
  readonly logger: Logger
  readonly clock: Clock
}

/**
 * Makes the use cases about the data of a user with a session. The form is checked before a code is spent. The key of a fresh
 * code is tried first, then that of the session, then those of the user's other sessions.
 */
export function createOwnData(parts: OwnDataParts): OwnData {
  const { apps, book, keys, freshKey, onUserInfo, logger, clock } = parts

  async function keysFor(owner: KeyOwner, code: string | null | undefined): Promise<KeyGroups> {
    const fresh = code === undefined || code === null ? [] : await freshKey(owner, code)
    return [() => fresh, () => keys.keysOf(owner, owner.sessionId)]
  }

  return {
    async setUserInfo(user, data) {
      const app = apps.choose(user.appid)
      const userInfo = data && (await profileFrom(readUserData(data), () => keysFor(user, data.code), user))
      if (userInfo === undefined) {
        throw new WeappError(
          'ERR_REQUEST_INVALID',
          'Send encryptedData and iv, or rawData and signature, or userInfo.',
        )
      }
      if (onUserInfo) {
        const hook = {
          name: 'onUserInfo',
          call: onUserInfo,
          refusal: 'ERR_USER_INFO_REFUSED',
          logger,
        } as const
        await askHook(hook, { appid: user.appid, openid: user.openid, userInfo })
      }
      await book.setUserInfo(app, user.openid, userInfo)
      return userInfo
    },

    async decrypt(session, data, options = {}) {
      const { as = 'any', maxAgeSeconds } = options
      oneOf('decrypt: as', as, OPEN_DATA_KINDS)
      const notBefore =
        maxAgeSeconds === undefined
          ? undefined
          : clock() / 1000 - positiveNumber('decrypt: maxAgeSeconds', maxAgeSeconds)
      const ciphertext = readCiphertext(requireFields(data))
      const owner = { appid: session.appid, openid: session.openid, notBefore }
      const openData = await decryptFor(owner, ciphertext, await keysFor(session, data.code))
      return asKind(as as typeof options.as & OpenDataKind, openData) as never
    },

    async verifySignature(session, data) {
      checkSignedData(requireFields(data))
      await verifyFor(data, await keysFor(session, data.code))
    },
  }
}
