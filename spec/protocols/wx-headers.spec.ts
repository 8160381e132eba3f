import { expect } from 'chai'
import { describe, it } from 'mocha'
import { WeappError } from '../../lib/errors.js'
import type { WireRequest } from '../../lib/protocols/protocol.js'
import { loginInHeaders, wxHeader } from '../../lib/protocols/wx-headers.js'

const request = (headers: WireRequest['headers']): WireRequest => ({
  mount: '/wafer/login',
  peer: '127.0.0.1',
  method: 'GET',
  headers,
  params: {},
  query: { 'x-wx-code': 'query', 'x-wx-skey': 'query' },
  body: { 'x-wx-code': 'body', 'x-wx-skey': 'body' },
})

describe('the headers of the Wafer clients', () => {
  it('are each read by their name, and nowhere else', () => {
    const headers = {
      'x-wx-code': ['c'],
      'x-wx-encrypted-data': ['d'],
      'x-wx-iv': ['i'],
      'x-wx-id': ['n'],
      'x-wx-skey': ['s'],
    }
    const read = (name: Parameters<typeof wxHeader>[1]) => wxHeader(request(headers), name)
    expect([read('code'), read('encrypted-data'), read('iv'), read('id'), read('skey')].join('')).to.equal(
      'cdins',
    )
    expect(wxHeader(request({ cookie: ['x-wx-skey=s'] }), 'skey')).to.equal(undefined)
  })

  it('count as absent when they are empty', () => {
    expect(wxHeader(request({ 'x-wx-skey': [''] }), 'skey')).to.equal(undefined)
    expect(wxHeader(request({ 'x-wx-skey': [] }), 'skey')).to.equal(undefined)
  })

  it('are refused when one is sent twice, even with one value', () => {
    for (const values of [
      ['s', 's'],
      ['s', ''],
      ['', ''],
    ]) {
      expect(() => wxHeader(request({ 'x-wx-skey': values }), 'skey'))
        .to.throw(WeappError)
        .with.property('code', 'ERR_TOKEN_MALFORMED')
    }
  })

  it('make a login of the code alone, or of the code and the encrypted data', () => {
    const code = { 'x-wx-code': ['c'] }
    const none = () => undefined
    expect(loginInHeaders(request(code), none)).to.deep.include({
      code: 'c',
      encryptedData: undefined,
      iv: undefined,
      presentedToken: undefined,
    })
    const data = { ...code, 'x-wx-encrypted-data': ['d'], 'x-wx-iv': ['i'] }
    expect(loginInHeaders(request(data), none)).to.include({ code: 'c', encryptedData: 'd', iv: 'i' })
  })

  it('make a login that knows where it came from and which session it replaces, damaged or not', () => {
    const login = request({ 'x-wx-code': ['c'], 'x-wx-skey': ['s'] })
    expect(loginInHeaders(login, (from) => wxHeader(from, 'skey'))).to.deep.include({
      origin: { mount: '/wafer/login', peer: '127.0.0.1', nonce: undefined },
      presentedToken: 's',
    })
    const twice = request({ 'x-wx-code': ['c'], 'x-wx-skey': ['s', 't'] })
    expect(loginInHeaders(twice, (from) => wxHeader(from, 'skey')).presentedToken).to.equal(undefined)
  })

  it('make no login without a code', () => {
    for (const headers of [{}, { 'x-wx-code': [''] }, { 'x-wx-encrypted-data': ['d'], 'x-wx-iv': ['i'] }]) {
      expect(() => loginInHeaders(request(headers), () => undefined))
        .to.throw(WeappError, 'X-WX-Code')
        .with.property('code', 'ERR_REQUEST_INVALID')
    }
  })
})
