import type { IncomingMessage, ServerResponse } from 'node:http'
import { createRequire } from 'node:module'
import { dirname, sep } from 'node:path'
import type { RequestHandler } from 'express'
import type { RequestOptions, RequestResult, UserInfo, Wx } from '../../sandbox/index.js'

/* The old clients as npm gives them, with types for what the specs use. They keep state in their modules, so each load is a new copy. */

/** What the SDKs hand to `fail`. */
export interface SdkError {
  readonly type?: string
  readonly message: string
}

/** The callbacks of the SDKs. */
export interface SdkCallbacks<Result> {
  success: (result: Result) => void
  fail: (error: SdkError) => void
}

interface SdkRequestOptions extends RequestOptions {
  login?: boolean
}

interface LoginOptions {
  method?: 'GET' | 'POST'
}

/** `wafer-client-sdk`. */
export interface Wafer1Sdk {
  setLoginUrl(url: string): void
  login(options: LoginOptions & SdkCallbacks<UserInfo>): void
  request<Data>(options: SdkRequestOptions & SdkCallbacks<RequestResult<Data>>): void
  buildSessionHeader(): Record<string, string>
  clearSession(): void
}

/** The `userinfo` of a Wafer 2 server. */
export interface Wafer2UserInfo extends Partial<UserInfo> {
  readonly openId: string
}

interface Wafer2LoginOptions extends LoginOptions {
  loginUrl?: string
}

/** `wafer2-client-sdk`. */
export interface Wafer2Sdk {
  setLoginUrl(url: string): void
  login(options: Wafer2LoginOptions & SdkCallbacks<Wafer2UserInfo>): void
  loginWithCode(options: Wafer2LoginOptions & SdkCallbacks<Wafer2UserInfo>): void
  request<Data>(options: SdkRequestOptions & SdkCallbacks<RequestResult<Data>>): void
  readonly Session: { get(): { skey: string; userinfo: Wafer2UserInfo; time: number } | null }
}

/** `qcloud-weapp-server-sdk`. */
export interface QcloudServerSdk {
  config(options: { AuthServerUrl: string }): void
  readonly LoginService: {
    create(
      req: IncomingMessage,
      res: ServerResponse,
    ): {
      login(): Promise<{ userInfo: Wafer2UserInfo }>
      check(): Promise<{ userInfo: Wafer2UserInfo }>
    }
  }
}

/** `wafer-node-session`. */
export type WaferNodeSession = (options: {
  appId: string
  appSecret: string
  loginPath: string
}) => RequestHandler

interface OldClients {
  'wafer-client-sdk': Wafer1Sdk
  'wafer2-client-sdk': Wafer2Sdk
  'qcloud-weapp-server-sdk': QcloudServerSdk
  'wafer-node-session': WaferNodeSession
}

type GetRequest = (options: { url: string; json: boolean }, callback: unknown) => unknown

const require = createRequire(import.meta.url)

/** A new copy of an old client, as on a phone or a server that has just been started. */
export function loadOldClient<Name extends keyof OldClients>(name: Name): OldClients[Name] {
  const folder = dirname(require.resolve(name)) + sep
  for (const file of Object.keys(require.cache)) {
    if (file.startsWith(folder)) delete require.cache[file]
  }
  return require(name) as OldClients[Name]
}

/** Makes this `wx` the one of the mini-program, as WeChat does. Undefined takes it away. */
export function runMiniProgramOn(wx: Wx | undefined): void {
  Object.assign(globalThis, { wx })
}

/**
 * `wafer-node-session` has the address of WeChat built in. Sends what it asks there to another address, through the HTTP
 * library that it uses, until the returned function is called.
 */
export function redirectWeChat(url: string): () => void {
  const library = require('request') as { get: GetRequest }
  const { get } = library
  library.get = (options, callback) =>
    get({ ...options, url: options.url.replace('https://api.weixin.qq.com', url) }, callback)
  return () => {
    library.get = get
  }
}

/** What an SDK hands to `success`. Fails when it calls `fail`. */
export function successOf<Result>(start: (callbacks: SdkCallbacks<Result>) => void): Promise<Result> {
  return new Promise((resolve, reject) => {
    start({
      success: resolve,
      fail: ({ type, message }) => reject(new Error(`the SDK calls fail: ${type} ${message}`)),
    })
  })
}

/** What an SDK hands to `fail`. Fails when it calls `success`. */
export function failOf<Result>(start: (callbacks: SdkCallbacks<Result>) => void): Promise<SdkError> {
  return new Promise((resolve, reject) => {
    start({
      success: (result) => reject(new Error(`the SDK calls success: ${JSON.stringify(result)}`)),
      fail: resolve,
    })
  })
}
