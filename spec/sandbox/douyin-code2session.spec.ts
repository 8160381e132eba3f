import { expect } from 'chai'
import { describe, it } from 'mocha'
import { aSandbox, StoppedClock } from './a-sandbox.js'
import { type Answered, ask, postJson } from './ask.js'

const PATH = '/api/apps/v2/jscode2session'
const clock = new StoppedClock()
const apps = [
  { appid: 'tt07e3715e98c9aac0', secret: 'first' },
  { appid: 'tt17e3715e98c9aac0', secret: 'second' },
] as const

describe("Douyin's code2Session", () => {
  const sandbox = aSandbox({ clock: clock.read, apps })

  const exchangeCodes = (fields: object): Promise<Answered> =>
    postJson(`${sandbox().url}${PATH}`, { ...sandbox().app, ...fields })

  it('returns a session for a code', async () => {
    const phone = sandbox().phone()
    const { code } = await phone.tt.login()
    const { status, headers, json } = await exchangeCodes({ code })
    expect(status).to.equal(200)
    expect(headers['content-type']).to.match(/^application\/json/)
    expect(json).to.have.all.keys('err_no', 'err_tips', 'log_id', 'data')
    expect(json).to.include({ err_no: 0, err_tips: 'success' })
    expect(json.log_id).to.match(/^20260101\d{6}[0-9A-F]{18}$/)
    expect(json.data).to.deep.equal({
      session_key: sandbox().sessionKeyOf(phone),
      openid: phone.openid,
      unionid: phone.unionid,
    })
  })

  it('returns an anonymous openid for an anonymous code, and nothing that names the user', async () => {
    const phone = sandbox().phone()
    const { anonymousCode } = await phone.tt.login({ force: false })
    const { json } = await exchangeCodes({ anonymous_code: anonymousCode, code: '' })
    expect(json.data).to.have.all.keys('anonymous_openid')
    expect(json.data)
      .to.have.property('anonymous_openid')
      .that.matches(/^o[\w-]{27}$/)
    expect(json.data).not.to.include({ anonymous_openid: phone.openid })
  })

  it('returns both for both', async () => {
    const { code, anonymousCode } = await sandbox().phone().tt.login()
    const { json } = await exchangeCodes({ code, anonymous_code: anonymousCode })
    expect(json.data).to.have.all.keys('session_key', 'openid', 'unionid', 'anonymous_openid')
  })

  const refusals: [what: string, fields: object, errNo: number][] = [
    ['a missing appid', { appid: undefined, code: 'any' }, 40014],
    ['a missing secret', { secret: undefined, code: 'any' }, 40014],
    ['both codes missing', {}, 40014],
    ['codes that are not strings', { code: 7, anonymous_code: {} }, 40014],
    ['an unknown appid', { appid: 'tt0', code: 'any' }, 40015],
    ['a wrong secret', { secret: 'guessed', code: 'any' }, 40017],
    ['an unknown code', { code: 'any' }, 40018],
    ['an unknown anonymous code', { anonymous_code: 'any' }, 40019],
  ]

  for (const [what, fields, errNo] of refusals) {
    it(`refuses ${what} with ${errNo} in a 200`, async () => {
      const { status, json } = await exchangeCodes(fields)
      expect(status).to.equal(200)
      expect(json).to.have.all.keys('err_no', 'err_tips')
      expect(json.err_no).to.equal(errNo)
      expect(json.err_tips).to.match(/^bad /)
    })
  }

  it('refuses used codes', async () => {
    const { code, anonymousCode } = await sandbox().phone().tt.login()
    await exchangeCodes({ code, anonymous_code: anonymousCode })
    expect((await exchangeCodes({ code })).json.err_no).to.equal(40018)
    expect((await exchangeCodes({ anonymous_code: anonymousCode })).json.err_no).to.equal(40019)
  })

  it('refuses codes after five minutes', async () => {
    const { code, anonymousCode } = await sandbox().phone().tt.login()
    clock.now += 5 * 60 * 1000
    expect((await exchangeCodes({ code })).json.err_no).to.equal(40018)
    expect((await exchangeCodes({ anonymous_code: anonymousCode })).json.err_no).to.equal(40019)
  })

  it('refuses the codes of another app, and one kind for the other', async () => {
    const foreign = await sandbox().phone({ appid: apps[1].appid }).tt.login()
    const own = await sandbox().phone().tt.login()
    expect((await exchangeCodes({ code: foreign.code })).json.err_no).to.equal(40018)
    expect((await exchangeCodes({ anonymous_code: foreign.anonymousCode })).json.err_no).to.equal(40019)
    expect((await exchangeCodes({ code: own.anonymousCode })).json.err_no).to.equal(40018)
    expect((await exchangeCodes({ anonymous_code: own.code })).json.err_no).to.equal(40019)
  })

  it('leaves both codes unused when one is refused', async () => {
    const { code, anonymousCode } = await sandbox().phone().tt.login()
    await exchangeCodes({ code, anonymous_code: 'any' })
    await exchangeCodes({ code: 'any', anonymous_code: anonymousCode })
    expect((await exchangeCodes({ code, anonymous_code: anonymousCode })).json.err_no).to.equal(0)
  })

  it('takes nothing but JSON in a POST', async () => {
    const { code = '' } = await sandbox().phone().tt.login()
    const query = new URLSearchParams({ ...sandbox().app, code }).toString()
    const url = `${sandbox().url}${PATH}`
    expect((await ask(`${url}?${query}`)).json.err_no).to.equal(40014)
    expect((await ask(url, { method: 'POST', body: query })).json.err_no).to.equal(40014)
    expect((await ask(url, { method: 'POST' })).json.err_no).to.equal(40014)
  })

  it('misbehaves on demand in its own shape', async () => {
    sandbox().misbehave({ errcode: 40018 }, { path: PATH, times: 1 })
    sandbox().misbehave({ errcode: -1, errmsg: 'busy' }, { path: PATH, times: 1 })
    expect((await exchangeCodes({})).json).to.deep.equal({ err_no: 40018, err_tips: 'bad code' })
    expect((await exchangeCodes({})).json).to.deep.equal({ err_no: -1, err_tips: 'busy' })
  })

  it('alters its data on demand', async () => {
    const dataWhen = async (how: 'missingOpenid' | 'missingSessionKey' | 'wrongTypes'): Promise<unknown> => {
      sandbox().misbehave(how, { path: PATH, times: 1 })
      const { code } = await sandbox().phone().tt.login()
      return (await exchangeCodes({ code })).json.data
    }
    expect(await dataWhen('missingOpenid')).to.have.all.keys('session_key', 'unionid')
    expect(await dataWhen('missingSessionKey')).to.have.all.keys('openid', 'unionid')
    expect(await dataWhen('wrongTypes')).to.include({ openid: 42, session_key: null })
  })
})
