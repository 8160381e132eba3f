// What is passed to wx and comes back, in words of our own: whoever compiles against the client need not have the typings of WeChat.

/** What `wx.request` may send, and what it may answer. */
export type Data = string | object

/** An object of JSON. */
export type Json = Record<string, unknown>

/** What every call over the network takes. */
interface CallOption<Task> {
  /** Begins with `/`, or with `baseUrl`. */
  url: string
  header?: object
  /** In milliseconds. */
  timeout?: number
  enableHttp2?: boolean
  enableProfile?: boolean
  enableQuic?: boolean
  /** Gets the task of each attempt, whose `abort()` ends the call. */
  onTask?(task: Task): void
}

/** What `wx.request` takes. */
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

/** What `wx.uploadFile` takes. */
export interface UploadOption extends CallOption<UploadTask> {
  filePath: string
  name: string
  formData?: object
}

/** What `wx.downloadFile` takes. */
export interface DownloadOption extends CallOption<DownloadTask> {
  filePath?: string
}

/** What every call over the network answers. */
interface CallResult {
  statusCode: number
  errMsg: string
  /** Where `enableProfile` asked for it. */
  profile?: Record<string, string | number | boolean>
}

/** What `wx.request` answers. */
export interface RequestResult<T extends Data = Data> extends CallResult {
  data: T
  header: Record<string, string>
  cookies: string[]
}

/** What `wx.uploadFile` answers. */
export interface UploadResult extends CallResult {
  /** A text. */
  data: string
}

/** What `wx.downloadFile` answers. */
export interface DownloadResult extends CallResult {
  tempFilePath: string
  filePath: string
}

/** A listener of a task, and how it goes on and off. */
type Listener<Event> = (event: Event) => void

interface Task {
  abort(): void
  onHeadersReceived(listener: Listener<{ header: Record<string, string> }>): void
  offHeadersReceived(listener?: Listener<{ header: Record<string, string> }>): void
}

/** A request under way. */
export interface RequestTask extends Task {
  onChunkReceived(listener: Listener<{ data: ArrayBuffer }>): void
  offChunkReceived(listener?: Listener<{ data: ArrayBuffer }>): void
}

/** An upload under way. */
export interface UploadTask extends Task {
  onProgressUpdate(listener: Listener<UploadProgress>): void
  offProgressUpdate(listener?: Listener<UploadProgress>): void
}

/** A download under way. */
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
