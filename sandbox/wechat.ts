import { AccessTokens } from './access-tokens.js'
import { newCode, newPhoneCode, openidOf, unionidOf } from './identifiers.js'
import { type CodeRefusal, OneTimeCodes } from './one-time-codes.js'
import { type SealedData, seal, signRawData } from './open-data.js'
import { PhoneNumbers } from './phone-numbers.js'
import { Profiles, type UserInfo } from './profile.js'
import { Quotas, type SandboxQuotas } from './quotas.js'
import { type KeyRotation, SessionKeys } from './session-keys.js'

export const MAX_NAME_LENGTH = 128

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

/** What a login code stands for. The session_key is the one of the login, even if a newer one has replaced it since. */
export interface Login extends AppUser {
  sessionKey: string
}

export interface WeChatSettings extends KeyRotation {
  apps: readonly SandboxApp[]
  clock: () => number
  unionid: boolean
  quotas: SandboxQuotas
}

/** The answer to a code: what code2Session tells the app's server. */
export interface ExchangedCode extends Record<string, unknown> {
  openid: string
  session_key: string
  unionid?: string
}

/** User data as it leaves WeChat: readable, signed and encrypted. */
export interface OpenData extends SealedData {
  userInfo: UserInfo
  rawData: string
  signature: string
}

/** What the fake WeChat knows and does, without any HTTP. */
export class WeChat {
  readonly apps: readonly SandboxApp[]
  readonly clock: () => number
  readonly profiles: Profiles = new Profiles()
  readonly phoneNumbers: PhoneNumbers = new PhoneNumbers()
  readonly sessionKeys: SessionKeys
  readonly accessTokens: AccessTokens
  readonly quotas: Quotas
  readonly loginCodes: OneTimeCodes<Login>
  readonly anonymousCodes: OneTimeCodes<AppUser>
  readonly phoneCodes: OneTimeCodes<AppUser>
  readonly #givesUnionid: boolean

  constructor(settings: WeChatSettings) {
    const { apps, clock } = settings
    this.apps = apps
    this.clock = clock
    this.sessionKeys = new SessionKeys(clock, settings)
    this.accessTokens = new AccessTokens(clock)
    this.quotas = new Quotas(clock, settings.quotas)
    this.loginCodes = new OneTimeCodes(clock, newCode)
    this.anonymousCodes = new OneTimeCodes(clock, newCode)
    this.phoneCodes = new OneTimeCodes(clock, newPhoneCode)
    this.#givesUnionid = settings.unionid
  }

  appWith(appid: string): SandboxApp | undefined {
    return this.apps.find((app) => app.appid === appid)
  }

  unionidOf(user: string): string | undefined {
    return this.#givesUnionid ? unionidOf(user) : undefined
  }

  login({ user, appid }: AppUser): string {
    return this.loginCodes.issue({ user, appid, sessionKey: this.sessionKeys.refreshForLogin(user, appid) })
  }

  exchange(code: string, appid: string): ExchangedCode | CodeRefusal {
    const login = this.loginCodes.redeem(code, appid)
    if (typeof login === 'string') return login
    const unionid = this.unionidOf(login.user)
    return { openid: openidOf(login.user, appid), session_key: login.sessionKey, ...(unionid && { unionid }) }
  }

  isSessionOf({ user, appid }: AppUser, code: string): boolean {
    const login = this.loginCodes.grantOf(code)
    if (login?.user !== user || login.appid !== appid) return false
    return login.sessionKey === this.sessionKeys.valid(user, appid)
  }

  /** `wx.getUserInfo`: the encrypted part names the user. */
  userInfo({ user, appid }: AppUser): OpenData {
    const unionId = this.unionidOf(user)
    const names = { openId: openidOf(user, appid), ...(unionId && { unionId }) }
    return this.#userData({ user, appid }, names)
  }

  /** `wx.getUserProfile`: since 2021 the encrypted part does not name the user. */
  userProfile(whose: AppUser): OpenData {
    return this.#userData(whose, {})
  }

  /** Encrypts with the session_key which is valid now, and puts a watermark in. */
  sealFor({ user, appid }: AppUser, fields: object): SealedData {
    const watermark = { timestamp: Math.floor(this.clock() / 1000), appid }
    return seal({ ...fields, watermark }, this.sessionKeys.valid(user, appid))
  }

  #userData(whose: AppUser, { openId, unionId }: { openId?: string; unionId?: string }): OpenData {
    const userInfo = this.profiles.of(whose.user)
    const rawData = JSON.stringify(userInfo)
    const signature = signRawData(rawData, this.sessionKeys.valid(whose.user, whose.appid))
    return { userInfo, rawData, signature, ...this.sealFor(whose, { openId, ...userInfo, unionId }) }
  }
}
