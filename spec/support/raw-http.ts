import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'

/** A server whose clients write their own bytes, as no HTTP client would. */
export interface RawServer {
  /** A new connection. */
  connect(): Promise<Socket>
  /** Sends the lines of a request, then a body, and returns all that comes back until the server ends the connection. */
  ask(lines: readonly string[], body?: string): Promise<RawAnswer>
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

  async function open(): Promise<Socket> {
    const socket = connect(port, '127.0.0.1')
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
    async close() {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}

/** What comes on a connection until it ends. */
export async function answerOn(socket: Socket): Promise<RawAnswer> {
  const [head = '', body = ''] = (await text(socket)).split('\r\n\r\n', 2)
  return { status: Number(head.split(' ')[1]), head: head.toLowerCase(), body }
}
