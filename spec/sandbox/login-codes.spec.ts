import { expect } from 'chai'
import { describe, it } from 'mocha'
import { LoginCodes } from '../../lib/sandbox/login-codes.js'

describe('the login codes', () => {
  it('are forgotten, oldest first, when there are more than 100,000', () => {
    const codes = new LoginCodes(() => 0)
    const login = { appid: 'wx1', user: 'li-hua', sessionKey: 'key' }
    const [oldest, next] = [codes.issue(login), codes.issue(login)]
    for (let issued = 2; issued < 100_001; issued++) codes.issue(login)
    expect(codes.redeem(oldest, 'wx1')).to.equal('invalid')
    expect(codes.redeem(next, 'wx1')).to.include(login)
  })
})
