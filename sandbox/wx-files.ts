import { randomUUID } from 'node:crypto'
import { exchange } from './http-exchange.js'
import { taskMethod, type WxTaskMethod } from './wx-method.js'
import { checkedUrl, withLowerCaseNames } from './wx-request.js'

const DEFAULT_TIMEOUT_MS = 60_000

/** The files of one phone. */
export interface PhoneFiles {
  /** Puts a file on the phone, such as a picture that the user has chosen. Answers its temporary path. */
  add: (content: string | Uint8Array, name?: string) => string
  /** The content of a file; undefined when there is none at this path. */
  read: (path: string) => Uint8Array | undefined
}

/** Options of `wx.uploadFile`. */
export interface UploadOptions {
  /** Absolute `http:` or `https:` address. */
  url: string
  /** A path on the phone, such as one that `phone.files.add` answered. */
  filePath: string
  /** The field of the form that holds the file. */
  name: string
  /** Request headers. The content type is that of the form, whatever they say. */
  header?: Record<string, string>
  /** Other fields of the form. */
  formData?: Record<string, unknown>
  /** In milliseconds. Default 60,000. */
  timeout?: number
}

/** What `wx.uploadFile` answers. `data` is always a text. */
export interface UploadResult {
  data: string
  statusCode: number
}

/** Options of `wx.downloadFile`. */
export interface DownloadOptions {
  /** Absolute `http:` or `https:` address. */
  url: string
  /** Where to keep the file. Default: a temporary path. */
  filePath?: string
  /** Request headers. */
  header?: Record<string, string>
  /** In milliseconds. Default 60,000. */
  timeout?: number
}

/** What `wx.downloadFile` answers, whatever the HTTP status: the body of an error is a file, too. */
export interface DownloadResult {
  tempFilePath?: string
  filePath?: string
  statusCode: number
}

/** Uploads and downloads. They fail while the phone is offline; an answer of any HTTP status is a success. */
export interface WxFiles {
  /** Sends a file of the phone as `multipart/form-data`. */
  uploadFile: WxTaskMethod<UploadOptions, UploadResult>
  /** Keeps an answer as a file on the phone. */
  downloadFile: WxTaskMethod<DownloadOptions, DownloadResult>
}

export function createPhoneFiles(): PhoneFiles & { set: (path: string, content: Uint8Array) => void } {
  const files = new Map<string, Uint8Array>()
  return {
    add(content, name = 'file') {
      const path = `http://tmp/${randomUUID()}/${name}`
      files.set(path, typeof content === 'string' ? Buffer.from(content) : content)
      return path
    },
    read: (path) => files.get(path),
    set: (path, content) => void files.set(path, content),
  }
}

export function createWxFiles(
  device: { offline: boolean },
  files: ReturnType<typeof createPhoneFiles>,
): WxFiles {
  async function upload(options: UploadOptions, breakOff: AbortController): Promise<UploadResult> {
    const { filePath, name, formData = {}, header = {}, timeout = DEFAULT_TIMEOUT_MS } = options
    if (device.offline) throw new Error('the phone is offline')
    const content = files.read(filePath)
    if (!content) throw new Error(`file not found: ${filePath}`)
    const body = new FormData()
    for (const [field, value] of Object.entries(formData)) body.append(field, String(value))
    body.append(name, new Blob([Buffer.from(content)]), filePath.replace(/.*\//, ''))
    const { 'content-type': _, ...headers } = withLowerCaseNames(header)
    const url = checkedUrl(options.url)
    const answer = await exchange({ url, method: 'POST', headers, body, timeoutMs: timeout, breakOff })
    return { data: answer.text, statusCode: answer.status }
  }

  async function download(options: DownloadOptions, breakOff: AbortController): Promise<DownloadResult> {
    const { filePath, header = {}, timeout = DEFAULT_TIMEOUT_MS } = options
    if (device.offline) throw new Error('the phone is offline')
    const url = checkedUrl(options.url)
    const headers = withLowerCaseNames(header)
    const answer = await exchange({ url, method: 'GET', headers, timeoutMs: timeout, breakOff })
    if (filePath === undefined) return { tempFilePath: files.add(answer.bytes), statusCode: answer.status }
    files.set(filePath, answer.bytes)
    return { filePath, statusCode: answer.status }
  }

  return { uploadFile: taskMethod('uploadFile', upload), downloadFile: taskMethod('downloadFile', download) }
}
