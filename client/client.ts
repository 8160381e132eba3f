import { type Abortable, createAbortion } from './abortion.js'
import { type Answer, ClientError, type ClientErrorCode, failureIn } from './failure.js'
import { createSharedLogin, type LoginAnswer } from './log-in.js'
import { type ClientOptions, settingsOf } from './options.js'
import { createSender, isSuccess, type SendOption } from './send.js'
import { createTokenKeeper } from './token.js'
import { type Callbacks, deliver, type NoCallbacks, type WxLike } from './wx.js'
import type {
  Data,
  DownloadOption,
  DownloadResult,
  Json,
  RequestOption,
  RequestResult,
  UploadOption,
  UploadResult,
} from './wx-calls.js'

export type {
  Abortable,
  DownloadOption,
  DownloadResult,
  LoginAnswer,
  NoCallbacks,
  RequestOption,
  RequestResult,
  UploadOption,
  UploadResult,
  WxLike,
}
export { type Callbacks, ClientError, type ClientErrorCode, type ClientOptions }

/** What WeChat encrypted, with a fresh `code` of `wx.login` beside it if there is one. */
export interface EncryptedOption {
  encryptedData: string
  iv: string
  code?: string
}

/** A profile: encrypted, signed, or as the user typed it, which the server keeps with `verified: false`. */
export type UserInfoOption =
  | EncryptedOption
  | { rawData: string; signature: string; code?: string }
  | { userInfo: object }

/** What the phone number button gave: its `event.detail` fits. */
export interface PhoneNumberOption {
  code?: string
}

/** A phone number, as WeChat tells it. */
export interface PhoneNumber {
  /** With a country code in front where it is a foreign one. */
  phoneNumber: string
  purePhoneNumber: string
  countryCode: string
  /** Of which app it is, and since when: seconds since 1970; where WeChat says so. */
  watermark?: { appid: string; timestamp: number }
}

/** Encrypted data, and the route of the app's own that decrypts it with `req.weapp.decrypt(req.body)`. */
export interface DecryptOption extends EncryptedOption {
  url: string
}

/**
 * A session with one back end. Every method takes an option object; with `success`, `fail` or `complete` in it the method
 * answers no promise and calls back, without them it answers a promise. What `request`, `uploadFile` and `downloadFile` answer has `abort()`,
 * with callbacks too.
 *
 * A call without a token logs in first, and all calls share one login. On 401 a call logs in once and is repeated once.
 * On 503 and 429 it waits as `Retry-After` says (RFC 9110, 10.2.3). What is left rejects with a {@link ClientError}: the server's problems,
 * and a phone without a network. Any other answer resolves, whatever its status, as with `wx.request`.
 */
export interface Client {
  /**
   * Whether the phone holds a token. Asks nobody: whether it is still good, only the server knows. For pages that show
   * something else to who is not logged in, as every call below would log in by itself.
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
   * Logs in now, which the other methods do by themselves. The session before ends. Rejects with `ERR_WX_LOGIN`,
   * `ERR_NETWORK`, or what the server says, such as `ERR_USER_BLOCKED`.
   *
   * @see https://developers.weixin.qq.com/miniprogram/dev/api/open-api/login/wx.login.html
   */
  login(option?: NoCallbacks): Promise<LoginAnswer>
  login(option: Callbacks<LoginAnswer>): void
  /**
   * The token, for a web-view or a socket of your own; logs in where there is none. The next login replaces it, so ask for it each time and keep
   * it nowhere. It is as good as the user's password until the session ends: it belongs to your own back end, in a header or behind the `#` of
   * an address, and in no query string and no log.
   *
   * @example
   * const socket = wx.connectSocket({ url, header: { 'x-3rd-session': await client.getToken() } })
   */
  getToken(option?: NoCallbacks): Promise<string>
  getToken(option: Callbacks<string>): void
  /**
   * Ends the session. What was under way does not log in again; the next call does. Rejects, and keeps the token, when
   * the server could not be told.
   */
  logout(option?: NoCallbacks): Promise<void>
  logout(option: Callbacks<void>): void
  /**
   * Sets the user's profile and answers it. On `ERR_SESSION_KEY_STALE` the client has logged in already: get the data
   * from WeChat again, and send it once more.
   *
   * @example
   * await client.setUserInfo({ userInfo: { nickName: '小明' } })
   */
  setUserInfo(option: UserInfoOption & NoCallbacks): Promise<Json>
  setUserInfo(option: UserInfoOption & Callbacks<Json>): void
  /**
   * The number behind the code of the phone number button. `ERR_PHONE_CODE_INVALID` wants another tap;
   * `ERR_REQUEST_INVALID` means that there was no code: the user has refused, or the base library is older than 2.21.2.
   *
   * @example
   * const { purePhoneNumber } = await client.phoneNumber(event.detail)
   */
  phoneNumber(option: PhoneNumberOption & NoCallbacks): Promise<PhoneNumber>
  phoneNumber(option: PhoneNumberOption & Callbacks<PhoneNumber>): void
  /**
   * Sends encrypted data to a route of yours that decrypts it, and resolves with what that answers. On
   * `ERR_SESSION_KEY_STALE` the client has logged in already: get the data from WeChat again, and send it once more.
   *
   * @example
   * const { stepInfoList } = await client.decrypt({ url: '/steps', ...(await wx.getWeRunData()) })
   */
  decrypt<T = Json>(option: DecryptOption & NoCallbacks): Promise<T>
  decrypt<T = Json>(option: DecryptOption & Callbacks<T>): void
}

/**
 * Makes the client of one back end. Touches neither the network nor the storage: it logs in when a call needs it.
 *
 * @throws TypeError for unknown or wrong options.
 * @example
 * const client = createClient({ baseUrl: 'https://api.example.com' })
 * const { data } = await client.request({ url: '/me' })
 */
export function createClient(options: ClientOptions): Client {
  const settings = settingsOf(options)
  const token = createTokenKeeper(settings)
  const login = createSharedLogin(settings, token)
  const { send, getToken, logOut } = createSender(settings, token, login)

  async function ask<Result>(url: string, method: string, data: object): Promise<Result> {
    const answer = await send('request', { url, method, data })
    if (!isSuccess(answer)) throw failureIn(answer)
    return answer.data as Result
  }

  const sending =
    (api: Parameters<typeof send>[0]) =>
    <Result extends Answer>(option: SendOption & Callbacks<Result>) => {
      const abortion = createAbortion(api)
      const outcome = abortion.orAborted(send<Result>(api, option, abortion))
      const answered = (deliver(option, outcome) || {}) as Promise<Result>
      return Object.assign(answered, { abort: abortion.abort })
    }

  return {
    isLoggedIn: () => token.current() !== '',
    request: sending('request'),
    uploadFile: sending('uploadFile'),
    downloadFile: sending('downloadFile'),
    login: (option?: Callbacks<LoginAnswer>) => deliver(option, login.logIn()),
    getToken: (option?: Callbacks<string>) => deliver(option, getToken()),
    logout: (option?: Callbacks<void>) => deliver(option, logOut()),
    setUserInfo: (option: UserInfoOption & Callbacks<Json>) => deliver(option, setUserInfo(option)),
    phoneNumber: (option: PhoneNumberOption & Callbacks<PhoneNumber>) =>
      deliver(option, ask<PhoneNumber>('/session/phone-number', 'POST', fieldsOf(option))),
    decrypt: <T>(option: DecryptOption & Callbacks<T>) =>
      deliver(option, ask<T>(Object(option).url, 'POST', fieldsOf(option))),
  } as Client

  async function setUserInfo(option: UserInfoOption): Promise<Json> {
    return (await ask<{ userInfo: Json }>('/session/user-info', 'PUT', fieldsOf(option))).userInfo
  }
}

const FIELDS = ['encryptedData', 'iv', 'rawData', 'signature', 'userInfo', 'code']

/** What the server knows, without callbacks and without what else an event brings. */
function fieldsOf(option: unknown): object {
  const fields: Json = {}
  const given = Object(option) as Json
  for (const name of FIELDS) if (name in given) fields[name] = given[name]
  return fields
}
