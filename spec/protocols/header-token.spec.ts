import { expect } from 'chai'
import { describe, it } from 'mocha'
import { WeappError } from '../../lib/errors.js'
import { tokenInHeaders } from '../../lib/protocols/header-token.js'

const read = (headers: Record<string, string[]>) =>
  tokenInHeaders(
    {
      mount: 'native',
      peer: '127.0.0.1',
      method: 'POST',
      headers,
      params: {},
      query: { 'x-3rd-session': 'query' },
      body: { 'x-3rd-session': 'body' },
    },
    'x-3rd-session',
  )

describe('tokenInHeaders', () => {
  it('finds the token in the header or behind Bearer, and nowhere else', () => {
    expect(read({ 'x-3rd-session': ['abc'] })).to.equal('abc')
    expect(read({ authorization: ['Bearer abc'] })).to.equal('abc')
    expect(read({ authorization: ['BEARER   abc'] })).to.equal('abc')
    expect(read({ authorization: ['Basic abc'] })).to.equal(undefined)
    expect(read({ authorization: ['Bearerabc'] })).to.equal(undefined)
    expect(read({ cookie: ['x-3rd-session=abc'] })).to.equal(undefined)
    expect(read({})).to.equal(undefined)
  })

  it('takes an empty header for none', () => {
    expect(read({ 'x-3rd-session': [''] })).to.equal(undefined)
    expect(read({ 'x-3rd-session': [''], authorization: ['Bearer abc'] })).to.equal('abc')
  })

  it('refuses more than one token, unless it is one token by both ways', () => {
    expect(read({ 'x-3rd-session': ['abc'], authorization: ['Bearer abc'] })).to.equal('abc')
    for (const headers of [
      { 'x-3rd-session': ['abc', 'abc'] },
      { 'x-3rd-session': ['', ''] },
      { authorization: ['Bearer abc', 'Bearer abc'] },
      { 'x-3rd-session': ['abc'], authorization: ['Bearer def'] },
    ]) {
      expect(() => read(headers))
        .to.throw(WeappError)
        .with.property('code', 'ERR_TOKEN_MALFORMED')
    }
  })
})
