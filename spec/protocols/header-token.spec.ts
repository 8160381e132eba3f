import { expect } from 'chai'
import { describe, it } from 'mocha'
import { WeappError } from '../../lib/errors.js'
import { tokenInHeaders } from '../../lib/protocols/header-token.js'

const TOKEN = `${'handle_-'.repeat(2)}${'Zz09'.repeat(12)}`
const OTHER = `${TOKEN.slice(1)}x`
/** What other services send: a JWT, and secrets of other lengths and alphabets. */
const FOREIGN = [
  'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U',
  TOKEN.slice(1),
  `${TOKEN}A`,
  `${TOKEN.slice(1)}=`,
  `${TOKEN.slice(1)}+`,
  '0123456789abcdef'.repeat(4),
  'undefined',
  `${TOKEN}, Bearer ${TOKEN}`,
]

const read = (headers: Record<string, string[]>, bearer = true) =>
  tokenInHeaders(
    {
      mount: '',
      peer: '127.0.0.1',
      method: 'POST',
      headers,
      params: {},
      query: { 'x-3rd-session': 'query' },
      body: { 'x-3rd-session': 'body' },
    },
    { header: 'x-3rd-session', bearer },
  )

describe('tokenInHeaders', () => {
  it('finds the token in the header or behind Bearer, and nowhere else', () => {
    expect(read({ 'x-3rd-session': ['abc'] })).to.equal('abc')
    expect(read({ authorization: [`Bearer ${TOKEN}`] })).to.equal(TOKEN)
    expect(read({ authorization: [`BEARER   ${TOKEN}`] })).to.equal(TOKEN)
    expect(read({ authorization: [`Basic ${TOKEN}`] })).to.equal(undefined)
    expect(read({ authorization: [`Bearer${TOKEN}`] })).to.equal(undefined)
    expect(read({ cookie: [`x-3rd-session=${TOKEN}`] })).to.equal(undefined)
    expect(read({})).to.equal(undefined)
  })

  it('takes an empty header for none', () => {
    expect(read({ 'x-3rd-session': [''] })).to.equal(undefined)
    expect(read({ 'x-3rd-session': [''], authorization: [`Bearer ${TOKEN}`] })).to.equal(TOKEN)
  })

  it('takes what cannot be a token of ours behind Bearer for none, but not in the header', () => {
    for (const foreign of FOREIGN) {
      expect(read({ authorization: [`Bearer ${foreign}`] }), foreign).to.equal(undefined)
      expect(read({ 'x-3rd-session': [foreign] })).to.equal(foreign)
      expect(read({ 'x-3rd-session': [TOKEN], authorization: [`Bearer ${foreign}`] })).to.equal(TOKEN)
      expect(read({ authorization: [`Bearer ${foreign}`, `Bearer ${TOKEN}`] })).to.equal(TOKEN)
    }
  })

  it('does not look behind Bearer where that is switched off', () => {
    expect(read({ authorization: [`Bearer ${TOKEN}`] }, false)).to.equal(undefined)
    expect(read({ 'x-3rd-session': [TOKEN], authorization: [`Bearer ${OTHER}`] }, false)).to.equal(TOKEN)
  })

  it('refuses more than one token, unless it is one token by both ways', () => {
    expect(read({ 'x-3rd-session': [TOKEN], authorization: [`Bearer ${TOKEN}`] })).to.equal(TOKEN)
    for (const headers of [
      { 'x-3rd-session': [TOKEN, TOKEN] },
      { 'x-3rd-session': ['', ''] },
      { authorization: [`Bearer ${TOKEN}`, `Bearer ${TOKEN}`] },
      { 'x-3rd-session': [TOKEN], authorization: [`Bearer ${OTHER}`] },
    ]) {
      expect(() => read(headers))
        .to.throw(WeappError)
        .with.property('code', 'ERR_TOKEN_MALFORMED')
    }
  })
})
