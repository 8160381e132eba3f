import { expect } from 'chai'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { type LoginRefusedEvent, WeappError } from '../../lib/index.js'
import { expectProblem } from '../support/problem.js'
import { openTestBed, type TestBed } from '../support/test-bed.js'

describe('an application that refuses each login by one and the same error', () => {
  const banned = Object.freeze(new WeappError('ERR_LOGIN_REFUSED', 'You are banned.'))
  let bed: TestBed
  let refused: LoginRefusedEvent[]

  beforeEach(async () => {
    refused = []
    bed = await openTestBed({
      onLogin: () => {
        throw banned
      },
      onLoginRefused: (event) => void refused.push(event),
    })
  })
  afterEach(() => bed.close())

  const freshCode = async () => (await bed.phone.wx.login()).code
  async function directly(): Promise<void> {
    await bed.sessions.login({ code: await freshCode() }).catch(() => undefined)
  }
  async function overHttp(): Promise<void> {
    expectProblem(await bed.http.post('/login').send({ code: await freshCode() }), 403, 'ERR_LOGIN_REFUSED')
  }

  it('is told of each of them, once', async () => {
    for (const logIn of [overHttp, overHttp, directly, directly, overHttp, directly, overHttp]) await logIn()
    await Promise.all([overHttp(), overHttp(), directly()])
    expect(refused.map(({ code }) => code)).to.deep.equal(Array(10).fill('ERR_LOGIN_REFUSED'))
    bed.clock.advance(60_000)
    await overHttp()
    expect(bed.log.at(-1)).to.match(/refused with ERR_LOGIN_REFUSED; 9 more since it was last logged$/)
  })
})
