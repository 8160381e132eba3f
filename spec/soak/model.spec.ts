import { expect } from 'chai'
import { beforeEach, describe, it } from 'mocha'
import type { Phone } from '../../sandbox/index.js'
import type { Answer, Asked } from './http-client.js'
import { type Finding, type KnownSession, type KnownUser, Model } from './model.js'
import { Operations } from './operations.js'

const OPENID = 'o'.repeat(28)
const NUMBER = '13900000000'
const getCode = async () => ({ code: 'code' })
const phone = { openid: OPENID, appid: 'wx1', wx: { login: getCode }, getPhoneNumber: getCode }

const unavailable = said(503, 'ERR_STORE_UNAVAILABLE')
const unknown = said(401, 'ERR_SESSION_UNKNOWN')
const broken: Answer = { kind: 'broken connection' }

function ok(body: Record<string, unknown> = {}): Answer {
  return { kind: 'response', status: 200, body }
}

function said(status: number, code: string): Answer {
  return { kind: 'response', status, body: { code } }
}

function me(fields: Record<string, unknown> = {}): Answer {
  return ok({ openid: OPENID, sessionId: 'id', nickName: null, ...fields })
}

describe('the model of the soak', () => {
  let findings: Finding['kind'][]
  let asked: Asked[]
  let answers: Answer[]
  let operations: Operations
  let user: KnownUser
  let session: KnownSession

  beforeEach(async () => {
    findings = []
    asked = []
    answers = [ok({ token: 'handle-secret' })]
    const model = new Model(({ kind }) => findings.push(kind))
    operations = new Operations({
      model,
      now: () => 1_000,
      async send(request) {
        asked.push(request)
        return answers.shift() ?? expect.fail('no answer is left')
      },
    })
    user = model.newUser(phone as unknown as Phone, NUMBER)
    await operations.logIn(user)
    session = user.sessions[0] ?? expect.fail('there is no session')
  })

  it('finds nothing where all goes as it should', async () => {
    answers = [me(), me(), me({ data: { n: 1 } }), ok({ revoked: 1 }), unknown]
    await operations.visit(session)
    await operations.setData(session)
    await operations.visit(session)
    await operations.revokeUser(user)
    await operations.trespass(session.token, session)
    expect(findings).to.deep.equal([])
    expect(asked).to.have.lengthOf(6)
  })

  it('finds an acknowledged session that is refused, once', async () => {
    answers = [unknown, unknown]
    await operations.visit(session)
    await operations.visit(session)
    expect(findings).to.deep.equal(['lost'])
  })

  it('finds the phone number of somebody else, and a failure that no fault explains', async () => {
    const refused = said(503, 'ERR_ACCESS_TOKEN_UNAVAILABLE')
    answers = [
      ok({ phoneNumber: NUMBER }),
      refused,
      ok({ phoneNumber: '1' }),
      said(401, 'ERR_PHONE_CODE_INVALID'),
    ]
    for (let times = 0; times < 2; times += 1) await operations.askNumber(session)
    expect(findings).to.deep.equal([])
    for (let times = 0; times < 2; times += 1) await operations.askNumber(session)
    expect(findings).to.deep.equal(['wrong', 'wrong'])
    answers = [refused]
    await operations.visit(session)
    expect(findings).to.have.lengthOf(3)
  })

  it('finds a session that a list leaves out', async () => {
    answers = [me(), ok({ sessions: [] })]
    await operations.visit(session)
    await operations.list(session)
    expect(findings).to.deep.equal(['lost'])
  })

  it('finds a session too many in a list, unless a login was not answered', async () => {
    const lists = ok({ sessions: [{ id: 'id' }, { id: 'another' }] })
    answers = [me(), lists, broken, lists]
    await operations.visit(session)
    await operations.list(session)
    expect(findings).to.deep.equal(['wrong'])
    await operations.logIn(user)
    await operations.list(session)
    expect(findings).to.deep.equal(['wrong'])
  })

  it('finds the name of another user wherever a response shows one', async () => {
    const userInfo = { nickName: 'another' }
    const shows = ok({ token: 'token', userInfo })
    answers = [me({ nickName: 'another' }), me({ openid: 'another' }), shows, shows]
    await operations.setData(session)
    await operations.setData(session)
    await operations.logIn(user)
    await operations.renew(session)
    expect(findings).to.deep.equal(['wrong', 'wrong', 'wrong', 'wrong'])
  })

  for (const [how, end, answer] of [
    ['a logout', () => operations.logOut(session), ok()],
    ['revokeUser', () => operations.revokeUser(user), ok({ revoked: 1 })],
    ['a renewal', () => operations.renew(session), ok({ token: 'renewed' })],
    ['having been refused', () => operations.visit(session), unknown],
  ] as const) {
    it(`finds a session that is accepted after ${how}`, async () => {
      answers = [answer, me()]
      await end()
      findings = []
      await operations.trespass(session.token, session)
      expect(findings).to.deep.equal(['revived'])
    })
  }

  for (const [what, answer] of [
    ['was not answered', broken],
    ['was refused for now', unavailable],
  ] as const) {
    it(`takes either for right after a logout that ${what}, and then only what it saw`, async () => {
      answers = [answer, me(), unknown]
      await operations.logOut(session)
      expect(user.restsUntil).to.be.above(1_000)
      await operations.visit(session)
      expect(findings).to.deep.equal([])
      await operations.visit(session)
      expect(findings).to.deep.equal(['lost'])
    })

    it(`takes old and new data for right after a write that ${what}, and then only what it saw`, async () => {
      answers = [me(), answer, me({ data: { n: 1 } }), me({ data: { n: 2 } })]
      await operations.setData(session)
      await operations.setData(session)
      await operations.visit(session)
      expect(findings).to.deep.equal([])
      await operations.visit(session)
      expect(findings).to.deep.equal(['wrong'])
    })
  }

  for (const [what, answer] of [
    ['of another user', me({ openid: 'another' })],
    ['of another session', me({ sessionId: 'another' })],
    ['with data of another time', me({ data: { n: 7 } })],
    ['with a name of another time', me({ nickName: 'another' })],
    ['that is a bug', said(500, 'BUG')],
    ['that blames WeChat where it is not asked', said(503, 'ERR_WECHAT_BUSY')],
    ['that never comes', { kind: 'hang' } satisfies Answer],
  ] as const) {
    it(`finds an answer ${what}`, async () => {
      answers = [me(), answer]
      await operations.visit(session)
      await operations.visit(session)
      expect(findings).to.deep.equal(['wrong'])
    })
  }

  it('finds that revokeUser has not found a session', async () => {
    answers = [ok({ revoked: 0 })]
    await operations.revokeUser(user)
    expect(findings).to.deep.equal(['wrong'])
  })

  it('finds that an invented token is accepted', async () => {
    answers = [me()]
    await operations.trespass('invented')
    expect(findings).to.deep.equal(['wrong'])
  })
})
