import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'

export interface BrokenServer {
  readonly port: number
  close(): Promise<void>
}

// No protocol of ours starts with these bytes; they are fixed, so that a failing test fails again.
const garbage = Buffer.from('ff00deadbeef0d0a', 'hex')

/** Accepts connections and answers everything with bytes that mean nothing. */
export function startGarbageServer(): Promise<BrokenServer> {
  return startServer((socket) => socket.on('data', () => socket.write(garbage)))
}

/** Accepts connections, reads everything, and never answers. */
export function startHangingServer(): Promise<BrokenServer> {
  return startServer((socket) => socket.resume())
}

async function startServer(behave: (socket: Socket) => void): Promise<BrokenServer> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
    socket.on('error', () => socket.destroy())
    behave(socket)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')

  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      const closed = once(server, 'close')
      server.close()
      for (const socket of sockets) socket.destroy()
      await closed
    },
  }
}
