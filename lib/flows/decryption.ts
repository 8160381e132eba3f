import type { Clock } from '../clock.js'
import { WeappError } from '../errors.js'
import type { Logger } from '../logger.js'
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
import { type CandidateKeys, withFittingKeys } from './candidate-keys.js'
import { Turns } from './turns.js'

/** How often the data of a user may turn out to be no good within {@link WINDOW_MS}. */
const MOST_FAILURES = 8
const WINDOW_MS = 600_000

/** Encrypted data, whose it has to be, and what it has to be. */
export interface Decryption<T> {
  readonly data: Ciphertext
  readonly owner: DataOwner
  readonly candidates: CandidateKeys
  /** Throws `ERR_DATA_MALFORMED` for data of another shape. */
  readonly read: (data: OpenData) => T
}

/** The use case "decrypt", for whatever brings encrypted data. */
export interface Decryptions {
  /** Throws `ERR_DECRYPTION_LIMIT`, `ERR_SESSION_KEY_STALE`, `ERR_DATA_MALFORMED` and what `candidates` and `read` throw. */
  decrypt<T>(decryption: Decryption<T>): Promise<T>
  /** Throws `ERR_DECRYPTION_LIMIT` for a user who may not try at the moment, so that nothing is spent on it. */
  refuseLimited(user: UserRef): Promise<void>
  /** Forgets how often data of a user was no good. */
  forget(user: UserRef): Promise<void>
}

interface DecryptionParts {
  readonly store: Required<SessionStore>
  readonly storeTimeoutMs: number
  readonly clock: Clock
  readonly logger: Logger
}

/**
 * Makes that use case. A forger tries data until some of it is taken, so failures are counted for each user, in all sessions and
 * processes.
 */
export function createDecryptions({ store, storeTimeoutMs, clock, logger }: DecryptionParts): Decryptions {
  const failures = new Counter({ store, clock, purpose: 'failed decryption', windowMs: WINDOW_MS })
  // One after the other in a process: what comes in the same moment must not get past the count together.
  const turns = new Turns(2 * storeTimeoutMs)

  async function refuseLimited({ appid, openid }: UserRef): Promise<void> {
    if ((await failures.countOf({ appid, openid })) >= MOST_FAILURES) throw tooManyFailures()
  }

  async function countFailure({ appid, openid }: UserRef): Promise<void> {
    if ((await failures.add({ appid, openid })) !== MOST_FAILURES) return
    logger.warn(
      `data of the user ${openid} of ${appid} could not be decrypted ${MOST_FAILURES} times within minutes, ` +
        'as when somebody tries to forge some: more of it is refused for a while',
    )
  }

  async function attempt<T>({ data, owner, candidates, read }: Decryption<T>): Promise<T> {
    await refuseLimited(owner)
    try {
      const openData = await withFittingKeys(candidates, (sessionKeys) => openedBy(sessionKeys, data, owner))
      return readNow(openData, read)
    } catch (error) {
      if (isTried(error)) await countFailure(owner)
      throw error
    }
  }

  return {
    refuseLimited,
    forget: ({ appid, openid }) => failures.forget({ appid, openid }),
    decrypt: (decryption) =>
      turns.inTurn(`${decryption.owner.appid} ${decryption.owner.openid}`, () => attempt(decryption)),
  }
}

/** Throws `ERR_DATA_MALFORMED` where the key is the right one and the text is not: no newer key would help. */
function openedBy(sessionKeys: readonly string[], data: Ciphertext, owner: DataOwner): OpenData | undefined {
  const openData = decryptOpenData(data, sessionKeys, owner)
  if (openData || !isOpenedBy(data, sessionKeys, owner)) return openData
  throw new WeappError(
    'ERR_DATA_MALFORMED',
    'The encrypted data is not as WeChat made it, or not of this user.',
  )
}

/** A promise would be taken for good data, whatever becomes of it. */
function readNow<T>(openData: OpenData, read: (data: OpenData) => T): T {
  const result = read(openData)
  if (result instanceof Promise) {
    result.catch(() => undefined)
    throw new TypeError('decrypt: a function that is given as "as" must not be async')
  }
  return result
}

/** A store that fails teaches a forger nothing: without keys nobody has looked at the data. */
function isTried(error: unknown): boolean {
  return !(error instanceof WeappError && error.code === 'ERR_STORE_UNAVAILABLE')
}

function tooManyFailures(): WeappError {
  return new WeappError(
    'ERR_DECRYPTION_LIMIT',
    'Too much of this data could not be decrypted. Try again later, with data that WeChat has just made.',
  )
}
