import { expect } from 'chai'
import { describe, it } from 'mocha'
import { aSandbox, StoppedClock } from './a-sandbox.js'
import { accessToken } from './access-token.js'
import { type Answered, ask, postJson } from './ask.js'
import { opened } from './opened.js'

const PATH = '/wxa/business/getuserphonenumber'
const clock = new StoppedClock()
const apps = [
  { appid: 'wxaaaaaaaaaaaaaaaa', secret: 'first' },
  { appid: 'wxbbbbbbbbbbbbbbbb', secret: 'second' },
] as const

describe('getuserphonenumber', () => {
  const sandbox = aSandbox({ clock: clock.read, apps })

  const address = async (): Promise<string> => {
    const query = new URLSearchParams({ access_token: await accessToken(sandbox()) })
    return `${sandbox().url}${PATH}?${query}`
  }
  const exchangePhoneCode = async (fields: object): Promise<Answered> => postJson(await address(), fields)

  it('returns the phone number behind a code', async () => {
    const phone = sandbox().phone({ phoneNumber: '13580006666' })
    const { code } = await phone.getPhoneNumber()
    const tappedAt = clock.now / 1000
    clock.now += 1000
    const { status, headers, json } = await exchangePhoneCode({ code })
    expect(status).to.equal(200)
    expect(headers['content-type']).to.match(/^application\/json/)
    expect(json).to.deep.equal({
      errcode: 0,
      errmsg: 'ok',
      phone_info: {
        phoneNumber: '13580006666',
        purePhoneNumber: '13580006666',
        countryCode: '86',
        watermark: { timestamp: tappedAt, appid: phone.appid },
      },
    })
  })

  it('returns the country code as a number on demand', async () => {
    const { code } = await sandbox().phone({ countryCode: 86 }).getPhoneNumber()
    const { json } = await exchangePhoneCode({ code })
    expect(json.phone_info).to.include({ countryCode: 86 })
  })

  it('returns a foreign number with and without its country code', async () => {
    const { code } = await sandbox().phone({ phoneNumber: '61234567', countryCode: '852' }).getPhoneNumber()
    const { json } = await exchangePhoneCode({ code })
    expect(json.phone_info).to.include({
      phoneNumber: '+85261234567',
      purePhoneNumber: '61234567',
      countryCode: '852',
    })
  })

  it('needs no login, and takes the openid of whoever has tapped', async () => {
    const phone = sandbox().phone()
    const { code } = await phone.getPhoneNumber()
    expect((await exchangePhoneCode({ code, openid: phone.openid })).json.errcode).to.equal(0)
  })

  it('refuses the openid of somebody else with 40029, the code unused', async () => {
    const phone = sandbox().phone()
    const { code } = await phone.getPhoneNumber()
    for (const openid of [sandbox().phone().openid, '', 7, null]) {
      expect((await exchangePhoneCode({ code, openid })).json.errcode).to.equal(40029)
    }
    expect((await exchangePhoneCode({ code })).json.errcode).to.equal(0)
  })

  it('refuses a used code with 40029', async () => {
    const { code } = await sandbox().phone().getPhoneNumber()
    await exchangePhoneCode({ code })
    expect((await exchangePhoneCode({ code })).json.errcode).to.equal(40029)
  })

  it('refuses a code after five minutes with 40029', async () => {
    const phone = sandbox().phone()
    const [first, second] = [await phone.getPhoneNumber(), await phone.getPhoneNumber()]
    clock.now += 5 * 60 * 1000 - 1
    expect((await exchangePhoneCode({ code: first.code })).json.errcode).to.equal(0)
    clock.now += 1
    expect((await exchangePhoneCode({ code: second.code })).json.errcode).to.equal(40029)
  })

  it('refuses the code of another app with 40013', async () => {
    const { code } = await sandbox().phone({ appid: apps[1].appid }).getPhoneNumber()
    expect((await exchangePhoneCode({ code })).json.errcode).to.equal(40013)
  })

  it('refuses a code of wx.login with 40029', async () => {
    const { code } = await sandbox().phone().wx.login()
    expect((await exchangePhoneCode({ code })).json.errcode).to.equal(40029)
  })

  for (const code of [undefined, '', 7, 'unknown', ['a']]) {
    it(`refuses the code ${JSON.stringify(code)} with 40029`, async () => {
      expect((await exchangePhoneCode({ code })).json.errcode).to.equal(40029)
    })
  }

  for (const body of ['', 'code=abc', '{"code"', '[]']) {
    it(`refuses the body ${JSON.stringify(body)} with 47001`, async () => {
      expect((await ask(await address(), { method: 'POST', body })).json.errcode).to.equal(47001)
    })
  }

  it('refuses a GET with 43002', async () => {
    expect((await ask(await address())).json.errcode).to.equal(43002)
  })

  it('asks for the access token in the query', async () => {
    const fields = { access_token: await accessToken(sandbox()), code: 'any' }
    expect((await postJson(`${sandbox().url}${PATH}`, fields)).json.errcode).to.equal(41001)
  })

  it('refuses a revoked access token with 40001, the code unused', async () => {
    const { code } = await sandbox().phone().getPhoneNumber()
    const revoked = await address()
    sandbox().revokeAccessToken()
    expect((await postJson(revoked, { code })).json.errcode).to.equal(40001)
    expect((await exchangePhoneCode({ code })).json.errcode).to.equal(0)
  })

  it('misbehaves on demand, and the code stays unused where WeChat turns the request away', async () => {
    const { code } = await sandbox().phone().getPhoneNumber()
    sandbox().misbehave({ errcode: 45011 }, { path: PATH, times: 1 })
    sandbox().misbehave('wrongTypes', { path: PATH, times: 1 })
    expect((await exchangePhoneCode({ code })).json.errcode).to.equal(45011)
    expect((await exchangePhoneCode({ code })).json.phone_info).to.equal('none')
    expect((await exchangePhoneCode({ code })).json.errcode).to.equal(40029)
  })
})

describe('phone.getPhoneNumber', () => {
  const sandbox = aSandbox({ clock: clock.read })

  it('resolves with the detail of the event: a code, and the same number encrypted', async () => {
    const phone = sandbox().phone({ phoneNumber: '13580006666' })
    const detail = await phone.getPhoneNumber()
    expect(detail).to.have.all.keys('code', 'encryptedData', 'iv', 'errMsg')
    expect(detail.errMsg).to.equal('getPhoneNumber:ok')
    expect(detail.code).to.match(/^[0-9a-f]{64}$/)
    expect(opened(detail, sandbox().sessionKeyOf(phone))).to.deep.equal({
      phoneNumber: '13580006666',
      purePhoneNumber: '13580006666',
      countryCode: '86',
      watermark: { timestamp: clock.now / 1000, appid: phone.appid },
    })
  })

  it('gives each user a number, the same on all phones', async () => {
    const phone = sandbox().phone()
    const tablet = sandbox().phone({ user: phone.user })
    const [here, there] = [await phone.getPhoneNumber(), await tablet.getPhoneNumber()]
    const { phoneNumber } = opened(here, sandbox().sessionKeyOf(phone))
    expect(phoneNumber).to.match(/^13\d{9}$/)
    expect(opened(there, sandbox().sessionKeyOf(phone))).to.include({ phoneNumber })
  })

  it('rejects while the phone is offline', async () => {
    const phone = sandbox().phone()
    phone.offline = true
    const failure = await phone.getPhoneNumber().catch((error: unknown) => error)
    expect(failure).to.have.property('errMsg', 'getPhoneNumber:fail the phone is offline')
  })
})
