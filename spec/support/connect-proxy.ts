import { once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'

/** A forward proxy that opens tunnels (RFC 9110, 9.3.6) and serves nothing else. */
export interface ConnectProxy {
  readonly url: string
  /** Where tunnels were asked for so far, as `host:port`. */
  readonly targets: readonly string[]
  /** Ends its fault. */
  heal(): void
  close(): Promise<void>
}

/** What it answers instead of opening a tunnel, that it closes each tunnel at the first bytes, or never answers. */
export type ProxyFault = 407 | 502 | 'drop' | 'hang'

/** Starts a proxy, with a fault if there is one. */
export async function startConnectProxy(fault?: ProxyFault): Promise<ConnectProxy> {
  const targets: string[] = []
  const sockets = new Set<Duplex>()
  const keep = (socket: Duplex) => {
    sockets.add(socket)
    socket.on('error', () => socket.destroy())
    socket.once('close', () => sockets.delete(socket))
  }

  const server = createServer((_request, response) => response.writeHead(405).end())
  server.on('connection', (socket: Socket) => keep(socket))
  server.on('connect', ({ url = '' }, near: Duplex) => {
    targets.push(url)
    if (typeof fault === 'number') {
      near.end(`HTTP/1.1 ${fault} No Tunnel\r\n\r\n`)
      return
    }
    if (fault === 'hang') return
    near.write('HTTP/1.1 200 Connection Established\r\n\r\n')
    if (fault === 'drop') {
      near.once('data', () => near.destroy())
      return
    }
    const { hostname, port } = new URL(`http://${url}`)
    const far = connect(Number(port), hostname)
    keep(far)
    near.pipe(far).pipe(near)
    near.once('close', () => far.destroy())
    far.once('close', () => near.destroy())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    targets,
    heal() {
      fault = undefined
    },
    async close() {
      const closed = once(server, 'close')
      server.close()
      for (const socket of sockets) socket.destroy()
      await closed
    },
  }
}
