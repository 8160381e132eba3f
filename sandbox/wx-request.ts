import { type HttpRequest, jsonOrText, sendRequest } from './http-request.js'
import {
  type NoCallbacks,
  type RequestTask,
  taskMethod,
  type WxCallbacks,
  type WxResult,
} from './wx-method.js'

/** Options of `wx.request`. */
export interface RequestOptions {
  /** Absolute `http:` or `https:` address. */
  url: string
  /** Default `GET`. */
  method?: string
  /**
   * Goes into the query string of a GET or HEAD, otherwise into the body: as JSON, or as a form where
   * `header` says `application/x-www-form-urlencoded`. Strings and ArrayBuffers are sent as they are.
   */
  data?: string | object | ArrayBuffer
  /** Request headers. `content-type` is `application/json` by default. */
  header?: Record<string, string>
  /** With `json`, the default, a response that is JSON is parsed; anything else leaves it as text. */
  dataType?: string
  /** In milliseconds. Default 60,000. */
  timeout?: number
}

/** What `wx.request` resolves with, whatever the HTTP status. */
export interface RequestResult<Data = unknown> {
  data: Data
  statusCode: number
  header: Record<string, string>
  cookies: string[]
}

/** `wx.request`: returns a promise, or a task when it is given a callback. */
export interface WxRequest {
  <Data = unknown>(options: RequestOptions & NoCallbacks): Promise<RequestResult<Data> & WxResult>
  <Data = unknown>(options: RequestOptions & WxCallbacks<RequestResult<Data>>): RequestTask
}

export function createWxRequest(device: { offline: boolean; appid: string }): WxRequest {
  const referer = `https://servicewechat.com/${device.appid}/devtools/page-frame.html`

  async function perform<Data>(
    options: RequestOptions,
    controller: AbortController,
  ): Promise<RequestResult<Data>> {
    const { headers, ...request } = toHttpRequest(options)
    const { dataType = 'json', timeout: timeoutMs } = options
    const sent = { ...request, headers: { referer, ...headers }, timeoutMs, controller }
    const response = await sendRequest(device, sent)
    return {
      data: dataType === 'json' ? jsonOrText(response.text) : response.text,
      statusCode: response.status,
      header: Object.fromEntries(response.headers),
      cookies: response.headers.getSetCookie(),
    } as RequestResult<Data>
  }

  return taskMethod('request', perform) as WxRequest
}

function toHttpRequest({ url, method = 'GET', header = {}, data }: RequestOptions): HttpRequest {
  const headers: Record<string, string> = {
    'content-type': 'application/json',
    ...withLowerCaseNames(header),
  }
  const request = { url: checkedUrl(url), method: method.toUpperCase(), headers }
  if (data === undefined || data === null) return request
  if (['GET', 'HEAD'].includes(request.method)) return { ...request, url: withQuery(url, data) }
  if (typeof data === 'string' || data instanceof ArrayBuffer) return { ...request, body: data }
  const isForm = headers['content-type']?.startsWith('application/x-www-form-urlencoded')
  return { ...request, body: isForm ? formOf(data) : JSON.stringify(data) }
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
