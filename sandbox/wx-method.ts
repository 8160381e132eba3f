/** What every result of `wx` has: an `errMsg` such as `login:ok`, or `login:fail` and the reason. */
export interface WxResult {
  errMsg: string
}

/** The callbacks of every asynchronous `wx` method. Each runs once at most, after the call has returned. */
export interface WxCallbacks<Result> {
  success?: (result: Result & WxResult) => void
  fail?: (failure: WxFailure) => void
  complete?: (outcome: (Result & WxResult) | WxFailure) => void
}

/** Options without callbacks: the call then returns a promise. */
export interface NoCallbacks {
  success?: never
  fail?: never
  complete?: never
}

/** An asynchronous `wx` method: returns a promise, or nothing when it is given a callback. */
export interface WxMethod<Options, Result> {
  (options?: Options & NoCallbacks): Promise<Result & WxResult>
  (options: Options & WxCallbacks<Result>): void
}

/** What `fail` receives and promises reject with. Its `errMsg` is such as `login:fail timeout`. */
export class WxFailure extends Error implements WxResult {
  readonly errMsg: string

  constructor(api: string, reason: string) {
    super(`${api}:fail ${reason}`)
    this.errMsg = this.message
  }
}

/** Turns a function that returns a promise into an asynchronous `wx` method. */
export function wxMethod<Options extends object, Result extends object>(
  api: string,
  work: (options: Options) => Promise<Result>,
): WxMethod<Options, Result> {
  function method(options?: Options & NoCallbacks): Promise<Result & WxResult>
  function method(options: Options & WxCallbacks<Result>): void
  function method(options?: Options & WxCallbacks<Result>): Promise<Result & WxResult> | undefined {
    return deliver(api, options, work(options ?? ({} as Options)))
  }
  return method
}

/** A request, upload or download in progress. */
export interface RequestTask {
  /** Aborts it: it fails with the reason `abort`, unless it has ended before. */
  abort: () => void
}

/** Like a {@link WxMethod}, but when it is given a callback it returns a task that can be aborted. */
export interface WxTaskMethod<Options, Result> {
  (options: Options & NoCallbacks): Promise<Result & WxResult>
  (options: Options & WxCallbacks<Result>): RequestTask
}

/** Turns a function that returns a promise and can be aborted into such a method. */
export function taskMethod<Options extends object, Result extends object>(
  api: string,
  work: (options: Options, controller: AbortController) => Promise<Result>,
): WxTaskMethod<Options, Result> {
  function method(options: Options & NoCallbacks): Promise<Result & WxResult>
  function method(options: Options & WxCallbacks<Result>): RequestTask
  function method(options: Options & WxCallbacks<Result>): unknown {
    const controller = new AbortController()
    const promise = deliver(api, options, work(options, controller))
    return hasCallbacks(options) ? { abort: () => controller.abort(new Error('abort')) } : promise
  }
  return method
}

/** Passes an outcome to the callbacks, or returns it as a promise if there are none. */
export function deliver<Result extends object>(
  api: string,
  callbacks: WxCallbacks<Result> | undefined,
  work: Promise<Result>,
): Promise<Result & WxResult> | undefined {
  const outcome = work.then(
    (result) => ({ ...result, errMsg: `${api}:ok` }),
    (error: Error) => {
      throw new WxFailure(api, error.message)
    },
  )
  if (!hasCallbacks(callbacks)) return outcome
  const { success, fail, complete } = callbacks
  outcome.then(
    (result) => callLater(result, success, complete),
    (failure: WxFailure) => callLater(failure, fail, complete),
  )
  return undefined
}

export function hasCallbacks<Result>(
  options: WxCallbacks<Result> | undefined,
): options is WxCallbacks<Result> {
  const { success, fail, complete } = options ?? {}
  return [success, fail, complete].some((callback) => typeof callback === 'function')
}

/** Outside the promise, so that what a callback throws is uncaught and calls no other callback. */
function callLater<Outcome>(
  outcome: Outcome,
  first: ((outcome: Outcome) => void) | undefined,
  complete: ((outcome: Outcome) => void) | undefined,
): void {
  queueMicrotask(() => {
    try {
      first?.(outcome)
    } finally {
      complete?.(outcome)
    }
  })
}
