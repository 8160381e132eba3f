import type { IncomingHttpHeaders } from 'node:http'
import type { Redis } from 'ioredis'
import type { Bench, OwnRedis } from './bench.js'
import type { Child } from './child.js'
import type { Load } from './load.js'
import type { PeerName } from './peers/all.js'

/** How many requests are under way at once. */
export const CONNECTIONS = 64
const SESSIONS = { quick: 1_920, full: 10_000 }
/** How many sessions are asked for again and again where the local cache is on. */
const HOT_SESSIONS = 640
/** Enough to open the connections and to load the scripts. */
const FIRST_REQUESTS = 640

const names: readonly PeerName[] = [
  'bare Express 5',
  'bare Express 4',
  'hand-written GET',
  'weapp-session',
  'weapp-session, enableAutoPipelining',
  'weapp-session, local cache',
  'express-session + connect-redis',
  'wafer-node-session, MemoryStore',
  'wafer-node-session + connect-redis',
]
const notInAQuickRun: readonly PeerName[] = [
  'weapp-session, enableAutoPipelining',
  'wafer-node-session + connect-redis',
]

/** The servers of all peers, each in a process of its own, on one Redis, and who sends them requests. */
export interface Crew {
  readonly load: Child
  readonly servers: ReadonlyMap<PeerName, Child>
  readonly redis: Redis
}

export async function openCrew(bench: Bench, start: (name: string) => Child, redis: OwnRedis): Promise<Crew> {
  const load = start('load')
  const servers = new Map<PeerName, Child>()
  for (const name of names) {
    if (bench.isQuick && notInAQuickRun.includes(name)) continue
    bench.progress(`opens ${name}`)
    const server = start('server')
    const url = await server.ask<string>('open', { name, redisUrl: redis.server.url })
    const headers = await server.ask<IncomingHttpHeaders[]>('logIn', sessionsOf(bench, name))
    const shots = headers.map((of) => ({ method: 'GET' as const, headers: of as Record<string, string> }))
    const aim: Load = { name, url, shots }
    await load.ask('aim', aim)
    servers.set(name, server)
    const crew = { load, servers, redis: redis.client }
    await sendRequests(crew, name, FIRST_REQUESTS)
  }
  return { load, servers, redis: redis.client }
}

/** Sends requests, each of which must succeed. */
export async function sendRequests(
  { load }: Crew,
  name: PeerName,
  requests: number,
  connections = CONNECTIONS,
): Promise<void> {
  await load.ask('run', { name, requests, connections })
}

function sessionsOf(bench: Bench, name: PeerName): number {
  if (name === 'weapp-session, local cache') return HOT_SESSIONS
  return bench.isQuick ? SESSIONS.quick : SESSIONS.full
}
