import type { ClientError } from './client-error.js'

/** The callbacks that every method of the client takes. With any of them, it returns no promise. */
export interface Callbacks<Result> {
  success?: (result: Result) => void
  fail?: (error: ClientError) => void
  complete?: (outcome: Result | ClientError) => void
}

/** An option object without callbacks: the method then returns a promise. */
export interface NoCallbacks {
  success?: never
  fail?: never
  complete?: never
}

/**
 * What the client calls of `wx`. `Taro`, `uni` and the phones of `weapp-session/sandbox` have it too.
 *
 * @example
 * createClient({ baseUrl, wx: Taro })
 */
export interface WxLike {
  login(option: object): unknown
  request(option: object): unknown
  uploadFile(option: object): unknown
  downloadFile(option: object): unknown
  getStorageSync(key: string): unknown
  setStorageSync(key: string, data: string): void
  removeStorageSync(key: string): void
  /** Since base library 2.20.1. */
  getDeviceInfo?(): unknown
  /** Of older base libraries. */
  getSystemInfoSync?(): unknown
}

/** The methods of `wx` that use the network. */
export type Api = 'login' | 'request' | 'uploadFile' | 'downloadFile'

/**
 * Calls a method of `wx` and passes its task to `onTask`. Rejects with whatever `fail` receives. Enforces the
 * timeout itself, since a phone may never call back.
 */
export function callWx<Result>(
  wx: WxLike,
  api: Api,
  { onTask, ...option }: { timeout?: number; onTask?: (task: never) => void },
): Promise<Result> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const called = new Promise<Result>((resolve, reject) => {
    if (option.timeout) timer = setTimeout(() => reject({ errMsg: `${api}:fail timeout` }), option.timeout)
    const task = wx[api]({ ...option, success: resolve, fail: reject, complete: undefined })
    // Taro also returns a promise, whose rejection nobody would handle.
    Promise.resolve(task).then(undefined, () => undefined)
    onTask?.(task as never)
  })
  const clearTimer = () => {
    if (timer) clearTimeout(timer)
  }
  called.then(clearTimer, clearTimer)
  return called
}

/** Passes the outcome to the callbacks in `option`, or returns the promise if there are none. */
export function withCallbacks<Result>(
  option: Callbacks<Result> | NoCallbacks | undefined,
  outcome: Promise<Result>,
): Promise<Result> | undefined {
  const { success, fail, complete } = Object(option) as Callbacks<Result>
  if (!success && !fail && !complete) return outcome
  outcome.then(
    (result) => callBoth(success, complete, result),
    (error) => callBoth(fail, complete, error),
  )
  return undefined
}

/** Like `wx`, it calls `complete` even if the first one throws. */
function callBoth<Outcome>(
  first: ((outcome: Outcome) => void) | undefined,
  complete: ((outcome: Outcome) => void) | undefined,
  outcome: Outcome,
): void {
  try {
    first?.(outcome)
  } finally {
    complete?.(outcome)
  }
}
