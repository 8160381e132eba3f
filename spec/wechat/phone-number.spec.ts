import { expect } from 'chai'
import { afterEach, beforeEach, describe, it } from 'mocha'
import type { ErrorCode } from '../../lib/errors.js'
import { isAccessTokenRefused } from '../../lib/wechat/errcodes.js'
import { type PhoneCode, phoneInfoIn } from '../../lib/wechat/phone-number.js'
import { createTransport, type WechatTransport } from '../../lib/wechat/transport.js'
import { createWechatApi } from '../../lib/wechat/wechat-api.js'
import type { Misbehaviour, PhoneOptions } from '../../sandbox/index.js'
import { aSandbox } from '../sandbox/a-sandbox.js'
import { accessToken } from '../sandbox/access-token.js'
import { everythingIn, failureOf, weappErrorOf } from '../support/failures.js'
import { plainPhoneNumber } from '../support/plain-secrets.js'

const PATH = '/wxa/business/getuserphonenumber'
const AMPLE_MS = 10_000

describe('getPhoneNumber', () => {
  const sandbox = aSandbox({
    apps: [
      { appid: 'wx00000000000000a1', secret: 'first' },
      { appid: 'wx00000000000000a2', secret: 'second' },
    ],
  })
  let transport: WechatTransport
  let token: string
  beforeEach(async () => {
    transport = createTransport(new URL(sandbox().url))
    token = await accessToken(sandbox())
  })
  afterEach(() => transport.close())

  const ask = (code: PhoneCode, timeoutMs = AMPLE_MS) =>
    plainPhoneNumber(createWechatApi({ transport, timeoutMs }))(code, token)

  async function tap(options: PhoneOptions = {}): Promise<PhoneCode> {
    const phone = sandbox().phone(options)
    const { code } = await phone.getPhoneNumber()
    return { code, openid: phone.openid }
  }

  it('answers the number of the user who tapped, with its watermark', async () => {
    const info = await ask(await tap({ phoneNumber: '13900001111' }))
    expect(info).to.have.all.keys('phoneNumber', 'purePhoneNumber', 'countryCode', 'watermark')
    expect(info).to.include({
      phoneNumber: '13900001111',
      purePhoneNumber: '13900001111',
      countryCode: '86',
    })
    expect(info.watermark).to.have.all.keys('timestamp', 'appid')
    expect(info.watermark?.appid).to.equal(sandbox().app.appid)
  })

  it('answers a foreign number with and without its country code', async () => {
    const { watermark: _, ...number } = await ask(await tap({ phoneNumber: '7700900123', countryCode: '44' }))
    expect(number).to.deep.equal({
      phoneNumber: '+447700900123',
      purePhoneNumber: '7700900123',
      countryCode: '44',
    })
  })

  it('makes a text of a country code that came as a number', async () => {
    expect(await ask(await tap({ countryCode: 86 }))).to.have.property('countryCode', '86')
    expect(await ask(await tap({ countryCode: 852 }))).to.have.property('countryCode', '852')
  })

  it('sends code and openid as JSON in a POST, and the access token in the query', async () => {
    const code = await tap()
    await ask(code)
    const [call] = sandbox().calls(PATH)
    expect(call).to.deep.include({ method: 'POST', query: { access_token: token } })
    expect(JSON.parse(call?.body ?? '')).to.deep.equal(code)
  })

  it('sends no openid where none is asked for', async () => {
    const { code } = await tap()
    await ask({ code, openid: undefined })
    expect(JSON.parse(sandbox().calls(PATH)[0]?.body ?? '')).to.deep.equal({ code })
  })

  it('refuses a code that was used', async () => {
    const code = await tap()
    await ask(code)
    const error = await weappErrorOf('ERR_PHONE_CODE_INVALID', () => ask(code))
    expect(error.status).to.equal(401)
    expect(everythingIn(error)).to.not.include(code.code).and.not.include(token)
  })

  it('refuses the code of somebody else, and leaves it unused', async () => {
    const code = await tap()
    const { openid: thief } = sandbox().phone()
    const error = await weappErrorOf('ERR_PHONE_CODE_INVALID', () => ask({ ...code, openid: thief }))
    expect(error.status).to.equal(401)
    expect(await ask(code)).to.have.property('countryCode', '86')
  })

  it('refuses the code of another app, a login code and an invented one', async () => {
    const foreign = await tap({ appid: 'wx00000000000000a2' })
    const phone = sandbox().phone()
    const { code: login } = await phone.wx.login()
    const own = { openid: phone.openid }
    for (const code of [foreign, { ...own, code: login }, { ...own, code: 'invented' }])
      await weappErrorOf('ERR_PHONE_CODE_INVALID', () => ask(code))
  })

  const refusals: [what: string, errcode: number, spoil: () => void][] = [
    ['expired', 42001, () => sandbox().expireAccessToken()],
    ['revoked', 40001, () => sandbox().revokeAccessToken()],
    ['malformed', 40014, () => (token = 'not-a-token')],
  ]
  for (const [what, errcode, spoil] of refusals) {
    it(`tells an access token that is ${what} from all other failures, and leaves the code unused`, async () => {
      const code = await tap()
      spoil()
      const error = await failureOf(() => ask(code))
      expect(isAccessTokenRefused(error)).to.equal(true)
      expect(error).to.have.property('hint').that.includes(`errcode ${errcode}`)
      expect(everythingIn(error)).to.not.include(token).and.not.include(code.code)
      expect(sandbox().callCount(PATH)).to.equal(1)
      token = await accessToken(sandbox())
      expect(await ask(code)).to.have.property('countryCode', '86')
    })
  }

  it('asks WeChat twice more while it is busy', async () => {
    sandbox().misbehave({ errcode: -1 }, { path: PATH, times: 2 })
    expect(await ask(await tap())).to.have.property('countryCode', '86')
    expect(sandbox().callCount(PATH)).to.equal(3)
  })

  const failures: [how: Misbehaviour, code: ErrorCode, timeoutMs?: number][] = [
    [{ errcode: 45011 }, 'ERR_WECHAT_RATE_LIMITED'],
    [{ errcode: 45009 }, 'ERR_WECHAT_QUOTA'],
    [{ errcode: 48001 }, 'ERR_SERVER_MISCONFIGURED'],
    ['wrongTypes', 'ERR_WECHAT_ANSWER_INVALID'],
    ['badJson', 'ERR_WECHAT_ANSWER_INVALID'],
    ['truncated', 'ERR_WECHAT_ANSWER_INVALID'],
    ['html', 'ERR_WECHAT_ANSWER_INVALID'],
    ['html502', 'ERR_WECHAT_ANSWER_INVALID'],
    ['drop', 'ERR_WECHAT_NO_ANSWER'],
    ['hang', 'ERR_WECHAT_NO_ANSWER', 500],
  ]
  for (const [how, code, timeoutMs] of failures) {
    it(`ends in ${code} after one call when WeChat does ${JSON.stringify(how)}, and gives nothing away`, async () => {
      sandbox().misbehave(how, { path: PATH })
      const phoneCode = await tap({ phoneNumber: '13987654321' })
      const error = await weappErrorOf(code, () => ask(phoneCode, timeoutMs))
      expect(sandbox().callCount(PATH)).to.equal(1)
      const shown = everythingIn(error)
      for (const secret of [token, phoneCode.code, phoneCode.openid, '13987654321', sandbox().url])
        expect(shown).to.not.include(secret)
    })
  }
})

describe('a response without a phone number', () => {
  for (const [what, info, hint] of [
    ['no phone_info', null, 'a response without phone_info'],
    ['no number in it', { countryCode: '86' }, 'a phone_info with a missing or invalid phoneNumber'],
    ['an odd one', { phoneNumber: ['1'] }, 'a phone_info with a missing or invalid phoneNumber'],
  ] as const) {
    it(`is refused by the name of the field: ${what}`, async () => {
      const send = async () => JSON.stringify({ errcode: 0, phone_info: info })
      const ask = plainPhoneNumber(createWechatApi({ transport: { send, close: () => undefined } }))
      const error = await weappErrorOf('ERR_WECHAT_ANSWER_INVALID', () =>
        ask({ code: 'code', openid: undefined }, 'token'),
      )
      expect(error.hint).to.equal(`WeChat returned ${hint}`)
    })
  }
})

describe('phoneInfoIn', () => {
  const info = {
    phoneNumber: '13900001111',
    purePhoneNumber: '13900001111',
    countryCode: '86',
    watermark: { timestamp: 1_477_314_187, appid: 'wx1' },
  }

  it('takes the documented fields and no others', () => {
    expect(phoneInfoIn({ ...info, unheard: 'of' })).to.deep.equal(info)
  })

  it('takes numbers that came as texts, and texts that came as numbers', () => {
    const odd = {
      ...info,
      phoneNumber: 13900001111,
      countryCode: 86,
      watermark: { timestamp: '1477314187', appid: 'wx1' },
    }
    expect(phoneInfoIn(odd)).to.deep.equal(info)
  })

  const abroad = { phoneNumber: '+85261234567', purePhoneNumber: '61234567', countryCode: '852' }
  for (const [missing, found] of [
    ['countryCode', abroad],
    ['purePhoneNumber', abroad],
    ['phoneNumber', abroad],
    ['countryCode', { phoneNumber: '13900001111', purePhoneNumber: '13900001111', countryCode: '86' }],
    ['purePhoneNumber', { phoneNumber: '13900001111', purePhoneNumber: '13900001111', countryCode: '86' }],
    ['phoneNumber', { phoneNumber: '13900001111', purePhoneNumber: '13900001111', countryCode: '86' }],
  ] as const) {
    it(`finds out ${missing} of ${found.phoneNumber} where it is missing or odd`, () => {
      for (const value of [undefined, null, '', ['x']])
        expect(phoneInfoIn({ ...found, [missing]: value })).to.deep.equal(found)
    })
  }

  it('takes a number alone for a Chinese one, unless it begins with a code that cannot be told', () => {
    expect(phoneInfoIn({ phoneNumber: '13900001111' })).to.include({
      purePhoneNumber: '13900001111',
      countryCode: '86',
    })
    const unknown = { phoneNumber: '+85261234567', purePhoneNumber: '85261234567', countryCode: '' }
    expect(phoneInfoIn({ phoneNumber: '+85261234567' })).to.deep.equal(unknown)
  })

  it('leaves out a watermark that is missing or odd', () => {
    const { watermark: _, ...number } = info
    for (const watermark of [undefined, [], { timestamp: 1 }, { timestamp: 'x', appid: 'wx1' }])
      expect(phoneInfoIn({ ...info, watermark })).to.deep.equal(number)
  })

  it('answers nothing where there is no number', () => {
    for (const fields of [{}, { countryCode: '86' }, { phoneNumber: '', purePhoneNumber: ['1'] }])
      expect(phoneInfoIn(fields)).to.equal(undefined)
  })
})
