import type { SessionStore } from '../../lib/index.js'

type Method = keyof SessionStore
type Before = (method: Method) => Promise<void> | void

/** A store whose calls are counted, and before each of which something may happen: a failure, a delay, another request. */
export interface WatchedStore extends SessionStore {
  readonly calls: Method[]
  before: Before
}

export function watchStore(store: SessionStore): WatchedStore {
  const calls: Method[] = []
  const watched = { calls, before: () => undefined } as unknown as WatchedStore
  return new Proxy(watched, {
    get(target, name) {
      if (name in target) return Reflect.get(target, name)
      const method = Reflect.get(store, name)
      if (typeof method !== 'function') return method
      return async (...args: unknown[]) => {
        calls.push(name as Method)
        await target.before(name as Method)
        return Reflect.apply(method, store, args)
      }
    },
  })
}
