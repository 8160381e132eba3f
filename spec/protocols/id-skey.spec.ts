import { expect } from 'chai'
import { describe, it } from 'mocha'
import { WeappError } from '../../lib/errors.js'
import { idOf, tokenFromPair } from '../../lib/protocols/id-skey.js'
import { newToken } from '../../lib/sessions/token.js'

const USER = { appid: 'wx1', openid: 'o-1' }

describe('id and skey', () => {
  const id = idOf(USER)
  const skey = newToken(id)

  it('are the handle of the user and a token', () => {
    expect(tokenFromPair(id, skey)).to.equal(skey)
    expect(skey.startsWith(id)).to.equal(true)
  })

  it('keep the id over all logins, and change it with the user and with the app', () => {
    expect(idOf({ ...USER })).to.equal(id)
    expect(idOf({ ...USER, openid: 'o-2' })).not.to.equal(id)
    expect(idOf({ ...USER, appid: 'wx2' })).not.to.equal(id)
    expect(newToken(id)).not.to.equal(skey)
  })

  it('are no token while one of them is missing', () => {
    for (const [one, other] of [
      [undefined, skey],
      [id, undefined],
      ['', skey],
      [id, ''],
      [undefined, undefined],
    ]) {
      expect(tokenFromPair(one, other)).to.equal(undefined)
    }
  })

  it('are refused when the id is of another user, too short, too long or not ASCII', () => {
    const others = idOf({ ...USER, openid: 'o-2' })
    for (const wrong of [
      others,
      id.slice(1),
      id.slice(0, -1),
      `${id}A`,
      skey,
      ` ${id}`,
      'é'.repeat(20),
      'x'.repeat(10_000),
    ]) {
      expect(() => tokenFromPair(wrong, skey))
        .to.throw(WeappError)
        .with.property('code', 'ERR_TOKEN_MALFORMED')
    }
  })
})
