import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/** Which connections: those on which Redis tells of changes, or all others. */
type Kind = 'channels' | 'others'

/** A way to a Redis on which replies can be held back, as on a connection that is dead and not closed. */
export interface HeldRedis {
  readonly port: number
  /** Passes on nothing more of what Redis sends. */
  hold(kind: Kind): void
  /** Passes on what was held back. */
  release(kind: Kind): void
  close(): Promise<void>
}

export async function startHeldRedis(port: number): Promise<HeldRedis> {
  const links = new Set<{ near: Socket; far: Socket; kind: Kind }>()
  const server = createServer({ noDelay: true }, (near) => {
    const far = connect({ port, host: '127.0.0.1', noDelay: true })
    const link = { near, far, kind: 'others' as Kind }
    links.add(link)
    near.on('data', (bytes) => {
      if (bytes.includes('TRACKING')) link.kind = 'channels'
    })
    near.pipe(far)
    far.pipe(near)
    for (const socket of [near, far]) {
      socket.on('error', () => socket.destroy())
      socket.once('close', () => {
        links.delete(link)
        near.destroy()
        far.destroy()
      })
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')

  return {
    port: (server.address() as AddressInfo).port,
    hold(kind) {
      for (const { far, near } of linksOf(kind)) {
        far.unpipe(near)
        far.pause()
      }
    },
    release(kind) {
      for (const { far, near } of linksOf(kind)) far.pipe(near)
    },
    async close() {
      const closed = once(server, 'close')
      server.close()
      for (const { near } of links) near.destroy()
      await closed
    },
  }

  function linksOf(kind: Kind) {
    return [...links].filter((link) => link.kind === kind)
  }
}
