import { isJsonObject } from '../json-object.js'

const VERSION = 1
const DAY_MS = 86_400_000

/** What a store keeps of a session, apart from its times. */
export interface SessionRecord {
  /** Not in the text of the record: the address of the session names the app. */
  readonly appid: string
  readonly openid: string
  readonly unionid: string | undefined
  /** The absolute lifetime as set at login, in milliseconds. */
  readonly loginDurationMs: number
  readonly sealedSessionKey: string
  /** The session_key before it: user data made just before the change needs it. */
  readonly sealedPreviousKey?: string | undefined
  /** The device that logged in, in a few words. */
  readonly device?: string | undefined
  /** When the user last confirmed an action in this session, by the clock of the store in milliseconds. */
  readonly confirmedAt?: number | undefined
  /** An idle lifetime of its own, in milliseconds. It counts as long as the app sets none. */
  readonly sessionDurationMs?: number | undefined
  /** What `onLogin` returned. */
  readonly data?: unknown
}

/** What not every record has, under names of one letter to save memory. */
interface RecordExtras {
  readonly k?: unknown
  readonly d?: unknown
  readonly c?: unknown
  readonly s?: unknown
  readonly x?: unknown
}

/**
 * Encodes a record as a JSON array of one line: version, openid, login duration in days, session_key, then
 * the unionid and the extras, if there are any.
 */
export function encodeRecord(record: SessionRecord): string {
  const { openid, unionid, loginDurationMs, sealedSessionKey } = record
  const { sealedPreviousKey: k, device: d, confirmedAt: c, sessionDurationMs: s, data: x } = record
  const fields: unknown[] = [VERSION, openid, loginDurationMs / DAY_MS, sealedSessionKey]
  if (unionid !== undefined) fields.push(unionid)
  const extras: RecordExtras = { k, d, c, s, x }
  if (Object.values(extras).some((extra) => extra !== undefined)) fields.push(extras)
  return JSON.stringify(fields)
}

/** Decodes a record of a session of this app; undefined when it is damaged or of another version. */
export function decodeRecord(text: string, appid: string): SessionRecord | undefined {
  const raw = parseArray(text)
  if (raw?.[0] !== VERSION) return undefined
  const [, openid, loginDurationDays, sealedSessionKey, next, last] = raw
  if (typeof openid !== 'string' || typeof sealedSessionKey !== 'string') return undefined
  if (!isNumber(loginDurationDays)) return undefined
  const unionid = typeof next === 'string' ? next : undefined
  const extras = unionid === undefined ? next : last
  if (extras !== undefined && !isJsonObject(extras)) return undefined
  const { k, d, c, s, x }: RecordExtras = extras ?? {}
  if (!isOptionalText(k) || !isOptionalText(d) || !isOptionalNumber(c) || !isOptionalNumber(s))
    return undefined
  return {
    appid,
    openid,
    unionid,
    // Whole milliseconds: a share of a day has no exact number.
    loginDurationMs: Math.round(loginDurationDays * DAY_MS),
    sealedSessionKey,
    sealedPreviousKey: k,
    device: d,
    confirmedAt: c,
    sessionDurationMs: s,
    data: x,
  }
}

/** Whether a newer release wrote the record, as happens during a deployment. */
export function isOfNewerRelease(text: string): boolean {
  const version = parseArray(text)?.[0]
  return isNumber(version) && version > VERSION
}

function isOptionalText(value: unknown): value is string | undefined {
  return value === undefined || typeof value === 'string'
}

function isOptionalNumber(value: unknown): value is number | undefined {
  return value === undefined || isNumber(value)
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
