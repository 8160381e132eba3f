import { checkOptionNames, objectWithMethods, textOption } from '../options.js'
import type {
  Claim,
  IssueResult,
  RecordChange,
  RemovedBatch,
  SessionEntry,
  SessionStore,
  StoredSession,
  StoredVisit,
} from '../sessions/store.js'
import type { SessionAddress } from '../sessions/token.js'
import { RedisKeys } from './redis-keys.js'
import { asCount, asProfile, asText, asTexts, isText, unexpected } from './redis-replies.js'
import {
  CLAIM,
  ISSUE,
  LIST,
  RELEASE,
  REMOVE,
  REMOVE_USER,
  REPLACE_VALUE,
  REWRITE,
  type RedisScript,
  TOUCH,
} from './redis-scripts.js'

const VISIT_DIGITS = 13
const STORED = /^(\d{13})(.*)$/s
/** What stands before a claimant, and before an answer that has taken its place. */
const CLAIM_MARK = '?'
const ANSWER_MARK = '!'
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
 * `weapp:{<handle>}:user` the profile, `weapp:claim:<digest>` a login code that was used in the last minutes, or somebody's
 * turn to renew an access token, `weapp:value:<digest>` what all processes share: access tokens, kept phone
 * numbers.
 *
 * @example
 * import { Redis } from 'ioredis'
 * const store = new RedisStore(new Redis('redis://127.0.0.1:6379', { maxRetriesPerRequest: 1 }))
 */
export class RedisStore implements SessionStore {
  readonly #client: RedisClient | RedisClusterClient
  readonly #keys: RedisKeys

  constructor(client: RedisClient | RedisClusterClient, options: RedisStoreOptions = {}) {
    checkOptionNames<RedisStoreOptions>('RedisStore', options, { prefix: true })
    this.#client = objectWithMethods(
      'RedisStore',
      client,
      ['call'],
      'given an ioredis client (Redis or Cluster)',
    )
    refuseKeyPrefix(client)
    const prefix = textOption('RedisStore: prefix', options.prefix ?? 'weapp:')
    if (/[{}]/.test(prefix)) {
      throw new TypeError(
        'RedisStore: prefix must not contain braces: they mark the part of a key that chooses the hash slot',
      )
    }
    this.#keys = new RedisKeys(prefix)
  }

  async read(address: SessionAddress): Promise<StoredVisit | null> {
    const reply = await this.#client.call(
      'MGET',
      this.#keys.record(address),
      this.#keys.userInfo(address.handle),
    )
    const [stored, userInfo] = asTexts(reply, 2)
    if (stored === null || stored === undefined) return null
    return { ...parseStored(address.sessionId, stored), userInfo: asProfile(userInfo ?? null) }
  }

  async hasSeen(handle: string): Promise<boolean> {
    return asCount(await this.#client.call('EXISTS', this.#keys.userInfo(handle))) === 1
  }

  async issue(entry: SessionEntry): Promise<IssueResult> {
    const { address } = entry
    const keys = [
      this.#keys.index(address.handle),
      this.#keys.record(address),
      this.#keys.userInfo(address.handle),
    ]
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
    const [issued, before = null, userInfo = null] = reply
    return {
      issued: asCount(issued) === 1,
      seenBefore: asText(before) !== null,
      userInfo: asProfile(userInfo),
    }
  }

  async touch(address: SessionAddress, lastVisitAt: number, dropAt: number): Promise<boolean> {
    return (
      asCount(await this.#run(TOUCH, [this.#keys.record(address)], [visitDigits(lastVisitAt), dropAt])) === 1
    )
  }

  async remove(address: SessionAddress): Promise<boolean> {
    const keys = [this.#keys.index(address.handle), this.#keys.record(address)]
    return asCount(await this.#run(REMOVE, keys, [address.sessionId])) === 1
  }

  async removeUser(handle: string, exceptSessionId = ''): Promise<number> {
    return asCount(await this.#run(REMOVE_USER, [this.#keys.index(handle)], [exceptSessionId]))
  }

  async list(handle: string): Promise<StoredSession[]> {
    const reply = await this.#run(LIST, [this.#keys.index(handle)], [])
    if (!Array.isArray(reply)) throw unexpected(reply)
    return reply.map((pair) => {
      const [sessionId, stored] = asTexts(pair, 2)
      if (!isText(sessionId) || !isText(stored)) throw unexpected(pair)
      return parseStored(sessionId, stored)
    })
  }

  async writeUserInfo(handle: string, userInfo: string | null, dropAt: number): Promise<void> {
    await this.#client.call('SET', this.#keys.userInfo(handle), userInfo ?? '', 'PXAT', dropAt)
  }

  async rewrite(handle: string, changes: readonly RecordChange[]): Promise<number> {
    if (changes.length === 0) return 0
    const words = changes.flatMap(({ sessionId, from, to }) => [sessionId, from, to])
    return asCount(await this.#run(REWRITE, [this.#keys.index(handle)], words))
  }

  async claim(id: string, claimant: string, dropAt: number): Promise<Claim> {
    const found = asText(await this.#run(CLAIM, [this.#keys.claim(id)], [CLAIM_MARK + claimant, dropAt]))
    if (found === null) return { state: 'claimed' }
    return found.startsWith(CLAIM_MARK)
      ? { state: 'pending' }
      : { state: 'settled', answer: found.slice(ANSWER_MARK.length) }
  }

  async settle(id: string, answer: string, dropAt: number): Promise<void> {
    await this.#client.call('SET', this.#keys.claim(id), ANSWER_MARK + answer, 'PXAT', dropAt)
  }

  async release(id: string, claimant: string): Promise<void> {
    await this.#run(RELEASE, [this.#keys.claim(id)], [CLAIM_MARK + claimant])
  }

  async readValue(id: string): Promise<string | null> {
    return asText(await this.#client.call('GET', this.#keys.value(id)))
  }

  async replaceValue(id: string, from: string | null, to: string | null, dropAt: number): Promise<boolean> {
    const words = [from ?? '', to ?? '', dropAt]
    return asCount(await this.#run(REPLACE_VALUE, [this.#keys.value(id)], words)) === 1
  }

  async removeBatch(cursor = ':0'): Promise<RemovedBatch> {
    const masters = await mastersOf(this.#client)
    const ids = [...masters.keys()]
    const [id = '', position = ''] = cursor.split(':')
    const at = Math.max(0, ids.indexOf(id))
    const node = masters.get(ids[at] ?? '') ?? this.#client

    const reply = await node.call('SCAN', position, 'MATCH', this.#keys.recordPattern, 'COUNT', SCAN_COUNT)
    if (!Array.isArray(reply) || !isText(reply[0])) throw unexpected(reply)
    const addresses = asTexts(reply[1]).flatMap((key) => this.#keys.addressIn(key ?? ''))
    const ended = await Promise.all(addresses.map((address) => this.remove(address)))
    const next =
      reply[0] !== '0' ? `${ids[at]}:${reply[0]}` : at + 1 < ids.length ? `${ids[at + 1]}:0` : undefined
    return { removed: ended.filter(Boolean).length, next }
  }

  async ping(): Promise<void> {
    await this.#client.call('EXISTS', this.#keys.claim('ping'))
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

/**
 * The masters by node id; a client that is no cluster stands for itself. A cluster client lists only the nodes it is connected to,
 * so the list is held against what the cluster says of itself: passing over a master would leave sessions alive.
 */
async function mastersOf(client: RedisClient | RedisClusterClient): Promise<Map<string, RedisClient>> {
  if (!('nodes' in client)) return new Map([['', client]])
  const slots = await client.call('CLUSTER', 'SLOTS')
  if (!Array.isArray(slots)) throw unexpected(slots)
  const needed = new Set(slots.map((range) => String(range?.[2]?.[2])))
  const connected = new Map<string, RedisClient>()
  for (const node of client.nodes('master')) connected.set(String(await node.call('CLUSTER', 'MYID')), node)
  return new Map(
    [...needed].sort().map((id) => {
      const node = connected.get(id)
      if (!node) throw new Error('a master of the Redis Cluster is not connected')
      return [id, node]
    }),
  )
}

function visitDigits(milliseconds: number): string {
  return String(milliseconds).padStart(VISIT_DIGITS, '0')
}

/** A value without the visit in front was not written by this store; its record is passed on as it is, to be refused. */
function parseStored(sessionId: string, stored: string): StoredSession {
  const [, visit = '0', record = stored] = STORED.exec(stored) ?? []
  return { sessionId, record, lastVisitAt: Number(visit) }
}
