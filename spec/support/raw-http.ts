import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'

/** A server whose clients write their own bytes, as no HTTP client would. */
export interface RawServer {
  /** A new connection. */
  connect(): Promise<Socket>
  /** Sends the lines of a request, then a body, and returns all that comes back until the server ends the connection. */
  ask(lines: readonly string[], body?: string): Promise<RawAnswer>
  /** Waits until the server has closed every connection. */
  untilAllClosed(): Promise<void>
  close(): Promise<void>
}

export interface RawAnswer {
  readonly status: number
  /** The lines before the body, in lower case. */
  readonly head: string
  readonly body: string
}

export async function openRawServer(listener: RequestListener): Promise<RawServer> {
  const server = createServer(listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const closings: Promise<unknown>[] = []
  server.on('connection', (socket) => {
    closings.push(new Promise((resolve) => socket.once('close', resolve)))
  })

  async function open(): Promise<Socket> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    await once(socket, 'connect')
    return socket
  }

  return {
    connect: open,
    async ask([first = '', ...headers], body = '') {
      const socket = await open()
      const length = `Content-Length: ${Buffer.byteLength(body)}`
      socket.write([first, 'Host: a', 'Connection: close', length, ...headers, '', body].join('\r\n'))
      return answerOn(socket)
    },
    async untilAllClosed() {
      await Promise.all(closings)
    },
    async close() {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}

/** What comes on a connection until it is closed; a reset closes it as well. */
export async function answerOn(socket: Socket): Promise<RawAnswer> {
  let received = ''
  socket.setEncoding('utf8').on('data', (chunk) => {
    received += chunk
  })
  socket.on('error', () => undefined)
  await new Promise((resolve) => socket.once('close', resolve))
  const [head = '', body = ''] = received.split('\r\n\r\n', 2)
  return { status: Number(head.split(' ')[1]), head: head.toLowerCase(), body }
}
