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
}

const FIRST_PAUSE_MS = 50
const LONGEST_PAUSE_MS = 400

/**
 * Returns settings for an ioredis client of {@link RedisStore}. With them a request gets its 503 soon while
 * Redis is away, a dead connection is noticed within 2 seconds, and all works again within a second of Redis
 * being ready. Put settings of your own behind them. For a Cluster they are its `redisOptions`.
 *
 * The defaults of ioredis wait longer, as long as Redis was away, and never give up a connection that is dead
 * without having been closed.
 *
 * @example
 * const redis = new Redis('redis://127.0.0.1:6379', redisSettings())
 * const named = new Redis({ ...redisSettings(), host: '10.0.0.1', connectionName: 'login' })
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
  }
}

/** Processes that have lost Redis at the same moment do not all come back at the same moment. */
function pauseAfter(attempts: number): number {
  const longestMs = Math.min(FIRST_PAUSE_MS * 2 ** (attempts - 1), LONGEST_PAUSE_MS)
  return Math.round(longestMs * (0.5 + Math.random() / 2))
}
