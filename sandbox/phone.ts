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

/** The `wx` of one phone. Its methods need no `this` and may be taken off it. */
export interface Wx extends WxAccount, WxFiles, WxOpenData, WxSocket, WxStorage {
  /** Asks any HTTP server. */
  request: WxRequest
}

/**
 * A phone on which one mini-program runs for one WeChat user.
 *
 * @example
 * const phone = sandbox.phone()
 * const { code } = await phone.wx.login()
 * const answer = await phone.wx.request({ url: `${server}/login`, method: 'POST', data: { code } })
 */
export interface Phone {
  /** Name of the WeChat user. Give it to another phone, and both belong to the same person. */
  readonly user: string
  /** The mini-program that runs on it. */
  readonly appid: string
  /** The user's openid in this app: 28 characters. */
  readonly openid: string
  /** The user's unionid: 28 characters; absent when the sandbox gives none. */
  readonly unionid?: string
  /** What the mini-program calls. Old SDKs expect it as a global: `globalThis.wx = phone.wx`. */
  readonly wx: Wx
  /** What it calls where it runs in Douyin. The user and the openid are the same as under `wx`. */
  readonly tt: Tt
  /**
   * The user taps the phone number button and agrees: resolves with the `detail` of its event. Rejects with a
   * WxFailure while the phone is offline or WeChat is down.
   */
  readonly getPhoneNumber: () => Promise<PhoneNumberDetail>
  /** Its files: put one there to upload it, read one that was downloaded. */
  readonly files: PhoneFiles
  /** Set it to `true`, and everything that needs the network fails. Default `false`. */
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
