import { expect } from 'chai'
import { describe, it } from 'mocha'
import { aSandbox } from './a-sandbox.js'
import { postJson } from './ask.js'

describe('tt.login', () => {
  const sandbox = aSandbox()

  it('returns a code and an anonymous code', async () => {
    const result = await sandbox().phone().tt.login()
    expect(result).to.have.all.keys('code', 'anonymousCode', 'isLogin', 'errMsg')
    expect(result).to.include({ isLogin: true, errMsg: 'login:ok' })
    expect(result.code).not.to.equal(result.anonymousCode)
  })

  it('returns an anonymous code only where nobody is made to log in', async () => {
    const phone = sandbox().phone()
    const keyBefore = sandbox().sessionKeyOf(phone)
    const result = await phone.tt.login({ force: false })
    expect(result).to.have.all.keys('anonymousCode', 'isLogin', 'errMsg')
    expect(result.isLogin).to.equal(false)
    expect(sandbox().sessionKeyOf(phone)).to.equal(keyBefore)
  })

  it('replaces the session_key as wx.login does', async () => {
    const phone = sandbox().phone()
    const keyBefore = sandbox().sessionKeyOf(phone)
    await phone.tt.login()
    expect(sandbox().sessionKeyOf(phone)).not.to.equal(keyBefore)
  })

  it('fails while the phone is offline', async () => {
    const phone = sandbox().phone()
    phone.offline = true
    const failure = await phone.tt.login().catch((error: unknown) => error)
    expect(failure).to.have.property('errMsg', 'login:fail the phone is offline')
  })

  it('is refused where force is neither true nor false', async () => {
    const { status, json } = await postJson(`${sandbox().url}/sandbox/tt-login`, { force: 1 })
    expect(status).to.equal(400)
    expect(json.error).to.equal('"force" must be true or false')
  })
})
