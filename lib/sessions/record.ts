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
  /** How long after a visit the next one was to be written down, in milliseconds, when the session began. */
  readonly touchAfterMs: number
  /** The session_key in its envelope. */
  readonly sealedSessionKey: string
  /** The one before it, which data made in the same moment may still need. */
  readonly sealedPreviousKey: string | undefined
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
    t: record.touchAfterMs,
    k: record.sealedSessionKey,
    p: record.sealedPreviousKey,
    d: record.data,
  })
}

/** Reads a record, or answers nothing when it is damaged or of another version. */
export function decodeRecord(text: string): SessionRecord | undefined {
  const raw = parseObject(text)
  if (raw?.v !== VERSION) return undefined
  const { a: appid, o: openid, u: unionid, k: sealedSessionKey, p: sealedPreviousKey, d: data } = raw
  const { c: createdAt, x: expiresAt, t: touchAfterMs } = raw
  if (typeof appid !== 'string' || typeof openid !== 'string' || typeof sealedSessionKey !== 'string')
    return undefined
  if (!isNumber(createdAt) || !isNumber(expiresAt) || !isNumber(touchAfterMs)) return undefined
  if (!isOptionalText(unionid) || !isOptionalText(sealedPreviousKey)) return undefined
  return {
    appid,
    openid,
    unionid,
    createdAt,
    expiresAt,
    touchAfterMs,
    sealedSessionKey,
    sealedPreviousKey,
    data,
  }
}

/** Whether a record was written by a newer release, as there may be during a deployment: it is not ours to judge. */
export function isOfNewerRelease(text: string): boolean {
  const version = parseObject(text)?.v
  return isNumber(version) && version > VERSION
}

function isOptionalText(value: unknown): value is string | undefined {
  return value === undefined || typeof value === 'string'
}

function isNumber(value: unknown): value is number {
  return Number.isFinite(value)
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}
