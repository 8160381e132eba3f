const VERSION = 1

/** What a store keeps of a session, apart from its times. */
export interface SessionRecord {
  readonly appid: string
  readonly openid: string
  readonly unionid: string | undefined
  /** The absolute lifetime as set at login, in milliseconds. */
  readonly loginDurationMs: number
  readonly sealedSessionKey: string
  /** The session_key before it: user data made just before the change needs it. */
  readonly sealedPreviousKey: string | undefined
  /** What `onLogin` returned. */
  readonly data: unknown
}

/** Encodes a record as a JSON array of one line, without names to save memory. The version comes first. */
export function encodeRecord(record: SessionRecord): string {
  const { appid, openid, unionid, loginDurationMs, sealedSessionKey, sealedPreviousKey, data } = record
  const always = [VERSION, appid, openid, unionid ?? null, loginDurationMs, sealedSessionKey]
  if (data !== undefined) return JSON.stringify([...always, sealedPreviousKey ?? null, data])
  return JSON.stringify(sealedPreviousKey === undefined ? always : [...always, sealedPreviousKey])
}

/** Decodes a record; undefined when it is damaged or of another version. */
export function decodeRecord(text: string): SessionRecord | undefined {
  const raw = parseArray(text)
  if (raw?.[0] !== VERSION) return undefined
  const [, appid, openid, unionid, loginDurationMs, sealedSessionKey, sealedPreviousKey, data] = raw
  if (typeof appid !== 'string' || typeof openid !== 'string' || !isOptionalText(unionid)) return undefined
  if (!isNumber(loginDurationMs) || typeof sealedSessionKey !== 'string') return undefined
  if (!isOptionalText(sealedPreviousKey)) return undefined
  return {
    appid,
    openid,
    unionid: unionid ?? undefined,
    loginDurationMs,
    sealedSessionKey,
    sealedPreviousKey: sealedPreviousKey ?? undefined,
    data,
  }
}

/** Whether a newer release wrote the record, as happens during a deployment. */
export function isOfNewerRelease(text: string): boolean {
  const version = parseArray(text)?.[0]
  return isNumber(version) && version > VERSION
}

function isOptionalText(value: unknown): value is string | null | undefined {
  return value === undefined || value === null || typeof value === 'string'
}

function isNumber(value: unknown): value is number {
  return Number.isFinite(value)
}

function parseArray(text: string): unknown[] | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return Array.isArray(value) ? value : undefined
  } catch {
    return undefined
  }
}
