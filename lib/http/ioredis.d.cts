import type { RedisClient } from '../stores/redis-client.js'

declare namespace loadIoredis {
  interface IoredisModule {
    readonly Redis: new (url: string, options: object) => RedisClient & { disconnect(): void }
  }
}

/** Loads ioredis. Throws a `TypeError` that says why it cannot be loaded. */
declare function loadIoredis(): loadIoredis.IoredisModule

export = loadIoredis
