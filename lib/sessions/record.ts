import { isJsonObject } from '../json-object.js'

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

/** Encodes a record as a JSON array of one line. The version comes first. */
export function encodeRecord(record: SessionRecord): string {
  const { appid, openid, unionid, loginDurationMs, sealedSessionKey } = record
  const { sealedPreviousKey: k, device: d, confirmedAt: c, sessionDurationMs: s, data: x } = record
  const always = [VERSION, appid, openid, unionid ?? null, loginDurationMs, sealedSessionKey]
  const extras: RecordExtras = { k, d, c, s, x }
  const hasExtras = Object.values(extras).some((extra) => extra !== undefined)
  return JSON.stringify(hasExtras ? [...always, extras] : always)
}

/** Decodes a record; undefined when it is damaged or of another version. */
export function decodeRecord(text: string): SessionRecord | undefined {
  const raw = parseArray(text)
  if (raw?.[0] !== VERSION) return undefined
  const [, appid, openid, unionid, loginDurationMs, sealedSessionKey, extras = {}] = raw
  if (typeof appid !== 'string' || typeof openid !== 'string') return undefined
  if (!isNumber(loginDurationMs) || typeof sealedSessionKey !== 'string') return undefined
  if (!isJsonObject(extras) || (unionid !== null && typeof unionid !== 'string')) return undefined
  const { k, d, c, s, x }: RecordExtras = extras
  if (!isOptionalText(k) || !isOptionalText(d) || !isOptionalNumber(c) || !isOptionalNumber(s))
    return undefined
  return {
    appid,
    openid,
    unionid: unionid ?? undefined,
    loginDurationMs,
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
