/** What every answer of `wx` carries: `login:ok`, or `login:fail` with a reason. */
export interface WxAnswer {
  errMsg: string
}

/** The callbacks that every asynchronous `wx` method takes. They run after the call, and each at most once. */
export interface WxCallbacks<Result> {
  success?: (result: Result & WxAnswer) => void
  fail?: (failure: WxFailure) => void
  complete?: (outcome: (Result & WxAnswer) | WxFailure) => void
}

/** Options without callbacks: the call then returns a promise. */
export interface NoCallbacks {
  success?: never
  fail?: never
  complete?: never
}

/** An asynchronous `wx` method: with any of the callbacks it returns nothing, without it returns a promise. */
export interface WxMethod<Options, Result> {
  (options?: Options & NoCallbacks): Promise<Result & WxAnswer>
  (options: Options & WxCallbacks<Result>): void
}

/** What `fail` receives and promises reject with. `errMsg` is the method's name, `:fail` and the reason. */
export class WxFailure extends Error implements WxAnswer {
  readonly errMsg: string

  constructor(api: string, reason: string) {
    super(`${api}:fail ${reason}`)
    this.errMsg = this.message
  }
}

/** Makes an asynchronous `wx` method out of a function which returns a promise. */
export function wxMethod<Options extends object, Result extends object>(
  api: string,
  work: (options: Options) => Promise<Result>,
): WxMethod<Options, Result> {
  function method(options?: Options & NoCallbacks): Promise<Result & WxAnswer>
  function method(options: Options & WxCallbacks<Result>): void
  function method(options?: Options & WxCallbacks<Result>): Promise<Result & WxAnswer> | undefined {
    return deliver(api, options, work(options ?? ({} as Options)))
  }
  return method
}

/** A request, upload or download under way. */
export interface RequestTask {
  /** Breaks it off: it fails with `abort` as its reason, unless it is over. */
  abort: () => void
}

/** Like a {@link WxMethod}, but with callbacks it returns a task that can be broken off. */
export interface WxTaskMethod<Options, Result> {
  (options: Options & NoCallbacks): Promise<Result & WxAnswer>
  (options: Options & WxCallbacks<Result>): RequestTask
}

/** Makes such a method out of a function which returns a promise and heeds a signal to break off. */
export function taskMethod<Options extends object, Result extends object>(
  api: string,
  work: (options: Options, breakOff: AbortController) => Promise<Result>,
): WxTaskMethod<Options, Result> {
  function method(options: Options & NoCallbacks): Promise<Result & WxAnswer>
  function method(options: Options & WxCallbacks<Result>): RequestTask
  function method(options: Options & WxCallbacks<Result>): unknown {
    const breakOff = new AbortController()
    const promise = deliver(api, options, work(options, breakOff))
    return hasCallbacks(options) ? { abort: () => breakOff.abort(new Error('abort')) } : promise
  }
  return method
}

/** Hands an outcome to the callbacks, or returns it as a promise when there are none. */
export function deliver<Result extends object>(
  api: string,
  callbacks: WxCallbacks<Result> | undefined,
  work: Promise<Result>,
): Promise<Result & WxAnswer> | undefined {
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

/** Outside of the promise, so that what a callback throws is an uncaught exception and calls no other callback. */
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
