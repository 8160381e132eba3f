import { expect } from 'chai'
import { describe, it } from 'mocha'
import { WeappError } from '../../lib/errors.js'
import { idOf, tokenFromPair } from '../../lib/protocols/id-skey.js'
import { newToken } from '../../lib/sessions/token.js'

const HANDLE = 'h'.repeat(20)
const OTHER_HANDLE = 'g'.repeat(20)

describe('id and skey', () => {
  const skey = newToken(HANDLE)
  const id = idOf(skey)

  it('are the handle of the user and a token', () => {
    expect(tokenFromPair(id, skey)).to.equal(skey)
    expect(skey.startsWith(id)).to.equal(true)
  })

  it('keep the id over all logins of a user, and change it with the user', () => {
    const again = newToken(HANDLE)
    expect(again).not.to.equal(skey)
    expect(idOf(again)).to.equal(id)
    expect(idOf(newToken(OTHER_HANDLE))).not.to.equal(id)
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
    for (const wrong of [
      OTHER_HANDLE,
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
