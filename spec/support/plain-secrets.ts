import type { CodeExchange, ExchangeApp, Identity } from '../../lib/exchange.js'
import { Secret } from '../../lib/secret.js'
import { stableAccessToken } from '../../lib/wechat/access-token.js'
import { guardExchange } from '../../lib/wechat/guarded-exchange.js'
import { getPhoneNumber, type PhoneCode } from '../../lib/wechat/phone-number.js'
import { createSessionKeyApi } from '../../lib/wechat/session-key.js'
import type { WechatApi } from '../../lib/wechat/wechat-api.js'

// The calls of WeChat with plain texts for their secrets, so that tests can compare them.

export function plainExchange(timeoutMs: number) {
  return async (exchange: CodeExchange, app: ExchangeApp, code: string): Promise<Identity> => {
    const guarded = { ...app, secret: new Secret(app.secret) }
    const identity = await guardExchange(timeoutMs)(exchange, guarded, new Secret(code))
    return { ...identity, sessionKey: identity.sessionKey.reveal() }
  }
}

export function plainAccessToken(api: WechatApi) {
  return async ({ appid, secret }: ExchangeApp) => {
    const given = await stableAccessToken(api)({ appid, secret: new Secret(secret) })
    return { ...given, accessToken: given.accessToken.reveal() }
  }
}

const APPID = 'wx1111111111111111'

export function plainPhoneNumber(api: WechatApi) {
  return (code: PhoneCode, accessToken: string) => getPhoneNumber(api)(code, accessBy(accessToken))
}

export interface PlainHeldKey {
  readonly openid: string
  readonly sessionKey: string
}

export function plainSessionKeyApi(api: WechatApi) {
  const calls = createSessionKeyApi(api)
  const secretly = ({ openid, sessionKey }: PlainHeldKey) => ({ openid, sessionKey: new Secret(sessionKey) })
  return {
    check: (held: PlainHeldKey, token: string) => calls.check(secretly(held), accessBy(token)),
    async reset(held: PlainHeldKey, token: string) {
      return (await calls.reset(secretly(held), accessBy(token))).reveal()
    },
  }
}

function accessBy(accessToken: string) {
  return { appid: APPID, accessToken: new Secret(accessToken) }
}
