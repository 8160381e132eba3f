declare global {
  /** What an application declares of itself to this package, by declaration merging. */
  namespace WeappSession {
    /**
     * The types of the application. `data` is what `onLogin` returns and `session.data` then is; default
     * `unknown`. With `checkedRoutes: true` what `requireSession()` puts on a request may be undefined, but
     * in a {@link sessionHandler}.
     *
     * @example
     * declare global {
     *   namespace WeappSession {
     *     interface Types {
     *       data: { userId: number }
     *       checkedRoutes: true
     *     }
     *   }
     * }
     */
    interface Types {}
  }
}

/** What the application keeps in a session: `data` of `WeappSession.Types`, or unknown. */
export type SessionData = WeappSession.Types extends { data: infer Data } ? Data : unknown

/** So much may be kept in a session, in bytes of JSON: each request reads it. */
const MOST_DATA_BYTES = 4096

/**
 * A value as a later request finds it: after its way through JSON. What JSON cannot carry, such as a bigint,
 * throws a `TypeError`, and so does what is too long.
 */
export function throughJson(value: unknown): unknown {
  if (value === undefined) return undefined
  const json = JSON.stringify(value) ?? 'null'
  const bytes = Buffer.byteLength(json)
  if (bytes > MOST_DATA_BYTES) {
    throw new TypeError(
      `the data of a session may have ${MOST_DATA_BYTES} bytes as JSON, and this has ${bytes}: keep it elsewhere, under appid and openid`,
    )
  }
  return JSON.parse(json)
}

/** Freezes a value deeply: a write to a copy that nobody keeps would be lost silently. */
export function frozen<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value
  for (const inner of Object.values(value)) frozen(inner)
  return Object.freeze(value)
}
