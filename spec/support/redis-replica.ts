import { Redis } from 'ioredis'
import type { RedisServer } from './redis-server.js'
import { until } from './until.js'

/** Makes a server the replica of another one, and waits until all of that has arrived. */
export async function follow(replica: RedisServer, primary: RedisServer): Promise<void> {
  const client = new Redis(replica.url)
  await client.call('REPLICAOF', '127.0.0.1', primary.port)
  await until(async () => (await client.info('replication')).includes('master_link_status:up'))
  client.disconnect()
}

/** `master` or `slave`. */
export async function roleOf(server: RedisServer): Promise<string> {
  const client = new Redis(server.url)
  const [role] = (await client.call('ROLE')) as [string]
  client.disconnect()
  return role
}
