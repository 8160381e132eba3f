import { jittered } from '../jitter.js'

/** Settings of an ioredis client. Times are in milliseconds. */
export interface RedisSettings {
  /** How often a command is sent again after its connection was lost, before it fails. */
  readonly maxRetriesPerRequest: number
  /** A connection is replaced when a reply has been outstanding for so long and nothing came. */
  readonly socketTimeout: number
  /** How long the connection, TLS included, may take to open. */
  readonly connectTimeout: number
  /** How long a connection that is given up may take to close. */
  readonly disconnectTimeout: number
  /** The longest pause between two questions whether Redis has loaded its data. */
  readonly maxLoadingRetryTime: number
  /** After how long without data TCP asks whether the other side is there. */
  readonly keepAlive: number
  /** Returns the pause before the connection is opened again, after so many attempts in vain. */
  retryStrategy(attempts: number): number
  /** Whether a client of Sentinels leaves the old primary as soon as one of them tells of a failover. */
  readonly failoverDetector: boolean
  /** How long a Sentinel may take to answer. */
  readonly sentinelCommandTimeout: number
  /** Returns the pause before the connection on which a Sentinel tells of failovers is opened again. */
  sentinelReconnectStrategy(attempts: number): number
}

/** Settings of an ioredis `Cluster`. */
export interface ClusterSettings {
  /** Those of the connection to each server. */
  readonly redisOptions: RedisSettings
  /** How long a server may take to say which slots are where. */
  readonly slotsRefreshTimeout: number
  /** How often that is asked. */
  readonly slotsRefreshInterval: number
  /** Returns the pause before the Cluster is looked for again, when no server of it was left. */
  clusterRetryStrategy(attempts: number): number
}

const FIRST_PAUSE_MS = 50
const LONGEST_PAUSE_MS = 400

/**
 * Returns settings for an ioredis client of {@link RedisStore}. With them a request gets its 503 soon while
 * Redis is away, a dead connection is noticed within 2 seconds, and all works again within a second of Redis
 * being ready. Put settings of your own behind them.
 *
 * The defaults of ioredis wait longer, as long as Redis was away, and never give up a connection that is dead
 * without having been closed.
 *
 * @example
 * const redis = new Redis('redis://127.0.0.1:6379', redisSettings())
 * const named = new Redis({ ...redisSettings(), host: '10.0.0.1', connectionName: 'login' })
 * const watched = new Redis({ ...redisSettings(), sentinels, name: 'mymaster' })
 */
export function redisSettings(): RedisSettings {
  return {
    maxRetriesPerRequest: 1,
    socketTimeout: 2000,
    connectTimeout: 2000,
    disconnectTimeout: 500,
    maxLoadingRetryTime: 400,
    keepAlive: 10_000,
    retryStrategy: pauseAfter,
    failoverDetector: true,
    sentinelCommandTimeout: 1000,
    sentinelReconnectStrategy: pauseAfter,
  }
}

/**
 * Returns the same for an ioredis `Cluster`.
 *
 * @example
 * const cluster = new Cluster([{ host: '10.0.0.1', port: 6379 }], clusterSettings())
 */
export function clusterSettings(): ClusterSettings {
  return {
    redisOptions: redisSettings(),
    slotsRefreshTimeout: 1000,
    slotsRefreshInterval: 5000,
    clusterRetryStrategy: pauseAfter,
  }
}

function pauseAfter(attempts: number): number {
  return Math.round(jittered(Math.min(FIRST_PAUSE_MS * 2 ** (attempts - 1), LONGEST_PAUSE_MS)))
}
