import type { RedisClient, SessionStore } from '../../lib/index.js'
import { numberInSlot } from './hash-slot.js'
import { SESSION_IDS, userCalls, userStates, valueCalls } from './store-calls.js'

/** A call about a user or a shared value, and what has to be there before. */
export interface BorderCall {
  readonly title: string
  /** The key, without the prefix of the store. */
  readonly key: string
  readonly handle?: string
  prepare(store: SessionStore): Promise<unknown>
  call(store: SessionStore, withinMs?: number): Promise<unknown>
}

/**
 * Every call about a user in every state, and about a shared value: each in a key of its own, which begins
 * with `name`, and all of them in one slot.
 */
export function borderCalls(slot: number, prefix: string, name: string): BorderCall[] {
  const ofUsers = Object.entries(userStates).flatMap(([state, prepare], stateIndex) =>
    Object.entries(userCalls).map(([method, call], index): BorderCall => {
      const begin = `${name}-${stateIndex}-${index}-`
      const handle = begin + numberInSlot(slot, begin)
      return {
        title: `${method}, of a user ${state}`,
        key: `{${handle}}`,
        handle,
        prepare: (store) => prepare(store, handle),
        call: (store, withinMs) => call(store, handle, withinMs),
      }
    }),
  )
  const ofValues = Object.entries(valueCalls).map(([title, { prepare, call }], index): BorderCall => {
    const begin = `${name}-${index}-`
    const id = begin + numberInSlot(slot, `${prefix}value:${begin}`)
    return {
      title,
      key: `value:${id}`,
      prepare: (store) => prepare(store, id),
      call: (store, withinMs) => call(store, id, withinMs),
    }
  })
  return [...ofUsers, ...ofValues]
}

/** What a call came to, without what no two calls have in common. */
export async function outcomeOf(call: () => Promise<unknown>): Promise<unknown> {
  try {
    const result = await call()
    return JSON.parse(JSON.stringify(result, (name, value) => (name === 'writtenAt' ? 'some moment' : value)))
  } catch (error) {
    return error
  }
}

/** What lies under a key, without the microseconds, by which users differ. */
export async function storedUnder(client: RedisClient, key: string): Promise<unknown> {
  const text = await client.call('GET', key)
  const before = key.includes('value:') ? /^(\d{13})(\d{13})\d{3}/ : /^(1|[abc]{24})(\d{13})\d{3}/gm
  return typeof text === 'string' ? text.replace(before, '$1$2') : text
}

/**
 * What the store tells of a user, in every way, before and after it ends the user; nothing where there is
 * none.
 */
export async function lastWordsOf(store: SessionStore, handle: string | undefined): Promise<unknown[]> {
  if (handle === undefined) return []
  const read = () => Promise.all(SESSION_IDS.map((sessionId) => store.read({ handle, sessionId })))
  return [await store.readUser(handle), ...(await read()), await store.revokeUser(handle), ...(await read())]
}
