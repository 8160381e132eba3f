import { setTimeout as delay } from 'node:timers/promises'
import type { Redis } from 'ioredis'

export interface Counted {
  /** Commands that clients sent, a request. */
  readonly sent: number
  /** Commands that scripts ran, a request. */
  readonly inScripts: number
  /** The CPU that Redis used, in microseconds a request. */
  readonly redisMicros: number
  /** All of them by name, as `INFO commandstats` has them, a request. */
  readonly byName: Readonly<Record<string, number>>
}

/** What this process asks for itself. */
const OWN = ['config', 'info', 'monitor', 'ping']

/**
 * Counts commands by `INFO commandstats`, which does not say who ran them. What `MONITOR` saw beforehand does:
 * it slows Redis down, so it does not run while commands are counted.
 */
export class CommandCounts {
  readonly #redis: Redis
  #seen = new Map<string, { all: number; sent: number }>()

  constructor(redis: Redis) {
    this.#redis = redis
  }

  /** Learns which commands clients send, and which ones scripts run. */
  async learn(work: () => Promise<unknown>): Promise<void> {
    this.#seen = new Map()
    const monitor = await this.#redis.monitor()
    monitor.on('monitor', (_time: string, [command = '']: string[], source: string) => {
      const name = command.toLowerCase()
      const seen = this.#seen.get(name) ?? { all: 0, sent: 0 }
      this.#seen.set(name, { all: seen.all + 1, sent: seen.sent + (source === 'lua' ? 0 : 1) })
    })
    await work()
    // What Redis has told is read by then; what it tells later changes no share.
    await delay(200)
    monitor.disconnect()
  }

  async of(requests: number, work: () => Promise<unknown>): Promise<Counted> {
    await this.#redis.config('RESETSTAT')
    const before = await this.#cpuMicros()
    await work()
    const redisMicros = ((await this.#cpuMicros()) - before) / requests
    const byName = await this.#calls()
    let [sent, all] = [0, 0]
    for (const [name, calls] of Object.entries(byName)) {
      const seen = this.#seen.get(name) ?? { all: 1, sent: 1 }
      all += calls
      sent += (calls * seen.sent) / seen.all
    }
    const each = Object.entries(byName).map(([name, calls]) => [name, calls / requests])
    return {
      sent: sent / requests,
      inScripts: (all - sent) / requests,
      redisMicros,
      byName: Object.fromEntries(each),
    }
  }

  async #cpuMicros(): Promise<number> {
    const cpu = await this.#redis.info('cpu')
    const seconds = [...cpu.matchAll(/^used_cpu_(?:sys|user):([\d.]+)/gm)].map(([, value]) => Number(value))
    return seconds.reduce((sum, value) => sum + value, 0) * 1e6
  }

  async #calls(): Promise<Record<string, number>> {
    const stats = await this.#redis.info('commandstats')
    const calls: Record<string, number> = {}
    for (const [, name = '', count] of stats.matchAll(/cmdstat_([^|:]+)\S*?:calls=(\d+)/g)) {
      if (!OWN.includes(name)) calls[name] = (calls[name] ?? 0) + Number(count)
    }
    return calls
  }
}
