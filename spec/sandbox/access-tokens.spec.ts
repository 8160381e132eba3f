import { expect } from 'chai'
import { describe, it } from 'mocha'
import { AccessTokens } from '../../sandbox/access-tokens.js'

describe('the access tokens', () => {
  it('are forgotten, oldest first, when there are more than 10,000', () => {
    const tokens = new AccessTokens(() => 0)
    const [oldest, next] = ['wx-oldest', 'wx-next'].map((appid) => tokens.get(appid).access_token)
    for (let given = 2; given < 10_001; given++) tokens.get(`wx-${given}`)
    expect(tokens.holderOf(String(oldest))).to.equal('revoked')
    expect(tokens.holderOf(String(next))).to.deep.equal({ appid: 'wx-next' })
  })
})
