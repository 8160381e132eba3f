import { type RedisServer, startRedisServer } from './redis-server.js'

let shared: Promise<RedisServer> | undefined

/** One server for all specs of this mocha process, started when the first of them asks. */
export function sharedRedis(): Promise<RedisServer> {
  shared ??= startRedisServer()
  return shared
}

/** Mocha finds these because .mocharc.json requires this file. */
export const mochaHooks = {
  async afterAll(): Promise<void> {
    const server = await shared
    shared = undefined
    await server?.stop()
  },
}
