import { expect } from 'chai'
import { after, before, describe, it } from 'mocha'
import { expectProblem } from '../support/problem.js'
import { EXCHANGE, openTestBed, type TestBed } from '../support/test-bed.js'

const CODE = '0123456789abcdef0123456789abcdef'
const IV = 'r7BXXKkLb8qrSNn05n0qiA=='
const withCode = (fields: object) => JSON.stringify({ code: CODE, ...fields })
const deep = (levels: number) => `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`

const refused: [string, string, 'ERR_BODY_INVALID' | 'ERR_REQUEST_INVALID' | 'ERR_DATA_MALFORMED'][] = [
  ['that is not JSON', '{"code":', 'ERR_BODY_INVALID'],
  ['that is empty', '', 'ERR_BODY_INVALID'],
  ['that is an array', JSON.stringify([{ code: CODE }]), 'ERR_BODY_INVALID'],
  ['that is null', 'null', 'ERR_BODY_INVALID'],
  ['that is a string', JSON.stringify(CODE), 'ERR_BODY_INVALID'],
  ['without a code', '{}', 'ERR_REQUEST_INVALID'],
  ['whose code is null', '{"code":null}', 'ERR_REQUEST_INVALID'],
  ['whose code is a number', '{"code":1}', 'ERR_REQUEST_INVALID'],
  ['whose code is an object', '{"code":{"toString":"x"}}', 'ERR_REQUEST_INVALID'],
  ['whose code is an array', JSON.stringify({ code: [CODE] }), 'ERR_REQUEST_INVALID'],
  ['whose code is empty', '{"code":""}', 'ERR_REQUEST_INVALID'],
  ['whose code has 10,000 characters', JSON.stringify({ code: 'x'.repeat(10_000) }), 'ERR_REQUEST_INVALID'],
  ['whose code has control characters', JSON.stringify({ code: 'abc\r\nHost: x' }), 'ERR_REQUEST_INVALID'],
  ['whose code is not ASCII', JSON.stringify({ code: '微信' }), 'ERR_REQUEST_INVALID'],
  ['whose appid is a number', withCode({ appid: 1 }), 'ERR_REQUEST_INVALID'],
  ['that nests 20 levels deep', deep(20), 'ERR_BODY_INVALID'],
  ['that nests 10,000 levels deep', deep(10_000), 'ERR_BODY_INVALID'],
  ['that nests 30,000 arrays', '['.repeat(30_000) + ']'.repeat(30_000), 'ERR_BODY_INVALID'],
  ['with a key __proto__', `{"code":"${CODE}","__proto__":{"admin":true}}`, 'ERR_BODY_INVALID'],
  ['with a key __proto__ inside', `{"code":"${CODE}","userInfo":{"__proto__":{"x":1}}}`, 'ERR_BODY_INVALID'],
  ['whose userInfo is a text', withCode({ userInfo: 'Ada' }), 'ERR_REQUEST_INVALID'],
  ['whose userInfo is an array', withCode({ userInfo: ['Ada'] }), 'ERR_REQUEST_INVALID'],
  ['whose userInfo nests', withCode({ userInfo: { nickName: { a: 1 } } }), 'ERR_REQUEST_INVALID'],
  [
    'whose userInfo is too long',
    withCode({ userInfo: { nickName: 'x'.repeat(1025) } }),
    'ERR_REQUEST_INVALID',
  ],
  [
    'whose userInfo has a control character in the name of a field',
    withCode({ userInfo: { 'a\u0000b': 'c' } }),
    'ERR_REQUEST_INVALID',
  ],
  ['with encryptedData but no iv', withCode({ encryptedData: 'AAAA' }), 'ERR_REQUEST_INVALID'],
  ['with rawData but no signature', withCode({ rawData: '{}' }), 'ERR_REQUEST_INVALID'],
  [
    'whose encryptedData has a blank for a +',
    withCode({ encryptedData: 'AA AA', iv: IV }),
    'ERR_DATA_MALFORMED',
  ],
  [
    'whose encryptedData is no whole block',
    withCode({ encryptedData: 'AAAA', iv: IV }),
    'ERR_DATA_MALFORMED',
  ],
  ['whose iv is too short', withCode({ encryptedData: IV, iv: 'AAAA' }), 'ERR_DATA_MALFORMED'],
  ['whose signature is none', withCode({ rawData: '{}', signature: 'zz' }), 'ERR_DATA_MALFORMED'],
]

describe('a hostile body', () => {
  let bed: TestBed

  before(async () => {
    bed = await openTestBed()
  })
  after(() => bed.close())

  for (const [what, body, code] of refused) {
    it(`${what} is refused before WeChat is asked`, async () => {
      const res = await bed.http.post('/login').set('content-type', 'application/json').send(body)
      expectProblem(res, 400, code)
      expect(bed.sandbox.callCount(EXCHANGE)).to.equal(0)
      expect(bed.bugs).to.deep.equal([])
    })
  }

  it('of 1 MB is answered 413 before WeChat is asked', async () => {
    const res = await bed.http.post('/login').send({ code: 'x'.repeat(1024 * 1024) })
    expectProblem(res, 413, 'ERR_BODY_TOO_LARGE')
    expect(bed.sandbox.callCount(EXCHANGE)).to.equal(0)
  })

  it('that inflates to 1 MB is answered 413', async () => {
    const { gzipSync } = await import('node:zlib')
    const bomb = gzipSync(Buffer.alloc(1024 * 1024, 32))
    const post = bed.http
      .post('/login')
      .set({ 'content-type': 'application/json', 'content-encoding': 'gzip' })
    expectProblem(await post.serialize(() => bomb as unknown as string).send(bomb), 413, 'ERR_BODY_TOO_LARGE')
  })

  for (const charset of ['utf-8', 'UTF-8', 'UTF8', 'utf8', '"utf-8"', ' UTF8 ; x=y']) {
    it(`whose charset is ${charset} is read as UTF-8`, async () => {
      const { code } = await bed.phone.wx.login()
      const post = bed.http.post('/login').set('content-type', `application/json; charset=${charset}`)
      const res = await post.send(JSON.stringify({ code, userInfo: { nickName: '微信' } }))
      expect(res.status, res.text).to.equal(200)
      expect(res.body.userInfo.nickName).to.equal('微信')
    })
  }

  for (const charset of ['gbk', 'GB2312', 'utf-16', 'utf-16le', 'iso-8859-1', 'utf-99', 'utf-80']) {
    it(`whose charset is ${charset} is refused by name`, async () => {
      const post = bed.http.post('/login').set('content-type', `application/json; charset=${charset}`)
      const { detail } = expectProblem(await post.send('{"code":"a-code"}'), 400, 'ERR_BODY_INVALID')
      expect(detail).to.include(`charset "${charset}"`).and.include('UTF-8')
    })
  }

  it('whose charset or encoding is no name is refused without repeating it', async () => {
    const charset = bed.http.post('/login').set('content-type', `text/plain; charset=${'<b>'.repeat(90)}`)
    const { detail } = expectProblem(await charset.send('{}'), 400, 'ERR_BODY_INVALID')
    expect(detail).to.have.lengthOf.below(120).and.not.include('<')
  })

  it('whose encoding is unknown is refused by name', async () => {
    const encoding = bed.http
      .post('/login')
      .set({ 'content-type': 'application/json', 'content-encoding': 'x' })
    const { detail } = expectProblem(await encoding.send('{}'), 400, 'ERR_BODY_INVALID')
    expect(detail).to.include('content encoding "x"')
  })

  it('is inflated by what it claims, and refused where it is something else', async () => {
    const { brotliCompressSync, deflateSync, gzipSync } = await import('node:zlib')
    const compressions = { gzip: gzipSync, 'x-gzip': gzipSync, deflate: deflateSync, br: brotliCompressSync }
    for (const [encoding, compress] of Object.entries(compressions)) {
      const { code } = await bed.phone.wx.login()
      const send = (body: Buffer) =>
        bed.http
          .post('/login')
          .set({ 'content-type': 'application/json', 'content-encoding': encoding })
          .serialize(() => body as unknown as string)
          .send(body)
      const body = compress(JSON.stringify({ code }))
      const torn = await send(body.subarray(0, -6))
      expectProblem(torn, 400, 'ERR_BODY_INVALID')
      expectProblem(await send(Buffer.from('{}')), 400, 'ERR_BODY_INVALID')
      const res = await send(body)
      expect(res.status, encoding).to.equal(200)
    }
  })

  it('leaves no trace on Object.prototype and the next login working', async () => {
    expect(({} as Record<string, unknown>).admin).to.equal(undefined)
    await bed.me(await bed.logIn()).expect(200)
  })
})
