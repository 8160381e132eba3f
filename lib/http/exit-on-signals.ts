import cluster from 'node:cluster'
import { once } from 'node:events'
import { constants } from 'node:os'
import { withinDeadline } from '../deadline.js'
import { stackOf } from '../flows/thrown.js'
import { type Logger, loggerOption } from '../logger.js'
import { checkOptionNames, neededFunction, positiveInteger } from '../options.js'

const SIGNALS = ['SIGTERM', 'SIGINT'] as const
const MOST_MS = 3_600_000
/** How long a worker of `node:cluster` may take to leave. */
const LEAVE_MS = 2_000
/** Ctrl-C reaches the process twice where npm is in between: from the terminal, and from npm. */
const SAME_SIGNAL_MS = 500

type ExitSignal = (typeof SIGNALS)[number]

/** Options of {@link exitOnSignals}. */
export interface ExitOnSignalsOptions {
  /** How long the function may take, in milliseconds; then the process ends with code 1. Default 30000. */
  withinMs?: number
  /** Told why the process ends with code 1. Default: stderr. */
  logger?: Logger
}

/**
 * Has SIGTERM and SIGINT end the process by a function such as that of {@link gracefulShutdown}: with exit
 * code 0 when it is done, and with 1 when it fails or takes too long. A second signal, half a second later or
 * more, ends the process at once, with 143 after SIGTERM and 130 after SIGINT. A worker of `node:cluster`
 * disconnects before it ends. Call it once. Wrong options throw a `TypeError`.
 *
 * @example
 * exitOnSignals(gracefulShutdown(app.listen(3000), { sessions }))
 */
export function exitOnSignals(shutDown: () => unknown, options: ExitOnSignalsOptions = {}): void {
  checkOptionNames<ExitOnSignalsOptions>('exitOnSignals', options, { withinMs: true, logger: true })
  neededFunction('exitOnSignals: the first argument', shutDown)
  const withinMs = positiveInteger('exitOnSignals: withinMs', options.withinMs ?? 30_000, MOST_MS)
  const logger = loggerOption('exitOnSignals: logger', options.logger)
  let beganAt: number | undefined

  function fail(why: string): void {
    logger.error(`the shutdown ${why}`)
    process.exit(1)
  }

  async function end(): Promise<void> {
    setTimeout(() => fail(`took longer than ${withinMs} ms`), withinMs)
    try {
      await shutDown()
      await leaveCluster()
      process.exit()
    } catch (error) {
      fail(`failed: ${stackOf(error)}`)
    }
  }

  function onSignal(signal: ExitSignal): void {
    const now = performance.now()
    if (beganAt === undefined) {
      beganAt = now
      void end()
    } else if (now - beganAt >= SAME_SIGNAL_MS) {
      process.exit(128 + constants.signals[signal])
    }
  }

  for (const signal of SIGNALS) process.on(signal, () => onSignal(signal))
}

/**
 * The primary may have handed on connections of which this worker has not heard yet. If it ended now, their
 * clients would wait for ever: it gives them back, and the primary has them once the two are disconnected.
 */
async function leaveCluster(): Promise<void> {
  const { worker } = cluster
  if (!worker?.isConnected()) return
  const left = withinDeadline(once(worker, 'disconnect'), LEAVE_MS, () => new Error('timeout'))
  // The primary may have begun this.
  if (!worker.exitedAfterDisconnect) worker.disconnect()
  // A primary that hangs answers nothing.
  await left.catch(() => undefined)
}
