import { expect } from 'chai'
import fc from 'fast-check'
import { after, before, describe, it } from 'mocha'
import { loginRouter, waferServerProtocol } from '../../lib/index.js'
import { jsonIn, openWireBed, tampered, type WireBed } from '../support/wire-bed.js'

const LOGIN = 'qcloud.cam.id_skey'
const AUTH = 'qcloud.cam.auth'
const DECRYPT = 'qcloud.cam.decrypt'
const CODE = '0123456789abcdef0123456789abcdef'
const IV = 'r7BXXKkLb8qrSNn05n0qiA=='
const TEXT = 'A'.repeat(64)

const asking = (interfaceName: unknown, para?: unknown) =>
  JSON.stringify({ interface: { interfaceName, para } })
const login = (para: object) => asking(LOGIN, { code: CODE, encrypt_data: IV, iv: IV, ...para })
const decrypt = (para: object) => asking(DECRYPT, { id: TEXT, skey: TEXT, ...para })
const nested = (levels: number) => `${'{"interface":'.repeat(levels)}1${'}'.repeat(levels)}`

const refused: [string, string, number, string][] = [
  ['that is not JSON', '{"interface":', 1009, 'REQUEST_IS_NOT_JSON'],
  ['that is a form', 'interface=qcloud.cam.auth&para=x', 1009, 'REQUEST_IS_NOT_JSON'],
  ['that is an array', '[]', 1009, 'REQUEST_IS_NOT_JSON'],
  ['that is null', 'null', 1009, 'REQUEST_IS_NOT_JSON'],
  ['that is a text', '"qcloud.cam.auth"', 1009, 'REQUEST_IS_NOT_JSON'],
  ['of 1 MB', asking(LOGIN, { code: 'x'.repeat(1_048_576) }), 1009, 'REQUEST_IS_NOT_JSON'],
  ['that nests 9 levels deep', nested(9), 1009, 'REQUEST_IS_NOT_JSON'],
  ['that nests 10,000 levels deep', nested(10_000), 1009, 'REQUEST_IS_NOT_JSON'],
  ['with a key __proto__', '{"__proto__":{"interface":{}}}', 1009, 'REQUEST_IS_NOT_JSON'],
  ['without an interface', '{}', 1002, 'NO_INTERFACENAME_PARA'],
  ['whose interface is a text', '{"interface":"x"}', 1002, 'NO_INTERFACENAME_PARA'],
  ['whose interface is an array', '{"interface":[]}', 1002, 'NO_INTERFACENAME_PARA'],
  ['without interfaceName', '{"interface":{"para":{}}}', 1002, 'NO_INTERFACENAME_PARA'],
  ['whose interfaceName is empty', asking('', {}), 1002, 'NO_INTERFACENAME_PARA'],
  ['whose interfaceName is a number', asking(1, {}), 1002, 'NO_INTERFACENAME_PARA'],
  ['without para', asking(AUTH), 1011, 'NO_PARA'],
  ['whose para is null', asking(AUTH, null), 1011, 'NO_PARA'],
  ['whose para is a text', asking(AUTH, 'id=1'), 1011, 'NO_PARA'],
  ['whose para is an array', asking(AUTH, []), 1011, 'NO_PARA'],
  ['for an unknown interface', asking('qcloud.cam.unheard', {}), 1010, 'INTERFACENAME_PARA_ERR'],
  ['for an interface called as a method', asking('constructor', {}), 1010, 'INTERFACENAME_PARA_ERR'],
  ['for initdata', asking('qcloud.cam.initdata', { appid: 'wx1', secret: 'x' }), 1013, 'INIT_DATA_FAIL'],
  ['to log in without a code', login({ code: undefined }), 1003, 'PARA_ERR'],
  ['to log in with an empty code', login({ code: '' }), 1003, 'PARA_ERR'],
  ['to log in with a number as code', login({ code: 42 }), 1003, 'PARA_ERR'],
  ['to log in with a code of 10 kB', login({ code: 'x'.repeat(10_000) }), 1003, 'PARA_ERR'],
  ['to log in with control characters', login({ code: 'abc\r\nHost: x\u0000' }), 1003, 'PARA_ERR'],
  ['to log in without encrypt_data', login({ encrypt_data: undefined }), 1003, 'PARA_ERR'],
  ['to log in with empty encrypt_data', login({ encrypt_data: '' }), 1003, 'PARA_ERR'],
  ['to log in with a number as encrypt_data', login({ encrypt_data: 1 }), 1003, 'PARA_ERR'],
  ['to log in with a number as iv', login({ iv: 1 }), 1003, 'PARA_ERR'],
  ['to log in with an iv of 3 bytes', login({ iv: 'AAAA' }), 60021, 'DECRYPT_FAIL'],
  ['to log in with an iv of 32 bytes', login({ iv: 'A'.repeat(43).concat('=') }), 60021, 'DECRYPT_FAIL'],
  [
    'to log in with a blank for a +',
    login({ encrypt_data: IV.replace('+', ' ').replace('X', ' ') }),
    60021,
    'DECRYPT_FAIL',
  ],
  ['to log in with half a block', login({ encrypt_data: 'AAAA' }), 60021, 'DECRYPT_FAIL'],
  ['to log in with a code WeChat does not know', login({}), 40029, 'WEIXIN_CODE_ERR'],
  ['to log in with a mock code', login({ code: 'the code is a mock one' }), 40029, 'WEIXIN_CODE_ERR'],
  ['to check without id', asking(AUTH, { skey: TEXT }), 1003, 'PARA_ERR'],
  ['to check without skey', asking(AUTH, { id: TEXT }), 1003, 'PARA_ERR'],
  ['to check with an empty skey', asking(AUTH, { id: TEXT, skey: '' }), 1003, 'PARA_ERR'],
  ['to check with an object as skey', asking(AUTH, { id: TEXT, skey: {} }), 1003, 'PARA_ERR'],
  ['to check with an unknown skey', asking(AUTH, { id: TEXT.slice(0, 20), skey: TEXT }), 60012, 'AUTH_FAIL'],
  [
    'to check with a skey of 10 kB',
    asking(AUTH, { id: TEXT.slice(0, 20), skey: 'A'.repeat(10_000) }),
    60012,
    'AUTH_FAIL',
  ],
  ['to check with an id of 10 kB', asking(AUTH, { id: 'A'.repeat(10_000), skey: TEXT }), 60012, 'AUTH_FAIL'],
  [
    'to check with control characters',
    asking(AUTH, { id: '\u0000\r\n', skey: '\u0007\u001b' }),
    60012,
    'AUTH_FAIL',
  ],
  ['to decrypt without data', decrypt({}), 1003, 'PARA_ERR'],
  ['to decrypt empty data', decrypt({ encrypt_data: '' }), 1003, 'PARA_ERR'],
  ['to decrypt for nobody', decrypt({ id: 'x', encrypt_data: IV, iv: IV }), 60012, 'AUTH_FAIL'],
]

describe('the Wafer session server, given bad input', () => {
  let bed: WireBed

  before(async () => {
    bed = await openWireBed((app, sessions) => {
      app.use('/mina_auth', loginRouter({ sessions, protocol: waferServerProtocol() }))
    })
  })
  after(() => bed.closeClean())

  const post = (body: string) =>
    bed.http.post('/mina_auth/').set('content-type', 'application/x-www-form-urlencoded').send(body)
  const failure = (returnCode: number, returnMessage: string) => ({
    returnCode,
    returnMessage,
    returnData: '',
    version: 1,
    componentName: 'MA',
  })

  async function logIn(phone = bed.phone): Promise<{ id: string; skey: string }> {
    const res = await post(login({ code: await bed.code(phone), ...(await bed.openData(phone)) }))
    const { id, skey } = res.body.returnData
    return { id, skey }
  }

  for (const [what, body, code, message] of refused) {
    it(`answers ${code} ${message} to a request ${what}`, async () => {
      expect(jsonIn(await post(body))).to.deep.equal(failure(code, message))
    })
  }

  it('answers 1009 to an empty body', async () => {
    const post = () => bed.http.post('/mina_auth/').set('content-type', 'application/json')
    for (const empty of [
      post(),
      post().set('content-length', '0'),
      post().send('  '),
      bed.http.get('/mina_auth/'),
    ]) {
      expect(jsonIn(await empty)).to.deep.equal(failure(1009, 'REQUEST_IS_NOT_JSON'))
    }
  })

  it('answers 60021 to ciphertext that was tampered with, and to data of somebody else', async () => {
    const own = { code: await bed.code(), ...(await bed.openData()) }
    const damaged = await post(login({ ...own, encrypt_data: tampered(own.encrypt_data) }))
    expect(jsonIn(damaged)).to.deep.equal(failure(60021, 'DECRYPT_FAIL'))
    const other = bed.sandbox.phone()
    await bed.code(other)
    const foreign = await post(login({ code: await bed.code(), ...(await bed.openData(other)) }))
    expect(jsonIn(foreign)).to.deep.equal(failure(60021, 'DECRYPT_FAIL'))
    const session = await logIn()
    const data = await bed.openData()
    const late = await post(decrypt({ ...session, ...data, encrypt_data: tampered(data.encrypt_data) }))
    expect(jsonIn(late)).to.deep.equal(failure(60021, 'DECRYPT_FAIL'))
  })

  it('answers 40029 to a code that has been used, once its session has ended', async () => {
    const para = { code: await bed.code(), ...(await bed.openData()) }
    const { body } = await post(login(para))
    await bed.sessions.logout(body.returnData.skey)
    expect(jsonIn(await post(login(para)))).to.deep.equal(failure(40029, 'WEIXIN_CODE_ERR'))
  })

  it('answers 60012 to the id of another user with a right skey', async () => {
    const [own, others] = [await logIn(), await logIn(bed.sandbox.phone())]
    const mixed = asking(AUTH, { id: others.id, skey: own.skey })
    expect(jsonIn(await post(mixed))).to.deep.equal(failure(60012, 'AUTH_FAIL'))
    expect(jsonIn(await post(asking(AUTH, own)))).to.include({ returnCode: 0 })
  })

  it('never reads a session from the query string or a header', async () => {
    const { id, skey } = await logIn()
    const asked = bed.http.post('/mina_auth/').query({ id, skey, para: JSON.stringify({ id, skey }) })
    const headers = { 'x-wx-id': id, 'x-wx-skey': skey, 'x-3rd-session': skey }
    const res = await asked.set(headers).send({ interface: { interfaceName: AUTH, para: {} } })
    expect(jsonIn(res)).to.deep.equal(failure(1003, 'PARA_ERR'))
  })

  it('answers in its own shape whatever JSON it is given', async () => {
    const name = fc.oneof(fc.constantFrom(LOGIN, AUTH, DECRYPT, 'qcloud.cam.initdata'), fc.jsonValue())
    const word = fc.oneof(fc.string(), fc.jsonValue())
    const para = fc.record(
      { code: word, encrypt_data: word, iv: word, id: word, skey: word },
      { requiredKeys: [] },
    )
    const call = fc.record({
      interface: fc.record({ interfaceName: name, para: fc.oneof(para, fc.jsonValue()) }),
    })
    await fc.assert(
      fc.asyncProperty(fc.oneof(call, fc.jsonValue()), async (value) => {
        const answer = jsonIn(await post(JSON.stringify(value))) as Record<string, unknown>
        expect(answer).to.have.all.keys(
          'returnCode',
          'returnMessage',
          'returnData',
          'version',
          'componentName',
        )
        expect(answer).to.include({ returnData: '', version: 1, componentName: 'MA' })
        expect(answer.returnCode).to.be.oneOf([1002, 1003, 1009, 1010, 1011, 1013, 40029, 60012, 60021])
        expect(answer.returnMessage).to.match(/^[A-Z_]+$/)
      }),
    )
  })
})
