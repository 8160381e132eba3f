import { createServer, type RequestListener, type Server } from 'node:http'

/** How long a request may take to arrive, in milliseconds. */
export interface ArrivalDeadlines {
  readonly headersMs: number
  readonly requestMs: number
}

/** An avatar of 2 MB arrives in time at 25 kB a second; a phone gives an upload up after 60 seconds by itself. */
const DEADLINES: ArrivalDeadlines = { headersMs: 15_000, requestMs: 90_000 }

/** Serves the app, and cuts off a request that comes so slowly that it only holds a connection. */
export function createHttpServer(
  app: RequestListener,
  { headersMs, requestMs }: ArrivalDeadlines = DEADLINES,
): Server {
  return createServer(
    {
      headersTimeout: headersMs,
      requestTimeout: requestMs,
      // Node looks for late requests only so often.
      connectionsCheckingInterval: Math.ceil(headersMs / 3),
    },
    app,
  )
}
