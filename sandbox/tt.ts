import { askWeChat, type Device } from './device.js'
import { type WxMethod, wxMethod } from './wx-method.js'

/** What `tt.login` resolves with. */
export interface TtLoginResult {
  /** For the app's server; absent when the user is not logged in. */
  code?: string
  /** For the app's server, also when the user is not logged in. */
  anonymousCode: string
  /** Whether the user is logged in. */
  isLogin: boolean
}

/** The `tt` of a phone: what a Douyin mini-program calls to log in. */
export interface Tt {
  /** Gets codes for the app's server. With `force: false` the user stays logged out: there is no `code`. */
  login: WxMethod<{ force?: boolean; timeout?: number }, TtLoginResult>
}

export function createTt(device: Device): Tt {
  return {
    login: wxMethod('login', ({ force = true, timeout }) =>
      askWeChat<TtLoginResult>(device, 'tt-login', { force }, timeout),
    ),
  }
}
