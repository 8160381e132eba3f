/** Loads lru-cache. */
declare function loadLruCache(): typeof import('lru-cache')

export = loadLruCache
