import { AccessTokens } from './access-tokens.js'
import { newCode, newPhoneCode, openidOf, unionidOf } from './identifiers.js'
import { type CodeRefusal, OneTimeCodes } from './one-time-codes.js'
import { type EncryptedData, encryptFields, signRawData } from './open-data.js'
import { PhoneNumbers } from './phone-numbers.js'
import { Profiles, type UserInfo } from './profile.js'
import { Quotas, type SandboxQuotas } from './quotas.js'
import { type KeyRotation, SessionKeys } from './session-keys.js'

/** A mini-program as registered with WeChat. */
export interface SandboxApp {
  appid: string
  secret: string
}

export interface AppUser {
  appid: string
  user: string
}

/** What a login code stands for. Its session_key may have been replaced since. */
export interface Login extends AppUser {
  sessionKey: string
}

export interface WeChatSettings extends KeyRotation {
  apps: readonly SandboxApp[]
  clock: () => number
  unionid: boolean
  quotas: SandboxQuotas
}

export interface ExchangedCode extends Record<string, unknown> {
  openid: string
  session_key: string
  unionid?: string
}

/** User data as a phone receives it: readable, signed and encrypted. */
export interface OpenData extends EncryptedData {
  userInfo: UserInfo
  rawData: string
  signature: string
}

/** What the fake WeChat knows and does, without HTTP. */
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
  readonly #hasUnionids: boolean

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
    this.#hasUnionids = settings.unionid
  }

  appWith(appid: string): SandboxApp | undefined {
    return this.apps.find((app) => app.appid === appid)
  }

  unionidOf(user: string): string | undefined {
    return this.#hasUnionids ? unionidOf(user) : undefined
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

  isCurrentSession({ user, appid }: AppUser, code: string): boolean {
    const login = this.loginCodes.grantOf(code)
    if (login?.user !== user || login.appid !== appid) return false
    return login.sessionKey === this.sessionKeys.ensure(user, appid)
  }

  /** `wx.getUserInfo`: the encrypted part names the user. */
  userInfo({ user, appid }: AppUser): OpenData {
    return this.#userData({ user, appid }, { openId: openidOf(user, appid), unionId: this.unionidOf(user) })
  }

  /** `wx.getUserProfile`: since 2021 the encrypted part does not name the user. */
  userProfile(appUser: AppUser): OpenData {
    return this.#userData(appUser, {})
  }

  /** Adds a watermark, and encrypts with the session_key that is valid now. */
  encryptFor({ user, appid }: AppUser, fields: object): EncryptedData {
    const watermark = { timestamp: Math.floor(this.clock() / 1000), appid }
    return encryptFields({ ...fields, watermark }, this.sessionKeys.ensure(user, appid))
  }

  #userData(
    appUser: AppUser,
    { openId, unionId }: { openId?: string; unionId?: string | undefined },
  ): OpenData {
    const userInfo = this.profiles.of(appUser.user)
    const rawData = JSON.stringify(userInfo)
    const signature = signRawData(rawData, this.sessionKeys.ensure(appUser.user, appUser.appid))
    return { userInfo, rawData, signature, ...this.encryptFor(appUser, { openId, ...userInfo, unionId }) }
  }
}
