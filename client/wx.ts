import type { ClientError } from './failure.js'

/** What every method of the client takes besides its own options. With any of them a call answers no promise. */
export interface Callbacks<Result> {
  success?: (result: Result) => void
  fail?: (error: ClientError) => void
  complete?: (outcome: Result | ClientError) => void
}

/** An option object without callbacks: the call then answers a promise. */
export interface NoCallbacks {
  success?: never
  fail?: never
  complete?: never
}

/**
 * What the client needs of `wx`. `Taro`, `uni` and the phones of `weapp-session/sandbox` have it too.
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
}

/** The methods of `wx` that go over the network. */
export type Api = 'login' | 'request' | 'uploadFile' | 'downloadFile'

/** What is looked at here of the options of those methods. */
interface CallOption {
  timeout?: number
  onTask?: (task: unknown) => void
}

/**
 * Calls a method of `wx`. Rejects with what its `fail` gets. `onTask` of the options gets the task. A phone may never call
 * back, so `timeout` is kept here, too.
 */
export function call<Result>(wx: WxLike, api: Api, option: object): Promise<Result> {
  const { onTask, ...own } = option as CallOption
  let timer: ReturnType<typeof setTimeout> | undefined
  const called = new Promise<Result>((resolve, reject) => {
    if (own.timeout) timer = setTimeout(() => reject({ errMsg: `${api}:fail timeout` }), own.timeout)
    const task = wx[api]({ ...own, success: resolve, fail: reject, complete: undefined })
    if (isPromise(task)) task.then(undefined, () => undefined)
    onTask?.(task)
  })
  const over = () => {
    if (timer) clearTimeout(timer)
  }
  called.then(over, over)
  return called
}

/** Hands an outcome to the callbacks of an option object, or answers it as a promise where there are none. */
export function deliver<Result>(
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

/** As `wx` does, also when the first throws. */
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

/** Taro calls back and answers a promise as well, which nobody would handle. */
function isPromise(task: unknown): task is PromiseLike<unknown> {
  return typeof task === 'object' && task !== null && 'then' in task
}
