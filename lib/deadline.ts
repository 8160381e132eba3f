/**
 * Waits for `work` for at most `timeoutMs` milliseconds, then throws what `onTimeout` returns and ignores how
 * the work ends. A response that arrived in time counts even if the process was too busy to read it: timers
 * run before sockets are read.
 */
export function withinDeadline<T>(work: Promise<T>, timeoutMs: number, onTimeout: () => Error): Promise<T> {
  return new Promise((resolve, reject) => {
    let late: NodeJS.Immediate | undefined
    const timer = setTimeout(() => {
      late = setImmediate(() => reject(onTimeout()))
    }, timeoutMs)
    const stop = () => {
      clearTimeout(timer)
      clearImmediate(late)
    }
    // What the application returns may be no promise.
    Promise.resolve(work).then(
      (result) => {
        stop()
        resolve(result)
      },
      (error) => {
        stop()
        reject(error)
      },
    )
  })
}

/**
 * Calls `work` with a signal that aborts after `timeoutMs` milliseconds, unless the work has ended before. A
 * signal of `AbortSignal.timeout` costs more, and its timer runs on when the work has long ended.
 */
export async function withSignal<T>(
  timeoutMs: number,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController()
  const timer = setTimeout(
    () => controller.abort(new DOMException(`it took longer than ${timeoutMs} ms`, 'TimeoutError')),
    timeoutMs,
  )
  try {
    return await work(controller.signal)
  } finally {
    clearTimeout(timer)
  }
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
