import type { Redis } from 'ioredis'

/** Returns all keys of a Redis that match, and all that is under them. */
export async function dumpOf(redis: Redis, pattern = '*'): Promise<string> {
  const keys = await redis.keys(pattern)
  const values = await Promise.all(
    keys.map(async (key) =>
      (await redis.type(key)) === 'zset'
        ? (await redis.zrange(key, '0', '-1')).join('\n')
        : await redis.get(key),
    ),
  )
  return [...keys, ...values].join('\n')
}
