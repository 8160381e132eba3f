import { type Answer, retryAfterMsIn } from './failure.js'
import type { Settings } from './options.js'

/** Asks, and asks again as `Retry-After` of a 503 or 429 says. When that must not be, that answer is the answer. */
export type Patience = <Result extends Answer>(ask: () => Promise<Result>) => Promise<Result>

const MOST_WAITS = 3

/** The patience for one call: however often it asks, it waits three times at most, and in all no longer than the settings allow. */
export function createPatience({ maxWaitSeconds, wait }: Settings): Patience {
  let leftMs = maxWaitSeconds * 1000
  let waits = 0

  return async function patiently(ask) {
    for (;;) {
      const answer = await ask()
      const ms = retryAfterMsIn(answer)
      if (ms === undefined || ms > leftMs || waits === MOST_WAITS) return answer
      leftMs -= ms
      waits += 1
      await wait(ms)
    }
  }
}
