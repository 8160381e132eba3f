import { randomBytes } from 'node:crypto'
import { openidOf, unionidOf } from './identifiers.js'
import { LoginCodes } from './login-codes.js'
import { encryptOpenData, signRawData } from './open-data.js'
import { Profiles, type UserInfo } from './profile.js'
import { type KeyRotation, SessionKeys } from './session-keys.js'

export const MAX_USER_LENGTH = 128

/** A mini-program as registered with WeChat. */
export interface SandboxApp {
  appid: string
  secret: string
}

/** Somebody using one mini-program. */
export interface AppUser {
  appid: string
  user: string
}

export interface WeChatSettings extends KeyRotation {
  apps: readonly SandboxApp[]
  clock: () => number
  unionid: boolean
}

/** The answer to a code: what code2Session tells the app's server. */
export interface ExchangedCode extends Record<string, unknown> {
  openid: string
  session_key: string
  unionid?: string
}

/** User data as it leaves WeChat: readable, signed and encrypted. */
export interface OpenData {
  userInfo: UserInfo
  rawData: string
  signature: string
  encryptedData: string
  iv: string
}

/** What the fake WeChat knows and does, without any HTTP. */
export class WeChat {
  readonly apps: readonly SandboxApp[]
  readonly profiles: Profiles = new Profiles()
  readonly sessionKeys: SessionKeys
  readonly #codes: LoginCodes
  readonly #clock: () => number
  readonly #givesUnionid: boolean

  constructor(settings: WeChatSettings) {
    this.apps = settings.apps
    this.sessionKeys = new SessionKeys(settings.clock, settings)
    this.#codes = new LoginCodes(settings.clock)
    this.#clock = settings.clock
    this.#givesUnionid = settings.unionid
  }

  appWith(appid: string): SandboxApp | undefined {
    return this.apps.find((app) => app.appid === appid)
  }

  unionidOf(user: string): string | undefined {
    return this.#givesUnionid ? unionidOf(user) : undefined
  }

  login({ user, appid }: AppUser): string {
    return this.#codes.issue({ user, appid, sessionKey: this.sessionKeys.refreshForLogin(user, appid) })
  }

  exchange(code: string, appid: string): ExchangedCode | 'invalid' | 'used' {
    const login = this.#codes.redeem(code, appid)
    if (typeof login === 'string') return login
    const unionid = this.unionidOf(login.user)
    return { openid: openidOf(login.user, appid), session_key: login.sessionKey, ...(unionid && { unionid }) }
  }

  isSessionOf({ user, appid }: AppUser, code: string): boolean {
    const login = this.#codes.loginOf(code)
    if (login?.user !== user || login.appid !== appid) return false
    return login.sessionKey === this.sessionKeys.valid(user, appid)
  }

  /** `wx.getUserInfo`: the encrypted part names the user. */
  userInfo({ user, appid }: AppUser): OpenData {
    const unionId = this.unionidOf(user)
    const names = { openId: openidOf(user, appid), ...(unionId && { unionId }) }
    return this.#seal({ user, appid }, names)
  }

  /** `wx.getUserProfile`: since 2021 the encrypted part does not name the user. */
  userProfile(whose: AppUser): OpenData {
    return this.#seal(whose, {})
  }

  #seal({ user, appid }: AppUser, names: { openId?: string; unionId?: string }): OpenData {
    const userInfo = this.profiles.of(user)
    const sessionKey = this.sessionKeys.valid(user, appid)
    const rawData = JSON.stringify(userInfo)
    const iv = randomBytes(16).toString('base64')
    const watermark = { timestamp: Math.floor(this.#clock() / 1000), appid }
    const { openId, unionId } = names
    const plaintext = JSON.stringify({ openId, ...userInfo, unionId, watermark })
    return {
      userInfo,
      rawData,
      signature: signRawData(rawData, sessionKey),
      encryptedData: encryptOpenData(plaintext, sessionKey, iv),
      iv,
    }
  }
}
