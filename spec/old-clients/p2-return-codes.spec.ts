import { expect } from 'chai'
import { afterEach, describe, it } from 'mocha'
import { type BackEnd, type BackEndOptions, openBackEnd } from './back-end.js'
import { call, curl, logIn, loginPara, oldLoginPara, type WaferServerAnswer } from './p2-call.js'

interface Case {
  readonly code: number
  readonly message: string
  readonly when: string
  readonly options?: BackEndOptions
  ask(backEnd: BackEnd): Promise<WaferServerAnswer>
}

const LOGIN = 'qcloud.cam.id_skey'
const AUTH = 'qcloud.cam.auth'
const DECRYPT = 'qcloud.cam.decrypt'

/** A login while WeChat or Redis is in trouble. */
function loginIn(trouble: (backEnd: BackEnd) => unknown): Case['ask'] {
  return async (backEnd) => {
    const para = await loginPara(backEnd)
    await trouble(backEnd)
    return call(backEnd, LOGIN, para)
  }
}

/** A login, and then something with its id and skey. */
function afterLogin(
  ask: (backEnd: BackEnd, session: { id: string; skey: string }) => Promise<WaferServerAnswer>,
): Case['ask'] {
  return async (backEnd) => {
    const { id, skey } = await logIn(backEnd)
    return ask(backEnd, { id, skey })
  }
}

/** A login whose parameters are changed first. */
function loginWith(change: object): Case['ask'] {
  return async (backEnd) => call(backEnd, LOGIN, { ...(await loginPara(backEnd)), ...change })
}

const cases: Case[] = [
  {
    code: 1001,
    message: 'DATABASE_ERR',
    when: 'Redis fails at a login',
    ask: loginIn((backEnd) => backEnd.loseRedis()),
  },
  {
    code: 1001,
    message: 'DATABASE_ERR',
    when: 'Redis fails later',
    ask: afterLogin(async (backEnd, session) => {
      await backEnd.loseRedis()
      return call(backEnd, AUTH, session)
    }),
  },
  {
    code: 1002,
    message: 'NO_INTERFACENAME_PARA',
    when: 'no interface is named',
    ask: (backEnd) => curl(backEnd, '{"version":1,"componentName":"MA","interface":{"para":{}}}'),
  },
  {
    code: 1003,
    message: 'PARA_ERR',
    when: 'there is no code',
    ask: loginWith({ code: undefined }),
  },
  {
    code: 1003,
    message: 'PARA_ERR',
    when: 'encrypt_data is empty',
    ask: loginWith({ encrypt_data: '' }),
  },
  {
    code: 1003,
    message: 'PARA_ERR',
    when: 'there is no skey',
    ask: (backEnd) => call(backEnd, AUTH, { id: 'A'.repeat(20) }),
  },
  {
    code: 1005,
    message: 'WEIXIN_NET_ERR',
    when: 'WeChat is down',
    ask: loginIn((backEnd) => backEnd.sandbox.takeDown()),
  },
  {
    code: 1005,
    message: 'WEIXIN_NET_ERR',
    when: 'WeChat gives no answer',
    ask: loginIn((backEnd) => backEnd.sandbox.misbehave('drop')),
  },
  {
    code: 1006,
    message: 'CHANGE_SESSION_ERR',
    when: 'the user has too many sessions',
    options: { maxSessionsPerUser: 1, onLimit: 'refuse' },
    ask: afterLogin((backEnd) => loginWith({})(backEnd)),
  },
  {
    code: 1007,
    message: 'WEIXIN_RETURN_ERR',
    when: 'WeChat answers half of a JSON text',
    ask: loginIn((backEnd) => backEnd.sandbox.misbehave('badJson')),
  },
  {
    code: 1007,
    message: 'WEIXIN_RETURN_ERR',
    when: 'WeChat names no user',
    ask: loginIn((backEnd) => backEnd.sandbox.misbehave('missingOpenid')),
  },
  {
    code: 1009,
    message: 'REQUEST_IS_NOT_JSON',
    when: 'the body is a real form',
    ask: (backEnd) => curl(backEnd, 'interfaceName=qcloud.cam.auth&id=1&skey=2'),
  },
  {
    code: 1010,
    message: 'INTERFACENAME_PARA_ERR',
    when: 'the interface is unknown',
    ask: (backEnd) => call(backEnd, 'qcloud.cam.nothing', {}),
  },
  {
    code: 1011,
    message: 'NO_PARA',
    when: 'there are no parameters',
    ask: (backEnd) => curl(backEnd, JSON.stringify({ interface: { interfaceName: AUTH } })),
  },
  {
    code: 1012,
    message: 'NO_APPID',
    when: 'several apps log in here and the mount names none',
    options: { apps: 2 },
    ask: loginWith({}),
  },
  {
    code: 1013,
    message: 'INIT_DATA_FAIL',
    when: 'somebody wants to set up an app from the network',
    ask: (backEnd) => call(backEnd, 'qcloud.cam.initdata', { appid: 'wx1', secret: 'x', ip: '::1' }),
  },
  {
    code: 40029,
    message: 'WEIXIN_CODE_ERR',
    when: 'WeChat does not know the code',
    ask: loginWith({ code: '001EWYiD1CVtKg0jXGjD1e6WiD1EWYiC' }),
  },
  {
    code: 60012,
    message: 'AUTH_FAIL',
    when: 'the session has ended by the idle clock',
    ask: afterLogin((backEnd, session) => {
      backEnd.passIdleTime()
      return call(backEnd, AUTH, session)
    }),
  },
  {
    code: 60012,
    message: 'AUTH_FAIL',
    when: 'the id is of another user',
    ask: afterLogin((backEnd, { skey }) => call(backEnd, AUTH, { id: 'A'.repeat(20), skey })),
  },
  {
    code: 60012,
    message: 'AUTH_FAIL',
    when: 'the skey is 10 kB long',
    ask: afterLogin((backEnd, { id }) => call(backEnd, AUTH, { id, skey: 'A'.repeat(10_240) })),
  },
  {
    code: 60021,
    message: 'DECRYPT_FAIL',
    when: 'the data of a login was tampered with',
    ask: loginWith({ encrypt_data: Buffer.alloc(128).toString('base64') }),
  },
  {
    code: 60021,
    message: 'DECRYPT_FAIL',
    when: 'the iv of a login is too short',
    ask: loginWith({ iv: 'AAAA' }),
  },
  {
    code: 60021,
    message: 'DECRYPT_FAIL',
    when: 'data whose iv is the key comes with another iv',
    ask: async (backEnd) => {
      const { code, encrypt_data } = await oldLoginPara(backEnd)
      return call(backEnd, LOGIN, { code, encrypt_data, iv: Buffer.alloc(16).toString('base64') })
    },
  },
  {
    code: 60021,
    message: 'DECRYPT_FAIL',
    when: 'data to decrypt is under a key that is out of date',
    ask: afterLogin(async (backEnd, session) => {
      backEnd.sandbox.rotateSessionKey(backEnd.phone)
      const { encryptedData, iv } = await backEnd.phone.wx.getUserInfo()
      return call(backEnd, DECRYPT, { ...session, encrypt_data: encryptedData, iv })
    }),
  },
]

describe('P2 Wafer session server: return code', () => {
  let backEnd: BackEnd

  afterEach(() => backEnd.close())

  for (const { code, message, when, options, ask } of cases) {
    it(`${code} ${message} says that ${when}`, async () => {
      backEnd = await openBackEnd(options)
      expect(await ask(backEnd)).to.deep.equal({ returnCode: code, returnMessage: message, returnData: '' })
    })
  }
})
