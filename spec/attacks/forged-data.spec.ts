import { createDecipheriv } from 'node:crypto'
import { expect } from 'chai'
import { afterEach, beforeEach, describe, it } from 'mocha'
import type { Response } from 'supertest'
import { problemHandler } from '../../lib/index.js'
import type { Phone } from '../../sandbox/index.js'
import { mountDecryption, mountEveryProtocol } from '../support/every-protocol.js'
import { openWireBed, type WireBed } from '../support/wire-bed.js'
import { joined, type KnownMessage, known, type Part, type Sealed, splitsOf } from './forger.js'

/** How often each attack is tried at most. Before they were closed, the slowest of them needed some thirty requests. */
const TRIES = 120
/** How many failures a user has. */
const MOST_FAILURES = 8
const VICTIMS_NUMBER = '13900001111'

describe('a user without the session_key', () => {
  let bed: WireBed
  let phone: Phone
  let token: string

  beforeEach(async () => {
    bed = await openWireBed((app, sessions) => {
      mountEveryProtocol(app, sessions)
      mountDecryption(app, sessions, { maxAgeSeconds: 300 })
      app.use(problemHandler())
    })
    phone = bed.phone
    token = await logIn()
  })
  afterEach(() => bed.closeClean())

  async function logIn(): Promise<string> {
    const { body } = await bed.http.post('/login').send({ code: await bed.code(phone) })
    return body.token
  }
  const send = (as: string, data: object) => bed.http.post(`/as/${as}`).set('x-3rd-session', token).send(data)
  const put = (data: object) => bed.http.put('/session/user-info').set('x-3rd-session', token).send(data)

  /** Own data, and what it says: nobody knows that better than the user. */
  function own({ encryptedData = '', iv = '' }: Partial<Sealed>): KnownMessage {
    const key = Buffer.from(bed.sandbox.sessionKeyOf(phone), 'base64')
    const decipher = createDecipheriv('aes-128-cbc', key, Buffer.from(iv, 'base64'))
    const text = Buffer.concat([decipher.update(encryptedData, 'base64'), decipher.final()])
    return known({ encryptedData, iv }, text.toString())
  }
  async function ownProfile(nickName: string): Promise<KnownMessage> {
    bed.sandbox.phone({ user: phone.user, profile: { nickName } })
    return own(await phone.wx.getUserInfo())
  }
  const ownSteps = async () => own(await phone.wx.getWeRunData())
  const ownNumber = async () => own(await phone.getPhoneNumber())

  /** Sends one forgery after the other, until one is taken or there are no more. */
  async function attack(forgeries: Iterable<Sealed>, ask: (data: Sealed) => PromiseLike<Response>) {
    const answers: Response[] = []
    for (const forgery of forgeries) {
      if (answers.length === TRIES) break
      const answer = await ask(forgery)
      answers.push(answer)
      if (answer.status === 200) break
    }
    return answers
  }

  function expectGivenUp(answers: readonly Response[]): void {
    const statuses = answers.map(({ status }) => status)
    expect(statuses.slice(0, MOST_FAILURES)).to.satisfy((first: number[]) =>
      first.every((status) => status === 409 || status === 400),
    )
    expect(new Set(statuses.slice(MOST_FAILURES))).to.deep.equal(new Set([429]))
    expect(bed.log.filter((line) => line.includes('could not be decrypted'))).to.have.length(1)
  }

  it('is no verified Admin by another iv', async () => {
    const message = await ownProfile(`${'x'.repeat(11)}in`)
    const [next = 0] = splitsOf(message, (_before, after) => after.startsWith('in","'))
    const forged = joined([{ message, from: next - 1, says: '{"nickName":"Adm' }])
    await put(forged).expect(200)
    const { body } = await bed.http.get('/session').set('x-3rd-session', token)
    expect(body.userInfo).to.include({ nickName: 'Admin', verified: false })
    for (const as of ['any', 'userInfo']) await send(as, forged).expect(400)
  })

  it('is not shown what the server alone knows, under a name of its own choice', async () => {
    let tried = 0
    for (let length = 0; length < 16; length += 1) {
      const message = await ownProfile('x'.repeat(length))
      for (const name of ['openId', 'unionId', 'avatarUrl'])
        for (const at of splitsOf(message, (before) => before.endsWith(`"${name}":"`))) {
          const forged = joined([{ message, from: at - 1, says: '{"nickName":"xxx' }])
          const { status, text } = await put(forged)
          expect([400, 409, 429]).to.include(status)
          expect(text).to.not.include(phone.unionid?.slice(4)).and.not.include(phone.openid.slice(4))
          tried += status === 429 ? 0 : 1
        }
    }
    expect(tried).to.be.above(1)
  })

  it('walks no more steps than WeChat has counted', async () => {
    const message = await ownSteps()
    const inName = splitsOf(message, (before) => /"s(?:t(?:ep?)?)?$/.test(before))
    const inNumber = splitsOf(message, (before, after) => /:\d*$/.test(before) && /^\d*\}/.test(after))
    function* forgeries(): Generator<Sealed> {
      for (const to of inName)
        for (const next of inNumber)
          for (const digit of '0123456789')
            yield joined([
              { message, from: 0, to },
              { message, from: next - 1, says: `":${digit},"step":99999` },
            ])
    }
    expect([...forgeries()]).to.have.length.above(TRIES)
    expectGivenUp(await attack(forgeries(), (data) => send('weRun', data)))
    expect(bed.log.join()).to.include(phone.openid)
  })

  it('has no other phone number than its own', async () => {
    const profile = await ownProfile(`${'x'.repeat(10)}"${VICTIMS_NUMBER}`)
    const number = await ownNumber()
    const [quote = 0] = splitsOf(profile, (_before, after) => after.startsWith(`"${VICTIMS_NUMBER}"`))
    const inAddress = splitsOf(
      profile,
      (before, after) => /"https:[^"]+$/.test(before) && /^[^"]/.test(after),
    )
    function* forgeries(): Generator<Sealed> {
      for (const to of inAddress)
        for (let filler = 0; filler < 100; filler += 1)
          yield joined([
            { message: profile, from: quote - 1, to, says: '{"phoneNumber": ' },
            { message: number, from: 1, says: `${'a'.repeat(8)}${String(filler).padStart(3, '0')}","pu` },
          ])
    }
    expectGivenUp(await attack(forgeries(), (data) => send('phone', data)))
  })

  it('is in no other group, but for the first four characters of its name', async () => {
    const sealed = await phone.wx.getGroupEnterInfo()
    const { body } = await send('group', sealed)
    const message = own(sealed)
    const { body: forged } = await send('group', joined([{ message, from: 0, says: '{"opengid":"XXXX' }]))
    expect(forged.opengid).to.equal(`XXXX${body.opengid.slice(4)}`)
    const parts: Part[] = [
      { message, from: 0, to: 2 },
      { message, from: 1, says: 'XXXXXXXXXXXXXXXX' },
    ]
    await send('group', joined(parts)).expect(409)
  })

  it('gets nothing of a forged profile into a session by logging in with it, in any protocol', async () => {
    const message = await ownProfile(`${'x'.repeat(11)}in`)
    const [next = 0] = splitsOf(message, (_before, after) => after.startsWith('in","'))
    const fresh = async () => {
      const code = await bed.code(phone)
      const own = await ownProfile(`${'x'.repeat(11)}in`)
      return { code, ...joined([{ message: own, from: next - 1, says: '{"nickName":"Adm' }]) }
    }
    const native = await bed.http.post('/login').send(await fresh())
    expect(native.body.userInfo).to.include({ verified: false })

    const headersOf = async () => {
      const { code, encryptedData, iv } = await fresh()
      return { 'X-WX-Code': code, 'X-WX-Encrypted-Data': encryptedData, 'X-WX-IV': iv }
    }
    const wafer2 = await bed.http.get('/wafer2/login').set(await headersOf())
    expect(wafer2.body.data.userinfo).to.include({ verified: false, openId: phone.openid })
    await bed.http
      .get('/wafer/login')
      .set(await headersOf())
      .expect(200)

    const { code, encryptedData: encrypt_data, iv } = await fresh()
    const wxapp = await bed.http.post('/mina/login').send({ code, encrypt_data, iv })
    expect(wxapp.body.data.user_info).to.include({ verified: false })
    const { body } = await bed.http.get('/session').set('x-3rd-session', token)
    expect(body.userInfo).to.include({ verified: false })
  })

  it('finds no oracle at the Wafer session server either', async () => {
    const { data } = (await bed.http.post('/mina/login').send({ code: await bed.code(phone) })).body
    const message = await ownSteps()
    const call = ({ encryptedData, iv }: Sealed) => {
      const para = { id: data.uuid, skey: data.skey, encrypt_data: encryptedData, iv }
      const asked = { interfaceName: 'qcloud.cam.decrypt', para }
      return bed.http.post('/mina_auth/').send({ version: 1, componentName: 'MA', interface: asked })
    }
    for (let to = 1; to < message.length; to += 1) {
      const forged = joined([
        { message, from: 0, to },
        { message, from: to, says: '","x":[],"y":{"a' },
      ])
      const { body } = await call(forged)
      expect(body).to.include({ returnCode: 60021, returnData: '' })
    }
    expect(bed.log.filter((line) => line.includes('could not be decrypted'))).to.have.length(1)
  })

  it('is held off in all sessions at once, and no honest user with it', async () => {
    const message = await ownSteps()
    const broken = joined([{ message, from: 1 }])
    const crowd = await Promise.all(Array.from({ length: 40 }, () => send('weRun', broken)))
    const tried = crowd.filter(({ status }) => status !== 429)
    expect(tried).to.have.length(MOST_FAILURES)
    token = await logIn()
    const limited = await send('weRun', await phone.wx.getWeRunData())
    expect(limited.status).to.equal(429)
    expect(limited.headers['retry-after']).to.equal('600')
    expect(limited.body).to.include({ code: 'ERR_DECRYPTION_LIMIT' })
    await put({ userInfo: { nickName: 'typed in' } }).expect(200)

    phone = bed.sandbox.phone()
    token = await logIn()
    await send('weRun', await phone.wx.getWeRunData()).expect(200)
  })
})
