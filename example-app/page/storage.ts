/** Texts that outlive a reload where the browser lets them, and the page otherwise. */
export interface PageStorage {
  get(name: string): string | undefined
  set(name: string, text: string): void
  remove(name: string): void
}

/** A part of the browser's storage. It never throws: a browser may forbid storage, or have none left. */
export function createStorage(part: string): PageStorage {
  const inMemory = new Map<string, string>()
  const keyOf = (name: string) => `weapp-session-showcase/${part}/${name}`

  return {
    get(name) {
      return inMemory.get(name) ?? attempt(() => localStorage.getItem(keyOf(name))) ?? undefined
    },
    set(name, text) {
      inMemory.set(name, text)
      attempt(() => localStorage.setItem(keyOf(name), text))
    },
    remove(name) {
      inMemory.delete(name)
      attempt(() => localStorage.removeItem(keyOf(name)))
    },
  }
}

function attempt<Result>(work: () => Result): Result | undefined {
  try {
    return work()
  } catch {
    return undefined
  }
}
