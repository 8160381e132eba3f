import { askWeChat, type Device } from './device.js'
import type { SealedData } from './open-data.js'
import { isText } from './option-checks.js'
import { type WxAnswer, type WxMethod, wxMethod } from './wx-method.js'

/** The methods whose data only the app's server can read. They fail while the phone is offline or WeChat is down. */
export interface WxOpenData {
  /** The user's steps: decrypted, `stepInfoList` has the last 31 days. `login` must have been called before. */
  getWeRunData: WxMethod<object, SealedData>
  /** The group chat from which the mini-program was opened: decrypted, its `opengid`. */
  getGroupEnterInfo: WxMethod<object, SealedData>
  /** The group chat into which a card was forwarded: decrypted, its `openGId`. One ticket stands for one group. */
  getShareInfo: WxMethod<{ shareTicket: string; timeout?: number }, SealedData>
}

/** What the event of a phone number button holds in its `detail`. */
export interface PhoneNumberDetail extends SealedData, WxAnswer {
  /** For getuserphonenumber: 64 hex digits, good for five minutes and one use. It is no code of `wx.login`. */
  code: string
}

export function createWxOpenData(device: Device): WxOpenData {
  return {
    getWeRunData: wxMethod('getWeRunData', async () => {
      if (!device.lastCode) throw new Error('it needs an earlier wx.login')
      return askWeChat<SealedData>(device, 'we-run-data')
    }),
    getGroupEnterInfo: wxMethod('getGroupEnterInfo', () =>
      askWeChat<SealedData>(device, 'group-enter-info', { group: device.group }),
    ),
    getShareInfo: wxMethod('getShareInfo', async ({ shareTicket, timeout }) => {
      if (!isText(shareTicket)) throw new Error('parameter error: shareTicket should be a string')
      return askWeChat<SealedData>(device, 'share-info', { shareTicket }, timeout)
    }),
  }
}

/** Plays the tap on the phone number button, to which the user agrees. */
export function createPhoneNumberButton(device: Device): () => Promise<PhoneNumberDetail> {
  const tap = wxMethod('getPhoneNumber', () =>
    askWeChat<Omit<PhoneNumberDetail, 'errMsg'>>(device, 'phone-number'),
  )
  return () => tap()
}
