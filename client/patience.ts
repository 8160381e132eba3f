import { type Answer, retryAfterMsIn } from './failure.js'
import type { Settings } from './options.js'

/** Asks, and asks again as `Retry-After` of a 503 or 429 says. When that must not be, that answer is the answer. */
export type Patience = <Result extends Answer>(ask: () => Promise<Result>) => Promise<Result>

const MOST_TRIES = 4

/** The patience for one call: however often it asks, it does not wait longer in all than the settings allow. */
export function createPatience({ maxWaitSeconds, wait }: Settings): Patience {
  let leftMs = maxWaitSeconds * 1000

  return async function patiently(ask) {
    for (let tries = 1; ; tries += 1) {
      const answer = await ask()
      const ms = retryAfterMsIn(answer)
      if (ms === undefined || ms > leftMs || tries === MOST_TRIES) return answer
      leftMs -= ms
      await wait(ms)
    }
  }
}
