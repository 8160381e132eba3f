import { expect } from 'chai'
import { describe, it } from 'mocha'
import { newCode } from '../../sandbox/identifiers.js'
import { OneTimeCodes } from '../../sandbox/one-time-codes.js'

const login = { appid: 'wx1', user: 'li-hua', sessionKey: 'key' }

describe('the codes of one kind', () => {
  it('are forgotten, oldest first, when there are more than 100,000', () => {
    const codes = new OneTimeCodes(() => 0, newCode)
    const [oldest, next] = [codes.issue(login), codes.issue(login)]
    for (let issued = 2; issued < 100_001; issued++) codes.issue(login)
    expect(codes.redeem(oldest, 'wx1')).to.equal('invalid')
    expect(codes.redeem(next, 'wx1')).to.include(login)
  })

  it('can be looked at without being used', () => {
    const codes = new OneTimeCodes(() => 0, newCode)
    const code = codes.issue(login)
    expect(codes.peek(code, 'wx1')).to.include(login)
    expect(codes.redeem(code, 'wx1')).to.include(login)
    expect(codes.peek(code, 'wx1')).to.equal('used')
    expect(codes.grantOf(code)).to.include(login)
  })

  it('are foreign to another app, used or not', () => {
    const codes = new OneTimeCodes(() => 0, newCode)
    const code = codes.issue(login)
    expect(codes.redeem(code, 'wx2')).to.equal('foreign')
    codes.redeem(code, 'wx1')
    expect(codes.redeem(code, 'wx2')).to.equal('foreign')
  })
})
