import { exchange } from './http-exchange.js'
import { isObject } from './option-checks.js'

const DEFAULT_TIMEOUT_MS = 60_000

/** Whose phone it is, which app runs on it and from where it was opened, and the WeChat it talks to. */
export interface Device {
  readonly url: string
  readonly user: string
  readonly appid: string
  readonly group: string
  offline: boolean
  /** The code of its last login. */
  lastCode?: string
}

/** Asks one of the `/sandbox/…` endpoints over real HTTP, and fails as the network or WeChat fails. */
export async function askWeChat<Result>(
  { url, appid, user, offline }: Device,
  endpoint: string,
  fields: object = {},
  timeoutMs: number = DEFAULT_TIMEOUT_MS,
): Promise<Result> {
  if (offline) throw new Error('the phone is offline')
  const { status, text } = await exchange({
    url: `${url}/sandbox/${endpoint}`,
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ appid, user, ...fields }),
    timeoutMs,
  })
  const answer = status === 200 ? parseObject(text) : undefined
  if (!answer) throw new Error(`WeChat answered HTTP ${status} with no data`)
  return answer as Result
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}
