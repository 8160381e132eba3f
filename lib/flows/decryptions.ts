import type { Clock } from '../clock.js'
import { WeappError } from '../errors.js'
import type { Logger } from '../logger.js'
import type { Secret } from '../secret.js'
import { Counter } from '../sessions/counter.js'
import type { UserRef } from '../sessions/session.js'
import type { SessionStore } from '../sessions/store.js'
import {
  type Ciphertext,
  type DataOwner,
  decryptOpenData,
  isOpenedBy,
  type OpenData,
} from '../wechat/open-data.js'
import { Turns } from './turns.js'

/** Decryptions of a user, and codes with data, that may fail within {@link WINDOW_MS}. */
const MOST_FAILURES = 8
const WINDOW_MS = 600_000

/**
 * The session_keys that may fit, in groups: the likely one first, the rest only if that fails. Any wx.login
 * may have replaced a key since the data was made. It may be asked more than once.
 */
export type CandidateKeys = () => AsyncIterable<readonly Secret[]>

/** Encrypted data, whose it has to be, and what it has to be. */
export interface Decryption<T> {
  readonly data: Ciphertext
  readonly owner: DataOwner
  readonly candidates: CandidateKeys
  /** Throws `ERR_DATA_MALFORMED` for data of another shape. */
  readonly read: (data: OpenData) => T
}

interface DecryptionsParts {
  readonly store: Required<SessionStore>
  readonly storeTimeoutMs: number
  readonly clock: Clock
  readonly logger: Logger
}

/**
 * Decrypts user data. A forger tries until some data is accepted, so failures are counted for each user, in
 * all sessions and processes.
 */
export class Decryptions {
  readonly #failures: Counter
  /** In a process one comes after the other: what arrives together must not get past the count together. */
  readonly #turns: Turns
  readonly #codeTurns: Turns
  readonly #logger: Logger

  constructor({ store, storeTimeoutMs, clock, logger }: DecryptionsParts) {
    this.#failures = new Counter({ store, clock, purpose: 'failed decryption', windowMs: WINDOW_MS })
    this.#turns = new Turns(2 * storeTimeoutMs)
    this.#codeTurns = new Turns(2 * storeTimeoutMs)
    this.#logger = logger
  }

  /**
   * Returns what `read` makes of the data. Throws `ERR_DECRYPTION_LIMIT`, `ERR_SESSION_KEY_STALE`,
   * `ERR_DATA_MALFORMED` and what `candidates` and `read` throw.
   */
  decrypt<T>(decryption: Decryption<T>): Promise<T> {
    const { appid, openid } = decryption.owner
    return this.#turns.inTurn(`${appid} ${openid}`, () => this.#attempt(decryption))
  }

  /**
   * Exchanges a code that came with data of a user, one of each user at a time. One that is refused counts as
   * a failure: no limit of logins applies to codes that a session invents. Throws `ERR_DECRYPTION_LIMIT` and
   * what `exchange` throws.
   */
  withCode<T>(user: UserRef, exchange: () => Promise<T>): Promise<T> {
    return this.#codeTurns.inTurn(`${user.appid} ${user.openid}`, async () => {
      await this.#refuseLimited(user)
      try {
        return await exchange()
      } catch (error) {
        if (isRefusedCode(error)) await this.#countFailure(user)
        throw error
      }
    })
  }

  /** Throws `ERR_DECRYPTION_LIMIT` for a user who has failed too often, before anything is spent. */
  async #refuseLimited({ appid, openid }: UserRef): Promise<void> {
    if ((await this.#failures.countOf({ appid, openid })) < MOST_FAILURES) return
    throw new WeappError(
      'ERR_DECRYPTION_LIMIT',
      'Too many decryptions have failed. Try again later, with data that WeChat has just made.',
    )
  }

  async forget({ appid, openid }: UserRef): Promise<void> {
    await this.#failures.forget({ appid, openid })
  }

  async #attempt<T>({ data, owner, candidates, read }: Decryption<T>): Promise<T> {
    await this.#refuseLimited(owner)
    try {
      const openData = await withFittingKeys(candidates, (sessionKeys) => openedBy(sessionKeys, data, owner))
      return readNow(openData, read)
    } catch (error) {
      if (isTried(error)) await this.#countFailure(owner)
      throw error
    }
  }

  async #countFailure({ appid, openid }: UserRef): Promise<void> {
    if ((await this.#failures.add({ appid, openid })) !== MOST_FAILURES) return
    this.#logger.warn(
      `data of the user ${openid} of ${appid} could not be decrypted, or came with a bad code, ${MOST_FAILURES} times ` +
        'within minutes, as when somebody tries to forge some: more of it is refused for a while',
    )
  }
}

/** Throws `ERR_DATA_MALFORMED` where the key is right and the text is not: no newer key would help. */
function openedBy(candidates: readonly Secret[], data: Ciphertext, owner: DataOwner): OpenData | undefined {
  const sessionKeys = candidates.map((sessionKey) => sessionKey.reveal())
  const openData = decryptOpenData(data, sessionKeys, owner)
  if (openData || !isOpenedBy(data, sessionKeys, owner)) return openData
  throw new WeappError(
    'ERR_DATA_MALFORMED',
    'The encrypted data is not as WeChat made it, or not of this user.',
  )
}

/** A promise, or what is like one, would pass for good data, however it is settled. */
function readNow<T>(openData: OpenData, read: (data: OpenData) => T): T {
  const result = read(openData)
  if (typeof Object(result).then !== 'function') return result
  Promise.resolve(result).catch(() => undefined)
  throw new TypeError('decrypt: a function that is given as "as" must not be async')
}

function isRefusedCode(error: unknown): boolean {
  return error instanceof WeappError && ['ERR_CODE_INVALID', 'ERR_USER_CHANGED'].includes(error.code)
}

/** A store that fails teaches a forger nothing: without keys nobody has looked at the data. */
function isTried(error: unknown): boolean {
  return !(error instanceof WeappError && error.code === 'ERR_STORE_UNAVAILABLE')
}

/** Returns what `use` makes of the first group that fits. Throws `ERR_SESSION_KEY_STALE` when none does. */
export async function withFittingKeys<T>(
  candidates: CandidateKeys,
  use: (sessionKeys: readonly Secret[]) => T | undefined,
): Promise<T> {
  for await (const sessionKeys of candidates()) {
    const result = use(sessionKeys)
    if (result !== undefined) return result
  }
  throw new WeappError(
    'ERR_SESSION_KEY_STALE',
    'The session_key of this data is out of date. Call wx.login, get the data again, and send the code and the data together.',
  )
}
