import type { Settings } from './options.js'

/** The token of this phone: in memory, and in storage for the next start of the app. */
export interface TokenKeeper {
  /** The token, or '' when there is none. */
  current(): string
  /** The token that a login replaces, also one that was dropped: its session may live on at the server. */
  toReplace(): string
  keep(token: string): void
  /** Uses this token no more. Another one, which came meanwhile, stays. */
  drop(token: string): void
}

/** What a header can carry. Anything else in storage is no token, and no request could be sent with it. */
const USABLE = /^[!-~]{1,512}$/

/** Storage may fail, full or broken: the token then lives as long as the app does. */
export function createTokenKeeper({ wx, storageKey }: Settings): TokenKeeper {
  let token: string | undefined
  let dropped = ''

  function set(next: string): void {
    token = next
    attempt(() => (next ? wx.setStorageSync(storageKey, next) : wx.removeStorageSync(storageKey)))
  }

  function current(): string {
    if (token === undefined) {
      const stored = attempt(() => wx.getStorageSync(storageKey))
      token = typeof stored === 'string' && USABLE.test(stored) ? stored : ''
    }
    return token
  }

  return {
    current,
    toReplace: () => current() || dropped,
    keep: set,
    drop(unusable) {
      if (current() !== unusable) return
      dropped = unusable
      set('')
    },
  }
}

function attempt<Result>(work: () => Result): Result | undefined {
  try {
    return work()
  } catch (_) {
    return undefined
  }
}
