const HANDLE = /^\{([^{}]+)\}$/s

/** The keys of a store. The braces around a handle choose its hash slot; only users have them. */
export class RedisKeys {
  readonly #prefix: string
  /** The key of the marks of everybody and of groups. */
  readonly all: string

  constructor(prefix: string) {
    this.#prefix = prefix
    this.all = `${prefix}all`
  }

  /** The key of a user's sessions, profile and mark. */
  user(handle: string): string {
    return `${this.#prefix}{${handle}}`
  }

  /** A glob that matches every user of this prefix, or of a group, and nothing else. */
  usersOf(group: string | null): string {
    return `${escapeGlob(this.#prefix)}{${group ?? ''}*}`
  }

  /** What the keys of users and of the marks begin with, and no other key of this prefix. */
  get ofUsersAndMarks(): string[] {
    return [`${this.#prefix}{`, this.all]
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
