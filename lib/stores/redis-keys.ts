const HANDLE = /^\{([^{}]+)\}$/s

/** The keys of a store. The braces around a handle choose its hash slot; only users have them. */
export class RedisKeys {
  readonly #prefix: string
  /** The key of the mark of all. */
  readonly all: string
  /** A glob that matches every user of this prefix, and nothing else. */
  readonly userPattern: string

  constructor(prefix: string) {
    this.#prefix = prefix
    this.all = `${prefix}all`
    this.userPattern = `${escapeGlob(prefix)}{*}`
  }

  /** The key of a user's sessions, profile and mark. */
  user(handle: string): string {
    return `${this.#prefix}{${handle}}`
  }

  /** The handle in the key of a user; empty for another key. */
  handleIn(key: string): string[] {
    const [, handle] = HANDLE.exec(key.slice(this.#prefix.length)) ?? []
    return handle === undefined ? [] : [handle]
  }

  /** The key of a shared value. */
  value(id: string): string {
    return `${this.#prefix}value:${id}`
  }
}

function escapeGlob(text: string): string {
  return text.replace(/[\\*?[\]^]/g, '\\$&')
}
