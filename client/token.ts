import type { Settings } from './options.js'

/** The token of this phone: in memory, and in storage for the next start of the app. */
export interface TokenKeeper {
  /** The token, or '' when there is none. */
  current(): string
  keep(token: string): void
  /** Forgets this token. Another one, which came meanwhile, stays. */
  drop(token: string): void
}

/** Storage may fail, full or broken: the token then lives as long as the app does. */
export function createTokenKeeper({ wx, storageKey }: Settings): TokenKeeper {
  let token: string | undefined

  function set(next: string): void {
    token = next
    attempt(() => (next ? wx.setStorageSync(storageKey, next) : wx.removeStorageSync(storageKey)))
  }

  function current(): string {
    if (token === undefined) {
      const stored = attempt(() => wx.getStorageSync(storageKey))
      token = typeof stored === 'string' ? stored : ''
    }
    return token
  }

  return {
    current,
    keep: set,
    drop(dropped) {
      if (current() === dropped) set('')
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
