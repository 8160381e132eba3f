import type { RedisClient, RedisClusterClient } from './redis-client.js'

/** A client of ioredis for one server of a Cluster. */
interface ClusterNode extends RedisClient {
  asking?(...args: unknown[]): Promise<unknown>
}

/** A Cluster client of ioredis, which tells of each server that it connects to. */
interface EventfulCluster extends RedisClient {
  nodes(role: 'all'): ClusterNode[]
  on(event: '+node', listener: (node: ClusterNode) => void): unknown
}

/**
 * Gives the promises of `ASKING` a handler. While a slot moves, a Cluster client of ioredis sends it in front
 * of a redirected command and drops its promise: a server that is lost just then, or a user without the right,
 * would end the process. The command behind it fails by itself, or is redirected again.
 */
export function handleAsking(client: RedisClusterClient, onFailure: (error: unknown) => void): void {
  if (!isEventfulCluster(client)) return
  const handle = (node: ClusterNode) => {
    const { asking } = node
    if (!asking) return
    node.asking = (...args) => {
      const reply = asking.apply(node, args)
      reply.catch(onFailure)
      return reply
    }
  }
  client.on('+node', handle)
  client.nodes('all').forEach(handle)
}

function isEventfulCluster(client: object): client is EventfulCluster {
  return 'on' in client
}
