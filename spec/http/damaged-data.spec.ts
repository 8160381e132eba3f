import { expect } from 'chai'
import express from 'express'
import { afterEach, beforeEach, describe, it } from 'mocha'
import type { Response } from 'supertest'
import { loginRouter, problemHandler, requireSession } from '../../lib/index.js'
import { encryptOpenData, signRawData } from '../../sandbox/open-data.js'
import { expectProblem } from '../support/problem.js'
import { EXCHANGE } from '../support/test-bed.js'
import { openWireBed, type WireBed } from '../support/wire-bed.js'

/** After so long a failed decryption is forgotten. */
const WINDOW_MS = 600_000

interface Data {
  readonly rawData: string
  readonly signature: string
  readonly encryptedData: string
  readonly iv: string
}
type Route = (data: Partial<Data>, code: string) => PromiseLike<Response>

const escaped = (text: string) => text.replaceAll('"', '&quot;')
const urlSafe = (text: string) => text.replaceAll('+', '-').replaceAll('/', '_')

/** What happens to a text on its way. */
const texts: [what: string, damage: (text: string) => string, told: RegExp][] = [
  ['percent-encoded', encodeURIComponent, /percent-encoded/],
  ['percent-encoded twice', (text) => encodeURIComponent(encodeURIComponent(text)), /percent-encoded/],
  ['stringified twice', (text) => JSON.stringify(text), /JSON\.stringify twice|not base64/],
  ['missing, as text', () => 'undefined', /it was missing/],
  ['null, as text', () => 'null', /it was missing|whole number of blocks|16 bytes/],
  ['an object, as text', () => '[object Object]', /it was missing/],
  ['empty', () => '', /it was missing|whole number of blocks|16 bytes/],
  ['cut off', (text) => text.slice(0, -3), /not a JSON object|not base64/],
]
const ofRawData: typeof texts = [
  ...texts,
  ['escaped for HTML', escaped, /escaped for HTML/],
  ['in other quotes', (text) => text.replaceAll('"', "'"), /not a JSON object/],
  ['a list', (text) => `[${text}]`, /not a JSON object/],
  ['of no profile', () => '{"city":"Guangzhou"}', /neither nickName nor avatarUrl/],
]
const ofBase64: typeof texts = [
  ...texts,
  ['with blanks for plus signs', (text) => `+${text.slice(1)}`.replaceAll('+', ' '), /spaces/],
  ['url-safe', (text) => urlSafe(`+/${text.slice(2)}`), /base64url, not base64/],
  ['of another number of bytes', (text) => text.slice(4), /whole number of blocks|16 bytes/],
]

describe('user data that was damaged on its way', () => {
  let bed: WireBed
  let token: string
  let data: Data

  beforeEach(async () => {
    bed = await openWireBed((app, sessions) => {
      app.use(loginRouter({ sessions }))
      app.use(requireSession({ sessions }), express.json())
      app.post('/decrypt', (req, res, next) => {
        req.weapp.decrypt(req.body).then((openData) => res.json(openData), next)
      })
      app.post('/verify', (req, res, next) => {
        const { appid, sessionId } = req.weapp
        const session = { appid, openid: req.openid, sessionId }
        sessions.verifySignature(session, req.body).then(() => res.json({}), next)
      })
      app.use(problemHandler())
    })
    token = await logInAnew()
    const { rawData, signature = '', encryptedData = '', iv = '' } = await bed.phone.wx.getUserInfo()
    data = { rawData, signature, encryptedData, iv }
  })
  afterEach(() => bed.closeClean())

  const logInAnew = async (): Promise<string> =>
    (await bed.http.post('/login').send({ code: await bed.code() })).body.token
  const own = (method: 'post' | 'put', path: string) => (given: object, code: string) =>
    bed.http[method](path)
      .set('x-3rd-session', token)
      .send({ ...given, code })
  const logIn: Route = (given, code) => bed.http.post('/login').send({ ...given, code })
  const profile = () => own('put', '/session/user-info')

  /** Sends it to each route with a fresh code, which has to be as fresh as before afterwards. */
  async function expectMalformed(given: Partial<Data>, routes: Route[], told: RegExp): Promise<void> {
    const code = await bed.code()
    bed.sandbox.clearCalls()
    for (const route of routes) {
      const answer = await route(given, code)
      expectProblem(answer, 400, 'ERR_DATA_MALFORMED')
      expect(answer.body.detail).to.match(told)
    }
    expect(bed.sandbox.callCount(EXCHANGE)).to.equal(0)
    expect((await bed.http.post('/login').send({ code })).status).to.equal(200)
  }

  for (const [what, damage, told] of ofRawData) {
    it(`costs no code and no login where rawData is ${what}`, async () => {
      const rawData = damage(data.rawData)
      const signature = signRawData(rawData, bed.sandbox.sessionKeyOf(bed.phone))
      const routes = [logIn, profile(), ...(what === 'of no profile' ? [] : [own('post', '/verify')])]
      await expectMalformed({ rawData, signature }, routes, told)
    })
  }

  for (const [what, damage, told] of ofBase64)
    for (const name of ['encryptedData', 'iv'] as const) {
      it(`costs no code and no login where ${name} is ${what}`, async () => {
        const given = { encryptedData: data.encryptedData, iv: data.iv, [name]: damage(data[name]) }
        await expectMalformed(given, [logIn, profile(), own('post', '/decrypt')], told)
      })
    }

  it('costs no code and no login where the signature is none', async () => {
    for (const signature of ['undefined', '', data.signature.slice(1), data.signature.toUpperCase()])
      await expectMalformed(
        { rawData: data.rawData, signature },
        [logIn, profile()],
        /40 lowercase hexadecimal/,
      )
  })

  describe('but was opened by the right key', () => {
    const watermark = () =>
      `"watermark":${JSON.stringify({ timestamp: Math.floor(bed.clock() / 1000), appid: bed.phone.appid })}`
    const sealed = (text: string): Partial<Data> => ({
      encryptedData: encryptOpenData(text, bed.sandbox.sessionKeyOf(bed.phone), data.iv),
      iv: data.iv,
    })
    /** Each time as if it were the first. */
    const answers = async (text: string) => {
      bed.clock.advance(WINDOW_MS)
      token = await logInAnew()
      const atRoute = await bed.http.post('/decrypt').set('x-3rd-session', token).send(sealed(text))
      const put = await bed.http.put('/session/user-info').set('x-3rd-session', token).send(sealed(text))
      const code = await bed.code()
      const login = await logIn(sealed(text), code)
      return [atRoute, put, login]
    }

    const spoilt: [what: string, beginning: () => string][] = [
      ['has a quote in a name', () => `{"openId":"${bed.phone.openid}","nickName":"A"da",`],
      ['has a backslash too many', () => `{"nickName":"Ada\\x","avatarUrl":"",`],
      ['has a field twice', () => `{"nickName":"Ada","nickName":"Bob",`],
      ['has a comma too many', () => `{"nickName":"Ada",,`],
      ['is of somebody else', () => `{"openId":"o-other","nickName":"Ada","avatarUrl":"",`],
    ]
    for (const [what, beginning] of spoilt) {
      it(`does not make the phone log in again when it ${what}`, async () => {
        for (const answer of await answers(`${beginning()}${watermark()}}`))
          expectProblem(answer, 400, 'ERR_DATA_MALFORMED')
      })
    }

    it('does not make the phone log in again, whatever character is in a name', async () => {
      for (const character of [
        '\u0000',
        '\u0008',
        '\n',
        '\t',
        '\u001f',
        '\u007f',
        '\u0085',
        '\u2028',
        '\ufeff',
      ]) {
        const fields = `{"openId":"${bed.phone.openid}","nickName":"A${character}a","avatarUrl":"",`
        for (const { body } of await answers(`${fields}${watermark()}}`))
          expect(body.code, JSON.stringify(character)).to.not.equal('ERR_SESSION_KEY_STALE')
      }
    })

    it('makes the phone get it anew when it is of another app, or no text', async () => {
      const other = `{"nickName":"Ada","watermark":{"timestamp":1,"appid":"wx0"}}`
      for (const text of [other, '{"nickName":"Ada"}', 'Ada', `"${watermark()}"`])
        for (const answer of await answers(text)) expectProblem(answer, 409, 'ERR_SESSION_KEY_STALE')
    })
  })
})
