import type { Settings } from './options.js'
import { type HttpResponse, retryAfterMsIn } from './response.js'

/** Repeats a request as `Retry-After` of a 503 or 429 asks. Beyond the limits, returns that response. */
export type WithRetries = <Result extends HttpResponse>(send: () => Promise<Result>) => Promise<Result>

const MAX_WAITS = 3

/** The limits hold for all requests of the returned function: three waits, `maxWaitSeconds` in total. */
export function createRetries({ maxWaitSeconds, wait }: Settings): WithRetries {
  let leftMs = maxWaitSeconds * 1000
  let waits = 0

  return async function withRetries(send) {
    for (;;) {
      const response = await send()
      const ms = retryAfterMsIn(response)
      if (ms === undefined || ms > leftMs || waits === MAX_WAITS) return response
      leftMs -= ms
      waits += 1
      await wait(ms)
    }
  }
}
