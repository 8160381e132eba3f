import { expect } from 'chai'
import { afterEach, describe, it } from 'mocha'
import { type ErrorCode, type OnLogin, type OnUserInfo, problemHandler, WeappError } from '../../lib/index.js'
import { mountEveryProtocol } from '../support/every-protocol.js'
import { expectProblem } from '../support/problem.js'
import type { TestBedOptions } from '../support/test-bed.js'
import { EXCHANGE } from '../support/test-bed.js'
import { openWireBed, type WireBed } from '../support/wire-bed.js'

const SECRET = 'table "users" does not exist'

function cycle(): object {
  const row: { self?: object } = {}
  row.self = row
  return row
}

/** What goes wrong in code that nobody wrote to refuse anybody. */
const faults: [what: string, hook: () => unknown, told: RegExp][] = [
  [
    'throws a TypeError',
    () => Object(undefined).user.id,
    /TypeError: Cannot read properties.*\n.*hooks\.spec/,
  ],
  [
    'has lost its database',
    () => Promise.reject(new Error(SECRET, { cause: new Error('connect ECONNREFUSED') })),
    /table "users".*hooks\.spec.*caused by Error: connect ECONNREFUSED/s,
  ],
  ['throws a text', () => Promise.reject(SECRET), /not an Error: string/],
  ['throws nothing', () => Promise.reject(), /not an Error: undefined/],
  [
    'throws what looks like a refusal of this package',
    () => Promise.reject({ code: 'ERR_LOGIN_REFUSED', status: 403, message: SECRET }),
    /not an Error: an object of the class Object/,
  ],
]
const odd: [what: string, hook: () => unknown, told: RegExp][] = [
  ['answers a bigint', () => ({ id: 1n }), /TypeError.*BigInt/],
  ['answers a cycle', cycle, /TypeError.*circular/],
  [
    'answers what throws on its way into JSON',
    () => ({
      toJSON() {
        throw new RangeError(SECRET)
      },
    }),
    /RangeError: table/,
  ],
]

describe('a hook of the application', () => {
  let bed: WireBed
  const profile = { userInfo: { nickName: 'Ada' } }

  afterEach(() => bed.closeClean())

  async function open(options: TestBedOptions): Promise<void> {
    bed = await openWireBed((app, sessions) => {
      mountEveryProtocol(app, sessions)
      app.use(problemHandler())
    }, options)
  }
  const logIn = async (more: object = {}) => bed.http.post('/login').send({ code: await bed.code(), ...more })

  /** Runs a hook until it is mended, and then another way. */
  function breakable(hook: () => unknown) {
    const state = { isBroken: true, call: () => (state.isBroken ? hook() : { role: 'user' }) }
    return state
  }

  for (const [what, hook, told] of [...faults, ...odd]) {
    it(`that ${what} at a login is a fault of the server, told to the log alone, and a new code works later`, async () => {
      const onLogin = breakable(hook)
      await open({ onLogin: onLogin.call })
      const code = await bed.code()
      const answer = await bed.http.post('/login').send({ code })
      expectProblem(answer, 500, 'ERR_HOOK_FAILED')
      expect(answer.text).to.not.match(/users|Error:|BigInt|circular|spec/)
      expect(bed.log).to.have.lengthOf(1)
      expect(bed.log[0])
        .to.match(/^onLogin failed: /)
        .and.match(told)

      onLogin.isBroken = false
      expectProblem(await bed.http.post('/login').send({ code }), 401, 'ERR_CODE_INVALID')
      expect(bed.sandbox.callCount(EXCHANGE)).to.equal(1)
      expect((await logIn()).status).to.equal(200)
    })
  }

  for (const [what, hook, told] of faults) {
    it(`that ${what} before a profile is changed is a fault of the server, and nothing is changed`, async () => {
      const onUserInfo = breakable(hook)
      await open({ onUserInfo: onUserInfo.call })
      const { token } = (await logIn()).body
      const put = () => bed.http.put('/session/user-info').set('x-3rd-session', token).send(profile)
      expectProblem(await put(), 500, 'ERR_HOOK_FAILED')
      bed.clock.advance(60_000)
      expectProblem(await logIn(profile), 500, 'ERR_HOOK_FAILED')
      expect(bed.log).to.have.lengthOf(2)
      expect(bed.log[1])
        .to.match(/^onUserInfo failed: /)
        .and.match(told)
      const { body } = await bed.http.get('/session').set('x-3rd-session', token)
      expect(body.userInfo).to.equal(null)

      onUserInfo.isBroken = false
      expect((await put()).body.userInfo).to.include({ nickName: 'Ada' })
    })
  }

  it('may answer what it likes about a profile, as nobody looks at it', async () => {
    for (const [, hook] of odd) {
      await bed?.closeClean()
      await open({ onUserInfo: hook })
      expect((await logIn(profile)).status).to.equal(200)
    }
  })

  for (const [code, status] of [
    ['ERR_LOGIN_REFUSED', 403],
    ['ERR_USER_BLOCKED', 403],
    ['ERR_SESSION_LIMIT', 409],
    ['ERR_WECHAT_BUSY', 503],
  ] satisfies [ErrorCode, number][]) {
    it(`refuses by a WeappError, whose message the phone gets: ${code}`, async () => {
      const onLogin: OnLogin = () => {
        throw new WeappError(code, 'Not before Friday.', { cause: new Error(SECRET) })
      }
      const onUserInfo: OnUserInfo = ({ userInfo }) => {
        if (userInfo?.nickName === 'root') throw new WeappError(code, 'Nobody is called so.')
      }
      await open({ onLogin, onUserInfo })
      const refused = await logIn()
      expectProblem(refused, status, code)
      expect(refused.body.detail).to.equal('Not before Friday.')
      const root = await logIn({ userInfo: { nickName: 'root' } })
      expectProblem(root, status, code)
      expect(root.body.detail).to.equal('Nobody is called so.')
      expect(bed.log).to.deep.equal(
        status < 500 ? [`logins of ${bed.phone.appid} are refused with ${code}`] : [],
      )
    })
  }

  it('that is itself refused by WeChat for the moment does not have a code exchanged twice', async () => {
    await open({
      onLogin: () => {
        throw new WeappError('ERR_WECHAT_RATE_LIMITED', 'Too many checks of nicknames.')
      },
    })
    const code = await bed.code()
    expectProblem(await bed.http.post('/login').send({ code }), 429, 'ERR_WECHAT_RATE_LIMITED')
    expectProblem(await bed.http.post('/login').send({ code }), 429, 'ERR_WECHAT_RATE_LIMITED')
    expect(bed.sandbox.callCount(EXCHANGE)).to.equal(1)
  })

  it('that fails is a fault of the server in the old protocols, and neither "log in again" nor a ban', async () => {
    await open({
      onLogin: () => {
        throw new TypeError(SECRET)
      },
    })
    const wafer = await bed.http.get('/wafer/login').set('X-WX-Code', await bed.code())
    expect(wafer.body.error).to.equal('ERR_LOGIN_FAILED')
    const wafer2 = await bed.http.get('/wafer2/login').set('X-WX-Code', await bed.code())
    expect(wafer2.body.error).to.equal('ERR_HOOK_FAILED')
    const para = { code: await bed.code(), encrypt_data: await bed.openDataOf2016() }
    const asked = { interfaceName: 'qcloud.cam.id_skey', para }
    const server = await bed.http.post('/mina_auth/').send({ interface: asked })
    expect(server.body).to.include({ returnCode: 1001, returnMessage: 'DATABASE_ERR' })
    const wxapp = await bed.http.post('/mina/login').send({ code: await bed.code() })
    expect(wxapp.body).to.include({ ok: 'fail', msg: '数据库错误' })
    for (const { text } of [wafer, wafer2, server, wxapp]) expect(text).to.not.include('users')
    expect(bed.log).to.have.lengthOf(1)
  })
})
