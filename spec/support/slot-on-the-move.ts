import { Redis } from 'ioredis'

/** A master of a cluster, spoken to directly. */
export interface Master {
  readonly id: string
  readonly port: number
  readonly client: Redis
}

/** The masters of a cluster, in the order of their ids. */
export async function connectMasters(nodes: readonly { host: string; port: number }[]): Promise<Master[]> {
  const masters = await Promise.all(
    nodes.map(async ({ host, port }) => {
      const client = new Redis({ host, port })
      return { id: String(await client.call('CLUSTER', 'MYID')), port, client }
    }),
  )
  return masters.sort((one, other) => (one.id < other.id ? -1 : 1))
}

/** A hash slot that goes from one master to another, as redis-cli moves it. */
export class SlotOnTheMove {
  readonly #slot: number
  readonly #source: Master
  readonly #target: Master
  readonly #others: readonly Master[]

  /**
   * A master that has ever been a target cannot be a source as quickly as tests need it: the masters would
   * come to disagree.
   */
  constructor(slot: number, source: Master, target: Master, masters: readonly Master[]) {
    this.#slot = slot
    this.#source = source
    this.#target = target
    this.#others = masters.filter((master) => master !== source && master !== target)
  }

  /** From now on the source sends clients to the target for keys that it does not have. */
  async begin(): Promise<void> {
    await this.#set(this.#target, 'IMPORTING', this.#source.id)
    await this.#set(this.#source, 'MIGRATING', this.#target.id)
  }

  /** Moves these keys, or all; those that are not there are passed over. */
  async carry(...keys: string[]): Promise<void> {
    const carried = keys.length > 0 ? keys : await this.#keysAtSource()
    if (carried.length === 0) return
    await this.#source.client.call(
      'MIGRATE',
      '127.0.0.1',
      this.#target.port,
      '',
      0,
      5_000,
      'KEYS',
      ...carried,
    )
  }

  /** Moves what is left, and gives the slot to the target. */
  async finish(): Promise<void> {
    await this.carry()
    for (const master of [this.#target, this.#source, ...this.#others]) {
      await this.#set(master, 'NODE', this.#target.id)
    }
  }

  async #set(master: Master, ...args: string[]): Promise<void> {
    await master.client.call('CLUSTER', 'SETSLOT', this.#slot, ...args)
  }

  async #keysAtSource(): Promise<string[]> {
    const keys = await this.#source.client.call('CLUSTER', 'GETKEYSINSLOT', this.#slot, 10_000)
    return (keys as unknown[]).map(String)
  }
}
