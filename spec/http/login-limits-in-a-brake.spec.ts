import { expect } from 'chai'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { expectProblem } from '../support/problem.js'
import { openTestBed, type TestBed } from '../support/test-bed.js'

describe('the limits of logins while WeChat wants to be left alone', () => {
  let bed: TestBed
  beforeEach(async () => {
    bed = await openTestBed({ limit: { perAddress: 5, perApp: 5 } })
  })
  afterEach(() => bed.close())

  const logIn = async () =>
    bed.http.post('/login').send({ code: (await bed.sandbox.phone().wx.login()).code })

  it('are not used up by those whose codes are good, so that they log in as soon as WeChat answers', async () => {
    const restore = bed.sandbox.misbehave({ errcode: 45011 })
    for (let times = 0; times < 10; times += 1) expectProblem(await logIn(), 429, 'ERR_WECHAT_RATE_LIMITED')
    restore()
    bed.clock.advance(1000)
    expect((await logIn()).status).to.equal(200)
  })

  it('hold for invented codes all the same', async () => {
    for (let times = 0; times < 5; times += 1)
      expectProblem(await bed.http.post('/login').send({ code: `invented${times}` }), 401, 'ERR_CODE_INVALID')
    expectProblem(await logIn(), 429, 'ERR_LOGIN_LIMIT')
  })
})
