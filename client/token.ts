import type { Settings } from './options.js'

/** The token of this phone: in memory, and in the phone's storage for the next start of the app. */
export interface TokenStore {
  /** The token, or '' if there is none. */
  get(): string
  /** The token, or the last one discarded. A login sends it, so that the server ends its session. */
  lastKnown(): string
  set(token: string): void
  /** Sets a token of unknown origin. Throws a `TypeError` for what cannot be one. */
  adopt(token: unknown): void
  /** Stops using this token. Does nothing if another one has replaced it meanwhile. */
  discard(token: string): void
}

/** What a header can carry. Anything else in the storage is not a token, and would make requests fail. */
const USABLE = /^[!-~]{1,512}$/

/** If the storage fails, because it is full or broken, the token lives as long as the app does. */
export function createTokenStore({ wx, storageKey }: Settings): TokenStore {
  let token: string | undefined
  let discarded = ''

  function get(): string {
    if (token === undefined) {
      const stored = ignoreErrors(() => wx.getStorageSync(storageKey))
      token = typeof stored === 'string' && USABLE.test(stored) ? stored : ''
    }
    return token
  }

  function set(next: string): void {
    token = next
    ignoreErrors(() => (next ? wx.setStorageSync(storageKey, next) : wx.removeStorageSync(storageKey)))
  }

  return {
    get,
    set,
    adopt(next) {
      if (typeof next !== 'string' || !USABLE.test(next)) throw new TypeError('adopt: this is not a token')
      set(next)
    },
    lastKnown: () => get() || discarded,
    discard(unusable) {
      if (get() !== unusable) return
      discarded = unusable
      set('')
    },
  }
}

function ignoreErrors<Result>(work: () => Result): Result | undefined {
  try {
    return work()
  } catch (_) {
    return undefined
  }
}
