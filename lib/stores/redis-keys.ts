import type { SessionAddress } from '../sessions/token.js'

const RECORD_KEY = /^\{([^{}]+)\}:(.+)$/s
const USER = 'user'

/**
 * The names of the keys of a store. The braces around a handle put all keys of a user in one hash slot of a cluster; no other
 * key has a brace after the prefix.
 */
export class RedisKeys {
  readonly #prefix: string
  /** A glob for SCAN: every record, every profile, and no key of another kind or prefix. */
  readonly recordPattern: string

  constructor(prefix: string) {
    this.#prefix = prefix
    this.recordPattern = `${escapeGlob(prefix)}{*}:*`
  }

  /** The sessions of a user, by time of login. */
  index(handle: string): string {
    return `${this.#prefix}{${handle}}`
  }

  /** A session. Scripts build this name themselves, from that of the index. */
  record({ handle, sessionId }: SessionAddress): string {
    return `${this.index(handle)}:${sessionId}`
  }

  /** A key that {@link RedisKeys.record} made, read backwards; none for a profile. */
  addressIn(key: string): SessionAddress[] {
    const [, handle, sessionId] = RECORD_KEY.exec(key.slice(this.#prefix.length)) ?? []
    return handle !== undefined && sessionId !== undefined && sessionId !== USER
      ? [{ handle, sessionId }]
      : []
  }

  /** The profile of a user, and that the user was here. */
  userInfo(handle: string): string {
    return `${this.index(handle)}:${USER}`
  }

  /** A claim, then its answer. */
  claim(id: string): string {
    return `${this.#prefix}claim:${id}`
  }

  /** A value that all processes share. */
  value(id: string): string {
    return `${this.#prefix}value:${id}`
  }
}

function escapeGlob(text: string): string {
  return text.replace(/[\\*?[\]^]/g, '\\$&')
}
