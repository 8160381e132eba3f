import { expect } from 'chai'
import { beforeEach, describe, it } from 'mocha'
import type { Phone } from '../../lib/sandbox/index.js'
import { decryptOpenData, type OpenData, readCiphertext } from '../../lib/wechat/open-data.js'
import { asKind, OPEN_DATA_KINDS, type OpenDataKind } from '../../lib/wechat/open-data-kinds.js'
import { aSandbox } from '../sandbox/a-sandbox.js'
import { everythingIn, weappErrorOf } from '../support/failures.js'

const WATERMARK = { appid: 'wx1', timestamp: 1_477_314_187 }

interface Sealed {
  encryptedData?: string
  iv?: string
}

describe('asKind', () => {
  const sandbox = aSandbox()
  let phone: Phone
  beforeEach(async () => {
    phone = sandbox().phone({ profile: { nickName: '小明' }, phoneNumber: '7700900123', countryCode: 44 })
    await phone.wx.login()
  })

  /** What the server gets to see of the phone's data. */
  function opened({ encryptedData = '', iv = '' }: Sealed): OpenData {
    const { appid, openid } = phone
    const data = readCiphertext({ encryptedData, iv })
    const openData = decryptOpenData(data, [sandbox().sessionKeyOf(phone)], { appid, openid })
    return openData ?? expect.fail('the data cannot be decrypted')
  }

  const samples: [how: string, kind: OpenDataKind, ask: () => Promise<Sealed>][] = [
    ['wx.getUserInfo', 'userInfo', () => phone.wx.getUserInfo()],
    ['wx.getUserProfile', 'userInfo', () => phone.wx.getUserProfile({ desc: 'for a test' })],
    ['the phone number button', 'phone', () => phone.getPhoneNumber()],
    ['wx.getWeRunData', 'weRun', () => phone.wx.getWeRunData()],
    ['wx.getGroupEnterInfo', 'group', () => phone.wx.getGroupEnterInfo()],
    ['wx.getShareInfo', 'group', () => phone.wx.getShareInfo({ shareTicket: 'a ticket' })],
  ]
  for (const [how, kind, ask] of samples) {
    it(`takes the data of ${how} for "${kind}", with all its fields`, async () => {
      const data = opened(await ask())
      expect(asKind(kind, data)).to.deep.include({ watermark: data.watermark })
      expect(asKind(kind, data)).to.include.all.keys(...Object.keys(data))
      expect(asKind('any', data)).to.equal(data)
    })

    it(`does not take the data of ${how} for any other kind, and does not repeat it`, async () => {
      const data = opened(await ask())
      for (const other of OPEN_DATA_KINDS.filter((name) => name !== kind && name !== 'any')) {
        const error = await weappErrorOf('ERR_DATA_MALFORMED', () => asKind(other, data))
        expect(error.status).to.equal(400)
        expect(error.message).to.include(`"${other}"`)
        for (const secret of [phone.openid, '小明', '7700900123'])
          expect(everythingIn(error)).to.not.include(secret)
      }
    })
  }

  it('answers the profile of the user', async () => {
    const { nickName, openId } = asKind('userInfo', opened(await phone.wx.getUserInfo()))
    expect({ nickName, openId }).to.deep.equal({ nickName: '小明', openId: phone.openid })
  })

  it('answers a phone number whose country code is a text, though it came as a number', async () => {
    const data = opened(await phone.getPhoneNumber())
    expect(data.countryCode).to.equal(44)
    expect(asKind('phone', data)).to.deep.equal({
      phoneNumber: '+447700900123',
      purePhoneNumber: '7700900123',
      countryCode: '44',
      watermark: data.watermark,
    })
  })

  it('answers the steps of 31 days', async () => {
    const { stepInfoList } = asKind('weRun', opened(await phone.wx.getWeRunData()))
    expect(stepInfoList).to.have.length(31)
    for (const { timestamp, step } of stepInfoList)
      expect([timestamp, step].every(Number.isInteger)).to.equal(true)
  })

  it('answers one opengid whichever way WeChat has spelled it', async () => {
    const entered = opened(await phone.wx.getGroupEnterInfo())
    const shared = opened(await phone.wx.getShareInfo({ shareTicket: 'a ticket' }))
    expect(asKind('group', entered).opengid).to.equal(entered.opengid)
    expect(shared).to.not.have.property('opengid')
    expect(asKind('group', shared).opengid).to.equal(shared.openGId).and.to.be.a('string')
  })
})

describe('the kinds of decrypted data', () => {
  it('are five', () => {
    expect([...OPEN_DATA_KINDS].sort()).to.deep.equal(['any', 'group', 'phone', 'userInfo', 'weRun'])
  })

  const wrong: [OpenDataKind, string, Record<string, unknown>][] = [
    ['userInfo', 'no avatarUrl', { nickName: 'Band' }],
    ['userInfo', 'a nickName that is a number', { nickName: 42, avatarUrl: '' }],
    ['weRun', 'days that are an object', { stepInfoList: {} }],
    ['weRun', 'a day that is null', { stepInfoList: [null] }],
    ['weRun', 'steps that are a text', { stepInfoList: [{ timestamp: 1, step: '2' }] }],
    ['group', 'an empty opengid', { opengid: '' }],
    ['group', 'an opengid in a list', { opengid: ['G1'] }],
    ['phone', 'an empty number', { phoneNumber: '', purePhoneNumber: '', countryCode: '86' }],
    ['phone', 'no country code', { phoneNumber: '13900001111', purePhoneNumber: '13900001111' }],
  ]
  for (const [kind, what, fields] of wrong) {
    it(`have no place for "${kind}" with ${what}`, async () => {
      await weappErrorOf('ERR_DATA_MALFORMED', () => asKind(kind, { ...fields, watermark: WATERMARK }))
    })
  }

  it('take a profile whose texts are empty, and steps of no day', () => {
    const profile = { nickName: '', avatarUrl: '', watermark: WATERMARK }
    expect(asKind('userInfo', profile)).to.deep.equal(profile)
    const steps = { stepInfoList: [], watermark: WATERMARK }
    expect(asKind('weRun', steps)).to.deep.equal(steps)
  })
})
