/**
 * Waits for `work` for at most `timeoutMs` milliseconds, then throws what `onTimeout` returns and ignores how
 * the work ends. A response that arrived in time counts even if the process was too busy to read it: timers
 * run before sockets are read.
 */
export function withinDeadline<T>(work: Promise<T>, timeoutMs: number, onTimeout: () => Error): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => setImmediate(() => reject(onTimeout())), timeoutMs)
    // What the application returns may be no promise.
    Promise.resolve(work).then(
      (result) => {
        clearTimeout(timer)
        resolve(result)
      },
      (error) => {
        clearTimeout(timer)
        reject(error)
      },
    )
  })
}

/** Returns how many milliseconds are left; undefined where there is no deadline. */
export type Countdown = () => number | undefined

export function countdown(withinMs: number): () => number
export function countdown(withinMs: number | undefined): Countdown
export function countdown(withinMs: number | undefined): Countdown {
  if (withinMs === undefined) return () => undefined
  const end = performance.now() + withinMs
  return () => end - performance.now()
}
