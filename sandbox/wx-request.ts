import { exchange } from './http-exchange.js'
import {
  type NoCallbacks,
  type RequestTask,
  taskMethod,
  type WxAnswer,
  type WxCallbacks,
} from './wx-method.js'

const DEFAULT_TIMEOUT_MS = 60_000

/** Options of `wx.request`. */
export interface RequestOptions {
  /** Absolute `http:` or `https:` address. */
  url: string
  /** Default `GET`. */
  method?: string
  /**
   * Goes into the query string of a GET or HEAD, else into the body: as JSON, or as a form where the header
   * says `application/x-www-form-urlencoded`. Strings and ArrayBuffers go as they are.
   */
  data?: string | object | ArrayBuffer
  /** Request headers. `content-type` is `application/json` by default. */
  header?: Record<string, string>
  /** Parses the answer as JSON where it is JSON when `json`, the default; anything else leaves the text. */
  dataType?: string
  /** In milliseconds. Default 60,000. */
  timeout?: number
}

/** What `wx.request` answers, whatever the HTTP status. */
export interface RequestResult<Data = unknown> {
  data: Data
  statusCode: number
  header: Record<string, string>
  cookies: string[]
}

/** `wx.request`: with any of the callbacks it returns a task, without it returns a promise. */
export interface WxRequest {
  <Data = unknown>(options: RequestOptions & NoCallbacks): Promise<RequestResult<Data> & WxAnswer>
  <Data = unknown>(options: RequestOptions & WxCallbacks<RequestResult<Data>>): RequestTask
}

export function createWxRequest(device: { offline: boolean; appid: string }): WxRequest {
  const referer = `https://servicewechat.com/${device.appid}/devtools/page-frame.html`

  async function perform<Data>(
    options: RequestOptions,
    breakOff: AbortController,
  ): Promise<RequestResult<Data>> {
    if (device.offline) throw new Error('the phone is offline')
    const { url, body, headers, method } = shape(options)
    const timeoutMs = options.timeout ?? DEFAULT_TIMEOUT_MS
    const answer = await exchange({
      url,
      method,
      headers: { referer, ...headers },
      body,
      timeoutMs,
      breakOff,
    })
    return {
      data: options.dataType === undefined || options.dataType === 'json' ? parsed(answer.text) : answer.text,
      statusCode: answer.status,
      header: Object.fromEntries(answer.headers),
      cookies: answer.headers.getSetCookie(),
    } as RequestResult<Data>
  }

  return taskMethod('request', perform) as WxRequest
}

interface ShapedRequest {
  url: string
  method: string
  headers: Record<string, string>
  body: string | ArrayBuffer | undefined
}

function shape({ url, method = 'GET', header = {}, data }: RequestOptions): ShapedRequest {
  const headers = { 'content-type': 'application/json', ...withLowerCaseNames(header) }
  const shaped = { url: checkedUrl(url), method: method.toUpperCase(), headers, body: undefined }
  if (data === undefined || data === null) return shaped
  if (shaped.method === 'GET' || shaped.method === 'HEAD')
    return { ...shaped, url: withQuery(shaped.url, data) }
  if (typeof data === 'string' || data instanceof ArrayBuffer) return { ...shaped, body: data }
  const isForm = headers['content-type']?.startsWith('application/x-www-form-urlencoded')
  return { ...shaped, body: isForm ? formOf(data) : JSON.stringify(data) }
}

export function checkedUrl(url: string): string {
  if (/^https?:\/\//i.test(url)) return url
  throw new Error(`invalid url "${url}"`)
}

export function withLowerCaseNames(header: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(header).map(([name, value]) => [name.toLowerCase(), value]))
}

function withQuery(url: string, data: string | object): string {
  const query = typeof data === 'string' ? data : formOf(data)
  if (query === '') return url
  const [address = '', ...fragment] = url.split('#')
  return [`${address}${address.includes('?') ? '&' : '?'}${query}`, ...fragment].join('#')
}

function formOf(data: object): string {
  return Object.entries(data)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(asText(value))}`)
    .join('&')
}

function asText(value: unknown): string {
  return typeof value === 'object' && value !== null ? JSON.stringify(value) : String(value)
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
