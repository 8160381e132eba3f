import type { Clock } from '../clock.js'
import { checkOptionNames, optionalFunction, textOption, wholeNumber } from '../options.js'
import type { LocalCacheOptions } from './redis-local-cache.js'

const MOST_REPLICAS = 100

/** Options of `RedisStore`. */
export interface RedisStoreOptions {
  /** The prefix of all keys, in place of a `keyPrefix` of the client. Default `weapp:`. */
  prefix?: string
  /**
   * A session that another process has ended is accepted here for up to a second longer: for milliseconds as
   * a rule, until Redis has told this process, and for that second where the connection on which it tells is
   * lost. Users are kept in memory for a few seconds after having been read, so that requests of the same
   * ones do not ask Redis. What this process ends itself is over at once, as is what passes its end. It needs
   * an ioredis client, of which it duplicates the connection, to each master of a Cluster; while that
   * connection tells nothing, every request asks Redis. Default: off; `{}` turns it on.
   */
  localCache?: LocalCacheOptions
  /**
   * How many replicas must have a change before it counts, by Redis' `WAIT`: a login or a renewal, what ends
   * sessions, a profile, the data of a session. With fewer in time it is `ERR_STORE_UNAVAILABLE`, and may or
   * may not last. Requests that read cost as before. It needs an ioredis client, of which it duplicates the
   * connection. Default 0: a failover undoes what its replica has not heard of, of ended sessions too.
   *
   * Source: https://redis.io/docs/latest/commands/wait/
   */
  waitReplicas?: number
  /** A clock for tests, shared by all processes. Default: the clock of Redis. */
  clock?: Clock
}

/** Returns the options with their defaults. Throws a `TypeError` for a wrong one. */
export function readRedisStoreOptions(options: RedisStoreOptions) {
  checkOptionNames<RedisStoreOptions>('RedisStore', options, {
    prefix: true,
    localCache: true,
    waitReplicas: true,
    clock: true,
  })
  const prefix = textOption('RedisStore: prefix', options.prefix ?? 'weapp:')
  if (/[{}]/.test(prefix)) {
    throw new TypeError(
      'RedisStore: prefix must not contain braces: they mark the part of a key that chooses the hash slot',
    )
  }
  return {
    prefix,
    localCache: options.localCache,
    waitReplicas: wholeNumber('RedisStore: waitReplicas', options.waitReplicas ?? 0, MOST_REPLICAS),
    clock: optionalFunction('RedisStore: clock', options.clock),
  }
}
