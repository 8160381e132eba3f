import type { WxLike } from 'weapp-session/client'
import type { LogEntry, PhoneName, RequestLog } from './request-log.js'
import { ask, type RequestAnswer, reasonOf, type WechatAnswer } from './showcase-server.js'
import type { PageStorage } from './storage.js'

/** A `wx` for the browser: the phone of a user, as far as the page needs one. */
export interface PhoneShim extends WxLike {
  /** Today and the 30 days before, encrypted. */
  getWeRunData(): Promise<{ encryptedData: string; iv: string }>
  /** What the phone number button of a real mini-program puts into `event.detail`. */
  getPhoneNumber(): Promise<{ code: string }>
}

/** What a phone runs on. */
export interface PhoneRuntime {
  name: PhoneName
  user: string
  log: RequestLog
  storage: PageStorage
  /** Called with each response of the app. */
  onResponse: (data: unknown) => void
  /** Called after each call, failed or not. */
  onSettled: () => void
  /** Called when the phone has stored or forgotten something. */
  onStorage: () => void
}

/** What this page uses of the options of `wx.request`. */
interface SentRequest {
  url: string
  method?: string
  header?: object
  data?: unknown
  timeout?: number
}

interface Handlers<Result> {
  success?: (result: Result) => void
  fail?: (error: { errMsg: string }) => void
  complete?: (outcome: Result | { errMsg: string }) => void
}

export function createPhoneShim(runtime: PhoneRuntime): PhoneShim {
  const { name, user, log, storage, onResponse, onSettled, onStorage } = runtime

  /** Nothing that WeChat gives reaches the log: codes are secrets, and so is what it has encrypted for the app. */
  async function askWechat<Result extends object>(
    api: string,
    called: string,
    given: string,
    timeoutMs?: number,
  ): Promise<Result> {
    const text = `wx.${called}`
    const entry = log.begin(name, text, { from: 'phone', to: 'wechat', text, ok: true, source: text })
    try {
      const { result, errMsg } = await ask<WechatAnswer>('/showcase/wechat', { api, user }, timeoutMs)
      if (!result) throw new Error(errMsg.replace(/^.*:fail /, ''))
      entry.end([entry.first, { from: 'wechat', to: 'phone', text: given, ok: true, source: text }])
      return { ...result, errMsg: `${called}:ok` } as Result
    } catch (error) {
      const errMsg = `${called}:fail ${reasonOf(error)}`
      const source = called === 'login' ? 'ERR_WX_LOGIN' : text
      entry.end([entry.first, { from: 'wechat', to: 'phone', text: errMsg, ok: false, source }])
      throw { errMsg }
    } finally {
      onSettled()
    }
  }

  async function askApp(option: SentRequest): Promise<object> {
    const { method = 'GET', header = {}, data, timeout } = option
    if (!option.url.startsWith(`${location.origin}/`))
      throw { errMsg: `request:fail invalid url "${option.url}"` }
    const path = option.url.slice(location.origin.length)
    const text = `${method} ${path}`
    const entry = log.begin(name, text, { from: 'phone', to: 'app', text, ok: true })
    try {
      const { answer, errMsg, trace } = await ask<RequestAnswer>(
        '/showcase/request',
        { method, path, header, data },
        timeout,
      )
      entry.end(trace)
      if (!answer) throw { errMsg }
      onResponse(answer.data)
      return { ...answer, cookies: [], errMsg }
    } catch (error) {
      throw errMsgOf(error, entry)
    } finally {
      onSettled()
    }
  }

  return {
    login: (option: { timeout?: number }) =>
      deliver(askWechat('login', 'login', 'code •••', option.timeout), option),
    request: (option: SentRequest) => deliver(askApp(option), option),
    uploadFile: (option) => deliver(refused('uploadFile'), option),
    downloadFile: (option) => deliver(refused('downloadFile'), option),
    getDeviceInfo: () => ({ brand: 'Phone', model: name.toUpperCase() }),
    getWeRunData: () => askWechat('we-run-data', 'getWeRunData', 'encryptedData •••, iv •••'),
    getPhoneNumber: () => askWechat('phone-number', 'getPhoneNumber', 'code •••'),
    getStorageSync: (key) => storage.get(key) ?? '',
    setStorageSync(key, text) {
      storage.set(key, text)
      onStorage()
    },
    removeStorageSync(key) {
      storage.remove(key)
      onStorage()
    },
  }
}

/** `wx.request` fails where there is no answer: the server of the page is away, or took too long. */
function errMsgOf(error: unknown, entry: LogEntry): { errMsg: string } {
  if (error instanceof Error) {
    const errMsg = `request:fail ${reasonOf(error)}`
    entry.end([entry.first, { from: 'app', to: 'phone', text: errMsg, ok: false, source: 'ERR_NETWORK' }])
    return { errMsg }
  }
  return error as { errMsg: string }
}

async function refused(api: string): Promise<object> {
  throw { errMsg: `${api}:fail not on this page` }
}

function deliver<Result extends object>(outcome: Promise<Result>, option: object): void {
  const { success, fail, complete } = option as Handlers<Result>
  outcome.then(
    (result) => {
      success?.(result)
      complete?.(result)
    },
    (error: { errMsg: string }) => {
      fail?.(error)
      complete?.(error)
    },
  )
}
