import type { Redis } from 'ioredis'

/** How often Redis has carried out each command since `CONFIG RESETSTAT`, those inside scripts included. */
export async function commandCalls(redis: Redis): Promise<Record<string, number | undefined>> {
  const stats = await redis.info('commandstats')
  const counts = [...stats.matchAll(/cmdstat_(\S+?):calls=(\d+)/g)].map(([, name, n]) => [name, Number(n)])
  return Object.fromEntries(counts)
}
