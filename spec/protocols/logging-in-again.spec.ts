import { expect } from 'chai'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { tokenFlow } from '../../docs/recipes/token-flow.js'
import { userStateFlow } from '../../docs/recipes/user-state-flow.js'
import { loginRouter } from '../../lib/index.js'
import { mountEveryProtocol } from '../support/every-protocol.js'
import { openWireBed, type WireBed } from '../support/wire-bed.js'

/** Logs in with a code and, if there is one, the token of the login before; returns the new one. */
type LogIn = (bed: WireBed, code: string, old?: string) => Promise<string>

const idOf = (token: string) => token.slice(0, 20)
const call = (para: object) => ({
  version: 1,
  componentName: 'MA',
  interface: { interfaceName: 'qcloud.cam.id_skey', para },
})

const logins: [protocol: string, logIn: LogIn][] = [
  [
    'native',
    async ({ http }, code, old = '') =>
      (await http.post('/login').set('x-3rd-session', old).send({ code })).body.token,
  ],
  [
    'wafer',
    async ({ http }, code, old) => {
      const headers = { 'x-wx-code': code, ...(old && { 'x-wx-id': idOf(old), 'x-wx-skey': old }) }
      return (await http.get('/wafer/login').set(headers)).body.session.skey
    },
  ],
  [
    'wafer2',
    async ({ http }, code, old) => {
      const headers = { 'x-wx-code': code, ...(old && { 'x-wx-skey': old }) }
      return (await http.get('/wafer2/login').set(headers)).body.data.skey
    },
  ],
  [
    'wafer-server',
    async ({ http }, code, old) => {
      const para = { code, encrypt_data: await encrypted, ...(old && { id: idOf(old), skey: old }) }
      return (await http.post('/mina_auth/').send(call(para))).body.returnData.skey
    },
  ],
  [
    'wxapp',
    async ({ http }, code, old) => {
      const body = { code, ...(old && { uuid: idOf(old), skey: old }) }
      return (await http.post('/mina/login').send(body)).body.data.skey
    },
  ],
  [
    'token-flow',
    async ({ http }, code, old = '') =>
      (await http.post('/token/login/').set('token', old).send({ code })).body.data.token,
  ],
  [
    'user-state-flow',
    async ({ http }, code, old = '') =>
      (await http.get('/state/login').set('user-uuid', old).query({ code })).body.user_uuid,
  ],
]

/** Encrypted data of 2016, which the Wafer session server insists on. */
let encrypted: Promise<string>

describe('logging in again with the token of the session before', () => {
  let bed: WireBed

  beforeEach(async () => {
    bed = await openWireBed((app, sessions) => {
      app.use('/token', loginRouter({ sessions, protocol: tokenFlow }))
      app.use('/state', loginRouter({ sessions, protocol: userStateFlow }))
      mountEveryProtocol(app, sessions)
    })
  })
  afterEach(() => bed.closeClean())

  async function newCode(): Promise<string> {
    const code = await bed.code()
    encrypted = bed.openDataOf2016()
    return code
  }

  for (const [protocol, logIn] of logins) {
    it(`ends that session, in one step with the new one: ${protocol}`, async () => {
      const first = await logIn(bed, await newCode())
      const other = await logIn(bed, await newCode())
      const calls: string[] = []
      bed.store.before = (method) => void calls.push(method)
      const second = await logIn(bed, await newCode(), first)
      bed.store.before = () => undefined
      expect(calls).to.not.include('revoke')
      const ids = (await bed.sessions.list(bed.phone)).map(({ sessionId }) => sessionId)
      const idOfToken = async (token: string) => (await bed.sessions.authenticate(token)).sessionId
      expect(ids).to.deep.equal([await idOfToken(other), await idOfToken(second)])
    })

    it(`goes well with a token that is none: ${protocol}`, async () => {
      expect(await logIn(bed, await newCode(), 'x'.repeat(70))).to.match(/^[\w-]{64}$/)
    })
  }
})
