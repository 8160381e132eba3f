import { expect } from 'chai'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { MemoryStore } from '../../lib/index.js'
import { testClock } from '../support/clock.js'
import { weappErrorOf } from '../support/failures.js'
import { openTestBed, type TestBed } from '../support/test-bed.js'
import { type WatchedStore, watchStore } from '../support/watched-store.js'

const ASK = '/wxa/business/getuserphonenumber'

describe('invented codes of the phone number button', () => {
  let clock: ReturnType<typeof testClock>
  let store: WatchedStore
  let bed: TestBed
  let token: string

  beforeEach(async () => {
    clock = testClock()
    store = watchStore(new MemoryStore({ clock }))
    bed = await openTestBed({ clock, store })
    token = await bed.logIn()
  })
  afterEach(() => bed.close())

  const user = () => ({ appid: bed.phone.appid, openid: bed.phone.openid })
  const reached = () => bed.sandbox.callCount(ASK)
  const post = (code: string, by = token) =>
    bed.http.post('/session/phone-number').set('x-3rd-session', by).send({ code })
  let invented = 0
  const inventMany = (many: number) =>
    Promise.all(Array.from({ length: many }, () => post(`invented${++invented}`)))

  it('reach WeChat eight times in ten minutes, together or one by one, from all sessions and processes', async () => {
    const answers = await inventMany(100)
    expect(answers.map(({ body }) => body.code)).to.have.members([
      ...Array(8).fill('ERR_PHONE_CODE_INVALID'),
      ...Array(92).fill('ERR_PHONE_CODE_LIMIT'),
    ])
    expect(answers.find(({ status }) => status === 429)?.headers['retry-after']).to.equal('600')
    token = await bed.logIn()
    const other = await openTestBed({ clock, store, wechat: { baseUrl: bed.sandbox.url } })
    const attempt = () => other.sessions.phoneNumber({ ...user(), code: 'x' })
    await weappErrorOf('ERR_PHONE_CODE_LIMIT', attempt).finally(() => other.close())
    expect((await post('again')).body.code).to.equal('ERR_PHONE_CODE_LIMIT')
    expect(reached()).to.equal(8)
    expect(bed.log).to.have.length(1)
    expect(bed.log[0]).to.match(
      /^WeChat refused 8 phone number codes of the user o\S+ of wx\d+ within minutes/,
    )
  })

  it('leave other users alone, and a good code good', async () => {
    await inventMany(20)
    const { code } = await bed.phone.getPhoneNumber()
    expect((await post(code)).body.code).to.equal('ERR_PHONE_CODE_LIMIT')
    const phone = bed.sandbox.phone()
    const own = await phone.getPhoneNumber()
    await post(own.code, await bed.logIn(phone)).expect(200)
    clock.advance(600_000)
    await post((await bed.phone.getPhoneNumber()).code).expect(200)
  })

  it('are not confused with good ones, nor with trouble at WeChat', async () => {
    for (let times = 0; times < 12; times += 1)
      await post((await bed.phone.getPhoneNumber()).code).expect(200)
    const restore = bed.sandbox.misbehave({ errcode: 45009 }, { path: ASK })
    for (let times = 0; times < 12; times += 1) await post('x').expect(503)
    restore()
    clock.advance(1000)
    await post((await bed.phone.getPhoneNumber()).code).expect(200)
  })

  it('reach WeChat not at all while the store cannot count them', async () => {
    store.before = (method) => {
      if (method === 'addToValue') throw new Error('READONLY')
    }
    for (const { status } of await inventMany(10)) expect(status).to.equal(503)
    expect(reached()).to.equal(0)
  })

  it('are forgotten with their user', async () => {
    await inventMany(20)
    await bed.sessions.forgetUser(user())
    const { code } = await bed.phone.getPhoneNumber()
    await bed.sessions.phoneNumber({ ...user(), code })
  })
})
