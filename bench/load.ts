import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { replyToParent } from './replies.js'

/** A request of a client. */
export interface Shot {
  readonly method: 'GET' | 'POST'
  readonly headers: Record<string, string>
  readonly body?: string
}

export interface Load {
  readonly name: string
  readonly url: string
  readonly shots: readonly Shot[]
}

export interface LoadRequest {
  readonly name: string
  readonly connections: number
  readonly requests: number
}

interface Aim {
  readonly port: number
  /** What is sent, as it goes over the wire. */
  readonly shots: readonly Buffer[]
  /** Where the next run goes on. */
  next: number
}

const aims = new Map<string, Aim>()

replyToParent({
  aim({ name, url, shots }: Load): void {
    const { pathname, port } = new URL(url)
    aims.set(name, { port: Number(port), shots: shots.map((shot) => written(pathname, shot)), next: 0 })
  },
  /**
   * Sends requests, each of which must succeed: on all connections at once, then again when all have been
   * answered. So all servers find the same number of requests in a turn of their event loop, however fast
   * they are, and the load costs so little that it never holds them up.
   */
  async run({ name, connections, requests }: LoadRequest): Promise<void> {
    const aim = aims.get(name)
    if (!aim) throw new Error(`${name}: no aim`)
    const clients = await Promise.all(Array.from({ length: connections }, () => openClient(aim.port)))
    try {
      for (let sent = 0; sent < requests; sent += connections) {
        const wave = clients.slice(0, Math.min(connections, requests - sent))
        await Promise.all(wave.map((client) => client.fire(shotOf(aim))))
      }
    } finally {
      for (const client of clients) client.close()
    }
  },
})

function shotOf(aim: Aim): Buffer {
  const shot = aim.shots[aim.next % aim.shots.length]
  aim.next += 1
  if (!shot) throw new Error('nothing to send')
  return shot
}

function written(path: string, { method, headers, body = '' }: Shot): Buffer {
  const length = method === 'POST' ? { 'content-length': String(Buffer.byteLength(body)) } : {}
  const lines = Object.entries({ host: '127.0.0.1', ...headers, ...length }).map(
    ([field, value]) => `${field}: ${value}`,
  )
  return Buffer.from(`${[`${method} ${path} HTTP/1.1`, ...lines].join('\r\n')}\r\n\r\n${body}`)
}

async function openClient(port: number) {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  await once(socket, 'connect')
  // What went wrong is told by `close`.
  socket.on('error', () => undefined)
  return { fire: (shot: Buffer) => answered(socket, shot), close: () => socket.destroy() }
}

/** Sends a request, and waits for the whole of its response. */
function answered(socket: Socket, shot: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    let text = ''
    const end = (error?: Error) => {
      socket.off('data', read).off('close', closed)
      if (error) reject(error)
      else resolve()
    }
    const closed = () => end(new Error(`the connection was closed after ${JSON.stringify(text)}`))
    const read = (chunk: Buffer) => {
      text += chunk.toString('latin1')
      if (!isWhole(text)) return
      end(/^HTTP\/1\.1 2/.test(text) ? undefined : new Error(`a request failed: ${text}`))
    }
    socket.on('data', read).on('close', closed)
    socket.write(shot)
  })
}

function isWhole(text: string): boolean {
  const bodyAt = text.indexOf('\r\n\r\n') + 4
  if (bodyAt < 4) return false
  const length = /content-length: (\d+)/i.exec(text)?.[1]
  return length !== undefined && text.length >= bodyAt + Number(length)
}
