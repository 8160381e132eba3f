import { expect } from 'chai'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { mountEveryProtocol } from '../support/every-protocol.js'
import { failureOf } from '../support/failures.js'
import { openWireBed, type WireBed } from '../support/wire-bed.js'

const IPHONE =
  'Mozilla/5.0 (iPhone; CPU iPhone OS 16_6 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148 MicroMessenger/8.0.44(0x18002c2a)'
const NOTE = 'iPhone, iOS 16.6, WeChat 8.0.44'

describe('the device of a session', () => {
  let bed: WireBed
  beforeEach(async () => {
    bed = await openWireBed(mountEveryProtocol)
  })
  afterEach(() => bed.closeClean())

  const devices = async () => (await bed.sessions.list(bed.phone)).map(({ device }) => device)
  const asPhone = (path: string, userAgent = IPHONE) => bed.http.post(path).set('user-agent', userAgent)
  const logIn = async (fields: object, userAgent?: string) =>
    asPhone('/login', userAgent).send({ code: await bed.code(), ...fields })

  it('is what the client sends, else what its User-Agent says', async () => {
    await logIn({ device: 'HUAWEI ALN-AL00' })
    for (const nothing of [undefined, null, '', ' \u200b']) await logIn({ device: nothing })
    await logIn({}, 'node')
    const expected = ['HUAWEI ALN-AL00', NOTE, NOTE, NOTE, NOTE, undefined]
    expect(await devices()).to.deep.equal(expected)
  })

  it('is that of the phone where old clients log in by themselves', async () => {
    const code = await bed.code()
    await asPhone('/wafer/login').set('x-wx-code', code).expect(200)
    await asPhone('/wafer2/login')
      .set('x-wx-code', await bed.code())
      .expect(200)
    await asPhone('/mina/login')
      .send({ code: await bed.code() })
      .expect(200)
    expect(await devices()).to.deep.equal([NOTE, NOTE, NOTE])
  })

  it('is unknown where a business server logs the phone in', async () => {
    const para = { code: await bed.code(), ...(await bed.openData()) }
    const call = { version: 1, componentName: 'MA', interface: { interfaceName: 'qcloud.cam.id_skey', para } }
    const { body } = await asPhone('/mina_auth').send(call)
    expect(body.returnCode).to.equal(0)
    expect(await devices()).to.deep.equal([undefined])
  })

  it('that is too long or hostile is cut and cleaned, and no login fails of it', async () => {
    const device = `<script>alert("1")</script>\u202e\n${'x'.repeat(10_000)}`
    expect((await logIn({ device })).status).to.equal(200)
    expect((await logIn({}, IPHONE.replace('iPhone;', 'iPhone<img>;'))).status).to.equal(200)
    const model = `Linux; Android 13; <b onload='x'>"${'y'.repeat(30)} Build/1`
    expect((await logIn({}, model)).status).to.equal(200)
    const notes = await devices()
    expect(notes[0])
      .to.match(/^script alert\( 1 \) \/script x{36,}$/)
      .and.to.have.length(64)
    expect(notes[2]).to.equal(`b onload= x ${'y'.repeat(30)}, Android 13`)
  })

  it('of the wrong type is a mistake of the client, and spends no code', async () => {
    const code = await bed.code()
    for (const device of [7, true, ['x'], { brand: 'x' }]) {
      const { body, status } = await asPhone('/login').send({ code, device })
      expect([status, body.code]).to.deep.equal([400, 'ERR_REQUEST_INVALID'])
      expect(await failureOf(() => bed.sessions.login({ code, device: device as never }))).to.include({
        code: 'ERR_REQUEST_INVALID',
      })
    }
    await asPhone('/login').send({ code }).expect(200)
  })

  it('is in GET /sessions and on the session, and a repeated login keeps it', async () => {
    const code = await bed.code()
    const nonce = 'n'.repeat(16)
    const { body } = await asPhone('/login').send({ code, nonce, device: 'Pixel 7' })
    await asPhone('/login').send({ code, nonce, device: 'another' }).expect(200)
    expect(await bed.sessions.authenticate(body.token)).to.include({ device: 'Pixel 7' })
    const list = await bed.http.get('/sessions').set('x-3rd-session', body.token).expect(200)
    expect(list.body.sessions).to.have.length(1)
    expect(list.body.sessions[0]).to.include({ device: 'Pixel 7', current: true })
  })
})
