import { setTimeout as delay } from 'node:timers/promises'

const DEADLINE_MS = 15_000

/** Waits until something holds, and fails if it takes too long. */
export async function until(
  holds: () => boolean | Promise<boolean>,
  deadlineMs: number = DEADLINE_MS,
): Promise<void> {
  const deadline = performance.now() + deadlineMs
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`it does not come to hold: ${holds}`)
    await delay(1)
  }
}
