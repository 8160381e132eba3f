import { randomUUID } from 'node:crypto'
import { Redis } from 'ioredis'
import type { RedisClient } from '../../lib/index.js'
import { sharedRedis } from './shared-redis.js'

/** What clients of any ioredis version can do. */
interface Disconnectable {
  disconnect(): void
}

/**
 * A client of the shared server for the tests of a describe block; of another ioredis version if `connect`
 * makes one.
 */
export function aRedisClient(): () => Redis
export function aRedisClient<T extends Disconnectable>(connect: (url: string) => T): () => T
export function aRedisClient(
  connect = (url: string): Disconnectable => new Redis(url),
): () => Disconnectable {
  let client: Disconnectable
  before(async () => {
    client = connect((await sharedRedis()).url)
  })
  after(() => client.disconnect())
  return () => client
}

/** A prefix that no other test uses. */
export function freshPrefix(): string {
  return `${randomUUID()}:`
}

/** A client that writes down which commands it sends. */
export interface RecordingClient extends RedisClient {
  readonly commands: string[]
}

export function recordCommands(client: RedisClient): RecordingClient {
  const commands: string[] = []
  return {
    commands,
    call(command, ...args) {
      commands.push(command)
      return client.call(command, ...args)
    },
  }
}
