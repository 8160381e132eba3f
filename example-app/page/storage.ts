/** Texts that outlive a reload where the browser keeps them, and otherwise live as long as the page. */
export interface PageStorage {
  get(name: string): string | undefined
  set(name: string, text: string): void
  remove(name: string): void
  /** Calls the listener with the name of each text that another tab sets or removes. */
  onChangeElsewhere(listener: (name: string) => void): void
}

const PREFIX = 'weapp-session-showcase/'

/** A part of the browser's storage. It never throws: a browser may forbid storage, or have none left. */
export function createStorage(part: string): PageStorage {
  /** What the browser would not keep. */
  const inMemory = new Map<string, string>()
  const partPrefix = `${PREFIX}${part}/`

  return {
    get(name) {
      return inMemory.get(name) ?? attempt(() => localStorage.getItem(partPrefix + name)) ?? undefined
    },
    set(name, text) {
      const isKept = attempt(() => {
        localStorage.setItem(partPrefix + name, text)
        return true
      })
      if (isKept) inMemory.delete(name)
      else inMemory.set(name, text)
    },
    remove(name) {
      inMemory.delete(name)
      attempt(() => localStorage.removeItem(partPrefix + name))
    },
    onChangeElsewhere(listener) {
      addEventListener('storage', ({ key }) => {
        if (key?.startsWith(partPrefix)) listener(key.slice(partPrefix.length))
      })
    },
  }
}

/** Forgets what all parts have stored, except the language of the visitor. */
export function forgetVisit(): void {
  attempt(() => {
    const keys = Object.keys(localStorage).filter((key) => key.startsWith(PREFIX) && !key.endsWith('/lang'))
    for (const key of keys) localStorage.removeItem(key)
  })
}

function attempt<Result>(work: () => Result): Result | undefined {
  try {
    return work()
  } catch {
    return undefined
  }
}
