declare global {
  /** Types that an application declares, by declaration merging. */
  namespace WeappSession {
    /**
     * `data` is what `onLogin` returns and the type of `session.data`; default `unknown`. With
     * `checkedRoutes: true`, what `requireSession()` puts on a request may be undefined outside of a {@link
     * sessionHandler}.
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

/** The type of `session.data`: `data` of `WeappSession.Types`, or `unknown` if that is not declared. */
export type SessionData = WeappSession.Types extends { data: infer Data } ? Data : unknown

/** In bytes of JSON: each request reads it. */
const MOST_DATA_BYTES = 4096

/** Returns a value as JSON preserves it. Throws a `TypeError` for a bigint, a cycle, and too much data. */
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

/** Freezes a value deeply, as a write to it would be lost. */
export function frozen<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value
  for (const inner of Object.values(value)) frozen(inner)
  return Object.freeze(value)
}
