import { ClientError } from './failure.js'
import type { Api } from './wx.js'

/** A call that can be broken off. */
export interface Abortable {
  /**
   * Ends the call with `ERR_ABORTED`, whether it waits for a login, for `Retry-After` or for its answer, and stops its request. A login
   * goes on, as others may wait for it. Does nothing once the call is over.
   */
  abort(): void
}

/** Breaks one call off, wherever it stands. */
export interface Abortion extends Abortable {
  /** The outcome of the work, or `ERR_ABORTED` as soon as the call is broken off. */
  orAborted<Result>(work: Promise<Result>): Promise<Result>
  /** Throws `ERR_ABORTED` once the call is broken off, so that nothing more is sent. */
  check(): void
  /** Ties the task of an attempt to the call: whoever breaks one off breaks off both. */
  tie(task: unknown): void
}

export function createAbortion(api: Api): Abortion {
  const error = new ClientError('ERR_ABORTED', `${api}:fail abort`)
  let isAborted = false
  let stop = () => {}
  let reject: (error: ClientError) => void
  const aborted = new Promise<never>((_, rejectIt) => {
    reject = rejectIt
  })
  aborted.then(undefined, () => undefined)

  function abort(): void {
    if (isAborted) return
    isAborted = true
    reject(error)
    stop()
  }

  return {
    abort,
    orAborted: (work) => Promise.race([work, aborted]),
    check() {
      if (isAborted) throw error
    },
    tie(task) {
      if (!isAbortable(task)) return
      const ownAbort = task.abort
      stop = () => ownAbort.call(task)
      try {
        task.abort = abort
      } catch (_) {
        // A task that cannot be changed still ends with the call, and by itself ends this attempt.
      }
    },
  }
}

function isAbortable(task: unknown): task is Abortable {
  return typeof Object(task).abort === 'function'
}
