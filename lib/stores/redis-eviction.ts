import { systemClock } from '../clock.js'
import { stderrLogger } from '../logger.js'
import { ThrottledLog } from '../throttled-log.js'
import { isDuplicable, type RedisClient } from './redis-client.js'

const watched = new WeakSet<RedisClient>()

/**
 * Warns, whenever an ioredis client has connected, of a Redis that evicts: a session that was evicted looks
 * as if it had never been, and nothing else would tell of it.
 */
export function warnOfEviction(client: RedisClient): void {
  if (watched.has(client) || !isDuplicable(client)) return
  watched.add(client)
  const log = new ThrottledLog(stderrLogger, systemClock)
  const look = async () => {
    try {
      const policy = evictionPolicyIn(await client.call('INFO', 'memory'))
      if (policy === undefined) return
      const line = `Redis may log users out: its maxmemory-policy is ${policy}, and should be noeviction`
      log.write('warn', line, line)
    } catch {
      // It may be refused, and the connection may be gone again.
    }
  }
  client.on('ready', look)
  if (client.status === 'ready') void look()
}

/**
 * Returns the policy by which Redis evicts keys when its memory is full, from the reply to `INFO memory`;
 * undefined where it evicts none, has no limit, or does not say so.
 */
export function evictionPolicyIn(info: unknown): string | undefined {
  if (typeof info !== 'string' || !/^maxmemory:[1-9]/m.test(info)) return undefined
  const policy = /^maxmemory_policy:([a-z-]{1,30})\r?$/m.exec(info)?.[1]
  return policy === 'noeviction' ? undefined : policy
}
