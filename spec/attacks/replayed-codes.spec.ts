import { expect } from 'chai'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { userStateFlow } from '../../docs/recipes/user-state-flow.js'
import { loginRouter, nativeProtocol, type Protocol } from '../../lib/index.js'
import { mountEveryProtocol } from '../support/every-protocol.js'
import { openWireBed, type WireBed } from '../support/wire-bed.js'

const NONCE = 'a-nonce-of-the-phone'
const OWNERS_ADDRESS = '203.0.113.7'
const THIEFS_ADDRESS = '198.51.100.9'

/** The native protocol with a second way to log in at the same mount. */
const twoWays: Protocol = {
  ...nativeProtocol(),
  routes: nativeProtocol()
    .routes.filter(({ path }) => path === '/login')
    .flatMap((login) => [login, { ...login, path: '/other' }]),
}

/** What a thief has who reads an access log, or a proxy's: the code, and where it went. */
describe('a login code that somebody else has read', () => {
  let bed: WireBed

  beforeEach(async () => {
    bed = await openWireBed((app, sessions) => {
      app.set('trust proxy', true)
      app.use('/state', loginRouter({ sessions, protocol: userStateFlow }))
      app.use('/v2', loginRouter({ sessions }))
      app.use('/two', loginRouter({ sessions, protocol: twoWays }))
      mountEveryProtocol(app, sessions)
    })
  })
  afterEach(() => bed.closeClean())

  const native = (body: object, address = OWNERS_ADDRESS, path = '/login') =>
    bed.http.post(path).set('x-forwarded-for', address).send(body)
  const wxapp = (code: string, address: string) =>
    bed.http.post('/mina/login').set('x-forwarded-for', address).send({ code })
  const told = () => bed.log.filter((line) => line.includes('login code'))

  it('gives nothing after its use where the client sent a nonce, from whatever address', async () => {
    const code = await bed.code()
    const { body: own } = await native({ code, nonce: NONCE }).expect(200)
    for (const address of [THIEFS_ADDRESS, OWNERS_ADDRESS])
      for (const nonce of [undefined, 'another-nonce-of-16'])
        await native({ code, nonce }, address).expect(401)
    expect(told()).to.have.length(1)
    const { body: again } = await native({ code, nonce: NONCE }, '192.0.2.1').expect(200)
    expect(again.token).to.equal(own.token)
    expect(told().at(-1)).to.include('another address')
    expect(bed.log.join()).to.not.include(code).and.not.include(own.token).and.not.include(NONCE)
  })

  it('gives nothing to another address where the client sent no nonce', async () => {
    const code = await bed.code()
    const { body: own } = await native({ code }).expect(200)
    await native({ code }, THIEFS_ADDRESS).expect(401)
    await native({ code, nonce: NONCE }).expect(401)
    expect((await native({ code }).expect(200)).body.token).to.equal(own.token)
  })

  it('gives nothing on another mount and in another protocol, even from the same address', async () => {
    const code = await bed.code()
    await native({ code, nonce: NONCE }).expect(200)
    await native({ code, nonce: NONCE }, OWNERS_ADDRESS, '/v2/login').expect(401)
    expect((await wxapp(code, OWNERS_ADDRESS)).body).to.deep.include({ ok: 'fail', data: {} })
    const wafer2 = await bed.http.get('/wafer2/login').set({ 'x-wx-code': code })
    expect(wafer2.body).to.deep.include({ code: -1, data: {} })
    const wafer = await bed.http.get('/wafer/login').set({ 'x-wx-code': code })
    expect(wafer.body).to.include({ error: 'ERR_LOGIN_FAILED' }).and.to.not.have.property('session')
  })

  it('gives nothing on another route of the same mount, even from the same address', async () => {
    const code = await bed.code()
    const at = (path: string) => native({ code, nonce: NONCE }, OWNERS_ADDRESS, path)
    const { body: own } = await at('/two/login').expect(200)
    await at('/two/other').expect(401)
    expect((await at('/two/login').expect(200)).body.token).to.equal(own.token)
  })

  it('gives an old client its answer again, and nobody else who he is', async () => {
    const code = await bed.code()
    const { body: own } = await wxapp(code, OWNERS_ADDRESS)
    expect((await wxapp(code, THIEFS_ADDRESS)).body).to.deep.include({ ok: 'fail', data: {} })
    expect((await wxapp(code, OWNERS_ADDRESS)).body.data).to.include({ skey: own.data.skey })
  })

  it('gives nothing to a thief who asks through the same business server as the owner', async () => {
    const code = await bed.code()
    const own = { code, encrypt_data: await bed.openDataOf2016() }
    const para = (fields: object) => ({
      version: 1,
      componentName: 'MA',
      interface: { interfaceName: 'qcloud.cam.id_skey', para: fields },
    })
    const ask = (fields: object) => bed.http.post('/mina_auth/').send(para(fields))
    const { body: first } = await ask(own)
    expect(first.returnCode).to.equal(0)
    const thief = { code, encrypt_data: 'AAAAAAAAAAAAAAAAAAAAAA==', iv: 'AAAAAAAAAAAAAAAAAAAAAA==' }
    expect((await ask(thief)).body).to.include({ returnCode: 40029, returnData: '' })
    expect((await ask(own)).body.returnData.skey).to.equal(first.returnData.skey)
  })

  it('leaves the owner the answer, however often a thief has asked', async () => {
    const code = await bed.code()
    await native({ code, nonce: NONCE }).expect(200)
    for (let thefts = 0; thefts < 20; thefts += 1) await native({ code }, THIEFS_ADDRESS).expect(401)
    await native({ code, nonce: NONCE }).expect(200)
  })

  it('is not burnt for its owner by who sends it beside data, but by one new code', async () => {
    const thief = bed.sandbox.phone()
    const { body } = await native({ code: await bed.code(thief) })
    const data = await bed.openData(thief)
    const code = await bed.code()
    const put = { code, encryptedData: data.encrypt_data, iv: data.iv }
    const answer = await bed.http.put('/session/user-info').set('x-3rd-session', body.token).send(put)
    expect(answer.body.code).to.equal('ERR_USER_CHANGED')
    expect((await native({ code }).expect(401)).body.code).to.equal('ERR_CODE_INVALID')
  })

  it('gives nothing at all after its use when it came in a query string', async () => {
    const code = await bed.code()
    const ask = () => bed.http.get('/state/login').query({ code })
    const { body } = await ask().expect(200)
    expect(body.user_uuid).to.be.a('string')
    await ask().expect(401)
    await native({ code }).expect(401)
  })

  it('gives nothing to who comes while it is in use', async () => {
    const code = await bed.code()
    bed.sandbox.misbehave({ slowMs: 100 }, { times: 1 })
    const [own, thief] = await Promise.all([
      native({ code, nonce: NONCE }),
      native({ code, nonce: 'a-nonce-of-the-thief' }, THIEFS_ADDRESS),
    ])
    expect([own.status, thief.status].sort()).to.deep.equal([200, 401])
  })

  it('gives its answer a handful of times to its owner, which is told, and then no more', async () => {
    const code = await bed.code()
    await native({ code, nonce: NONCE }).expect(200)
    const statuses: number[] = []
    for (let replays = 0; replays < 20; replays += 1)
      statuses.push((await native({ code, nonce: NONCE })).status)
    expect(statuses).to.deep.equal([...Array(5).fill(200), ...Array(15).fill(401)])
    expect(told()).to.have.length(1)
  })

  it('does not fill the log, however often it is sent', async () => {
    const code = await bed.code()
    await native({ code, nonce: NONCE }).expect(200)
    const thefts = Array.from({ length: 50 }, () => native({ code }, THIEFS_ADDRESS))
    for (const { status } of await Promise.all(thefts)) expect(status).to.equal(401)
    expect(told()).to.have.length.within(1, 5)
  })

  it('needs a nonce that cannot be guessed, if one is sent', async () => {
    for (const nonce of ['short', 'with a blank in the middle', 'é'.repeat(20), 'x'.repeat(129), 7, {}]) {
      const { body } = await native({ code: await bed.code(), nonce }).expect(400)
      expect(body.code).to.equal('ERR_REQUEST_INVALID')
    }
    expect(bed.sandbox.callCount('/sns/jscode2session')).to.equal(0)
  })
})
