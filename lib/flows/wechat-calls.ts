import { WeappError } from '../errors.js'
import type { Logger } from '../logger.js'
import { checkOptionNames, type OptionNames } from '../options.js'
import { Secret } from '../secret.js'
import type { App, AppSelector } from '../sessions/app-info.js'
import type { Apps } from '../sessions/apps.js'
import type { SessionSelector, UserRef, UserSelector } from '../sessions/session.js'
import type { SessionKeys } from '../sessions/session-keys.js'
import type { UserProfiles } from '../sessions/user-profiles.js'
import type { AppAccess } from '../wechat/access-token.js'
import { checkCode } from '../wechat/code2session.js'
import { isAccessTokenRefused } from '../wechat/errcodes.js'
import type { PhoneCode, PhoneInfo } from '../wechat/phone-number.js'
import type { SessionKeyApi } from '../wechat/session-key.js'
import type { WaitBrake } from '../wechat/wait-brake.js'
import { type AccessTokenProvider, type AccessTokenSource, unavailable } from './access-tokens.js'
import type { AttemptLimit } from './attempt-limit.js'
import { unknownSession } from './authenticate.js'
import type { FailureLog } from './failure-log.js'
import { timely } from './hooks.js'
import { namedSession, namedUser, sessionIdIn } from './named-user.js'
import type { PhoneNumbers } from './phone-numbers.js'
import { requireFields } from './received-data.js'
import { stackOf } from './thrown.js'

/** The code of a phone number button. */
export interface PhoneNumberRequest {
  /** `e.detail.code` of `bindgetphonenumber`; not a code of `wx.login`. */
  readonly code: string
  /** The app: its appid, or its `id`. May be left out when there is only one. */
  readonly appid?: AppSelector | undefined
  /** The user whose number it has to be, which WeChat checks. Default: anybody. */
  readonly openid?: string | undefined
  /** Keeps the number for `phoneNumberOf`; needs `openid`. Default: as `sessions.with` says, else false. */
  readonly keep?: boolean | undefined
}

const PHONE_NUMBER_NAMES: OptionNames<PhoneNumberRequest> = {
  code: true,
  appid: true,
  openid: true,
  keep: true,
}

interface WechatCallsParts {
  readonly apps: Apps
  readonly profiles: UserProfiles
  readonly sessionKeys: SessionKeys
  readonly phoneNumbers: PhoneNumbers
  readonly phoneCodes: AttemptLimit
  readonly accessToken: AccessTokenSource
  readonly getPhoneNumber: (code: PhoneCode, access: AppAccess) => Promise<PhoneInfo>
  readonly sessionKeyApi: SessionKeyApi
  /** Whether the number of a user who is named is kept where the call does not say. */
  readonly keepPhoneNumbers: boolean
  readonly waitBrake: WaitBrake
  readonly failureLog: FailureLog
  readonly logger: Logger
}

/** The use cases that call WeChat with an access token. */
export interface WechatCalls {
  /**
   * Returns the phone number for the code of a phone number button. Throws `ERR_PHONE_CODE_INVALID`,
   * `ERR_PHONE_CODE_LIMIT` after 8 of these of a user within 10 minutes, `ERR_WECHAT_…`,
   * `ERR_ACCESS_TOKEN_UNAVAILABLE`, `ERR_SERVER_MISCONFIGURED`.
   */
  phoneNumber(request: PhoneNumberRequest): Promise<PhoneInfo>
  /** Returns the phone number that was kept, or null. */
  phoneNumberOf(user: UserSelector): Promise<PhoneInfo | null>
  /** Deletes the phone number that was kept. */
  forgetPhoneNumber(user: UserSelector): Promise<void>
  /**
   * Returns the access token of an app, for other APIs of WeChat. `refused` is a token that WeChat did not
   * accept, so that another one is fetched. Throws `ERR_ACCESS_TOKEN_UNAVAILABLE`, `ERR_WECHAT_…`,
   * `ERR_SERVER_MISCONFIGURED`.
   */
  accessToken(request?: { appid?: AppSelector | undefined; refused?: string | undefined }): Promise<string>
  /** Whether WeChat still accepts the session_key. Throws `ERR_SESSION_UNKNOWN`, `ERR_WECHAT_…`. */
  checkSessionKey(session: SessionSelector): Promise<boolean>
  /**
   * Has WeChat replace the session_key of a user, stores the new one in all sessions of the user in one step,
   * and returns in how many. Throws `ERR_SESSION_KEY_STALE`, `ERR_WECHAT_…`. If the response is lost or
   * cannot be stored, the new key is lost until the next login.
   */
  resetUserSessionKey(user: UserSelector | SessionSelector): Promise<number>
}

/** Makes those use cases. An access token that WeChat refuses is replaced once. */
export function createWechatCalls(parts: WechatCallsParts): WechatCalls {
  const { apps, profiles, sessionKeys, phoneNumbers, sessionKeyApi, getPhoneNumber, failureLog, logger } =
    parts

  async function accessTo({ appid, exchange }: App, refused?: Secret): Promise<AppAccess> {
    if (exchange)
      throw new WeappError('ERR_REQUEST_INVALID', 'Only WeChat has this, not the platform of this app.')
    return { appid, accessToken: await parts.accessToken({ appid, refused }) }
  }

  async function reported<T>(what: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      failureLog.report(what, error)
      throw error
    }
  }

  function asked<T>(what: string, app: App, ask: (access: AppAccess) => Promise<T>): Promise<T> {
    const call = async () => {
      const access = await accessTo(app)
      try {
        return await ask(access)
      } catch (error) {
        if (!isAccessTokenRefused(error)) throw error
        return ask(await accessTo(app, access.accessToken))
      }
    }
    return reported(what, () => parts.waitBrake.through({ appid: app.appid, api: what }, call))
  }

  /** WeChat has charged for the number and gives it once, so the caller gets it even if it cannot be kept. */
  async function keepNumber(app: App, user: UserRef, phoneInfo: PhoneInfo, wasHere: boolean): Promise<void> {
    const keep = async () => {
      await phoneNumbers.keep(app, user.openid, phoneInfo)
      // Nothing is kept of a user who was forgotten during the call.
      if (wasHere && !(await profiles.hasSeen(user))) await phoneNumbers.keep(app, user.openid, undefined)
    }
    await keep().catch(() => {
      logger.error('a phone number could not be kept; the caller still received it')
    })
  }

  return {
    async phoneNumber(request) {
      checkOptionNames<PhoneNumberRequest>('phoneNumber', requireFields(request), PHONE_NUMBER_NAMES)
      const { openid, keep = openid !== undefined && parts.keepPhoneNumbers } = request
      const app = apps.choose(request.appid)
      const code = checkCode(request.code, 'bindgetphonenumber')
      if (keep && openid === undefined) throw new TypeError('phoneNumber: keep needs openid')
      const user = openid === undefined ? undefined : namedUser(apps, { appid: app.appid, openid }).user
      const keeper = keep ? user : undefined
      const wasHere = keeper !== undefined && (await profiles.hasSeen(keeper))
      const exchange = () =>
        asked('the phone number call', app, (access) => getPhoneNumber({ code, openid }, access))
      const phoneInfo = await (user ? parts.phoneCodes.within(user, exchange) : exchange())
      if (keeper) await keepNumber(app, keeper, phoneInfo, wasHere)
      return phoneInfo
    },
    phoneNumberOf: async (selector) => phoneNumbers.find(namedUser(apps, selector).user),
    async forgetPhoneNumber(selector) {
      const { app, user } = namedUser(apps, selector)
      await phoneNumbers.keep(app, user.openid, undefined)
    },
    async accessToken({ appid, refused } = {}) {
      const app = apps.choose(appid)
      const refusedToken = refused === undefined ? undefined : new Secret(refused)
      const { accessToken } = await reported('the access token', () => accessTo(app, refusedToken))
      return accessToken.reveal()
    },

    async checkSessionKey(selector) {
      const session = namedSession(apps, selector)
      const sessionKey = await sessionKeys.keyOf(session)
      if (sessionKey === undefined) throw unknownSession()
      if (sessionKey === null) return false
      const held = { openid: session.openid, sessionKey }
      return asked('checkSessionKey', apps.choose(session.appid), (access) =>
        sessionKeyApi.check(held, access),
      )
    },

    async resetUserSessionKey(selector) {
      const { app, user } = namedUser(apps, selector)
      const first = 'sessionId' in selector ? sessionIdIn(selector.sessionId) : undefined
      for (const sessionKey of await sessionKeys.keysOf(user, first)) {
        const held = { openid: user.openid, sessionKey }
        const fresh = await asked('resetUserSessionKey', app, (access) =>
          sessionKeyApi.reset(held, access),
        ).catch(ignoreStale)
        // WeChat has replaced the key already, so one more try is worth it.
        if (fresh !== undefined) {
          return sessionKeys.keep(user, fresh).catch(() => sessionKeys.keep(user, fresh))
        }
      }
      throw new WeappError(
        'ERR_SESSION_KEY_STALE',
        'None of the session_keys stored for this user is valid at WeChat. Call wx.login and log in again.',
      )
    },
  }
}

/** Adds a deadline. Passes a `WeappError` on; only the log is told of any other failure. */
export function guardProvider(provider: AccessTokenProvider, timeoutMs: number): AccessTokenSource {
  const ask = timely(provider, timeoutMs)
  return async ({ appid, refused }) => {
    const token = await ask({ appid, refused: refused?.reveal() }).catch((error: unknown) => {
      throw error instanceof WeappError ? error : unavailable(`accessTokenProvider failed: ${stackOf(error)}`)
    })
    if (typeof token === 'string' && token !== '') return new Secret(token)
    throw unavailable('accessTokenProvider did not return a non-empty string')
  }
}

function ignoreStale(error: unknown): undefined {
  if (error instanceof WeappError && error.code === 'ERR_SESSION_KEY_STALE') return undefined
  throw error
}
