const VERSION = 1

/** What a store keeps of a session, apart from the time of the last visit, which changes on its own. */
export interface SessionRecord {
  readonly appid: string
  readonly openid: string
  readonly unionid: string | undefined
  /** The time of login, in milliseconds since 1970. */
  readonly createdAt: number
  /** The absolute end as fixed at login, in milliseconds since 1970. */
  readonly expiresAt: number
  /** The session_key in its envelope. */
  readonly sealedSessionKey: string
  /** What `onLogin` answered. */
  readonly data: unknown
}

/** Writes a record as JSON: format version first, short names, as every byte is paid for by each live session. */
export function encodeRecord(record: SessionRecord): string {
  return JSON.stringify({
    v: VERSION,
    a: record.appid,
    o: record.openid,
    u: record.unionid,
    c: record.createdAt,
    x: record.expiresAt,
    k: record.sealedSessionKey,
    d: record.data,
  })
}

/** Reads a record, or answers nothing when it is damaged or of a version this code does not know. */
export function decodeRecord(text: string): SessionRecord | undefined {
  const raw = parseObject(text)
  if (raw?.v !== VERSION) return undefined
  const { a: appid, o: openid, u: unionid, c: createdAt, x: expiresAt, k: sealedSessionKey, d: data } = raw
  if (typeof appid !== 'string' || typeof openid !== 'string' || typeof sealedSessionKey !== 'string')
    return undefined
  if (typeof createdAt !== 'number' || typeof expiresAt !== 'number') return undefined
  if (unionid !== undefined && typeof unionid !== 'string') return undefined
  return { appid, openid, unionid, createdAt, expiresAt, sealedSessionKey, data }
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}
