import { checkOptionNames, objectWithMethods, textOption } from '../options.js'
import type {
  CodeClaim,
  IssueResult,
  RemovedBatch,
  SessionEntry,
  SessionStore,
  StoredSession,
  StoredVisit,
} from '../sessions/store.js'
import type { SessionAddress } from '../sessions/token.js'
import { CLAIM_CODE, ISSUE, LIST, REMOVE, REMOVE_USER, type RedisScript, TOUCH } from './redis-scripts.js'

const VISIT_DIGITS = 13
const STORED = /^(\d{13})(.*)$/s
const SCAN_COUNT = 500

/**
 * The part of a Redis client that is used: ioredis 5 and 6 have it. For node-redis:
 * `{ call: (...words) => client.sendCommand(words.map(String)) }`.
 */
export interface RedisClient {
  call(command: string, ...words: (string | number)[]): Promise<unknown>
}

/** The part of a Redis Cluster client that is used: `call`, routed by key, and the masters, to visit each of them. */
export interface RedisClusterClient extends RedisClient {
  nodes(role: 'master'): RedisClient[]
}

/** Options of {@link RedisStore}. */
export interface RedisStoreOptions {
  /** What all keys begin with. Default `weapp:`. Used instead of a `keyPrefix` of the client. */
  prefix?: string
}

/**
 * Keeps sessions in Redis 6.2 or newer: standalone, Sentinel or Cluster. The client stays yours: its pools, TLS,
 * reconnection and its end. An authenticated request costs one command, `MGET`; a login one script.
 *
 * Keys: `weapp:{<handle>}:<session id>` is a session, `weapp:{<handle>}` the index of a user's sessions,
 * `weapp:{<handle>}:user` the profile, `weapp:code:<digest>` a login code that was used in the last minutes.
 *
 * @example
 * import { Redis } from 'ioredis'
 * const store = new RedisStore(new Redis('redis://127.0.0.1:6379', { maxRetriesPerRequest: 1 }))
 */
export class RedisStore implements SessionStore {
  readonly #client: RedisClient | RedisClusterClient
  readonly #prefix: string

  constructor(client: RedisClient | RedisClusterClient, options: RedisStoreOptions = {}) {
    checkOptionNames<RedisStoreOptions>('RedisStore', options, { prefix: true })
    this.#client = objectWithMethods(
      'RedisStore',
      client,
      ['call'],
      'given an ioredis client (Redis or Cluster)',
    )
    refuseKeyPrefix(client)
    this.#prefix = textOption('RedisStore: prefix', options.prefix ?? 'weapp:')
  }

  async read(address: SessionAddress): Promise<StoredVisit | null> {
    const reply = await this.#client.call('MGET', this.#recordKey(address), this.#userInfoKey(address.handle))
    const [stored, userInfo] = asTexts(reply, 2)
    if (stored === null || stored === undefined) return null
    return { ...parseStored(address.sessionId, stored), userInfo: userInfo ?? null }
  }

  async issue(entry: SessionEntry): Promise<IssueResult> {
    const { address } = entry
    const keys = [this.#indexKey(address.handle), this.#recordKey(address), this.#userInfoKey(address.handle)]
    const reply = await this.#run(ISSUE, keys, [
      address.sessionId,
      visitDigits(entry.createdAt) + entry.record,
      entry.createdAt,
      entry.dropAt,
      entry.expiresAt,
      entry.maxSessions,
      entry.onLimit,
      entry.replaces ?? '',
      entry.userInfo ?? '',
      entry.userInfoDropAt,
    ])
    if (!Array.isArray(reply)) throw unexpected(reply)
    return { issued: asCount(reply[0]) === 1, userInfo: asText(reply[1] ?? null) }
  }

  async touch(address: SessionAddress, lastVisitAt: number, dropAt: number): Promise<boolean> {
    return (
      asCount(await this.#run(TOUCH, [this.#recordKey(address)], [visitDigits(lastVisitAt), dropAt])) === 1
    )
  }

  async remove(address: SessionAddress): Promise<boolean> {
    const keys = [this.#indexKey(address.handle), this.#recordKey(address)]
    return asCount(await this.#run(REMOVE, keys, [address.sessionId])) === 1
  }

  async removeUser(handle: string, exceptSessionId = ''): Promise<number> {
    return asCount(await this.#run(REMOVE_USER, [this.#indexKey(handle)], [exceptSessionId]))
  }

  async list(handle: string): Promise<StoredSession[]> {
    const reply = asTexts(await this.#run(LIST, [this.#indexKey(handle)], []))
    const sessions: StoredSession[] = []
    for (let at = 0; at + 1 < reply.length; at += 2) {
      sessions.push(parseStored(String(reply[at]), String(reply[at + 1])))
    }
    return sessions
  }

  async writeUserInfo(handle: string, userInfo: string | null, dropAt: number): Promise<void> {
    const key = this.#userInfoKey(handle)
    await (userInfo === null
      ? this.#client.call('DEL', key)
      : this.#client.call('SET', key, userInfo, 'PXAT', dropAt))
  }

  async claimCode(codeId: string, dropAt: number): Promise<CodeClaim> {
    const answer = asText(await this.#run(CLAIM_CODE, [this.#codeKey(codeId)], [dropAt]))
    if (answer === null) return { state: 'claimed' }
    return answer === '' ? { state: 'pending' } : { state: 'settled', answer }
  }

  async settleCode(codeId: string, answer: string, dropAt: number): Promise<void> {
    await this.#client.call('SET', this.#codeKey(codeId), answer, 'PXAT', dropAt)
  }

  async releaseCode(codeId: string): Promise<void> {
    await this.#client.call('DEL', this.#codeKey(codeId))
  }

  async removeBatch(cursor = '0:0'): Promise<RemovedBatch> {
    const nodes = 'nodes' in this.#client ? this.#client.nodes('master') : [this.#client]
    const [nodeIndex, position] = cursor.split(':') as [string, string]
    const node = nodes[Number(nodeIndex)]
    if (!node) return { removed: 0, next: undefined }

    const pattern = `${escapeGlob(this.#prefix)}{*}*`
    const reply = await node.call('SCAN', position, 'MATCH', pattern, 'COUNT', SCAN_COUNT)
    if (!Array.isArray(reply)) throw unexpected(reply)
    const keys = asTexts(reply[1]).filter((key): key is string => key !== null && !key.endsWith('}:user'))
    const ended = await Promise.all(keys.map((key) => this.#client.call('UNLINK', key)))

    const sessions = keys.filter((key, at) => !key.endsWith('}') && ended[at] === 1)
    const following = String(reply[0])
    const next = following !== '0' ? `${nodeIndex}:${following}` : `${Number(nodeIndex) + 1}:0`
    return {
      removed: sessions.length,
      next: following === '0' && Number(nodeIndex) + 1 >= nodes.length ? undefined : next,
    }
  }

  async ping(): Promise<void> {
    await this.#client.call('EXISTS', this.#codeKey('ping'))
  }

  /** Runs a script by its SHA-1, and sends the source only when this Redis does not know it yet. */
  async #run(
    script: RedisScript,
    keys: readonly string[],
    args: readonly (string | number)[],
  ): Promise<unknown> {
    try {
      return await this.#client.call('EVALSHA', script.sha1, keys.length, ...keys, ...args)
    } catch (error) {
      if (!(error instanceof Error && error.message.startsWith('NOSCRIPT'))) throw error
      return this.#client.call('EVAL', script.source, keys.length, ...keys, ...args)
    }
  }

  #indexKey(handle: string): string {
    return `${this.#prefix}{${handle}}`
  }

  #recordKey(address: SessionAddress): string {
    return `${this.#prefix}{${address.handle}}:${address.sessionId}`
  }

  #userInfoKey(handle: string): string {
    return `${this.#prefix}{${handle}}:user`
  }

  #codeKey(codeId: string): string {
    return `${this.#prefix}code:${codeId}`
  }
}

/** SCAN answers keys with the client's own prefix, which the client would then add a second time. */
function refuseKeyPrefix(client: object): void {
  const { options } = client as { options?: { keyPrefix?: string; redisOptions?: { keyPrefix?: string } } }
  if (options?.keyPrefix || options?.redisOptions?.keyPrefix) {
    throw new TypeError(
      'RedisStore does not work with a keyPrefix of the client: use new RedisStore(client, { prefix })',
    )
  }
}

function visitDigits(milliseconds: number): string {
  return String(milliseconds).padStart(VISIT_DIGITS, '0')
}

/** A value without the visit in front was not written by this store; its record is passed on as it is, to be refused. */
function parseStored(sessionId: string, stored: string): StoredSession {
  const [, visit = '0', record = stored] = STORED.exec(stored) ?? []
  return { sessionId, record, lastVisitAt: Number(visit) }
}

function escapeGlob(text: string): string {
  return text.replace(/[\\*?[\]^]/g, '\\$&')
}

function asTexts(reply: unknown, length?: number): (string | null)[] {
  if (!Array.isArray(reply) || (length !== undefined && reply.length !== length)) throw unexpected(reply)
  return reply.map(asText)
}

function asText(reply: unknown): string | null {
  if (reply !== null && typeof reply !== 'string') throw unexpected(reply)
  return reply
}

function asCount(reply: unknown): number {
  if (typeof reply !== 'number') throw unexpected(reply)
  return reply
}

function unexpected(reply: unknown): Error {
  return new Error(`Redis answered something else than was asked for (${typeof reply})`)
}
