import { askWeChat, type Device } from './device.js'
import type { UserInfo } from './profile.js'
import { type WxMethod, wxMethod } from './wx-method.js'

const MAX_DESC_LENGTH = 30

/** User data from WeChat. */
export interface UserInfoResult {
  userInfo: UserInfo
  /** `userInfo` as JSON, exactly as it was signed. */
  rawData: string
  /** Hex SHA-1 of rawData followed by the session_key. */
  signature?: string
  /** AES-128-CBC under the session_key, base64. */
  encryptedData?: string
  /** Initialisation vector of encryptedData, base64. */
  iv?: string
}

/** User data with the parts that are signed or encrypted with the session_key. */
export type UserProfileResult = Required<UserInfoResult>

/** The methods that ask WeChat about the user. They fail while the phone is offline or WeChat is down. */
export interface WxAccount {
  /** Gets a code for the app's server. By default this also changes the user's session_key. */
  login: WxMethod<{ timeout?: number }, { code: string }>
  /** Succeeds while the session_key of this phone's last login is still valid. */
  checkSession: WxMethod<object, object>
  /**
   * User data whose encrypted part holds openId and unionId. Needs an earlier `login`, except with
   * `withCredentials: false`, which omits the signed and encrypted parts.
   */
  getUserInfo: WxMethod<{ withCredentials?: boolean; lang?: string }, UserInfoResult>
  /** User data whose encrypted part does not name the user. `desc` is required: 1 to 30 characters. */
  getUserProfile: WxMethod<{ desc: string; lang?: string }, UserProfileResult>
}

export function createWxAccount(device: Device): WxAccount {
  return {
    login: wxMethod('login', async ({ timeout }) => {
      const { code } = await askWeChat<{ code: string }>(device, 'login', {}, timeout)
      device.lastCode = code
      return { code }
    }),
    checkSession: wxMethod('checkSession', async () => {
      const { valid } = device.lastCode
        ? await askWeChat<{ valid: boolean }>(device, 'check-session', { code: device.lastCode })
        : { valid: false }
      if (!valid) throw new Error('session time out')
      return {}
    }),
    getUserInfo: wxMethod('getUserInfo', async ({ withCredentials = true }) => {
      if (withCredentials && !device.lastCode) throw new Error('withCredentials needs an earlier wx.login')
      const result = await askWeChat<UserProfileResult>(device, 'user-info')
      return withCredentials ? result : { userInfo: result.userInfo, rawData: result.rawData }
    }),
    getUserProfile: wxMethod('getUserProfile', async ({ desc }) => {
      if (typeof desc !== 'string' || desc === '' || desc.length > MAX_DESC_LENGTH) {
        throw new Error(`desc must have 1 to ${MAX_DESC_LENGTH} characters`)
      }
      return askWeChat<UserProfileResult>(device, 'user-profile')
    }),
  }
}
