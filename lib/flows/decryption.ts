import type { Clock } from '../clock.js'
import { type ErrorCode, WeappError } from '../errors.js'
import type { Logger } from '../logger.js'
import type { SessionStore } from '../sessions/store.js'
import { Tries } from '../sessions/tries.js'
import { type Ciphertext, type DataOwner, decryptOpenData, type OpenData } from '../wechat/open-data.js'
import { type KeyGroups, withFittingKeys } from './key-groups.js'
import { Turns } from './turns.js'

/** How often the data of a user may turn out to be unreadable, until the first failure is forgotten. */
const MOST_FAILURES = 8
const FAILURE_LIFETIME_MS = 600_000

/** A failure by which a forger would learn something, so that it counts. */
const COUNTED: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['ERR_DATA_MALFORMED', 'ERR_SESSION_KEY_STALE'])

/** Encrypted data, whose it has to be, and what it has to be. */
export interface Decryption<T> {
  readonly data: Ciphertext
  readonly owner: DataOwner
  /** Asked for only while the user may try. */
  readonly keysFor: () => Promise<KeyGroups> | KeyGroups
  /** Throws `ERR_DATA_MALFORMED` for data of another shape. */
  readonly read: (data: OpenData) => T
}

/** The use case "decrypt", for whatever brings encrypted data. */
export type Decrypt = <T>(decryption: Decryption<T>) => Promise<T>

interface DecryptParts {
  readonly store: Required<SessionStore>
  readonly clock: Clock
  readonly logger: Logger
}

/**
 * Makes that use case. A forger tries data until some of it is taken, so failures are bounded for each user, in all sessions and
 * processes. Throws `ERR_DECRYPTION_LIMIT`, `ERR_SESSION_KEY_STALE` and what `keysFor` and `read` throw.
 */
export function createDecrypt({ store, clock, logger }: DecryptParts): {
  decrypt: Decrypt
  /** Resolves when nothing is being written any more. */
  idle(): Promise<void>
} {
  const tries = new Tries({
    store,
    clock,
    purpose: 'decryption',
    most: MOST_FAILURES,
    lifetimeMs: FAILURE_LIFETIME_MS,
  })
  const turns = new Turns()

  async function attempt<T>({ data, owner, keysFor, read }: Decryption<T>): Promise<T> {
    const { appid, openid } = owner
    const taken = await tries.take({ appid, openid })
    if (!taken) throw tooManyFailures()
    try {
      const openData = await withFittingKeys(await keysFor(), (keys) => decryptOpenData(data, keys, owner))
      const result = read(openData)
      taken.giveBack()
      return result
    } catch (error) {
      if (!isCounted(error)) taken.giveBack()
      else if (taken.isLast) {
        logger.warn(
          `data of the user ${openid} of ${appid} could not be decrypted ${MOST_FAILURES} times within minutes, ` +
            'as when somebody tries to forge some: more of it is refused for a while',
        )
      }
      throw error
    }
  }

  return {
    // One after the other, or what a page sends at once would take each other's tries.
    decrypt: (decryption) =>
      turns.inTurn(`${decryption.owner.appid} ${decryption.owner.openid}`, () => attempt(decryption)),
    idle: () => tries.idle(),
  }
}

function isCounted(error: unknown): boolean {
  return error instanceof WeappError && COUNTED.has(error.code)
}

function tooManyFailures(): WeappError {
  return new WeappError(
    'ERR_DECRYPTION_LIMIT',
    'Too much of this data could not be decrypted. Try again later, with data that WeChat has just made.',
  )
}
