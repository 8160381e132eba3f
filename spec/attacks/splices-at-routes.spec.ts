import { expect } from 'chai'
import fc from 'fast-check'
import { after, before, describe, it } from 'mocha'
import { problemHandler } from '../../lib/index.js'
import { DECRYPTED_AS, mountDecryption, mountEveryProtocol } from '../support/every-protocol.js'
import { openWireBed, type WireBed } from '../support/wire-bed.js'
import { joined, type Sealed } from './forger.js'
import { isEndOfOwnId, messagesOf, partsOf, splices, textsOf } from './splices.js'

const TRIES = 300

/** After so long a failure is forgotten. */
const WINDOW_MS = 600_000

describe('at each route, messages joined from blocks of own ones, each try as if it were the first', () => {
  let bed: WireBed
  let token: string
  let key: string
  let texts: string[]

  before(async () => {
    bed = await openWireBed(
      (app, sessions) => {
        mountEveryProtocol(app, sessions)
        mountDecryption(app, sessions)
        app.use(problemHandler())
      },
      { app: { loginDurationDays: 365, sessionDurationSeconds: 365 * 86_400 } },
    )
    token = (await bed.http.post('/login').send({ code: await bed.code() })).body.token
    key = bed.sandbox.sessionKeyOf(bed.phone)
    texts = textsOf(bed.phone, Math.floor(bed.clock() / 1000))
  })
  after(() => bed.closeClean())

  const nickNames = () => texts.flatMap((text) => JSON.parse(text).nickName ?? [])

  /** Tries forgeries at a route; `judge` fails if what it answers is neither a refusal nor the user's own. */
  async function forge(ask: (data: Sealed) => Promise<void>, prepare = async () => {}): Promise<void> {
    const property = fc.asyncProperty(splices, async (plans) => {
      bed.clock.advance(WINDOW_MS)
      await prepare()
      await ask(joined(partsOf(messagesOf(key, texts), plans)))
    })
    await fc.assert(property, { numRuns: TRIES, endOnFailure: true })
  }

  /** A profile that came with encrypted data: WeChat's, or not vouched for. */
  function expectOwnProfile(userInfo: { verified?: boolean; nickName?: string } | null | undefined): void {
    if (userInfo?.verified !== false && userInfo?.nickName !== undefined)
      expect(nickNames()).to.include(userInfo.nickName)
  }

  for (const as of DECRYPTED_AS) {
    it(`are refused by a route that decrypts as "${as}"`, async () => {
      await forge(async (data) => {
        const { status, body, text } = await bed.http.post(`/as/${as}`).set('x-3rd-session', token).send(data)
        if (status !== 200) return expect([400, 409]).to.include(status) && undefined
        if (body.opengid ?? body.openGId) expect(body.opengid ?? body.openGId).to.satisfy(isEndOfOwnId)
        else expect(texts).to.include(text)
        return undefined
      })
    })
  }

  it('make no verified profile by PUT', async () => {
    await forge(async (data) => {
      const answer = await bed.http.put('/session/user-info').set('x-3rd-session', token).send(data)
      expect([200, 400, 409]).to.include(answer.status)
      expectOwnProfile(answer.body.userInfo)
    })
  })

  it('give the Wafer session server nothing to show', async () => {
    await forge(async ({ encryptedData, iv }) => {
      const para = { id: token.slice(0, 20), skey: token, encrypt_data: encryptedData, iv }
      const asked = { interfaceName: 'qcloud.cam.decrypt', para }
      const { body } = await bed.http.post('/mina_auth/').send({ interface: asked })
      if (body.returnCode === 60021) return
      const data = JSON.parse(body.returnData)
      if (data.opengid ?? data.openGId) expect(data.opengid ?? data.openGId).to.satisfy(isEndOfOwnId)
      else expect(texts).to.include(body.returnData)
    })
  })

  const logins: [protocol: string, logIn: (data: Sealed, code: string) => Promise<unknown>][] = [
    ['native', async (data, code) => (await bed.http.post('/login').send({ code, ...data })).body.userInfo],
    [
      'wafer2',
      async ({ encryptedData, iv }, code) => {
        const headers = { 'x-wx-code': code, 'x-wx-encrypted-data': encryptedData, 'x-wx-iv': iv }
        return (await bed.http.get('/wafer2/login').set(headers)).body.data.userinfo
      },
    ],
    [
      'wafer',
      async ({ encryptedData, iv }, code) => {
        const headers = { 'x-wx-code': code, 'x-wx-encrypted-data': encryptedData, 'x-wx-iv': iv }
        const { session } = (await bed.http.get('/wafer/login').set(headers)).body
        if (session === undefined) return undefined
        return (await bed.http.get('/session').set('x-3rd-session', session.skey)).body.userInfo
      },
    ],
    [
      'wxapp',
      async ({ encryptedData, iv }, code) =>
        (await bed.http.post('/mina/login').send({ code, encrypt_data: encryptedData, iv })).body.data
          .user_info,
    ],
  ]
  for (const [protocol, logIn] of logins) {
    it(`make no verified profile by a login: ${protocol}`, async () => {
      let code = ''
      await forge(
        async (data) => expectOwnProfile((await logIn(data, code)) as never),
        // The blocks are then of the key that goes with this code.
        async () => {
          code = await bed.code()
          key = bed.sandbox.sessionKeyOf(bed.phone)
        },
      )
    })
  }
})
