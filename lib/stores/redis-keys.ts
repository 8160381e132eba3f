const HANDLE = /^\{([^{}]+)\}$/s

/**
 * The names of the keys of a store. The braces around a handle choose the hash slot of a cluster; no other
 * key has a brace right after the prefix.
 */
export class RedisKeys {
  readonly #prefix: string
  readonly all: string
  /** A glob for SCAN: every user, and no key of another kind or prefix. */
  readonly userPattern: string

  constructor(prefix: string) {
    this.#prefix = prefix
    this.all = `${prefix}all`
    this.userPattern = `${escapeGlob(prefix)}{*}`
  }

  /** The sessions, the profile and the mark of a user. */
  user(handle: string): string {
    return `${this.#prefix}{${handle}}`
  }

  /** The handle in a key that {@link RedisKeys.user} made; none in another one. */
  handleIn(key: string): string[] {
    const [, handle] = HANDLE.exec(key.slice(this.#prefix.length)) ?? []
    return handle === undefined ? [] : [handle]
  }

  value(id: string): string {
    return `${this.#prefix}value:${id}`
  }
}

function escapeGlob(text: string): string {
  return text.replace(/[\\*?[\]^]/g, '\\$&')
}
