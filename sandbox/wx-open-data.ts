import { askWeChat, type Device } from './device.js'
import type { EncryptedData } from './open-data.js'
import { isText } from './option-checks.js'
import { type WxMethod, type WxResult, wxMethod } from './wx-method.js'

/** Data that only the app's server can decrypt. Fails while the phone is offline or WeChat is down. */
export interface WxOpenData {
  /** The user's steps: decrypted, a `stepInfoList` of the last 31 days. Needs an earlier `login`. */
  getWeRunData: WxMethod<object, EncryptedData>
  /** The group chat from which the mini-program was opened: decrypted, its `opengid`. */
  getGroupEnterInfo: WxMethod<object, EncryptedData>
  /** The group chat that a card was forwarded to: decrypted, its `openGId`. Each ticket is one group. */
  getShareInfo: WxMethod<{ shareTicket: string; timeout?: number }, EncryptedData>
}

/** The `detail` of the event of a phone number button. */
export interface PhoneNumberDetail extends EncryptedData, WxResult {
  /** For getuserphonenumber, not for login: 64 hex digits, valid for five minutes and one use. */
  code: string
}

export function createWxOpenData(device: Device): WxOpenData {
  return {
    getWeRunData: wxMethod('getWeRunData', async () => {
      if (!device.lastCode) throw new Error('it needs an earlier wx.login')
      return askWeChat<EncryptedData>(device, 'we-run-data')
    }),
    getGroupEnterInfo: wxMethod('getGroupEnterInfo', () =>
      askWeChat<EncryptedData>(device, 'group-enter-info', { group: device.group }),
    ),
    getShareInfo: wxMethod('getShareInfo', async ({ shareTicket, timeout }) => {
      if (!isText(shareTicket)) throw new Error('parameter error: shareTicket should be a string')
      return askWeChat<EncryptedData>(device, 'share-info', { shareTicket }, timeout)
    }),
  }
}

/** Plays a tap on the phone number button by a user who agrees. */
export function createPhoneNumberButton(device: Device): () => Promise<PhoneNumberDetail> {
  const tap = wxMethod('getPhoneNumber', () =>
    askWeChat<Omit<PhoneNumberDetail, 'errMsg'>>(device, 'phone-number'),
  )
  return () => tap()
}
