import { setImmediate as turn } from 'node:timers/promises'

/** The reasons of the promises that nobody handled while `work` ran. Mocha's own listener is kept out of it. */
export async function unhandledRejectionsDuring(work: () => Promise<unknown>): Promise<unknown[]> {
  const usual = process.listeners('unhandledRejection')
  const reasons: unknown[] = []
  process.removeAllListeners('unhandledRejection')
  process.on('unhandledRejection', (reason) => reasons.push(reason))
  try {
    await work()
    // Node reports them once the promises of a turn have settled.
    await turn()
    await turn()
  } finally {
    process.removeAllListeners('unhandledRejection')
    for (const listener of usual) process.on('unhandledRejection', listener)
  }
  return reasons
}
