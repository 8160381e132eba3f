import { type Answer, retryAfterMsIn } from './failure.js'
import type { Settings } from './options.js'

const MOST_TRIES = 4

/** Asks again as `Retry-After` of a 503 or 429 says, as long as the settings allow; then that answer is the answer. */
export async function patiently<Result extends Answer>(
  { maxWaitSeconds, wait }: Settings,
  ask: () => Promise<Result>,
): Promise<Result> {
  let leftMs = maxWaitSeconds * 1000
  for (let tries = 1; ; tries += 1) {
    const answer = await ask()
    const ms = retryAfterMsIn(answer)
    if (ms === undefined || ms > leftMs || tries === MOST_TRIES) return answer
    leftMs -= ms
    await wait(ms)
  }
}
