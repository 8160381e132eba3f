import {
  type LocalCacheOptions,
  type RedisClient,
  RedisStore,
  type RedisStoreOptions,
  type SessionAddress,
} from '../../lib/index.js'
import { newAddress } from '../../store-contract/store-under-test.js'
import { loginOf } from './store-calls.js'
import { until } from './until.js'

/** A store with a local cache, and what it asks Redis. */
export interface WarmStore {
  readonly store: RedisStore
  /** Reads a session, and tells whether Redis was not asked. */
  isFromMemory(address: SessionAddress): Promise<boolean>
  /** How often Redis was asked about a user. */
  timesAsked(handle: string): number
  /** Resolves when a session of a user of its own is read without asking Redis. */
  serves(): Promise<void>
  /** Resolves when that is no longer the case. */
  standsStill(): Promise<void>
}

/** How often each client has asked about each user. */
const asked = new WeakMap<RedisClient, Map<string, number>>()

/** Makes a store with a local cache that does not serve yet. */
export function coldStore(
  client: RedisClient,
  { localCache = {}, ...options }: RedisStoreOptions & { localCache?: LocalCacheOptions } = {},
): WarmStore {
  const store = new RedisStore(client, { ...options, localCache })
  const questions = questionsTo(client)

  const timesAsked = (handle: string) => questions.get(handle) ?? 0

  async function isFromMemory(address: SessionAddress): Promise<boolean> {
    const before = timesAsked(address.handle)
    await store.read(address)
    return timesAsked(address.handle) === before
  }

  async function reaches(isServing: boolean): Promise<void> {
    const address = newAddress()
    await store.issue(loginOf(address.handle, address.sessionId))
    await until(async () => (await isFromMemory(address)) === isServing)
    await store.revoke(address)
  }

  return { store, isFromMemory, timesAsked, serves: () => reaches(true), standsStill: () => reaches(false) }
}

/** Makes a store with a local cache, and waits until it serves. */
export async function warmStore(
  client: RedisClient,
  options?: RedisStoreOptions & { localCache?: LocalCacheOptions },
): Promise<WarmStore> {
  const made = coldStore(client, options)
  await made.serves()
  return made
}

/** Counts what is asked from now on. */
function questionsTo(client: RedisClient): Map<string, number> {
  const known = asked.get(client)
  if (known) return known
  const questions = new Map<string, number>()
  asked.set(client, questions)
  const call = client.call.bind(client)
  client.call = (command, ...args) => {
    for (const key of command === 'MGET' ? args : [args[2]]) {
      const [, handle] = /\{([^}]+)\}/.exec(String(key)) ?? []
      if (handle !== undefined) questions.set(handle, (questions.get(handle) ?? 0) + 1)
    }
    return call(command, ...args)
  }
  return questions
}
