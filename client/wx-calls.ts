// Our own types of the options and results of wx: programs compile without WeChat's typings.

/** A request or response body of `wx.request`. */
export type Data = string | object

/** A JSON object. */
export type JsonObject = Record<string, unknown>

/** Options common to all network calls. */
interface CallOption<Task> {
  /** Begins with `/`, or with `baseUrl`. */
  url: string
  header?: object
  /** In milliseconds. */
  timeout?: number
  enableHttp2?: boolean
  enableProfile?: boolean
  enableQuic?: boolean
  /** Receives the task of each attempt, whose `abort()` ends the call. */
  onTask?(task: Task): void
}

/** Options of `wx.request`. */
export interface RequestOption extends CallOption<RequestTask> {
  data?: Data
  dataType?: string
  enableCache?: boolean
  enableChunked?: boolean
  enableHttpDNS?: boolean
  enableHttpDNSFallback?: boolean
  forceCellularNetwork?: boolean
  httpDNSServiceId?: string
  httpDNSTimeout?: number
  method?: 'OPTIONS' | 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE' | 'TRACE' | 'CONNECT'
  redirect?: 'follow' | 'manual'
  responseType?: 'text' | 'arraybuffer'
  useHighPerformanceMode?: boolean
}

/** Options of `wx.uploadFile`. */
export interface UploadOption extends CallOption<UploadTask> {
  filePath: string
  name: string
  formData?: object
}

/** Options of `wx.downloadFile`. */
export interface DownloadOption extends CallOption<DownloadTask> {
  filePath?: string
}

/** Results common to all network calls. */
interface CallResult {
  statusCode: number
  errMsg: string
  /** Present if `enableProfile` was set. */
  profile?: Record<string, string | number | boolean>
}

/** The result of `wx.request`. */
export interface RequestResult<T extends Data = Data> extends CallResult {
  data: T
  header: Record<string, string>
  cookies: string[]
}

/** The result of `wx.uploadFile`. */
export interface UploadResult extends CallResult {
  /** Not parsed, even if it is JSON. */
  data: string
}

/** The result of `wx.downloadFile`. */
export interface DownloadResult extends CallResult {
  tempFilePath: string
  filePath: string
}

type Listener<Event> = (event: Event) => void

interface Task {
  abort(): void
  onHeadersReceived(listener: Listener<{ header: Record<string, string> }>): void
  offHeadersReceived(listener?: Listener<{ header: Record<string, string> }>): void
}

/** A request in flight. */
export interface RequestTask extends Task {
  onChunkReceived(listener: Listener<{ data: ArrayBuffer }>): void
  offChunkReceived(listener?: Listener<{ data: ArrayBuffer }>): void
}

/** An upload in flight. */
export interface UploadTask extends Task {
  onProgressUpdate(listener: Listener<UploadProgress>): void
  offProgressUpdate(listener?: Listener<UploadProgress>): void
}

/** A download in flight. */
export interface DownloadTask extends Task {
  onProgressUpdate(listener: Listener<DownloadProgress>): void
  offProgressUpdate(listener?: Listener<DownloadProgress>): void
}

interface UploadProgress {
  /** In percent. */
  progress: number
  totalBytesSent: number
  totalBytesExpectedToSend: number
}

interface DownloadProgress {
  /** In percent. */
  progress: number
  totalBytesWritten: number
  totalBytesExpectedToWrite: number
}
