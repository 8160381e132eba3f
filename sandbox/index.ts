export type { Call } from './calls.js'
export type { MisbehaveOptions, Misbehaviour } from './misbehaviour.js'
export type { EncryptedData } from './open-data.js'
export type { Phone, Wx } from './phone.js'
export type { UserInfo } from './profile.js'
export type { SandboxQuotas } from './quotas.js'
export { createSandbox, type PhoneOptions, type Sandbox, type SandboxOptions } from './sandbox.js'
export type { Tt, TtLoginResult } from './tt.js'
export type { SandboxApp } from './wechat.js'
export type { UserInfoResult, UserProfileResult, WxAccount } from './wx-account.js'
export type {
  DownloadOptions,
  DownloadResult,
  PhoneFiles,
  UploadOptions,
  UploadResult,
  WxFiles,
} from './wx-files.js'
export type {
  NoCallbacks,
  RequestTask,
  WxCallbacks,
  WxFailure,
  WxMethod,
  WxResult,
  WxTaskMethod,
} from './wx-method.js'
export type { PhoneNumberDetail, WxOpenData } from './wx-open-data.js'
export type { RequestOptions, RequestResult, WxRequest } from './wx-request.js'
export type { WxSocket, WxSocketEvent } from './wx-socket.js'
export type { StorageInfo, WxStorage } from './wx-storage.js'
