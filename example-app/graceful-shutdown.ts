import { once } from 'node:events'
import type { Server } from 'node:http'

const CLOSE_IDLE_INTERVAL_MS = 50

/** How long requests in flight may take to finish, in milliseconds. */
const GRACE_PERIOD_MS = 5_000

/** Returns a function that closes the server, once requests in flight have finished or run out of time. */
export function createGracefulShutdown(server: Server, gracePeriodMs = GRACE_PERIOD_MS): () => Promise<void> {
  let requestsInFlight = 0
  server.on('request', (_req, res) => {
    requestsInFlight += 1
    res.once('close', () => {
      requestsInFlight -= 1
    })
  })

  // Browsers open connections in advance. Node does not count them as idle until a request has come.
  function closeIdle(): void {
    if (requestsInFlight === 0) server.closeAllConnections()
    else server.closeIdleConnections()
  }

  return async function shutDown() {
    server.close()
    const closingIdle = setInterval(closeIdle, CLOSE_IDLE_INTERVAL_MS)
    const gracePeriod = setTimeout(() => server.closeAllConnections(), gracePeriodMs)
    await once(server, 'close')
    clearInterval(closingIdle)
    clearTimeout(gracePeriod)
  }
}
