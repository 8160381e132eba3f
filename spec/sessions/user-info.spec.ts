import { expect } from 'chai'
import fc from 'fast-check'
import { describe, it } from 'mocha'
import { WeappError } from '../../lib/errors.js'
import {
  decodeUserInfo,
  encodeUserInfo,
  type UserInfo,
  unverifiedUserInfo,
  verifiedUserInfo,
} from '../../lib/sessions/user-info.js'
import { weappErrorOf } from '../support/failures.js'

const PROFILE = { nickName: 'Band', avatarUrl: 'https://wx.qlogo.cn/0', gender: 1, vip: false, city: null }
const IDENTITY = JSON.parse(
  '{ "openId": "o-of-somebody-else", "unionId": "u1", "watermark": { "appid": "wx1" }, "__proto__": { "admin": true } }',
)

function fields(count: number): Record<string, number> {
  return Object.fromEntries(Array.from({ length: count }, (_, index) => [`field${index}`, index]))
}

/** What must hold of any profile, wherever it came from. */
function expectSafeProfile(profile: UserInfo): void {
  expect(Object.getPrototypeOf(profile)).to.equal(Object.prototype)
  expect(Object.keys(profile)).to.have.length.at.most(33).and.not.include('__proto__')
  for (const name of ['openId', 'unionId', 'watermark']) expect(Object.hasOwn(profile, name)).to.equal(false)
  for (const value of Object.values(profile)) {
    expect(value === null || ['string', 'number', 'boolean'].includes(typeof value)).to.equal(true)
    if (typeof value === 'string')
      expect(value)
        .to.have.length.at.most(1_024)
        .and.not.match(/\p{Cc}/u)
  }
}

describe('unverifiedUserInfo', () => {
  it('keeps a flat profile and marks it as not vouched for', () => {
    expect(unverifiedUserInfo(PROFILE)).to.deep.equal({ ...PROFILE, verified: false })
    expect(unverifiedUserInfo({})).to.deep.equal({ verified: false })
  })

  it('leaves out who the user claims to be', () => {
    const profile = unverifiedUserInfo({ ...PROFILE, ...IDENTITY })
    expect(profile).to.deep.equal({ ...PROFILE, verified: false })
    expectSafeProfile(unverifiedUserInfo(IDENTITY))
  })

  it('is not made to say that WeChat vouched for it', () => {
    for (const verified of [true, 1, 'true', { valueOf: true }])
      expect(unverifiedUserInfo({ nickName: 'Band', verified }).verified).to.equal(false)
  })

  const tooMuch: [string, unknown][] = [
    ['a 33rd field', fields(33)],
    ['a text of 1025 characters', { nickName: 'x'.repeat(1_025) }],
    ['a name of 65 characters', { ['x'.repeat(65)]: 1 }],
    ['a line break in a text', { nickName: 'Band\nSet-Cookie: a=b' }],
    ['a NUL in a text', { nickName: 'Band\0' }],
    ['a C1 control character', { nickName: 'Band\u0085' }],
    ['a control character in a name', { 'nick\rName': 'Band' }],
    ['an object inside', { address: { city: 'Guangzhou' } }],
    ['a list inside', { tags: [] }],
    ['a number that JSON cannot carry', { gender: Number.NaN }],
    ['a value that is undefined', { nickName: undefined }],
    ['a list', []],
    ['null', null],
    ['a text', 'Band'],
    ['nothing', undefined],
  ]
  for (const [what, given] of tooMuch) {
    it(`refuses ${what}, and does not repeat it`, async () => {
      const error = await weappErrorOf('ERR_REQUEST_INVALID', () => unverifiedUserInfo(given))
      expect(error.message)
        .to.match(/^userInfo (must be|may h)/)
        .and.not.match(/\p{Cc}/u)
    })
  }

  it('takes as much as is allowed', () => {
    expect(Object.keys(unverifiedUserInfo(fields(32)))).to.have.length(33)
    expect(unverifiedUserInfo({ nickName: 'x'.repeat(1_024) }).nickName).to.have.length(1_024)
    expect(unverifiedUserInfo({ ['x'.repeat(64)]: 1 })).to.have.property('x'.repeat(64), 1)
    expect(unverifiedUserInfo({ nickName: '微信用户 👩‍👧' }).nickName).to.equal('微信用户 👩‍👧')
  })

  it('answers a safe profile or refuses, whatever JSON a phone sends', () => {
    const names = fc.oneof(
      fc.string(),
      fc.constantFrom('openId', 'verified', '__proto__', 'constructor', 'nickName'),
    )
    const hostile = fc.oneof(
      fc.dictionary(names, fc.jsonValue()),
      fc.dictionary(names, fc.string()),
      fc.jsonValue(),
    )
    fc.assert(
      fc.property(hostile, (given) => {
        try {
          const profile = unverifiedUserInfo(given)
          expectSafeProfile(profile)
          expect(profile.verified).to.equal(false)
        } catch (error) {
          if (!(error instanceof WeappError)) throw error
          expect(error.code).to.equal('ERR_REQUEST_INVALID')
        }
      }),
      { numRuns: 1_000 },
    )
  })
})

describe('verifiedUserInfo', () => {
  it('keeps what WeChat vouched for, without the identity', () => {
    expect(
      verifiedUserInfo({ ...PROFILE, openId: 'o1', unionId: 'u1', watermark: {}, verified: false }),
    ).to.deep.equal({
      ...PROFILE,
      verified: true,
    })
  })

  it('leaves out what is not flat and short, as WeChat may add fields any day', () => {
    const more = {
      badges: [1],
      level: { of: 3 },
      motto: 'x'.repeat(1_025),
      sign: 'a\nb',
      ['x'.repeat(65)]: 1,
    }
    expect(verifiedUserInfo({ ...more, ...PROFILE })).to.deep.equal({ ...PROFILE, verified: true })
    expect(Object.keys(verifiedUserInfo({ nickName: 'Band', ...fields(40) }))).to.have.length(33)
  })

  it('refuses data that is no profile, such as a phone number', async () => {
    const phone = { phoneNumber: '13580006666', purePhoneNumber: '13580006666', countryCode: '86' }
    await weappErrorOf('ERR_DATA_MALFORMED', () => verifiedUserInfo(phone))
  })

  it('leaves identity out in every spelling', () => {
    const spellings = {
      open_id: 'x',
      OPENID: 'x',
      union_id: 'x',
      session_key: 'x',
      sessionKey: 'x',
      __proto: 'x',
    }
    expect(verifiedUserInfo({ ...spellings, ...PROFILE })).to.deep.equal({ ...PROFILE, verified: true })
    expect(unverifiedUserInfo({ ...spellings, nickName: 'Ada' })).to.deep.equal({
      nickName: 'Ada',
      verified: false,
    })
  })

  it('answers a safe profile whatever was encrypted', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (data) => {
        const profile = verifiedUserInfo({ ...data, ...IDENTITY, nickName: 'Band' })
        expectSafeProfile(profile)
        expect(profile.verified).to.equal(true)
      }),
    )
  })
})

describe('decodeUserInfo', () => {
  it('reads back what encodeUserInfo wrote', () => {
    const profile = unverifiedUserInfo(PROFILE)
    expect(decodeUserInfo(encodeUserInfo(profile))).to.deep.equal(profile)
  })

  it('takes what it cannot read for no profile', () => {
    for (const text of [
      null,
      '',
      'null',
      '[]',
      '1',
      '"verified"',
      '{}',
      '{"nickName":"Band"}',
      '{"verified":true',
    ])
      expect(decodeUserInfo(text)).to.equal(null)
  })
})
