import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { Redis } from 'ioredis'

/** What scripts did on a server while it was watched. */
export interface MonitoredKeys {
  /** How many keys they reached. */
  readonly reached: number
  /** The commands with a key that was not declared. */
  readonly undeclared: readonly string[]
  /** Resolves when all that was done so far has been seen. */
  caughtUp(): Promise<void>
  close(): void
}

/** Watches which keys the scripts on a server really reach, and whether they were declared. */
export async function monitorKeys(url: string): Promise<MonitoredKeys> {
  const client = new Redis(url, { protocol: 2 })
  const monitor = await client.monitor()
  let declared: readonly string[] = []
  let reached = 0
  const undeclared: string[] = []

  monitor.on('monitor', (_time: string, args: string[], source: string) => {
    const [command = '', first = '', count = '', ...rest] = args
    if (/^evalsha$|^eval$/i.test(command)) {
      declared = rest.slice(0, Number(count))
    } else if (source === 'lua' && first !== '') {
      reached += 1
      if (!declared.includes(first)) undeclared.push(`${command} ${first}`)
    }
    if (command.toLowerCase() === 'echo') monitor.emit(first)
  })

  return {
    get reached() {
      return reached
    },
    undeclared,
    async caughtUp() {
      const token = randomUUID()
      const seen = once(monitor, token)
      await client.echo(token)
      await seen
    },
    close() {
      monitor.disconnect()
      client.disconnect()
    },
  }
}
