import { expect } from 'chai'
import { describe, it } from 'mocha'
import { createSandbox, type Phone, type SandboxQuotas } from '../../sandbox/index.js'
import { Quotas } from '../../sandbox/quotas.js'
import { aSandbox, exchange, logInAndExchange, StoppedClock } from './a-sandbox.js'
import { accessToken, askForToken, STABLE_TOKEN } from './access-token.js'
import { type Answered, ask, postJson } from './ask.js'
import { proofOf } from './opened.js'

const MINUTE = 60_000
const LAST_MINUTE_OF_A_CHINESE_DAY = Date.UTC(2026, 0, 1, 15, 59)
const apps = [
  { appid: 'wxaaaaaaaaaaaaaaaa', secret: 'first' },
  { appid: 'wxbbbbbbbbbbbbbbbb', secret: 'second' },
] as const

describe('the documented quotas', () => {
  const documented: [name: keyof SandboxQuotas, limit: number, errcode: number][] = [
    ['code2SessionPerUserPerMinute', 100, 45011],
    ['stableTokenPerMinute', 10_000, 45011],
    ['stableTokenPerDay', 500_000, 45009],
    ['resetUserSessionKeyPerMinute', 60_000, 45011],
  ]

  for (const [name, limit, errcode] of documented) {
    it(`end ${name} with ${errcode} after ${limit}, for each caller on its own`, () => {
      const quotas = new Quotas(() => 0, {})
      for (let calls = 0; calls < limit; calls++) quotas.spend(name, 'one')
      expect(quotas.spend(name, 'one')).to.equal(errcode)
      expect(quotas.spend(name, 'another')).to.equal(undefined)
    })
  }
})

describe('a quota', () => {
  it('is whole again in the next minute of the clock, however late the last one was spent', () => {
    const clock = new StoppedClock()
    const quotas = new Quotas(clock.read, { stableTokenPerMinute: 1 })
    clock.now += MINUTE - 1
    expect(quotas.spend('stableTokenPerMinute', 'one')).to.equal(undefined)
    expect(quotas.spend('stableTokenPerMinute', 'one')).to.equal(45011)
    clock.now += 1
    expect(quotas.spend('stableTokenPerMinute', 'one')).to.equal(undefined)
  })

  it('is used up from the start when it is 0', () => {
    expect(new Quotas(() => 0, { stableTokenPerDay: 0 }).spend('stableTokenPerDay', 'one')).to.equal(45009)
  })

  it('has no end when it is Infinity', () => {
    const quotas = new Quotas(() => 0, { code2SessionPerUserPerMinute: Number.POSITIVE_INFINITY })
    for (let calls = 0; calls < 1000; calls++) {
      expect(quotas.spend('code2SessionPerUserPerMinute', 'one')).to.equal(undefined)
    }
  })

  it('forgets its oldest caller when it knows more than 100,000', () => {
    const quotas = new Quotas(() => 0, { code2SessionPerUserPerMinute: 1 })
    for (let caller = 0; caller < 100_001; caller++) {
      quotas.spend('code2SessionPerUserPerMinute', `user-${caller}`)
    }
    expect(quotas.spend('code2SessionPerUserPerMinute', 'user-2')).to.equal(45011)
    expect(quotas.spend('code2SessionPerUserPerMinute', 'user-0')).to.equal(undefined)
  })

  it('is the documented one where undefined is given', () => {
    const quotas = new Quotas(() => 0, {
      code2SessionPerUserPerMinute: undefined,
    } as unknown as SandboxQuotas)
    for (let calls = 0; calls < 100; calls++) quotas.spend('code2SessionPerUserPerMinute', 'one')
    expect(quotas.spend('code2SessionPerUserPerMinute', 'one')).to.equal(45011)
  })

  for (const amount of [-1, 1.5, Number.NaN, Number.NEGATIVE_INFINITY, '2', null]) {
    it(`is refused as ${typeof amount} ${amount}`, async () => {
      const quotas = { stableTokenPerMinute: amount } as SandboxQuotas
      const failure = await createSandbox({ quotas }).catch((error: unknown) => error)
      expect(failure)
        .to.be.instanceOf(TypeError)
        .with.property('message')
        .that.equals('createSandbox: quotas: "stableTokenPerMinute" must be an integer from 0, or Infinity')
    })
  }
})

describe('the quota of code2Session', () => {
  const clock = new StoppedClock()
  const sandbox = aSandbox({ clock: clock.read, apps, quotas: { code2SessionPerUserPerMinute: 2 } })

  const exchangeNewCode = async (phone: Phone): Promise<Answered> =>
    exchange(sandbox(), (await phone.wx.login()).code)

  it('ends with 45011 as text/plain, and the code stays good for the next minute', async () => {
    const phone = sandbox().phone()
    await exchangeNewCode(phone)
    await exchangeNewCode(phone)
    const { code } = await phone.wx.login()
    const { status, headers, json } = await exchange(sandbox(), code)
    expect(status).to.equal(200)
    expect(headers['content-type']).to.match(/^text\/plain/)
    expect(json.errcode).to.equal(45011)
    expect(json.errmsg).to.match(/^api minute-quota reach limit, retry next minute, rid: /)
    clock.now += MINUTE
    expect((await exchange(sandbox(), code)).json).to.include({ openid: phone.openid })
  })

  it('is one for all phones of a user', async () => {
    const phone = sandbox().phone()
    await exchangeNewCode(phone)
    await exchangeNewCode(phone)
    const tablet = sandbox().phone({ user: phone.user })
    expect((await exchangeNewCode(tablet)).json.errcode).to.equal(45011)
  })

  it('is another one for another user, and in another app', async () => {
    const phone = sandbox().phone()
    await exchangeNewCode(phone)
    await exchangeNewCode(phone)
    expect((await exchangeNewCode(sandbox().phone())).json).to.have.property('openid')
    const elsewhere = await sandbox().phone({ user: phone.user, appid: apps[1].appid }).wx.login()
    expect((await exchange(sandbox(), elsewhere.code, apps[1])).json).to.have.property('openid')
  })

  it('is not spent by used codes, by wrong secrets and by demanded errors', async () => {
    const phone = sandbox().phone()
    const { code } = await phone.wx.login()
    for (let times = 0; times < 3; times++) await exchange(sandbox(), code, { secret: 'guessed' })
    sandbox().misbehave({ errcode: -1 }, { times: 3 })
    for (let times = 0; times < 3; times++) await exchange(sandbox(), code)
    expect((await exchange(sandbox(), code)).json).to.have.property('openid')
    for (let times = 0; times < 3; times++) {
      expect((await exchange(sandbox(), code)).json.errcode).to.equal(40163)
    }
    expect((await exchangeNewCode(phone)).json).to.have.property('openid')
  })

  it('does not hold for Douyin', async () => {
    const phone = sandbox().phone()
    for (let times = 0; times < 3; times++) {
      const { code } = await phone.tt.login()
      const { json } = await postJson(`${sandbox().url}/api/apps/v2/jscode2session`, { ...apps[0], code })
      expect(json.err_no).to.equal(0)
    }
  })
})

describe('the quota of stable_token in a minute', () => {
  const clock = new StoppedClock()
  const sandbox = aSandbox({ clock: clock.read, apps, quotas: { stableTokenPerMinute: 2 } })

  it('ends with 45011 as application/json, until the next minute', async () => {
    const token = await accessToken(sandbox())
    await accessToken(sandbox())
    const { headers, json } = await askForToken(sandbox())
    expect(headers['content-type']).to.match(/^application\/json/)
    expect(json).to.have.all.keys('errcode', 'errmsg')
    expect(json.errcode).to.equal(45011)
    clock.now += MINUTE
    expect(await accessToken(sandbox())).to.equal(token)
  })

  it('is another one for another app', async () => {
    for (let times = 0; times < 3; times++) await askForToken(sandbox())
    expect((await askForToken(sandbox(), { ...apps[1] })).json).to.have.property('access_token')
  })

  it('is spent with the right secret only, whatever else is wrong', async () => {
    for (let times = 0; times < 3; times++) await askForToken(sandbox(), { secret: 'guessed' })
    for (let times = 0; times < 2; times++) {
      expect((await askForToken(sandbox(), { grant_type: 'none' })).json.errcode).to.equal(40002)
    }
    expect((await askForToken(sandbox())).json.errcode).to.equal(45011)
  })

  it('refuses a forced refresh too, which then leaves the token alive', async () => {
    const token = await accessToken(sandbox())
    await accessToken(sandbox())
    expect((await askForToken(sandbox(), { force_refresh: true })).json.errcode).to.equal(45011)
    clock.now += MINUTE
    expect(await accessToken(sandbox())).to.equal(token)
  })

  it('is spent by calls whose answer is lost', async () => {
    sandbox().misbehave('drop', { path: STABLE_TOKEN, times: 2 })
    for (let times = 0; times < 2; times++) await askForToken(sandbox()).catch(() => undefined)
    expect((await askForToken(sandbox())).json.errcode).to.equal(45011)
  })
})

describe('the quota of stable_token in a day', () => {
  const clock = new StoppedClock()
  const quotas = { stableTokenPerMinute: 2, stableTokenPerDay: 3 }
  const sandbox = aSandbox({ clock: clock.read, apps, quotas })

  it('ends with 45009 until midnight in China, and calls that the minute refuses do not count', async () => {
    clock.now = LAST_MINUTE_OF_A_CHINESE_DAY - MINUTE
    const errcodes: unknown[] = []
    const askTwice = async (): Promise<void> => {
      for (let times = 0; times < 2; times++) errcodes.push((await askForToken(sandbox())).json.errcode)
    }
    await askTwice()
    await askTwice()
    clock.now = LAST_MINUTE_OF_A_CHINESE_DAY
    await askTwice()
    expect(errcodes).to.deep.equal([undefined, undefined, 45011, 45011, undefined, 45009])
    clock.now += MINUTE
    expect((await askForToken(sandbox())).json).to.have.property('access_token')
  })
})

describe('the quota of resetusersessionkey', () => {
  const clock = new StoppedClock()
  const sandbox = aSandbox({ clock: clock.read, apps, quotas: { resetUserSessionKeyPerMinute: 2 } })

  const askAbout = async (path: string, phone: Phone): Promise<Answered> => {
    const app = apps.find(({ appid }) => appid === phone.appid)
    const query = new URLSearchParams({
      access_token: await accessToken(sandbox(), app),
      openid: phone.openid,
      signature: proofOf(sandbox().sessionKeyOf(phone)),
      sig_method: 'hmac_sha256',
    })
    return ask(`${sandbox().url}${path}?${query}`)
  }
  const reset = (phone: Phone): Promise<Answered> => askAbout('/wxa/resetusersessionkey', phone)

  it('ends with 45011 as application/json until the next minute, and the key stays', async () => {
    const [one, other] = [sandbox().phone(), sandbox().phone()]
    await logInAndExchange(sandbox(), one)
    await reset(one)
    await reset(other)
    const key = sandbox().sessionKeyOf(one)
    const { headers, json } = await reset(one)
    expect(headers['content-type']).to.match(/^application\/json/)
    expect(json).to.have.all.keys('errcode', 'errmsg')
    expect(json.errcode).to.equal(45011)
    expect(sandbox().sessionKeyOf(one)).to.equal(key)
    clock.now += MINUTE
    expect((await reset(one)).json.errcode).to.equal(0)
  })

  it('is another one for another app, and checksession has none', async () => {
    const phone = sandbox().phone()
    for (let times = 0; times < 3; times++) await reset(phone)
    expect((await reset(sandbox().phone({ appid: apps[1].appid }))).json.errcode).to.equal(0)
    expect((await askAbout('/wxa/checksession', phone)).json.errcode).to.equal(0)
  })
})
