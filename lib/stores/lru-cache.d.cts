import type { LRUCache } from 'lru-cache'

/** Loads lru-cache. */
declare function loadLruCache(): { readonly LRUCache: typeof LRUCache }

declare namespace loadLruCache {
  /** A cache of the library. */
  export type LruCache<Key extends {}, Value extends {}> = LRUCache<Key, Value>
}

export = loadLruCache
