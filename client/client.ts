import { type Abortable, createAborter } from './aborter.js'
import { ClientError, type ClientErrorCode, errorFromResponse } from './client-error.js'
import { createSharedLogin, type LoginResult } from './log-in.js'
import { type ClientOptions, settingsOf } from './options.js'
import { type HttpResponse, isSuccess } from './response.js'
import { createSender, type SendOption } from './send.js'
import { createTokenStore } from './token.js'
import { type Callbacks, type NoCallbacks, type WxLike, withCallbacks } from './wx.js'
import type {
  Data,
  DownloadOption,
  DownloadResult,
  JsonObject,
  RequestOption,
  RequestResult,
  UploadOption,
  UploadResult,
} from './wx-calls.js'

export type {
  Abortable,
  DownloadOption,
  DownloadResult,
  LoginResult,
  NoCallbacks,
  RequestOption,
  RequestResult,
  UploadOption,
  UploadResult,
  WxLike,
}
export { type Callbacks, ClientError, type ClientErrorCode, type ClientOptions }

/** Data that WeChat has encrypted, and optionally a fresh `code` from `wx.login`. */
export interface EncryptedOption {
  encryptedData: string
  iv: string
  code?: string
}

/** A profile: encrypted, signed, or typed by the user, which the server stores with `verified: false`. */
export type UserInfoOption =
  | EncryptedOption
  | { rawData: string; signature: string; code?: string }
  | { userInfo: object }

/** The `event.detail` of the phone number button. */
export interface PhoneNumberOption {
  code?: string
}

/** A phone number as WeChat returns it. */
export interface PhoneNumber {
  /** Begins with the country code if the number is a foreign one. */
  phoneNumber: string
  purePhoneNumber: string
  countryCode: string
  /** The app that asked for it, and when, in seconds since 1970; missing if WeChat does not say. */
  watermark?: { appid: string; timestamp: number }
}

/** The result of a confirmation. */
export interface Confirmation {
  /** ISO 8601 in UTC, by the clock of the server. */
  confirmedAt: string
}

/** Encrypted data, and the URL of your own route that decrypts it with `req.weapp.decrypt(req.body)`. */
export interface DecryptOption extends EncryptedOption {
  url: string
}

/**
 * A session with one back end. Every method takes an option object. With `success`, `fail` or `complete` in
 * it, the method calls back and returns no promise; without them, it returns a promise. Either way, what
 * `request`, `uploadFile` and `downloadFile` return has `abort()`.
 *
 * A call without a token logs in first, and all calls share one login. After a 401 a call logs in and is
 * repeated, once. After a 503 or 429 it waits as long as `Retry-After` asks (RFC 9110, 10.2.3). What still
 * fails rejects with a {@link ClientError}: a problem that the server reports, or a phone without a network.
 * Any other response resolves, whatever its status, as with `wx.request`.
 */
export interface Client {
  /**
   * Whether the phone has a token, valid or not: sends nothing. Meant for pages that show something else to
   * users who are not logged in, since every call below logs in by itself.
   */
  isLoggedIn(): boolean
  /**
   * `wx.request` with the token.
   *
   * @see https://developers.weixin.qq.com/miniprogram/dev/api/network/request/wx.request.html
   * @example
   * const { data } = await client.request<{ orders: Order[] }>({ url: '/orders' })
   */
  request<T extends Data = Data>(option: RequestOption & NoCallbacks): Promise<RequestResult<T>> & Abortable
  request<T extends Data = Data>(option: RequestOption & Callbacks<RequestResult<T>>): Abortable
  /**
   * `wx.uploadFile` with the token.
   *
   * @see https://developers.weixin.qq.com/miniprogram/dev/api/network/upload/wx.uploadFile.html
   * @example
   * await client.uploadFile({ url: '/avatar', filePath: event.detail.avatarUrl, name: 'avatar' })
   */
  uploadFile(option: UploadOption & NoCallbacks): Promise<UploadResult> & Abortable
  uploadFile(option: UploadOption & Callbacks<UploadResult>): Abortable
  /**
   * `wx.downloadFile` with the token.
   *
   * @see https://developers.weixin.qq.com/miniprogram/dev/api/network/download/wx.downloadFile.html
   * @example
   * const { tempFilePath } = await client.downloadFile({ url: '/invoices/7.pdf' })
   */
  downloadFile(option: DownloadOption & NoCallbacks): Promise<DownloadResult> & Abortable
  downloadFile(option: DownloadOption & Callbacks<DownloadResult>): Abortable
  /**
   * Logs in now, which the other methods do by themselves when necessary. Ends the previous session. Rejects
   * with `ERR_WX_LOGIN`, `ERR_NETWORK` or one of the server's codes, such as `ERR_USER_BLOCKED`.
   *
   * @see https://developers.weixin.qq.com/miniprogram/dev/api/open-api/login/wx.login.html
   */
  login(option?: NoCallbacks): Promise<LoginResult>
  login(option: Callbacks<LoginResult>): void
  /**
   * Renews the session with a new code of `wx.login`, before something that needs a recent login: like a
   * login, but the session keeps its data. Logs in if there is no session. Rejects as `login` does, and with
   * `ERR_USER_CHANGED` if the phone has another WeChat user now.
   */
  renew(option?: NoCallbacks): Promise<LoginResult>
  renew(option: Callbacks<LoginResult>): void
  /**
   * Confirms an action that has failed with `ERR_CONFIRMATION_REQUIRED`; then call it again. Send the code of
   * the phone number button as `phoneCode`, or what the `onConfirm` of your server checks. The fields
   * `success`, `fail` and `complete` are not sent. Rejects with `ERR_PHONE_CODE_INVALID`,
   * `ERR_CONFIRMATION_REFUSED` or `ERR_CONFIRMATION_LIMIT`.
   *
   * @example
   * await client.confirm({ phoneCode: event.detail.code })
   */
  confirm(option: JsonObject & NoCallbacks): Promise<Confirmation>
  confirm(option: JsonObject & Callbacks<Confirmation>): void
  /**
   * Uses a token that your own route has returned after `req.weapp.rotate()`, in place of the present one.
   * Throws a `TypeError` for what is not a token.
   *
   * @example
   * const { data } = await client.request<{ token: string }>({ url: '/merge', method: 'POST' })
   * client.adopt(data.token)
   */
  adopt(token: string): void
  /**
   * Returns the token, for a web-view or a socket of your own, after a login if there is none. The next login
   * replaces it, so call this each time and do not store the token. It is as good as the user's password
   * until the session ends: send it to your own back end only, in a header or after the `#` of a URL, never
   * in a query string, and keep it out of logs.
   *
   * @example
   * const socket = wx.connectSocket({ url, header: { 'x-3rd-session': await client.getToken() } })
   */
  getToken(option?: NoCallbacks): Promise<string>
  getToken(option: Callbacks<string>): void
  /**
   * Ends the session. Calls already in flight do not log in again; the next call does. If the server does not
   * confirm the logout, it rejects and keeps the token.
   */
  logout(option?: NoCallbacks): Promise<void>
  logout(option: Callbacks<void>): void
  /**
   * Sets the user's profile and returns it. On `ERR_SESSION_KEY_STALE` the client has already logged in: get
   * the data from WeChat and send it again.
   *
   * @example
   * await client.setUserInfo({ userInfo: { nickName: '小明' } })
   */
  setUserInfo(option: UserInfoOption & NoCallbacks): Promise<JsonObject>
  setUserInfo(option: UserInfoOption & Callbacks<JsonObject>): void
  /**
   * Returns the number for the code of the phone number button. `ERR_PHONE_CODE_INVALID`: let the user tap
   * again. `ERR_REQUEST_INVALID`: the user refused, or the base library is older than 2.21.2.
   *
   * @example
   * const { purePhoneNumber } = await client.phoneNumber(event.detail)
   */
  phoneNumber(option: PhoneNumberOption & NoCallbacks): Promise<PhoneNumber>
  phoneNumber(option: PhoneNumberOption & Callbacks<PhoneNumber>): void
  /**
   * Sends encrypted data to your own route that decrypts it, and returns the body of its response. On
   * `ERR_SESSION_KEY_STALE` the client has already logged in: get the data from WeChat and send it again.
   *
   * @example
   * const { stepInfoList } = await client.decrypt({ url: '/steps', ...(await wx.getWeRunData()) })
   */
  decrypt<T = JsonObject>(option: DecryptOption & NoCallbacks): Promise<T>
  decrypt<T = JsonObject>(option: DecryptOption & Callbacks<T>): void
}

/**
 * Creates the client of one back end. Uses neither the network nor the storage until the first call.
 *
 * @throws TypeError for unknown or wrong options.
 * @example
 * const client = createClient({ baseUrl: 'https://api.example.com' })
 * const { data } = await client.request({ url: '/me' })
 */
export function createClient(options: ClientOptions): Client {
  const settings = settingsOf(options)
  const token = createTokenStore(settings)
  const login = createSharedLogin(settings, token)
  const { send, getToken, logOut } = createSender(settings, token, login)

  async function sendFields<Result>(url: string, option: object, method = 'POST'): Promise<Result> {
    return sendData(url, fieldsOf(option), method)
  }

  async function sendData<Result>(url: string, data: object, method: string): Promise<Result> {
    const response = await send('request', { url, method, data })
    if (!isSuccess(response)) throw errorFromResponse(response)
    return response.data as Result
  }

  async function setUserInfo(option: UserInfoOption): Promise<JsonObject> {
    return (await sendFields<{ userInfo: JsonObject }>('/session/user-info', option, 'PUT')).userInfo
  }

  function confirm({ success, fail, complete, ...proof }: JsonObject): Promise<Confirmation> {
    return sendData('/session/confirmation', proof, 'POST')
  }

  const abortable =
    (api: Parameters<typeof send>[0]) =>
    <Result extends HttpResponse>(option: SendOption & Callbacks<Result>) => {
      const aborter = createAborter(api)
      const outcome = aborter.race(send<Result>(api, option, aborter))
      const returned = (withCallbacks(option, outcome) || {}) as Promise<Result>
      return Object.assign(returned, { abort: aborter.abort })
    }

  return {
    isLoggedIn: () => token.get() !== '',
    request: abortable('request'),
    uploadFile: abortable('uploadFile'),
    downloadFile: abortable('downloadFile'),
    login: (option?: Callbacks<LoginResult>) => withCallbacks(option, login.logIn()),
    renew: (option?: Callbacks<LoginResult>) => withCallbacks(option, login.renew()),
    confirm: (option: JsonObject & Callbacks<Confirmation>) => withCallbacks(option, confirm(Object(option))),
    adopt: token.adopt,
    getToken: (option?: Callbacks<string>) => withCallbacks(option, getToken()),
    logout: (option?: Callbacks<void>) => withCallbacks(option, logOut()),
    setUserInfo: (option: UserInfoOption & Callbacks<JsonObject>) =>
      withCallbacks(option, setUserInfo(option)),
    phoneNumber: (option: PhoneNumberOption & Callbacks<PhoneNumber>) =>
      withCallbacks(option, sendFields<PhoneNumber>('/session/phone-number', option)),
    decrypt: <T>(option: DecryptOption & Callbacks<T>) =>
      withCallbacks(option, sendFields<T>(Object(option).url, option)),
  } as Client
}

const FIELDS = ['encryptedData', 'iv', 'rawData', 'signature', 'userInfo', 'code']

/** The fields that the server reads, without callbacks and whatever else an event holds. */
function fieldsOf(option: unknown): object {
  const fields: JsonObject = {}
  const given = Object(option) as JsonObject
  for (const name of FIELDS) if (name in given) fields[name] = given[name]
  return fields
}
