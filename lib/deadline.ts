/**
 * Waits for `work`, but no longer than `timeoutMs` milliseconds; then throws what `onTimeout` makes. Work
 * that ends later is left alone: its result, or its rejection, is ignored. An answer that came in time is
 * taken also where the process was too busy to read it: timers are looked at before sockets are.
 */
export async function withinDeadline<T>(
  work: Promise<T>,
  timeoutMs: number,
  onTimeout: () => Error,
): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const deadline = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => setImmediate(() => reject(onTimeout())), timeoutMs)
  })
  try {
    return await Promise.race([work, deadline])
  } finally {
    clearTimeout(timer)
  }
}

/** Tells how many milliseconds are left, whenever it is asked; undefined: there is no end to them. */
export type Countdown = () => number | undefined

/** Counts down from now on. */
export function countdown(withinMs: number): () => number
export function countdown(withinMs: number | undefined): Countdown
export function countdown(withinMs: number | undefined): Countdown {
  if (withinMs === undefined) return () => undefined
  const end = performance.now() + withinMs
  return () => end - performance.now()
}
