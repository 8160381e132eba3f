import { objectWithMethods } from '../options.js'
import {
  type CountedValue,
  type IssueResult,
  MOST_COUNTED,
  type RecordChange,
  type RecordedVisit,
  type RevocationStep,
  type RevokedBatch,
  type SessionEntry,
  type SessionStore,
  type StoredSession,
  type StoredUser,
  type StoredValue,
  type StoredVisit,
  type TouchWindow,
  type ValueAddition,
  type ValueChange,
  type ValueOutcome,
} from '../sessions/store.js'
import type { SessionAddress } from '../sessions/token.js'
import {
  isClusterClient,
  type RedisClient,
  type RedisClusterClient,
  refuseUnfitClient,
} from './redis-client.js'
import { countedMicros } from './redis-clock.js'
import { RedisEndOfAll } from './redis-end-of-all.js'
import { warnOfEviction } from './redis-eviction.js'
import { RedisKeys } from './redis-keys.js'
import { oneLine, readLine, unexpectedReply } from './redis-lines.js'
import { RedisLocalCache } from './redis-local-cache.js'
import { RedisMarks } from './redis-marks.js'
import { type Question, RedisQuestions, type RedisReply } from './redis-questions.js'
import { RedisReads } from './redis-reads.js'
import { ReplicaWait } from './redis-replica-wait.js'
import { NO_VALUE } from './redis-script.js'
import { type RedisStoreOptions, readRedisStoreOptions } from './redis-store-options.js'
import {
  ISSUE,
  READ,
  READ_USER,
  REVOKE,
  REVOKE_USER,
  REWRITE,
  TOUCH,
  type UserScript,
  WRITE_USER_INFO,
} from './redis-user-scripts.js'
import { READ_VALUE } from './redis-value-scripts.js'
import { RedisValues } from './redis-values.js'

/**
 * Keeps sessions in Redis 6.2 or newer: standalone, Sentinel or Cluster. The client stays yours, with its
 * TLS, reconnection and end. The store logs its errors to stderr, each kind once, if nothing else listens to
 * `error`. It writes nothing while Redis refuses the database of the client. An authenticated request costs
 * one `MGET` that it shares with all others of its turn of the event loop, and on a Cluster one script that
 * only reads; a login three scripts, or four with `onLogin`, of which it shares two in the same way.
 *
 * Keys: `weapp:{<handle>}` is a user with all sessions and the profile; `weapp:all` is when the sessions of
 * all users, or of those of an app, were ended; `weapp:value:<digest>` is a value that all processes share,
 * such as a recent login code, an access token or a phone number. `docs/storage.md` describes their contents.
 *
 * @example
 * import { Redis } from 'ioredis'
 * const store = new RedisStore(new Redis('redis://127.0.0.1:6379', redisSettings()))
 */
export class RedisStore implements SessionStore {
  readonly #keys: RedisKeys
  readonly #questions: RedisQuestions
  readonly #marks: RedisMarks
  readonly #reads: RedisReads
  readonly #values: RedisValues
  readonly #endOfAll: RedisEndOfAll
  readonly #localCache: RedisLocalCache | undefined
  readonly #replicaWait: ReplicaWait | undefined

  constructor(client: RedisClient | RedisClusterClient, options: RedisStoreOptions = {}) {
    objectWithMethods('RedisStore', client, ['call'], 'given an ioredis client (Redis or Cluster)')
    const { prefix, clock, waitReplicas, localCache } = readRedisStoreOptions(options)
    refuseUnfitClient(client)
    warnOfEviction(client)
    this.#keys = new RedisKeys(prefix)
    this.#replicaWait = waitReplicas > 0 ? new ReplicaWait(client, waitReplicas) : undefined
    this.#questions = new RedisQuestions(client, clock && countedMicros(clock), this.#replicaWait)
    this.#marks = new RedisMarks(this.#questions, this.#keys, isClusterClient(client))
    this.#reads = new RedisReads({ questions: this.#questions, keys: this.#keys, marks: this.#marks })
    this.#values = new RedisValues(this.#questions, this.#marks)
    const parts = { client, keys: this.#keys, marks: this.#marks }
    this.#endOfAll = new RedisEndOfAll({ ...parts, hasTestClock: clock !== undefined })
    if (localCache !== undefined) {
      const rest = { questions: this.#questions, options: localCache, testClock: clock }
      this.#localCache = new RedisLocalCache({ ...parts, ...rest })
    }
  }

  async read(address: SessionAddress): Promise<StoredVisit | null> {
    if (this.#localCache) return this.#localCache.read(address, () => this.#read(address))
    return this.#read(address)
  }

  async #read(address: SessionAddress): Promise<StoredVisit | null> {
    const found = this.#marks.isSharded ? undefined : await this.#reads.find(address)
    return found ?? this.#readByScript(address)
  }

  async #readByScript(address: SessionAddress): Promise<StoredVisit | null> {
    const { outcome, moment, texts } = await this.#ofUser(READ, address.handle, [address.sessionId])
    if (outcome !== 'ok') return null
    const [line = '', userInfo = ''] = texts
    const session = this.#sessionIn(address.handle, line, moment)
    if (session && session.sessionId !== address.sessionId) throw unexpectedReply()
    return session ? { ...session, userInfo: userInfo || null } : null
  }

  async readUser(handle: string): Promise<StoredUser> {
    const { moment, texts } = await this.#ofUser(READ_USER, handle, [])
    const [wasHere, userInfo = '', ...lines] = texts
    return {
      wasHere: wasHere === '1',
      userInfo: userInfo || null,
      sessions: lines.flatMap((line) => this.#sessionIn(handle, line, moment) ?? []),
    }
  }

  async issue(entry: SessionEntry, withinMs?: number): Promise<IssueResult> {
    const { address, beganAt } = entry
    const args = [
      address.sessionId,
      oneLine(entry.record),
      beganAt ?? '',
      entry.loginDurationMs,
      entry.sessionDurationMs,
      entry.maxSessions,
      entry.onLimit,
      entry.replaces ?? '',
      oneLine(entry.userInfo ?? ''),
      entry.userInfoDurationMs,
      // The mark tells an empty record from none.
      entry.replacesRecord === undefined ? '' : `=${entry.replacesRecord}`,
    ]
    const { outcome, texts } = await this.#ofUser(ISSUE, address.handle, args, withinMs)
    if (outcome === 'refused' || outcome === 'unmatched') return { state: outcome }
    if (outcome === 'revoked' || (beganAt !== undefined && this.#marks.hasEnded(address.handle, beganAt)))
      return { state: 'revoked' }
    const [createdAt, lastVisitAt, endsAt, seenBefore, userInfo = ''] = texts
    return {
      state: 'issued',
      createdAt: Number(createdAt),
      lastVisitAt: Number(lastVisitAt),
      endsAt: Number(endsAt),
      seenBefore: seenBefore === '1',
      userInfo: userInfo || null,
    }
  }

  async touch(
    address: SessionAddress,
    window: TouchWindow,
    withinMs?: number,
  ): Promise<RecordedVisit | null> {
    const args = [address.sessionId, window.sessionDurationMs, window.endsBy]
    const { outcome, texts } = await this.#ofUser(TOUCH, address.handle, args, withinMs)
    return outcome === 'ok' ? { lastVisitAt: Number(texts[0]), endsAt: Number(texts[1]) } : null
  }

  async revoke(address: SessionAddress, withinMs?: number): Promise<boolean> {
    return countIn(await this.#ofUser(REVOKE, address.handle, [address.sessionId], withinMs)) === 1
  }

  async revokeUser(handle: string, exceptSessionId = '', withinMs?: number): Promise<number> {
    return countIn(await this.#ofUser(REVOKE_USER, handle, [exceptSessionId], withinMs))
  }

  async writeUserInfo(
    handle: string,
    userInfo: string | null,
    keepMs: number,
    withinMs?: number,
  ): Promise<void> {
    await this.#ofUser(WRITE_USER_INFO, handle, [oneLine(userInfo ?? ''), keepMs], withinMs)
  }

  async rewrite(handle: string, changes: readonly RecordChange[], withinMs?: number): Promise<number> {
    if (changes.length === 0) return 0
    const args = changes.flatMap(({ sessionId, from, to, newSessionId = sessionId }) => [
      sessionId,
      from,
      oneLine(to),
      newSessionId,
    ])
    return countIn(await this.#ofUser(REWRITE, handle, args, withinMs))
  }

  async readValue(id: string): Promise<StoredValue | null> {
    const question = { script: READ_VALUE, keys: [this.#keys.value(id)], args: [] }
    return valueIn((await this.#questions.ask(question)).texts)
  }

  async replaceValue(change: ValueChange, withinMs?: number): Promise<ValueOutcome> {
    const { id, from, to, keepMs, mustLast } = change
    if (from === null && to !== null && keepMs === undefined) {
      throw new TypeError('RedisStore: a new value needs keepMs')
    }
    const key = this.#keys.value(id)
    const args = [from ?? '', to ?? '', keepMs ?? ''] as const
    const nothing = mustLast && this.#replicaWait ? NO_VALUE : undefined
    const { outcome, moment, texts } = await this.#values.change(
      { key, what: 'replace', args, nothing },
      withinMs,
    )
    if (outcome !== 'replaced') return { isReplaced: false, value: valueIn(texts) }
    const leftMs = Number(texts[0])
    const value = to !== null && leftMs > 0 ? { text: to, writtenAt: moment, leftMs } : null
    return { isReplaced: true, value }
  }

  async addToValue({ id, add, keepMs }: ValueAddition, withinMs?: number): Promise<CountedValue> {
    const key = this.#keys.value(id)
    const args = [add, keepMs, MOST_COUNTED] as const
    const { texts } = await this.#values.change({ key, what: 'add', args }, withinMs)
    return { number: Number(texts[0]), leftMs: Number(texts[1]) }
  }

  async revokeBatch({ group, cursor }: RevocationStep, withinMs?: number): Promise<RevokedBatch> {
    const step = () => {
      if (cursor === undefined) return this.#endOfAll.begin(group, withinMs)
      return this.#endOfAll.goOn(group, cursor, withinMs)
    }
    return this.#localCache ? this.#localCache.changing(null, step) : step()
  }

  async ping(): Promise<void> {
    await this.#marks.prove()
  }

  /** Closes the connections of the local cache and of `waitReplicas`. The client stays open. */
  async close(): Promise<void> {
    this.#localCache?.close()
    this.#replicaWait?.close()
  }

  #ofUser(script: UserScript, handle: string, args: Question['args'], withinMs?: number) {
    const ask = () => this.#marks.ask({ script, handle, args }, withinMs)
    return script.isChange && this.#localCache ? this.#localCache.changing(handle, ask) : ask()
  }

  /** The session in a line of a user, unless a mark has ended it. */
  #sessionIn(handle: string, line: string, moment: number): StoredSession | undefined {
    const { beganAt, session } = readLine(line, moment)
    return this.#marks.hasEnded(handle, beganAt) ? undefined : session
  }
}

/** Reads a value from a reply; a text is never empty. */
function valueIn([text = '', writtenAt, leftMs]: readonly string[]): StoredValue | null {
  return text === '' ? null : { text, writtenAt: Number(writtenAt), leftMs: Number(leftMs) }
}

function countIn({ texts }: RedisReply): number {
  return Number(texts[0])
}
