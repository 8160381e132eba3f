import { once } from 'node:events'
import type { Server } from 'node:http'

const SWEEP_MS = 50

/** How long requests under way have to be answered, in milliseconds. */
const PATIENCE_MS = 5_000

/** Answers a function that takes no new requests, lets those under way be answered for a while, and ends when all connections are closed. */
export function gracefulShutDown(server: Server, patienceMs: number = PATIENCE_MS): () => Promise<void> {
  let underWay = 0
  server.on('request', (_req, res) => {
    underWay += 1
    res.once('close', () => {
      underWay -= 1
    })
  })

  // Browsers keep connections, also some that they have asked nothing on, which Node does not count as idle.
  function sweep(): void {
    if (underWay === 0) server.closeAllConnections()
    else server.closeIdleConnections()
  }

  return async function shutDown() {
    server.close()
    const sweeping = setInterval(sweep, SWEEP_MS)
    const giveUp = setTimeout(() => server.closeAllConnections(), patienceMs)
    await once(server, 'close')
    clearInterval(sweeping)
    clearTimeout(giveUp)
  }
}
