import { randomUUID } from 'node:crypto'
import type { Clock } from '../clock.js'
import { checkOptionNames, positiveInteger, positiveNumber } from '../options.js'
import type { StoredVisit } from '../sessions/store.js'
import { groupIn, type SessionAddress } from '../sessions/token.js'
import { Invalidations, type Probe } from './invalidations.js'
import { type Known, LocalCache } from './local-cache.js'
import { isClusterClient, isDuplicable, type RedisClient } from './redis-client.js'
import type { GroupMarks } from './redis-group-marks.js'
import type { RedisKeys } from './redis-keys.js'
import type { RedisMarks } from './redis-marks.js'
import type { RedisQuestions } from './redis-questions.js'
import { READ_STATE } from './redis-user-scripts.js'
import { CHANGE_VALUES } from './redis-value-scripts.js'
import { type Moments, visitIn } from './stored-user.js'
import { wakefulMs } from './wakeful-clock.js'

const MOST_SECONDS = 10
const MOST_USERS = 1_000_000
/** How many characters a user may have on average. */
const CHARACTERS_OF_A_USER = 2_048
/** What is kept tells the time in Redis as well, less exactly the longer its reply took. */
const SLOWEST_REPLY_MS = 250
const PROBE_MS = 1_000

/** Options of the local cache of a {@link RedisStore}. */
export interface LocalCacheOptions {
  /** For how long a user is kept after having been read, in seconds, up to 10. Default 5. */
  seconds?: number
  /**
   * How many users are kept, up to a million. One more, or more than 2,048 characters each on average, drops
   * the one that has not been asked for longest. Default 10000.
   */
  maxUsers?: number
}

interface RedisLocalCacheParts {
  readonly client: RedisClient
  readonly keys: RedisKeys
  readonly marks: RedisMarks
  readonly questions: RedisQuestions
  readonly options: LocalCacheOptions
  /** Replaces the clock of Redis. */
  readonly testClock: Clock | undefined
}

/** All that Redis has of a user. */
interface UserState {
  readonly text: string
  /** The time in Redis when it was read, in microseconds since 1970. */
  readonly moment: number
  /** When it was asked for, and when it had come, by the clock of the cache. */
  readonly askedAt: number
  readonly cameAt: number
}

type KnownUser = Known<UserState, GroupMarks>

/** Reads sessions of users that this process has just read, without asking Redis again. */
export class RedisLocalCache {
  readonly #parts: RedisLocalCacheParts
  readonly #now = wakefulMs()
  readonly #invalidations: Invalidations
  readonly #cache: LocalCache<UserState, GroupMarks>

  constructor(parts: RedisLocalCacheParts) {
    const { client, keys, options } = parts
    checkOptionNames<LocalCacheOptions>('RedisStore: localCache', options, { seconds: true, maxUsers: true })
    const seconds = positiveNumber('RedisStore: localCache.seconds', options.seconds ?? 5, MOST_SECONDS)
    const maxUsers = positiveInteger(
      'RedisStore: localCache.maxUsers',
      options.maxUsers ?? 10_000,
      MOST_USERS,
    )
    if (!isDuplicable(client)) {
      throw new TypeError(
        'RedisStore: localCache needs an ioredis client, which can open further connections',
      )
    }
    this.#parts = parts
    this.#cache = new LocalCache({
      maxUsers,
      maxSize: maxUsers * CHARACTERS_OF_A_USER,
      sizeOf: ({ text }) => text.length,
      lifetimeMs: seconds * 1000,
      isTold: () => this.#isTold,
      now: this.#now,
    })
    this.#invalidations = new Invalidations({
      client,
      prefixes: keys.ofUsersAndMarks,
      newProbe: () => this.#newProbe(),
      onChange: (changed) => this.#forget(changed),
      onLoss: () => this.#cache.clear(),
      now: this.#now,
    })
  }

  /** Reads a session, from Redis if need be; by `readPlainly` while nothing can be kept. */
  async read(
    address: SessionAddress,
    readPlainly: () => Promise<StoredVisit | null>,
  ): Promise<StoredVisit | null> {
    const { handle } = address
    const known = this.#cache.get(handle)
    const visit = known && visitAt(address, known, this.#momentsOf(known.user))
    // Only Redis says that there is no session.
    if (visit) return visit
    this.#invalidations.start()
    const reading = this.#cache.begin(handle)
    if (!reading) return readPlainly()
    let found: KnownUser | undefined
    try {
      found = await this.#ask(address, reading.beganAt)
      if (!found) return null
      const { moment } = found.user
      return visitAt(address, found, { earliest: moment, latest: moment }) ?? (await readPlainly())
    } finally {
      const isTimely = this.#now() - reading.beganAt <= SLOWEST_REPLY_MS
      this.#cache.end(reading, isTimely ? found : undefined)
    }
  }

  /** Makes a change of a user, or of many: null. Nothing that was read before it ended is kept. */
  async changing<T>(handle: string | null, change: () => Promise<T>): Promise<T> {
    try {
      return await change()
    } finally {
      this.#drop(handle)
    }
  }

  close(): void {
    this.#invalidations.close()
  }

  /** Behind a proxy that hides several servers, only one of them would tell. */
  get #isTold(): boolean {
    const { client, marks } = this.#parts
    return this.#invalidations.areTold && (isClusterClient(client) || !marks.isSharded)
  }

  async #ask({ handle, sessionId }: SessionAddress, askedAt: number): Promise<KnownUser | undefined> {
    const { marks } = this.#parts
    const reply = await marks.ask({ script: READ_STATE, handle, args: [sessionId] })
    if (reply.outcome !== 'ok') return undefined
    const [text = '', marksText = ''] = reply.texts
    const user = { text, moment: reply.moment, askedAt, cameAt: this.#now() }
    return { user, marks: marks.latestWith(marksText) }
  }

  /** Between which moments it is in Redis now. */
  #momentsOf({ moment, askedAt, cameAt }: UserState): Moments {
    const { testClock } = this.#parts
    const now = this.#now()
    const given = testClock && Math.floor(testClock()) * 1000
    return {
      earliest: given ?? Math.floor(moment + (now - cameAt) * 1000),
      latest: given ?? Math.ceil(moment + (now - askedAt) * 1000),
    }
  }

  #forget(changed: readonly string[] | null): void {
    if (changed === null) this.#cache.clear()
    const { keys } = this.#parts
    for (const key of changed ?? []) {
      if (key === keys.all) this.#cache.dropMarks()
      else for (const handle of keys.handleIn(key)) this.#cache.drop(handle)
    }
  }

  #drop(handle: string | null): void {
    if (handle === null) this.#cache.clear()
    else this.#cache.drop(handle)
  }

  #newProbe(): Probe {
    const { keys, questions } = this.#parts
    const key = keys.value(`local-cache:${randomUUID()}`)
    const args = [1, 'replace', '', 'probe', PROBE_MS]
    const write = () => questions.ask({ script: CHANGE_VALUES, keys: [key], args })
    return { key, write }
  }
}

function visitAt(
  { handle, sessionId }: SessionAddress,
  { user, marks }: KnownUser,
  moments: Moments,
): StoredVisit | undefined {
  return visitIn(user.text, sessionId, marks.of(groupIn(handle)), moments)
}
