import { randomUUID } from 'node:crypto'
import { sendRequest } from './http-request.js'
import { taskMethod, type WxTaskMethod } from './wx-method.js'
import { checkedUrl, withLowerCaseNames } from './wx-request.js'

/** The files of one phone. */
export interface PhoneFiles {
  /** Puts a file on the phone, such as a picture that the user has chosen. Returns its temporary path. */
  add: (content: string | Uint8Array, name?: string) => string
  /** The content of a file; `undefined` when there is none at this path. */
  read: (path: string) => Uint8Array | undefined
}

/** Options of `wx.uploadFile`. */
export interface UploadOptions {
  /** Absolute `http:` or `https:` address. */
  url: string
  /** A path on the phone, such as `phone.files.add` returns. */
  filePath: string
  /** The field of the form that holds the file. */
  name: string
  /** Request headers. `content-type` is ignored: it is that of the form. */
  header?: Record<string, string>
  /** Other fields of the form. */
  formData?: Record<string, unknown>
  /** In milliseconds. Default 60,000. */
  timeout?: number
}

/** What `wx.uploadFile` resolves with, whatever the HTTP status. */
export interface UploadResult {
  /** The response body as it is: JSON is not parsed. */
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

/** What `wx.downloadFile` resolves with, whatever the HTTP status: an error becomes a file, too. */
export interface DownloadResult {
  tempFilePath?: string
  filePath?: string
  statusCode: number
}

/** Uploads and downloads. They fail while the phone is offline, but not because of an HTTP status. */
export interface WxFiles {
  /** Sends a file of the phone as `multipart/form-data`. */
  uploadFile: WxTaskMethod<UploadOptions, UploadResult>
  /** Saves a response as a file on the phone. */
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
  async function upload(options: UploadOptions, controller: AbortController): Promise<UploadResult> {
    const { filePath, name, formData = {}, header = {}, timeout: timeoutMs } = options
    const content = files.read(filePath)
    if (!content) throw new Error(`file not found: ${filePath}`)
    const body = new FormData()
    for (const [field, value] of Object.entries(formData)) body.append(field, String(value))
    body.append(name, new Blob([Buffer.from(content)]), filePath.replace(/.*\//, ''))
    const { 'content-type': _, ...headers } = withLowerCaseNames(header)
    const url = checkedUrl(options.url)
    const request = { url, method: 'POST', headers, body, timeoutMs, controller }
    const { text, status } = await sendRequest(device, request)
    return { data: text, statusCode: status }
  }

  async function download(options: DownloadOptions, controller: AbortController): Promise<DownloadResult> {
    const { filePath, header = {}, timeout: timeoutMs } = options
    const url = checkedUrl(options.url)
    const headers = withLowerCaseNames(header)
    const request = { url, method: 'GET', headers, timeoutMs, controller }
    const { bytes, status } = await sendRequest(device, request)
    if (filePath === undefined) return { tempFilePath: files.add(bytes), statusCode: status }
    files.set(filePath, bytes)
    return { filePath, statusCode: status }
  }

  return { uploadFile: taskMethod('uploadFile', upload), downloadFile: taskMethod('downloadFile', download) }
}
