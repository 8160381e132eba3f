import { expect } from 'chai'
import { beforeEach, describe, it } from 'mocha'
import { decryptOpenData, type OpenData, readCiphertext } from '../../lib/wechat/open-data.js'
import {
  asKind,
  OPEN_DATA_KINDS,
  type OpenDataKind,
  type OpenDataReader,
} from '../../lib/wechat/open-data-kinds.js'
import type { Phone } from '../../sandbox/index.js'
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
      expect(asKind('any', data)).to.deep.equal(data)
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

  it('does not take the data of wx.getUserProfile for a profile: it names nobody, so its beginning may be gone', async () => {
    const data = opened(await phone.wx.getUserProfile({ desc: 'for a test' }))
    for (const kind of OPEN_DATA_KINDS) await weappErrorOf('ERR_DATA_MALFORMED', () => asKind(kind, data))
  })

  it('leaves out of a profile what WeChat is not known to have', async () => {
    const data = opened(await phone.wx.getUserInfo())
    const more = { ...data, is_demote: true, role: 'admin', toString: 'x', gender: '1' }
    const { gender: _gender, ...known } = data
    expect(asKind('userInfo', more)).to.deep.equal(known)
  })

  it('reads data of another kind with a function, and insists on what that says', async () => {
    const readActivity: OpenDataReader<string> = ({ activityId }) =>
      typeof activityId === 'string' ? activityId : undefined
    const data: OpenData = { activityId: 'a1', watermark: WATERMARK }
    const activity: string = asKind(readActivity, data)
    expect(activity).to.equal('a1')
    await weappErrorOf('ERR_DATA_MALFORMED', () => asKind(readActivity, { watermark: WATERMARK }))
    await weappErrorOf('ERR_DATA_MALFORMED', () => asKind('any', data))
  })

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
    ['userInfo', 'no avatarUrl', { openId: 'o1', nickName: 'Band' }],
    ['userInfo', 'a nickName that is a number', { openId: 'o1', nickName: 42, avatarUrl: '' }],
    ['userInfo', 'an avatarUrl that is not ASCII', { openId: 'o1', nickName: '', avatarUrl: 'https://é' }],
    ['userInfo', 'a strange name in it', { openId: 'o1', nickName: 'Band', avatarUrl: '', nickNaé: '' }],
    ['userInfo', 'a strange text in it', { openId: 'o1', nickName: 'Band', avatarUrl: '', remark: 'é' }],
    ['userInfo', 'a list in it', { openId: 'o1', nickName: 'Band', avatarUrl: '', city: ['广州'] }],
    ['userInfo', 'no openId', { nickName: 'Band', avatarUrl: '' }],
    ['weRun', 'days that are an object', { stepInfoList: {} }],
    ['weRun', 'a day that is null', { stepInfoList: [null] }],
    ['weRun', 'steps that are a text', { stepInfoList: [{ timestamp: 1, step: '2' }] }],
    ['group', 'an empty opengid', { opengid: '' }],
    ['weRun', 'steps below 0', { stepInfoList: [{ timestamp: 1, step: -2 }] }],
    ['weRun', 'steps that are a fraction', { stepInfoList: [{ timestamp: 1, step: 2.5 }] }],
    ['weRun', 'a day with more in it', { stepInfoList: [{ timestamp: 1, step: 2, more: 3 }] }],
    ['weRun', 'a field more', { stepInfoList: [], more: 1 }],
    ['group', 'an opengid in a list', { opengid: ['G1'] }],
    ['group', 'an opengid that is not plain', { opengid: 'G1 é' }],
    ['group', 'a field more', { opengid: 'G1', more: 1 }],
    ['phone', 'an empty number', { phoneNumber: '', purePhoneNumber: '', countryCode: '86' }],
    ['phone', 'no country code', { phoneNumber: '13900001111', purePhoneNumber: '13900001111' }],
    [
      'phone',
      'a field more',
      { phoneNumber: '13900001111', purePhoneNumber: '13900001111', countryCode: '86', more: 1 },
    ],
    [
      'phone',
      'two different numbers',
      { phoneNumber: '13900001111', purePhoneNumber: '13900002222', countryCode: '86' },
    ],
    [
      'phone',
      'the code of another country in front',
      { phoneNumber: '+4413900001111', purePhoneNumber: '13900001111', countryCode: '86' },
    ],
    [
      'phone',
      'letters in the number',
      { phoneNumber: '1390000111é', purePhoneNumber: '1390000111é', countryCode: '86' },
    ],
  ]
  for (const [kind, what, fields] of wrong) {
    it(`have no place for "${kind}" with ${what}`, async () => {
      await weappErrorOf('ERR_DATA_MALFORMED', () => asKind(kind, { ...fields, watermark: WATERMARK }))
    })
  }

  it('take a profile whose texts are empty, and steps of no day', () => {
    const profile = { openId: 'o1', nickName: '', avatarUrl: '', watermark: WATERMARK }
    expect(asKind('userInfo', profile)).to.deep.equal(profile)
    const steps = { stepInfoList: [], watermark: WATERMARK }
    expect(asKind('weRun', steps)).to.deep.equal(steps)
  })

  it('take a number that is divided, and a group of the chat tools with all its fields', () => {
    const number = { phoneNumber: '+1 202-555-0123', purePhoneNumber: '2025550123', countryCode: 1 }
    expect(asKind('phone', { ...number, watermark: WATERMARK })).to.include({ countryCode: '1' })
    const group = { opengid: 'G1', open_single_roomid: '', group_openid: 'o_-9', chat_type: 3 }
    expect(asKind('group', { ...group, watermark: WATERMARK })).to.deep.include(group)
  })
})
