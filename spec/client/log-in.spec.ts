import { expect } from 'chai'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { answering, type ClientBed, clientErrorOf, drop, loseAnswer, openClientBed } from './client-bed.js'

describe('the login of the client', () => {
  let bed: ClientBed
  const codes = () => bed.sandbox.callCount('/sandbox/login')

  beforeEach(async () => {
    bed = await openClientBed()
  })
  afterEach(() => bed.close())

  it('is shared by all who wait for it', async () => {
    const client = bed.start()
    const calls = Array.from({ length: 30 }, () => client.request({ url: '/me' }))
    const answers = await Promise.all([client.login(), ...calls])
    expect(answers.slice(1).map((answer) => (answer as { statusCode: number }).statusCode)).to.deep.equal(
      Array(30).fill(200),
    )
    expect([bed.logins(), codes()]).to.deep.equal([1, 1])
  })

  it('is one for 30 parallel requests on a session that has expired', async () => {
    const client = bed.start()
    await client.login()
    bed.clock.advance(31 * 86_400_000)
    const answers = await Promise.all(Array.from({ length: 30 }, () => client.request({ url: '/me' })))
    expect(answers.every(({ statusCode }) => statusCode === 200)).to.equal(true)
    expect([bed.logins(), codes()]).to.deep.equal([2, 2])
    expect(bed.asked.filter((line) => line === 'GET /me')).to.have.lengthOf(60)
  })

  it('says which phone it is, as far as that says it', async () => {
    const fail = () => {
      throw new Error('not on this phone')
    }
    const ways: [object, string | undefined][] = [
      [{ getDeviceInfo: () => ({ brand: 'HUAWEI', model: 'ALN-AL00' }) }, 'HUAWEI ALN-AL00'],
      [
        { getSystemInfoSync: () => ({ brand: 'iPhone', model: 'iPhone 12<iPhone13,2>' }) },
        'iPhone iPhone 12 iPhone13,2',
      ],
      [{ getDeviceInfo: () => ({ model: 'K' }), getSystemInfoSync: fail }, 'K'],
      [{ getDeviceInfo: fail }, undefined],
      [{ getDeviceInfo: () => undefined }, undefined],
      [{ getDeviceInfo: () => ({ brand: Symbol('odd') }) }, undefined],
      [{}, undefined],
    ]
    for (const [methods, device] of ways) {
      await bed.start({ wx: Object.assign(Object.create(bed.phone.wx), methods) }).login()
      expect((await bed.sessions.list(bed.phone))[0]?.device).to.equal(device)
    }
  })

  it('ends the session before it', async () => {
    const client = bed.start()
    await client.login()
    const first = bed.stored()
    await client.login()
    expect(bed.stored()).not.to.equal(first)
    await bed.me(first).expect(401)
    expect(await bed.sessions.list(bed.phone)).to.have.lengthOf(1)
  })

  it('that a fault of the application ends is told to the caller, and the next call logs in with a new code', async () => {
    await bed.close()
    let isBroken = true
    bed = await openClientBed({
      onLogin: () => {
        if (isBroken) throw new TypeError('a bug')
      },
    })
    const client = bed.start()
    const error = await clientErrorOf('ERR_HOOK_FAILED', () => client.request({ url: '/me' }))
    expect(error.statusCode).to.equal(500)
    expect([bed.logins(), codes(), bed.waits.length]).to.deep.equal([1, 1, 0])
    isBroken = false
    expect(await client.request({ url: '/me' })).to.include({ statusCode: 200 })
    expect([bed.logins(), codes()]).to.deep.equal([2, 2])
  })

  it('sends the same code again when the answer was lost, and gets the same session', async () => {
    bed.line = answering('/login', loseAnswer)
    await bed.start().request({ url: '/me' })
    expect([bed.logins(), codes()]).to.deep.equal([2, 1])
    expect(await bed.sessions.list(bed.phone)).to.have.lengthOf(1)
  })

  it('takes a new code, once, when the first one is not good', async () => {
    const client = bed.start()
    bed.sandbox.misbehave({ errcode: 40029 }, { times: 1 })
    await client.login()
    expect([bed.logins(), codes()]).to.deep.equal([2, 2])
    bed.sandbox.misbehave({ errcode: 40029 })
    await clientErrorOf('ERR_CODE_INVALID', () => client.login())
    expect([bed.logins(), codes()]).to.deep.equal([4, 4])
  })

  it('waits for a busy WeChat, and then sends the same code', async () => {
    bed.sandbox.misbehave({ errcode: -1 }, { times: 4 })
    await bed.start().login()
    expect(bed.waits).to.deep.equal([2000])
    expect(codes()).to.equal(1)
  })

  it('takes a new code after a wait when WeChat may have used up the first', async () => {
    bed.sandbox.misbehave('drop', { times: 1 })
    await bed.start().login()
    expect([bed.waits, codes()]).to.deep.equal([[2000], 2])
  })

  it('fails for all who wait, with one error, and the next call tries again', async () => {
    const client = bed.start()
    bed.sandbox.misbehave({ errcode: 40226 }, { times: 1 })
    const calls = Array.from({ length: 5 }, () => client.request({ url: '/me' }))
    const codesOf = await Promise.all(calls.map((call) => call.catch(({ code }) => code)))
    expect(codesOf).to.deep.equal(Array(5).fill('ERR_USER_BLOCKED'))
    expect(bed.logins()).to.equal(1)
    expect(await client.request({ url: '/me' })).to.include({ statusCode: 200 })
  })

  it('says when wx.login gives no code', async () => {
    bed.phone.offline = true
    const error = await clientErrorOf('ERR_WX_LOGIN', () => bed.start().request({ url: '/me' }))
    expect(error.errMsg).to.equal('login:fail the phone is offline')
  })

  it('says when the back end cannot be reached, after a second try', async () => {
    bed.line = answering('/login', drop, drop)
    await clientErrorOf('ERR_NETWORK', () => bed.start().login())
    expect([bed.logins(), codes()]).to.deep.equal([2, 1])
  })

  it('takes no answer for a login that brings no token', async () => {
    for (const body of [{ token: 7 }, 'hello', null]) {
      bed.line = answering('/login', (_req, res) => void res.json(body))
      const error = await clientErrorOf('ERR_ANSWER_UNEXPECTED', () => bed.start().login())
      expect(error.statusCode).to.equal(200)
    }
    bed.line = answering('/login', (_req, res) => void res.status(500).json({ token: 'a' }))
    await clientErrorOf('ERR_ANSWER_UNEXPECTED', () => bed.start().login())
    expect(bed.stored()).to.equal('')
  })

  it('names the app where there are several', async () => {
    const two = await openClientBed({ apps: 2 })
    try {
      await clientErrorOf('ERR_APP_UNKNOWN', () => two.start().login())
      await two.start({ appid: two.phone.appid }).login()
    } finally {
      await two.close()
    }
  })
})
