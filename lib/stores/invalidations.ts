import { AsyncResource } from 'node:async_hooks'
import { withinDeadline } from '../deadline.js'
import { jittered } from '../jitter.js'
import { stderrLogger } from '../logger.js'
import { reasonOf } from '../reason.js'
import { StoreFailure } from '../sessions/store.js'
import { ThrottledLog } from '../throttled-log.js'
import { InvalidationChannel, PROOF_MS } from './invalidation-channel.js'
import { type DuplicableClient, isClusterClient, isDuplicable, type RedisClient } from './redis-client.js'
import { connectionOf } from './redis-connection.js'
import { masterIdsIn } from './redis-masters.js'
import { isWithin } from './wakeful-clock.js'

/** The time between two PINGs, in milliseconds: a late one leaves time for the next within `PROOF_MS`. */
const BEAT_MS = 400
const LONGEST_PAUSE_MS = 30_000
const NEVER = Number.NEGATIVE_INFINITY

/** A key whose change has to be told before a channel counts. */
export interface Probe {
  readonly key: string
  /** Changes the key over the connection of the application. */
  readonly write: () => Promise<unknown>
}

interface InvalidationsParts {
  readonly client: DuplicableClient
  /** What the keys begin with whose changes are told. */
  readonly prefixes: readonly string[]
  readonly newProbe: () => Probe
  /** Receives the keys that have changed; null: all may have. */
  readonly onChange: (keys: readonly string[] | null) => void
  /** Is told when changes may have been missed. */
  readonly onLoss: () => void
  /** A clock of milliseconds. */
  readonly now: () => number
  /** Returns numbers from 0 up to 1. Default: `Math.random`. */
  readonly random?: () => number
}

/** A server, and the channel to it. */
interface Line {
  readonly server: DuplicableClient
  channel: InvalidationChannel | undefined
  /** Its id in a Cluster; empty elsewhere. */
  nodeId: string
  failures: number
  /** When the last channel has ended, and how long after that none is opened. */
  endedAt: number
  pauseMs: number
}

/**
 * Tells which keys change, in a standalone Redis or on each master of a Cluster, over connections of its own.
 * They are made like that of the client, so that they lead where it leads, and anew whenever it has connected
 * anew. Lost ones are opened again.
 */
export class Invalidations {
  readonly #parts: InvalidationsParts
  readonly #lines = new Map<DuplicableClient, Line>()
  /** What waits for the change of a key. */
  readonly #probes = new Map<string, () => void>()
  readonly #told: ThrottledLog
  /** Up to when all changes were told. */
  #provenAt = NEVER
  /** The ids of the masters of a Cluster, and when it was asked for them. */
  #masters: { readonly ids: readonly string[]; readonly askedAt: number } = { ids: [''], askedAt: NEVER }
  #isAsking = false
  #state: 'new' | 'wanted' | 'closed' = 'new'
  #timer: NodeJS.Timeout | undefined
  /** Keeps the timer and the sockets out of the context of the request that starts them. */
  readonly #scope = new AsyncResource('weapp-session')

  constructor(parts: InvalidationsParts) {
    this.#parts = parts
    this.#told = new ThrottledLog(stderrLogger, parts.now)
  }

  /** Whether all changes were told but for those of the last moments, of the last second at most. */
  get areTold(): boolean {
    return isWithin(PROOF_MS, this.#provenAt, this.#parts.now())
  }

  /** Opens the connections as soon as the client is connected, at the first call. */
  start(): void {
    if (this.#state !== 'new') return
    this.#state = 'wanted'
    const { client } = this.#parts
    client.on('ready', this.#resume)
    for (const event of ['close', 'end']) client.on(event, this.#pause)
    this.#scope.runInAsyncScope(this.#resume)
  }

  /** Closes the connections for good. */
  close(): void {
    this.#state = 'closed'
    const { client } = this.#parts
    client.off('ready', this.#resume)
    for (const event of ['close', 'end']) client.off(event, this.#pause)
    this.#pause()
  }

  /** Asks for signs of life, and opens what is missing. Does nothing while the client is not connected. */
  beat(): void {
    if (!this.#timer) return
    const { client, now } = this.#parts
    const servers = isClusterClient(client) ? mastersOf(client.nodes('master')) : [client]
    for (const [server, line] of this.#lines) if (!servers.includes(server)) this.#drop(line)
    for (const server of servers) {
      const line = this.#lines.get(server) ?? newLine(server)
      this.#lines.set(server, line)
      line.channel?.beat()
      if (!line.channel && !isWithin(line.pauseMs, line.endedAt, now())) this.#open(line)
    }
    if (isClusterClient(client)) void this.#askForMasters()
  }

  readonly #resume = (): void => {
    if (this.#state !== 'wanted' || this.#timer || this.#parts.client.status !== 'ready') return
    // Timers run before sockets are read: an answer that is there already counts.
    this.#timer = setInterval(() => setImmediate(() => this.beat()), BEAT_MS).unref()
    this.beat()
  }

  readonly #pause = (): void => {
    clearInterval(this.#timer)
    this.#timer = undefined
    for (const line of this.#lines.values()) this.#drop(line)
  }

  #drop(line: Line): void {
    this.#lines.delete(line.server)
    line.channel?.end()
  }

  #open(line: Line): void {
    const { client, prefixes, newProbe, now, random } = this.#parts
    const isCluster = isClusterClient(client)
    const probe = isCluster ? undefined : newProbe()
    let isProven = false
    const channel = new InvalidationChannel({
      client: line.server,
      prefixes: probe ? [...prefixes, probe.key] : prefixes,
      onChange: (keys) => this.#hear(keys),
      onProof: () => {
        isProven = true
        line.failures = 0
        this.#judge()
      },
      onEnd: (reason) => {
        line.channel = undefined
        if (probe) this.#probes.delete(probe.key)
        line.failures = isProven ? 0 : line.failures + 1
        line.endedAt = now()
        line.pauseMs = jittered(pauseAfter(line.failures), random)
        this.#log(reason)
        this.#judge()
      },
      now,
    })
    line.channel = channel
    void channel.open(
      async (connection) => {
        line.nodeId = isCluster ? String(await connection.call('CLUSTER', 'MYID')) : ''
      },
      async () => {
        if (probe) await this.#prove(probe)
      },
    )
  }

  /** Waits until a change that is made over the connection of the application is told. */
  async #prove({ key, write }: Probe): Promise<void> {
    const told = new Promise<void>((resolve) => this.#probes.set(key, resolve))
    await Promise.all([told, write()])
  }

  #hear(keys: readonly string[] | null): void {
    for (const key of keys ?? []) this.#probes.get(key)?.()
    this.#parts.onChange(keys)
  }

  async #askForMasters(): Promise<void> {
    if (this.#isAsking) return
    this.#isAsking = true
    const { client, now } = this.#parts
    const askedAt = now()
    try {
      const asked = connectionOf(client).call('CLUSTER', 'SLOTS')
      const late = () => new StoreFailure('no answer to CLUSTER SLOTS')
      this.#masters = { ids: masterIdsIn(await withinDeadline(asked, PROOF_MS, late)), askedAt }
      this.#judge()
    } catch (error) {
      this.#log(error)
    } finally {
      this.#isAsking = false
    }
  }

  /** Up to when all changes were told is up to when the last of the channels has told them. */
  #judge(): void {
    const provenAt = new Map(
      [...this.#lines.values()].map(({ nodeId, channel }) => [nodeId, channel?.provenAt]),
    )
    const { ids, askedAt } = this.#masters
    const proofs = ids.map((id) => provenAt.get(id) ?? NEVER)
    if (isClusterClient(this.#parts.client)) proofs.push(ids.length > 0 ? askedAt : NEVER)
    const before = this.#provenAt
    this.#provenAt = Math.min(...proofs)
    if (this.#provenAt === NEVER && before !== NEVER) this.#parts.onLoss()
  }

  /** Says what somebody has to change. That a connection is lost others say. */
  #log(reason: unknown): void {
    if (!(reason instanceof Error && reason.name === 'ReplyError') && !(reason instanceof StoreFailure))
      return
    const why = reason instanceof StoreFailure ? reason.message : reasonOf(reason)
    this.#told.write('warn', why, `the local cache of RedisStore stands still: ${why}`)
  }
}

function mastersOf(nodes: readonly RedisClient[]): DuplicableClient[] {
  return nodes.filter(isDuplicable)
}

function newLine(server: DuplicableClient): Line {
  return { server, channel: undefined, nodeId: '', failures: 0, endedAt: NEVER, pauseMs: 0 }
}

function pauseAfter(failures: number): number {
  return failures === 0 ? 0 : Math.min(LONGEST_PAUSE_MS, BEAT_MS * 2 ** failures)
}
