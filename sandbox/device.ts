import { jsonOrText, sendRequest } from './http-request.js'
import { isObject } from './option-checks.js'

/** A phone, the app that runs on it, the group it was opened from, and the WeChat it talks to. */
export interface Device {
  readonly url: string
  readonly user: string
  readonly appid: string
  readonly group: string
  offline: boolean
  lastCode?: string
}

/** Asks one of the `/sandbox/…` endpoints over real HTTP. Throws where the network or WeChat fails. */
export async function askWeChat<Result>(
  device: Device,
  endpoint: string,
  fields: object = {},
  timeoutMs?: number,
): Promise<Result> {
  const { url, appid, user } = device
  const { status, text } = await sendRequest(device, {
    url: `${url}/sandbox/${endpoint}`,
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ appid, user, ...fields }),
    timeoutMs,
  })
  const result = jsonOrText(text)
  if (status !== 200 || !isObject(result)) throw new Error(`WeChat sent HTTP ${status} and no data`)
  return result as Result
}
