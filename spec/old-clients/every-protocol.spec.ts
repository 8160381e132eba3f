import { expect } from 'chai'
import { afterEach, beforeEach, describe, it } from 'mocha'
import type { UserInfo } from '../../sandbox/index.js'
import { type BackEnd, openBackEnd } from './back-end.js'
import { loadOldClient, successOf, type Wafer2UserInfo } from './old-clients.js'
import { call, logIn, loginPara } from './p2-call.js'

interface Answer {
  readonly status: number
  readonly body: Record<string, unknown>
}

async function http({ url }: BackEnd, path: string, init: RequestInit): Promise<Answer> {
  const answer = await fetch(`${url}${path}`, init)
  const text = await answer.text()
  return { status: answer.status, body: text === '' ? {} : (JSON.parse(text) as Record<string, unknown>) }
}

async function post(backEnd: BackEnd, path: string, body: object): Promise<Answer> {
  return http(backEnd, path, { method: 'POST', body: JSON.stringify(body) })
}

/** How each kind of client logs in; the answer is its token. */
const logins: Record<string, (backEnd: BackEnd) => Promise<string>> = {
  async 'Wafer 1 SDK'({ url }) {
    const sdk = loadOldClient('wafer-client-sdk')
    sdk.setLoginUrl(`${url}/wafer/login`)
    await successOf<UserInfo>((callbacks) => sdk.login(callbacks))
    return String(sdk.buildSessionHeader()['X-WX-Skey'])
  },
  async 'Wafer 2 SDK'({ url }) {
    const sdk = loadOldClient('wafer2-client-sdk')
    sdk.setLoginUrl(`${url}/wafer2/login`)
    await successOf<Wafer2UserInfo>((callbacks) => sdk.login(callbacks))
    return String(sdk.Session.get()?.skey)
  },
  async 'P2 Wafer session server'(backEnd) {
    return (await logIn(backEnd)).skey
  },
  async 'P1 wxapp'(backEnd) {
    const { body } = await post(backEnd, '/mina/login', await loginPara(backEnd))
    return (body.data as { skey: string }).skey
  },
  async 'P3 3rd_session'(backEnd) {
    const { code, encrypt_data, iv } = await loginPara(backEnd)
    const { body } = await post(backEnd, '/login', { code, encryptedData: encrypt_data, iv })
    return body.token as string
  },
}

/** How each kind of server is asked about a token; the answer is the nickname, or why there is none. */
const checks: Record<string, (backEnd: BackEnd, id: string, skey: string) => Promise<unknown>> = {
  async 'Wafer 1 SDK'(backEnd, id, skey) {
    const { body } = await http(backEnd, '/wafer/me', { headers: { 'x-wx-id': id, 'x-wx-skey': skey } })
    return nameIn(body.data, 'userInfo') ?? body.error
  },
  async 'Wafer 2 SDK'(backEnd, _id, skey) {
    const { body } = await http(backEnd, '/wafer2/me', { headers: { 'x-wx-skey': skey } })
    return nameIn(body, 'data') ?? body.code
  },
  async 'P2 Wafer session server'(backEnd, id, skey) {
    const { returnCode, returnData } = await call(backEnd, 'qcloud.cam.auth', { id, skey })
    return nameIn(returnData, 'user_info') ?? returnCode
  },
  async 'P1 wxapp'(backEnd, uuid, skey) {
    const { body } = await post(backEnd, '/mina/auth', { uuid, skey, app_id: 1 })
    return nameIn(body.data, 'user_info') ?? body.ok
  },
  async 'P3 3rd_session'(backEnd, _id, skey) {
    const { body } = await http(backEnd, '/me', { headers: { 'x-3rd-session': skey } })
    return nameIn(body, 'userInfo') ?? body.code
  },
}

function nameIn(value: unknown, field: string): string | undefined {
  const inner = (value as Record<string, { nickName?: string } | undefined> | undefined)?.[field]
  return inner?.nickName
}

for (const [row, enter] of Object.entries(logins)) {
  describe(`${row}: a session that begins here`, () => {
    let backEnd: BackEnd
    let id: string
    let skey: string

    beforeEach(async () => {
      backEnd = await openBackEnd()
      skey = await enter(backEnd)
      id = (await logIn(backEnd)).id
    })
    afterEach(() => backEnd.close())

    async function answers(): Promise<Record<string, unknown>> {
      const entries = Object.entries(checks).map(async ([name, ask]) => [name, await ask(backEnd, id, skey)])
      return Object.fromEntries(await Promise.all(entries))
    }

    it('is good under every protocol, its token as the skey and the id of any login', async () => {
      const { user } = backEnd.phone
      const names = Object.fromEntries(Object.keys(checks).map((name) => [name, user]))
      expect(await answers()).to.deep.equal(names)
    })

    it('is over under every protocol once it has been logged out', async () => {
      const { status } = await http(backEnd, '/logout', {
        method: 'POST',
        headers: { 'x-3rd-session': skey },
      })
      expect(status).to.equal(204)
      expect(await answers()).to.deep.equal({
        'Wafer 1 SDK': 'ERR_INVALID_SESSION',
        'Wafer 2 SDK': -1,
        'P2 Wafer session server': 60012,
        'P1 wxapp': 'fail',
        'P3 3rd_session': 'ERR_SESSION_UNKNOWN',
      })
    })
  })
}
