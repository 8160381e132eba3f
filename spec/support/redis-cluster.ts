import { setTimeout as delay } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { type RedisServer, startRedisServer } from './redis-server.js'

export interface RedisCluster {
  readonly nodes: { host: string; port: number }[]
  /** The masters of the beginning, and the replica of each. */
  readonly masters: readonly RedisServer[]
  readonly replicas: readonly RedisServer[]
  stop(): Promise<void>
}

const slotCount = 16_384
const masterCount = 3
const formationDeadline = 15_000
/** Short, so that masters soon hear of each other, and replicas take over. */
const NODE_TIMEOUT_MS = 2_000
const PATIENT_NODE_TIMEOUT_MS = 60_000

interface RedisClusterOptions {
  readonly withReplicas?: boolean
  /** A slot that the first master has, and no other. */
  readonly slotApart?: number
}

/** Three masters that share all slots, formed without redis-cli; with replicas, each has one. */
export async function startRedisCluster({
  withReplicas = false,
  slotApart,
}: RedisClusterOptions = {}): Promise<RedisCluster> {
  const start = () => Promise.all(Array.from({ length: masterCount }, startNode))
  const servers = await start()
  const replicas = withReplicas ? await start() : []
  const stop = async () => {
    await Promise.all([...servers, ...replicas].map((server) => server.stop()))
  }
  try {
    await formCluster(servers, slotApart)
    await Promise.all(replicas.map((replica, index) => replicate(replica, servers[index])))
    if (!withReplicas) await Promise.all(servers.map(bePatient))
  } catch (error) {
    await stop()
    throw error
  }
  const nodes = servers.map(({ port }) => ({ host: '127.0.0.1', port }))
  return { nodes, masters: servers, replicas, stop }
}

function startNode(): Promise<RedisServer> {
  return startRedisServer({
    args: ['--cluster-enabled', 'yes', '--cluster-node-timeout', String(NODE_TIMEOUT_MS)],
  })
}

/** Without a replica nobody takes over: a master that a busy machine holds up must not count as failed. */
async function bePatient({ url }: RedisServer): Promise<void> {
  const master = new Redis(url)
  await master.config('SET', 'cluster-node-timeout', PATIENT_NODE_TIMEOUT_MS)
  master.disconnect()
}

async function formCluster(servers: RedisServer[], slotApart?: number): Promise<void> {
  const masters = servers.map(({ url }) => new Redis(url))
  try {
    await Promise.all(masters.map((master, index) => takeSlots(master, index, slotApart)))
    for (const { port } of servers.slice(1))
      await masters[0]?.call('CLUSTER', 'MEET', '127.0.0.1', String(port))
    await Promise.all(masters.map(agreement))
  } finally {
    for (const master of masters) master.disconnect()
  }
}

async function takeSlots(master: Redis, index: number, slotApart?: number): Promise<void> {
  const all = Array.from({ length: slotCount }, (_, slot) => slot)
  const others = all.filter((slot) => slot !== slotApart)
  const share = (slots: number[], place: number, places: number) =>
    slots.slice(Math.ceil((slots.length * place) / places), Math.ceil((slots.length * (place + 1)) / places))
  const apart = index === 0 ? [Number(slotApart)] : share(others, index - 1, masterCount - 1)
  const slots = slotApart === undefined ? share(all, index, masterCount) : apart
  await master.call('CLUSTER', 'ADDSLOTS', ...slots.map(String))
  // Masters of one epoch would first have to settle which of them goes ahead.
  await master.call('CLUSTER', 'SET-CONFIG-EPOCH', String(index + 1))
}

async function agreement(master: Redis): Promise<void> {
  const deadline = Date.now() + formationDeadline
  for (;;) {
    const info = String(await master.call('CLUSTER', 'INFO'))
    if (/cluster_state:ok/.test(info) && info.includes(`cluster_slots_ok:${slotCount}`)) return
    if (Date.now() > deadline) throw new Error(`The Redis cluster did not form in time:\n${info}`)
    await delay(50)
  }
}

/** Makes a server the replica of a master, and waits until all of that has arrived. */
async function replicate(server: RedisServer, master: RedisServer | undefined): Promise<void> {
  const [replica, source] = [new Redis(server.url), new Redis(master?.url ?? '')]
  try {
    const masterId = String(await source.call('CLUSTER', 'MYID'))
    await replica.call('CLUSTER', 'MEET', '127.0.0.1', String(master?.port))
    await until(async () => String(await replica.call('CLUSTER', 'NODES')).includes(masterId))
    await replica.call('CLUSTER', 'REPLICATE', masterId)
    await until(async () =>
      String(await replica.call('INFO', 'replication')).includes('master_link_status:up'),
    )
  } finally {
    replica.disconnect()
    source.disconnect()
  }
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + formationDeadline
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error('A replica of the Redis cluster did not form in time')
    await delay(50)
  }
}
