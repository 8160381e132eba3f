import { ClientError } from './client-error.js'
import type { Api } from './wx.js'

/** A call that can be aborted. */
export interface Abortable {
  /**
   * Ends the call with `ERR_ABORTED`, whatever it waits for, and stops its request. A login goes on, since
   * other calls may wait for it. Does nothing once the call is over.
   */
  abort(): void
}

/** Aborts one call at any stage. */
export interface Aborter extends Abortable {
  /** Settles as `work` does, or rejects with `ERR_ABORTED` as soon as the call is aborted. */
  race<Result>(work: Promise<Result>): Promise<Result>
  throwIfAborted(): void
  /** Links the task of the current attempt to the call: aborting either aborts both. */
  link(task: unknown): void
}

export function createAborter(api: Api): Aborter {
  const error = new ClientError('ERR_ABORTED', `${api}:fail abort`)
  let isAborted = false
  let abortTask = () => {}
  let reject: (error: ClientError) => void
  const aborted = new Promise<never>((_, rejectIt) => {
    reject = rejectIt
  })
  aborted.then(undefined, () => undefined)

  function abort(): void {
    if (isAborted) return
    isAborted = true
    reject(error)
    abortTask()
  }

  return {
    abort,
    race: (work) => Promise.race([work, aborted]),
    throwIfAborted() {
      if (isAborted) throw error
    },
    link(task) {
      if (!isAbortable(task)) return
      const ownAbort = task.abort
      abortTask = () => ownAbort.call(task)
      try {
        task.abort = abort
      } catch (_) {
        // A frozen task still ends with the call, but its own abort() ends this attempt only.
      }
    },
  }
}

function isAbortable(task: unknown): task is Abortable {
  return typeof Object(task).abort === 'function'
}
