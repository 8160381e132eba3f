import { expect } from 'chai'
import { describe, it } from 'mocha'
import { aSandbox, logInAndExchange, StoppedClock } from './a-sandbox.js'
import { opened } from './opened.js'

const DAY_S = 24 * 60 * 60
const clock = new StoppedClock()

const errMsgOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.catch((failure: { errMsg: string }) => failure.errMsg)

describe('wx.getWeRunData', () => {
  const sandbox = aSandbox({ clock: clock.read })

  it('encrypts the steps of 31 days, each at its beginning in China', async () => {
    clock.now = Date.UTC(2026, 0, 31, 16, 0)
    const phone = sandbox().phone()
    const { session_key } = await logInAndExchange(sandbox(), phone)
    const result = await phone.wx.getWeRunData()
    expect(result).to.have.all.keys('encryptedData', 'iv', 'errMsg')
    expect(result.errMsg).to.equal('getWeRunData:ok')
    const { stepInfoList, ...others } = opened(result, session_key)
    const days = stepInfoList as { timestamp: number; step: number }[]
    const today = Date.UTC(2026, 0, 31, 16, 0) / 1000
    expect(days.map((day) => day.timestamp)).to.deep.equal(
      Array.from({ length: 31 }, (_, index) => today - (30 - index) * DAY_S),
    )
    for (const { step } of days) expect(step).to.be.within(0, 20_000)
    expect(others).to.deep.equal({ watermark: { timestamp: clock.now / 1000, appid: phone.appid } })
  })

  it('counts the steps of a user once, on whatever phone', async () => {
    const phone = sandbox().phone()
    const tablet = sandbox().phone({ user: phone.user })
    await phone.wx.login()
    await tablet.wx.login()
    const key = sandbox().sessionKeyOf(phone)
    const [here, there] = [await phone.wx.getWeRunData(), await tablet.wx.getWeRunData()]
    expect(here.encryptedData).not.to.equal(there.encryptedData)
    expect(opened(here, key)).to.deep.equal(opened(there, key))
  })

  it('needs a login', async () => {
    const errMsg = await errMsgOf(sandbox().phone().wx.getWeRunData())
    expect(errMsg).to.equal('getWeRunData:fail it needs an earlier wx.login')
  })

  it('encrypts under the key that is valid at that moment', async () => {
    const phone = sandbox().phone()
    await phone.wx.login()
    sandbox().rotateSessionKey(phone)
    const before = sandbox().sessionKeyOf(phone)
    const result = await phone.wx.getWeRunData()
    sandbox().rotateSessionKey(phone)
    expect(opened(result, before)).to.have.property('stepInfoList')
  })
})

describe('wx.getGroupEnterInfo', () => {
  const sandbox = aSandbox({ clock: clock.read })

  it('encrypts the opengid', async () => {
    const phone = sandbox().phone()
    const result = await phone.wx.getGroupEnterInfo()
    expect(result).to.have.all.keys('encryptedData', 'iv', 'errMsg')
    expect(result.errMsg).to.equal('getGroupEnterInfo:ok')
    const { opengid, ...others } = opened(result, sandbox().sessionKeyOf(phone))
    expect(opengid).to.match(/^tG[\w-]{26}$/)
    expect(others).to.deep.equal({ watermark: { timestamp: clock.now / 1000, appid: phone.appid } })
  })

  it('shows one opengid to all members of a group, and another one to another group', async () => {
    const opengidOn = async (group?: string): Promise<unknown> => {
      const phone = sandbox().phone(group === undefined ? {} : { group })
      return opened(await phone.wx.getGroupEnterInfo(), sandbox().sessionKeyOf(phone)).opengid
    }
    expect(await opengidOn('family')).to.equal(await opengidOn('family'))
    expect(await opengidOn('work')).not.to.equal(await opengidOn('family'))
    expect(await opengidOn()).to.equal(await opengidOn())
  })

  it('fails while the phone is offline', async () => {
    const phone = sandbox().phone()
    phone.offline = true
    const errMsg = await errMsgOf(phone.wx.getGroupEnterInfo())
    expect(errMsg).to.equal('getGroupEnterInfo:fail the phone is offline')
  })
})

describe('wx.getShareInfo', () => {
  const sandbox = aSandbox({ clock: clock.read })

  it('encrypts the openGId of the group that the ticket stands for', async () => {
    const phone = sandbox().phone({ group: 'family' })
    const result = await phone.wx.getShareInfo({ shareTicket: 'family' })
    expect(result.errMsg).to.equal('getShareInfo:ok')
    const key = sandbox().sessionKeyOf(phone)
    const { openGId } = opened(result, key)
    expect(openGId).to.equal(opened(await phone.wx.getGroupEnterInfo(), key).opengid)
    const other = opened(await phone.wx.getShareInfo({ shareTicket: 'work' }), key)
    expect(other).to.have.all.keys('openGId', 'watermark')
    expect(other.openGId).not.to.equal(openGId)
  })

  it('needs a ticket', async () => {
    const { wx } = sandbox().phone()
    const expected = 'getShareInfo:fail parameter error: shareTicket should be a string'
    expect(await errMsgOf(wx.getShareInfo())).to.equal(expected)
    expect(await errMsgOf(wx.getShareInfo({ shareTicket: '' }))).to.equal(expected)
  })

  it('fails when WeChat does not respond in time', async () => {
    sandbox().misbehave('hang', { path: '/sandbox/share-info' })
    const errMsg = await errMsgOf(sandbox().phone().wx.getShareInfo({ shareTicket: 'x', timeout: 5 }))
    expect(errMsg).to.equal('getShareInfo:fail timeout')
  })
})
