import type { Redis } from 'ioredis'

const MINUTE = 60_000

/** All that a server holds: each value as it is, and when it ends, to the minute. */
export async function dataSetOf(redis: Redis): Promise<Record<string, unknown>> {
  const keys = (await redis.keys('*')).sort()
  const values = await Promise.all(
    keys.map(async (key) => {
      const [value, ttl] = await Promise.all([redis.dumpBuffer(key), redis.pttl(key)])
      return [key, { value: value?.toString('hex'), minutes: Math.round(ttl / MINUTE) }]
    }),
  )
  return Object.fromEntries(values)
}
