import type { Device } from './device.js'
import { createTt, type Tt } from './tt.js'
import { createWxAccount, type WxAccount } from './wx-account.js'
import { createPhoneFiles, createWxFiles, type PhoneFiles, type WxFiles } from './wx-files.js'
import {
  createPhoneNumberButton,
  createWxOpenData,
  type PhoneNumberDetail,
  type WxOpenData,
} from './wx-open-data.js'
import { createWxRequest, type WxRequest } from './wx-request.js'
import { createWxSocket, type WxSocket } from './wx-socket.js'
import { createWxStorage, type WxStorage } from './wx-storage.js'

/** The `wx` of one phone. Its methods do not use `this`, so they may be destructured. */
export interface Wx extends WxAccount, WxFiles, WxOpenData, WxSocket, WxStorage {
  /** Sends a request to any HTTP server. */
  request: WxRequest
}

/**
 * A phone that runs one mini-program for one WeChat user.
 *
 * @example
 * const phone = sandbox.phone()
 * const { code } = await phone.wx.login()
 * const { data } = await phone.wx.request({ url: `${server}/login`, method: 'POST', data: { code } })
 */
export interface Phone {
  /** Name of the WeChat user. Another phone with the same name belongs to the same person. */
  readonly user: string
  /** AppID of the mini-program that runs on it. */
  readonly appid: string
  /** The user's openid in this app: 28 characters. */
  readonly openid: string
  /** The user's unionid: 28 characters; absent with `unionid: false`. */
  readonly unionid?: string
  /** What the mini-program calls in WeChat. Old SDKs expect it as a global: `globalThis.wx = phone.wx`. */
  readonly wx: Wx
  /** What it calls in Douyin. The user and the openid are those of `wx`. */
  readonly tt: Tt
  /**
   * Taps the phone number button and agrees: resolves with the `detail` of its event. Rejects with a
   * WxFailure while the phone is offline or WeChat is down.
   */
  readonly getPhoneNumber: () => Promise<PhoneNumberDetail>
  /** Its files: add one to upload it, read one that was downloaded. */
  readonly files: PhoneFiles
  /** While it is `true`, everything that needs the network fails. Default `false`. */
  offline: boolean
}

export function createPhone(device: Device, identity: Pick<Phone, 'openid' | 'unionid'>): Phone {
  const { user, appid } = device
  const files = createPhoneFiles()
  return {
    ...identity,
    user,
    appid,
    wx: {
      ...createWxAccount(device),
      ...createWxFiles(device, files),
      ...createWxOpenData(device),
      ...createWxSocket(),
      ...createWxStorage(),
      request: createWxRequest(device),
    },
    tt: createTt(device),
    files,
    getPhoneNumber: createPhoneNumberButton(device),
    get offline() {
      return device.offline
    },
    set offline(offline) {
      device.offline = offline
    },
  }
}
