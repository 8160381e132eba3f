import type { Server } from 'node:http'
import { Server as NetServer } from 'node:net'
import { setTimeout as pause, setImmediate as turn } from 'node:timers/promises'
import type { Sessions } from '../flows/sessions.js'
import { whileEnding } from '../flows/while-open.js'
import { type Logger, loggerOption } from '../logger.js'
import { checkOptionNames, objectWithMethods, positiveInteger, wholeNumber } from '../options.js'
import { OpenRequests } from './open-requests.js'

const MOST_MS = 3_600_000
/** How long a connection stays open on which nothing is asked: the next request may be on its way. */
const LAST_REQUEST_MS = 1_000
const SWEEP_MS = 50

/** Options of {@link gracefulShutdown}. */
export interface GracefulShutdownOptions {
  /** Closed after the last response of all servers that end with them. Default: none. */
  sessions?: Sessions
  /**
   * How long requests may take to be answered once the server has stopped listening, in milliseconds. Default
   * 10000.
   */
  graceMs?: number
  /**
   * How long to go on listening while `GET /readyz` is 503 already, in milliseconds: for as long as a load
   * balancer takes to notice. Default 0.
   */
  delayMs?: number
  /** Told of requests that were not answered in time. Default: stderr. */
  logger?: Logger
}

/**
 * Returns a function that ends a server of `node:http` or `node:https` and resolves when that is done. Call
 * this before the first connection comes:
 *
 * 1. `GET /readyz` of a `healthRouter` with these sessions is 503, and every response has
 *    `Connection: close`.
 * 2. After `delayMs` the server stops listening. Requests that were sent are answered; a connection on which
 *    nothing is asked is closed after a second, as a request may be on its way.
 * 3. After `graceMs`, connections whose responses are not sent yet, and upgraded ones, are cut off.
 * 4. `sessions.close()`, which takes 8 seconds at most by default, and milliseconds as a rule. Where several
 *    servers end with the same sessions, this waits for the last of them.
 *
 * It neither listens to signals nor ends the process: see {@link exitOnSignals}. A further call returns the
 * same promise, which is rejected as that of `sessions.close()` is. Wrong options throw a `TypeError`.
 *
 * Source: https://nodejs.org/api/http.html#serverclosecallback
 *
 * @example
 * const server = app.listen(3000)
 * const shutDown = gracefulShutdown(server, { sessions })
 * exitOnSignals(async () => {
 *   await shutDown()
 *   redis.disconnect()
 * })
 */
export function gracefulShutdown(server: Server, options: GracefulShutdownOptions = {}): () => Promise<void> {
  checkOptionNames<GracefulShutdownOptions>('gracefulShutdown', options, {
    sessions: true,
    graceMs: true,
    delayMs: true,
    logger: true,
  })
  const serverMethods = ['closeIdleConnections', 'closeAllConnections', 'prependListener']
  objectWithMethods('gracefulShutdown: server', server, serverMethods, 'a Server of node:http or node:https')
  const { sessions } = options
  const graceMs = positiveInteger('gracefulShutdown: graceMs', options.graceMs ?? 10_000, MOST_MS)
  const delayMs = wholeNumber('gracefulShutdown: delayMs', options.delayMs ?? 0, MOST_MS)
  if (sessions !== undefined)
    objectWithMethods('gracefulShutdown: sessions', sessions, ['close'], 'what createSessions() returns')
  const logger = loggerOption('gracefulShutdown: logger', options.logger)
  const requests = new OpenRequests(server)

  async function closeServer(): Promise<void> {
    requests.endAfterResponses()
    if (delayMs > 0) await pause(delayMs)
    await acceptWaiting(requests)
    const sweeping = sweepAfterAWhile(requests)
    await new Promise<void>((resolve) => {
      const grace = setTimeout(() => {
        if (requests.count > 0) logger.warn(cutOff(requests.count, graceMs))
        requests.destroy()
        resolve()
      }, graceMs)
      // That of node:http closes at once what seems idle, with the requests that are on their way.
      NetServer.prototype.close.call(server, () => {
        clearTimeout(grace)
        resolve()
      })
    })
    clearInterval(sweeping)
  }

  async function shutDown(): Promise<void> {
    if (!sessions) return closeServer()
    await whileEnding(sessions, closeServer)
    await sessions.close()
  }

  let ending: Promise<void> | undefined
  return () => {
    ending ??= shutDown()
    return ending
  }
}

/**
 * Waits until no connection was left to accept: a client whose connection waits in the backlog may have sent
 * its request already, and would find it reset. New ones may come without end, so this ends after a second.
 */
async function acceptWaiting(requests: OpenRequests): Promise<void> {
  const end = performance.now() + LAST_REQUEST_MS
  for (let seen = -1; seen !== requests.accepted && performance.now() < end; ) {
    seen = requests.accepted
    // Between two ends of a turn, the event loop has asked the system for what has come.
    await turn()
    await turn()
  }
}

/** Closes again and again what is idle, from a second on: a request may be on its way. */
function sweepAfterAWhile(requests: OpenRequests): NodeJS.Timeout {
  const beganAt = performance.now()
  return setInterval(() => {
    if (performance.now() - beganAt < LAST_REQUEST_MS) return
    // A busy process may not have read requests that have arrived; it reads them before the turn ends.
    setImmediate(() => requests.closeIdle(LAST_REQUEST_MS))
  }, SWEEP_MS)
}

function cutOff(count: number, graceMs: number): string {
  return `requests were not answered within ${graceMs} ms of the shutdown, and their connections are cut off: ${count}`
}
