import { hash } from 'node:crypto'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { slotOf } from './hash-slot.js'
import { RequestReader } from './redis-requests.js'
import { faultIn } from './script-rules.js'

export interface StrictProxyOptions {
  /** The port of the Redis behind it. */
  readonly behind: number
  /** What it says to keys of different hash slots in one script. Undefined: they are welcome. */
  readonly crossSlot?: string | undefined
}

/** A proxy in front of a Redis as the big clouds have it in front of a cluster. */
export interface StrictProxy {
  readonly port: number
  /** What it has refused so far. */
  readonly refusals: readonly string[]
  close(): Promise<void>
}

const forbidden = new Set(['CLUSTER', 'SCRIPT', 'MOVE', 'COPY', 'SWAPDB', 'FCALL'])

/**
 * Starts a proxy that passes on what it understands: scripts whose keys are all declared, and commands
 * without a key. It speaks RESP2.
 */
export async function startStrictProxy({ behind, crossSlot }: StrictProxyOptions): Promise<StrictProxy> {
  const sources = new Map<string, string>()
  const faults = new Map<string, string | undefined>()
  const refusals: string[] = []
  const sockets = new Set<Socket>()

  function refusalOf([command = '', ...args]: readonly string[]): string | undefined {
    switch (command.toUpperCase()) {
      case 'SELECT':
        return args[0] === '0' ? undefined : 'ERR DB index is out of range'
      case 'EVAL': {
        const [source = '', ...rest] = args
        const sha1 = hash('sha1', source)
        sources.set(sha1, source)
        return refusalOfScript(sha1, rest)
      }
      case 'EVALSHA': {
        const [sha1 = '', ...rest] = args
        return refusalOfScript(sha1.toLowerCase(), rest)
      }
      default:
        return forbidden.has(command.toUpperCase()) ? `ERR command ${command} is not supported` : undefined
    }
  }

  function refusalOfScript(sha1: string, [count = '', ...args]: readonly string[]): string | undefined {
    const source = sources.get(sha1)
    if (source === undefined) return 'NOSCRIPT No matching script. Please use EVAL.'
    const keys = args.slice(0, Number(count))
    if (keys.length === 0) {
      return "ERR for redis cluster, eval/evalsha number of keys can't be negative or zero"
    }
    const checked = `${sha1} ${keys.length}`
    if (!faults.has(checked)) faults.set(checked, faultIn(source, keys.length))
    const fault = faults.get(checked)
    if (fault !== undefined) return `ERR bad lua script for redis cluster, ${fault}`
    return new Set(keys.map(slotOf)).size > 1 ? crossSlot : undefined
  }

  const server = createServer({ noDelay: true }, (client) => {
    const redis = connect({ port: behind, host: '127.0.0.1', noDelay: true })
    const reader = new RequestReader()
    for (const [socket, other] of [
      [client, redis],
      [redis, client],
    ] as const) {
      sockets.add(socket)
      socket.once('close', () => {
        sockets.delete(socket)
        other.destroy()
      })
      socket.on('error', () => socket.destroy())
    }
    redis.pipe(client)
    client.on('data', (bytes) => {
      const passedOn = reader.read(bytes).map(({ args, raw }) => {
        const refusal = refusalOf(args)
        if (refusal === undefined) return raw
        refusals.push(refusal)
        return saying(refusal)
      })
      if (passedOn.length > 0) redis.write(Buffer.concat(passedOn))
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')

  return {
    port: (server.address() as AddressInfo).port,
    refusals,
    async close() {
      const closed = once(server, 'close')
      server.close()
      for (const socket of sockets) socket.destroy()
      await closed
    },
  }
}

/** A request that Redis answers with this error, so that it comes in its turn. */
function saying(error: string): Buffer {
  const args = ['EVAL', 'return redis.error_reply(ARGV[1])', '0', error]
  const bulks = args.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`)
  return Buffer.from(`*${args.length}\r\n${bulks.join('')}`)
}
