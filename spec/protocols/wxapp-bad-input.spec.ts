import { expect } from 'chai'
import fc from 'fast-check'
import { after, before, describe, it } from 'mocha'
import { loginRouter, wxappProtocol } from '../../lib/index.js'
import { jsonIn, openWireBed, tampered, type WireBed } from '../support/wire-bed.js'

const CODE = '0123456789abcdef0123456789abcdef'
const DATA = 'rA7BXXKkLb8qrSNn05n0qiArA7BXXKkLb8qrSNn05n0qiA+rA7BXXKkLb8qrSN=='
const IV = 'r7BXXKkLb8qrSNn05n0qiA=='
const TEXT = 'A'.repeat(64)
const nested = (levels: number) => `${'{"code":'.repeat(levels)}1${'}'.repeat(levels)}`

const NO_APP = '获取app相关参数出错'
const NOT_DECRYPTED = '解密用户数据失败'

const unreadable: [string, string][] = [
  ['not JSON', '{"code":'],
  ['a form', `code=${CODE}&uuid=${TEXT}&skey=${TEXT}&app_id=1`],
  ['empty', ''],
  ['blank', ' '],
  ['an array', '[]'],
  ['null', 'null'],
  ['a text', '"code"'],
  ['an empty object', '{}'],
  ['of 1 MB', JSON.stringify({ code: 'x'.repeat(1_048_576) })],
  ['9 levels deep', nested(9)],
  ['10,000 levels deep', nested(10_000)],
  [
    'one with a key __proto__',
    `{"__proto__":{"code":"${CODE}","uuid":"${TEXT}","skey":"${TEXT}"},"app_id":1}`,
  ],
]

const wrongAppIds: [string, unknown][] = [
  ['an object', {}],
  ['an array', [1]],
  ['a float', 1.5],
  ['zero', 0],
  ['negative', -1],
  ['true', true],
  ['"abc"', 'abc'],
  ['an empty text', ''],
  ['a blank', ' '],
  ['a float in a text', '1.5'],
  ['a negative number in a text', '-1'],
  ['an exponent in a text', '1e0'],
  ['hexadecimal in a text', '0x1'],
]

const unknownAppIds: [string, unknown][] = [
  ['one too high', 3],
  ['huge', 1e300],
  ['of 400 digits', '9'.repeat(300)],
]

const wrongLogins: [string, object, string][] = [
  ['no code', { code: undefined }, '参数错误'],
  ['null as code', { code: null }, '参数错误'],
  ['a number as code', { code: 1234567 }, '参数错误'],
  ['an object as code', { code: { length: 32 } }, '参数错误'],
  ['a code of 6 characters', { code: '123456' }, '参数错误'],
  ['a code of blanks', { code: ' '.repeat(32) }, '参数错误'],
  ['a code of 10 kB', { code: 'x'.repeat(10_000) }, '参数错误'],
  ['control characters in the code', { code: 'abcdefg\r\nHost: x\u0000' }, '参数错误'],
  ['a number as encrypt_data', { encrypt_data: 1 }, '参数错误'],
  ['an object as iv', { iv: {} }, '参数错误'],
  ['a code WeChat does not know', {}, 'code 无效或已被使用'],
  ['empty encrypt_data, and such a code', { encrypt_data: '', iv: IV }, 'code 无效或已被使用'],
  ['an iv of 6 bytes', { encrypt_data: DATA, iv: 'AAAAAAAA' }, NOT_DECRYPTED],
  ['an iv of 32 bytes', { encrypt_data: DATA, iv: `${'A'.repeat(43)}=` }, NOT_DECRYPTED],
  ['a blank for a +', { encrypt_data: DATA.replace('+', ' '), iv: IV }, NOT_DECRYPTED],
  ['half a block', { encrypt_data: 'A'.repeat(60), iv: IV }, NOT_DECRYPTED],
]

const wrongChecks: [string, object, string][] = [
  ['no uuid', { uuid: undefined }, '请求参数错误'],
  ['no skey', { skey: null }, '请求参数错误'],
  ['no app_id', { app_id: undefined }, '请求参数错误'],
  ['a uuid of 5 characters', { uuid: 'AAAAA' }, '请求参数错误'],
  ['a skey of 6 characters', { skey: 'AAAAAA' }, '请求参数错误'],
  ['a number as skey', { skey: 1234567 }, '请求参数错误'],
  ['an array as uuid', { uuid: [TEXT] }, '请求参数错误'],
  ['an unknown skey', {}, '验证失败'],
  ['a skey of 10 kB', { skey: 'A'.repeat(10_000) }, '验证失败'],
  ['a uuid of 10 kB', { uuid: 'A'.repeat(10_000) }, '验证失败'],
  ['control characters', { uuid: 'abc\u0000\r\ndef', skey: 'abc\u0007\u001bdef' }, '验证失败'],
]

describe('wxapp, given bad input', () => {
  let bed: WireBed

  before(async () => {
    const protocol = wxappProtocol()
    bed = await openWireBed((app, sessions) => app.use('/mina', loginRouter({ sessions, protocol })), {
      apps: 2,
    })
  })
  after(() => bed.closeClean())

  const post = (path: string, body: string) =>
    bed.http.post(path).set('content-type', 'application/json').send(body)
  const login = (fields: object) => post('/mina/login', JSON.stringify({ code: CODE, app_id: 1, ...fields }))
  const check = { uuid: TEXT.slice(0, 20), skey: TEXT, app_id: 1 }
  const auth = (fields: object) => post('/mina/auth', JSON.stringify({ ...check, ...fields }))
  const failure = (msg: string) => ({ ok: 'fail', msg, data: {} })

  async function logIn(phone = bed.phone): Promise<{ uuid: string; skey: string }> {
    const { uuid, skey } = (await login({ code: await bed.code(phone) })).body.data
    return { uuid, skey }
  }

  for (const [what, body] of unreadable) {
    it(`answers 参数错误 to a login whose body is ${what}`, async () => {
      expect(jsonIn(await post('/mina/login', body))).to.deep.equal(failure('参数错误'))
    })
  }

  it('answers 请求参数错误 to a check with any of these bodies', async () => {
    for (const [what, body] of unreadable) {
      expect(jsonIn(await post('/mina/auth/', body)), what).to.deep.equal(failure('请求参数错误'))
    }
  })

  for (const [what, app_id] of wrongAppIds) {
    it(`refuses an app_id that is ${what}, at login and at auth`, async () => {
      expect(jsonIn(await login({ app_id }))).to.deep.equal(failure('参数错误'))
      expect(jsonIn(await auth({ app_id }))).to.deep.equal(failure('请求参数错误'))
    })
  }

  for (const [what, app_id] of unknownAppIds) {
    it(`knows no app whose app_id is ${what}`, async () => {
      expect(jsonIn(await login({ app_id }))).to.deep.equal(failure(NO_APP))
      expect(jsonIn(await auth({ app_id }))).to.deep.equal(failure(NO_APP))
    })
  }

  for (const [what, fields, msg] of wrongLogins) {
    it(`answers ${msg} to a login with ${what}`, async () => {
      expect(jsonIn(await login(fields))).to.deep.equal(failure(msg))
    })
  }

  for (const [what, fields, msg] of wrongChecks) {
    it(`answers ${msg} to a check with ${what}`, async () => {
      expect(jsonIn(await auth(fields))).to.deep.equal(failure(msg))
    })
  }

  it('answers 解密用户数据失败 to ciphertext that was tampered with, and to data of somebody else', async () => {
    const own = { code: await bed.code(), ...(await bed.openData()) }
    const damaged = await login({ ...own, encrypt_data: tampered(own.encrypt_data) })
    expect(jsonIn(damaged)).to.deep.equal(failure(NOT_DECRYPTED))
    const other = bed.sandbox.phone()
    await bed.code(other)
    const foreign = await login({ code: await bed.code(), ...(await bed.openData(other)) })
    expect(jsonIn(foreign)).to.deep.equal(failure(NOT_DECRYPTED))
  })

  it('answers 验证失败 to the uuid of another user with a right skey', async () => {
    const [own, others] = [await logIn(), await logIn(bed.sandbox.phone())]
    expect(jsonIn(await auth({ ...own, uuid: others.uuid }))).to.deep.equal(failure('验证失败'))
    expect(jsonIn(await auth(own))).to.include({ ok: 'success' })
  })

  it('never reads a session from the query string or a header', async () => {
    const { uuid, skey } = await logIn()
    const asked = bed.http.post('/mina/auth').query({ uuid, skey, app_id: 1 })
    const headers = { 'x-wx-id': uuid, 'x-wx-skey': skey, authorization: `Bearer ${skey}` }
    expect(jsonIn(await asked.set(headers).send({ app_id: 1 }))).to.deep.equal(failure('请求参数错误'))
  })

  it('answers in its own shape whatever JSON it is given', async () => {
    const word = fc.oneof(fc.string({ minLength: 7 }), fc.jsonValue())
    const names = { code: word, encrypt_data: word, iv: word, uuid: word, skey: word, app_id: word }
    const fields = fc.oneof(fc.record(names, { requiredKeys: [] }), fc.jsonValue())
    await fc.assert(
      fc.asyncProperty(fc.constantFrom('login', 'auth', 'login/', 'auth/'), fields, async (path, value) => {
        const answer = jsonIn(await post(`/mina/${path}`, JSON.stringify(value))) as { msg: string }
        expect(answer).to.deep.equal(failure(answer.msg))
        expect(answer.msg).to.match(/[\u4e00-\u9fff]/)
      }),
    )
  })
})
