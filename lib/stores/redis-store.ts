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
import {
  CLAIM_CODE,
  ISSUE,
  LIST,
  RELEASE_CODE,
  REMOVE,
  REMOVE_USER,
  type RedisScript,
  TOUCH,
} from './redis-scripts.js'

const VISIT_DIGITS = 13
const STORED = /^(\d{13})(.*)$/s
const RECORD_KEY = /^\{([^{}]+)\}:(.+)$/s
const USER = 'user'
/** What a claim begins with; a settled answer is taken as it is, so this must not begin one. */
const CLAIM = '?'
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
  readonly #recordPattern: string

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
    if (/[{}]/.test(this.#prefix)) {
      throw new TypeError(
        'RedisStore: prefix must not contain braces: they mark the part of a key that chooses the hash slot',
      )
    }
    this.#recordPattern = `${escapeGlob(this.#prefix)}{*}:*`
  }

  async read(address: SessionAddress): Promise<StoredVisit | null> {
    const reply = await this.#client.call('MGET', this.#recordKey(address), this.#userInfoKey(address.handle))
    const [stored, userInfo] = asTexts(reply, 2)
    if (stored === null || stored === undefined) return null
    return { ...parseStored(address.sessionId, stored), userInfo: asProfile(userInfo ?? null) }
  }

  async hasSeen(handle: string): Promise<boolean> {
    return asCount(await this.#client.call('EXISTS', this.#userInfoKey(handle))) === 1
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
    const [issued, before = null, userInfo = null] = reply
    return {
      issued: asCount(issued) === 1,
      seenBefore: asText(before) !== null,
      userInfo: asProfile(userInfo),
    }
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
    const reply = await this.#run(LIST, [this.#indexKey(handle)], [])
    if (!Array.isArray(reply)) throw unexpected(reply)
    return reply.map((pair) => {
      const [sessionId, stored] = asTexts(pair, 2)
      if (!isText(sessionId) || !isText(stored)) throw unexpected(pair)
      return parseStored(sessionId, stored)
    })
  }

  async writeUserInfo(handle: string, userInfo: string | null, dropAt: number): Promise<void> {
    await this.#client.call('SET', this.#userInfoKey(handle), userInfo ?? '', 'PXAT', dropAt)
  }

  async claimCode(codeId: string, claimant: string, dropAt: number): Promise<CodeClaim> {
    const found = asText(await this.#run(CLAIM_CODE, [this.#codeKey(codeId)], [CLAIM + claimant, dropAt]))
    if (found === null) return { state: 'claimed' }
    return found.startsWith(CLAIM) ? { state: 'pending' } : { state: 'settled', answer: found }
  }

  async settleCode(codeId: string, answer: string, dropAt: number): Promise<void> {
    await this.#client.call('SET', this.#codeKey(codeId), answer, 'PXAT', dropAt)
  }

  async releaseCode(codeId: string, claimant: string): Promise<void> {
    await this.#run(RELEASE_CODE, [this.#codeKey(codeId)], [CLAIM + claimant])
  }

  async removeBatch(cursor = ':0'): Promise<RemovedBatch> {
    const masters = await mastersOf(this.#client)
    const ids = [...masters.keys()]
    const [id = '', position = ''] = cursor.split(':')
    const at = Math.max(0, ids.indexOf(id))
    const node = masters.get(ids[at] ?? '') ?? this.#client

    const reply = await node.call('SCAN', position, 'MATCH', this.#recordPattern, 'COUNT', SCAN_COUNT)
    if (!Array.isArray(reply) || !isText(reply[0])) throw unexpected(reply)
    const addresses = asTexts(reply[1]).flatMap((key) => this.#addressIn(key ?? ''))
    const ended = await Promise.all(addresses.map((address) => this.remove(address)))
    const next =
      reply[0] !== '0' ? `${ids[at]}:${reply[0]}` : at + 1 < ids.length ? `${ids[at + 1]}:0` : undefined
    return { removed: ended.filter(Boolean).length, next }
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

  /** A key that {@link RedisStore.#recordKey} made, read backwards; none for a profile. */
  #addressIn(key: string): SessionAddress[] {
    const [, handle, sessionId] = RECORD_KEY.exec(key.slice(this.#prefix.length)) ?? []
    return handle !== undefined && sessionId !== undefined && sessionId !== USER
      ? [{ handle, sessionId }]
      : []
  }

  #userInfoKey(handle: string): string {
    return `${this.#prefix}{${handle}}:${USER}`
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

/** Nothing, or nothing but the fact that the user was here. */
function asProfile(reply: unknown): string | null {
  return asText(reply) || null
}

function isText(reply: unknown): reply is string {
  return typeof reply === 'string'
}

function asCount(reply: unknown): number {
  if (typeof reply !== 'number') throw unexpected(reply)
  return reply
}

function unexpected(reply: unknown): Error {
  return new Error(`Redis answered something else than was asked for (${typeof reply})`)
}
