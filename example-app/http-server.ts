import { createServer, type RequestListener, type Server } from 'node:http'

/** How long the headers and the whole request may take to arrive. */
export interface RequestTimeouts {
  readonly headersMs: number
  readonly requestMs: number
}

/** Enough for an avatar of 2 MB at 25 kB per second. A phone gives up after 60 seconds by default. */
const TIMEOUTS: RequestTimeouts = { headersMs: 15_000, requestMs: 90_000 }

/** Creates the server of the app, which closes connections whose requests arrive too slowly. */
export function createHttpServer(
  app: RequestListener,
  { headersMs, requestMs }: RequestTimeouts = TIMEOUTS,
): Server {
  return createServer(
    {
      headersTimeout: headersMs,
      requestTimeout: requestMs,
      // Node checks the timeouts only this often, by default every 30 seconds.
      connectionsCheckingInterval: Math.ceil(headersMs / 3),
    },
    app,
  )
}
