import { expect } from 'chai'
import fc from 'fast-check'
import { describe, it } from 'mocha'
import { WeappError } from '../../lib/errors.js'
import {
  decodeUserInfo,
  encodeUserInfo,
  unverifiedUserInfo as readUnverified,
  type UserInfo,
  wechatUserInfo,
} from '../../lib/sessions/user-info.js'
import { weappErrorOf } from '../support/failures.js'

const PROFILE = { nickName: 'Band', avatarUrl: 'https://wx.qlogo.cn/0', gender: 1, vip: false, city: null }
const IDENTITY = JSON.parse(
  '{ "openId": "o-of-somebody-else", "unionId": "u1", "watermark": { "appid": "wx1" }, "__proto__": { "admin": true } }',
)

function fields(count: number): Record<string, number> {
  return Object.fromEntries(Array.from({ length: count }, (_, index) => [`field${index}`, index]))
}

const unverifiedUserInfo = (given: unknown) => readUnverified(given, { allowPrivateAddresses: false })
const verifiedUserInfo = (data: Record<string, unknown>) => wechatUserInfo(data, true)
/** Of the fields above those that WeChat's profiles have, as they have them. */
const WECHATS = { nickName: 'Band', avatarUrl: 'https://wx.qlogo.cn/0', gender: 1 }

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
    ['a control character in a name', { 'nick\rName': 'Band' }],
    ['an object inside', { address: { city: 'Guangzhou' } }],
    ['a list inside', { tags: [] }],
    ['a number that JSON cannot carry', { gender: Number.NaN }],
    ['a value that is undefined', { nickName: undefined }],
    [
      '4,097 bytes',
      Object.fromEntries(Array.from({ length: 4 }, (_, index) => [`f${index}`, 'x'.repeat(1_012)])),
    ],
    ['a name that every object has', { toString: 'x' }],
    ['another one', { hasOwnProperty: true }],
    ['a name with a letter of another alphabet in it', { оpenId: 'x' }],
    ['a name that looks like openId', { openld: 'x' }],
    ['another one', { '0penId': 'x' }],
    ['a name that looks like verified', { verlfied: true }],
    ['another one', { openicl: 'x' }],
    ['a name that looks like watermark', { vvaterrnark: 'x' }],
    ['an empty name', { '': 1 }],
    ['a script for an address', { avatarUrl: 'javascript:alert(1)' }],
    ['data for an address', { avatarUrl: 'data:image/svg+xml,<svg onload=alert(1)>' }],
    ['an address without a protocol', { avatarUrl: '//evil.example/a.png' }],
    ['a path for an address', { avatarUrl: '/avatars/1' }],
    ['an address with backslashes', { avatarUrl: 'https:\\\\evil.example' }],
    ['an address with a password', { avatarUrl: 'https://user:password@cdn.example.com/a.png' }],
    ['a file for an address', { avatarUrl: 'file:///etc/passwd' }],
    ['an address of this link', { avatarUrl: 'http://169.254.169.254/latest/meta-data' }],
    ['the same as a number', { avatarUrl: 'http://2852039166/' }],
    ['the same in an IPv6 address', { avatarUrl: 'http://[::ffff:169.254.169.254]/' }],
    ['an IPv6 address of this link', { avatarUrl: 'http://[fe80::1]/' }],
    ['an address of a cloud', { avatarUrl: 'http://100.100.100.200/latest' }],
    ['an address of this machine', { avatarUrl: 'http://127.0.0.1:3000/avatars/1' }],
    ['a name of this machine', { avatarUrl: 'http://localhost:3000/avatars/1' }],
    ['an address of this network', { avatarUrl: 'http://192.168.1.5/a.png' }],
    ['a script for another address', { coverUrl: 'javascript:alert(1)' }],
    ['a script under any name', { avatar: 'javascript:alert(1)' }],
    ['an address without slashes under any name', { avatar: 'http:169.254.169.254/latest' }],
    ['an address with a password under any name', { photo: 'http://user:password@10.0.0.1/' }],
    ['an address with three slashes under any name', { homepage: 'http:///169.254.169.254/' }],
    ['an address with backslashes under any name', { picture: 'https:\\\\evil.example' }],
    ['two slashes of different kinds', { cover: '/\\evil.example' }],
    [
      'an address that is too long in one spelling',
      { avatarUrl: `https://cdn.example.com/${'图'.repeat(200)}` },
    ],
    ['data under any name', { icon: 'data:text/html,x' }],
    ['an address of this link under any name', { website: 'http://169.254.169.254/' }],
    ['an address with three slashes', { avatarUrl: 'https:///evil.example/a' }],
    ['an address with nobody before the host', { avatarUrl: 'https://@evil.example/a' }],
    ['an IPv4 address in IPv6 words', { avatarUrl: 'http://[::ffff:0:169.254.169.254]/' }],
    ['an IPv4 address behind a translator', { avatarUrl: 'http://[64:ff9b:1::a9fe:a9fe]/' }],
    ['an IPv4 address in a tunnel', { avatarUrl: 'http://[2002:7f00:1::]/' }],
    ['an address for documents', { avatarUrl: 'http://203.0.113.7/a' }],
    ['a name of a cloud', { avatarUrl: 'http://metadata.tencentyun.com/latest' }],
    ['a name of a cluster', { avatarUrl: 'http://redis.default.svc/a' }],
    ['a name with an empty part', { avatarUrl: 'http://foo.local../a' }],
    ['a name without a dot', { avatarUrl: 'http://intranet/a' }],
    ['a list', []],
    ['null', null],
    ['a text', 'Band'],
    ['nothing', undefined],
  ]
  for (const [what, given] of tooMuch) {
    it(`refuses ${what}, and does not repeat it`, async () => {
      const error = await weappErrorOf('ERR_REQUEST_INVALID', () => unverifiedUserInfo(given))
      expect(error.message)
        .to.match(/^userInfo (must|may h)/)
        .and.not.match(/\p{Cc}/u)
    })
  }

  for (const [given, carried] of [
    ['Band\nSet-Cookie: a=b', 'Band Set-Cookie: a=b'],
    ['Ada\r\n\tLovelace', 'Ada Lovelace'],
    ['\0Ada\x1b[31m\x7f\x9f', 'Ada[31m'],
    ['\x14小\x05明\x01', '小明'],
    ['A\x85B\n', 'A B'],
    ['\x02\x03\n', ''],
  ] as const) {
    it(`carries ${JSON.stringify(given)}, whether typed in, signed or decrypted, in one line`, () => {
      expect(unverifiedUserInfo({ nickName: given, bio: given })).to.include({
        nickName: carried,
        bio: carried,
      })
      const wechats = { ...WECHATS, nickName: given, city: given }
      for (const verified of [true, false])
        expect(wechatUserInfo(wechats, verified)).to.include({ nickName: carried, city: carried, verified })
    })
  }

  it('takes no address for a text because of control characters in it', async () => {
    for (const avatar of ['java\x01script:alert(1)', '\x01javascript:alert(1)', '/\x02/evil.example/a'])
      await weappErrorOf('ERR_REQUEST_INVALID', () => unverifiedUserInfo({ avatar }))
  })

  it('measures a text as it is carried', () => {
    expect(unverifiedUserInfo({ nickName: `\x01${'x'.repeat(1_024)}\n` }).nickName).to.have.length(1_024)
  })

  for (const path of [
    'wxfile://tmp_1ab9.jpg',
    'WXFILE://usr/a.png',
    'http://tmp/gYkWc0.jpeg',
    'https://tmp/gYkWc0.jpeg',
    'http://usr/a.png',
    'http://store/a.png',
    'http://127.0.0.1:38462/__tmp__/a.jpeg',
    'ttfile://temp/a.png',
    'qqfile://tmp/a.png',
    'https://resource/a.image',
    'file:///storage/a.png',
    'blob:https://app.example/7e',
    '\x01wxfile://tmp_1ab9.jpg',
  ]) {
    it(`refuses ${JSON.stringify(path)}, a file on the phone, and says that it is to be uploaded`, async () => {
      for (const name of ['avatarUrl', 'avatar', 'coverUrl'])
        for (const allowPrivateAddresses of [false, true]) {
          const error = await weappErrorOf('ERR_REQUEST_INVALID', () =>
            readUnverified({ [name]: path }, { allowPrivateAddresses }),
          )
          expect(error.message).to.include('upload the picture first')
        }
    })
  }

  it('takes addresses and texts that only look a little like a file on the phone', () => {
    for (const avatarUrl of ['https://tmp.example.com/a.png', 'https://cdn.example.com/tmp/a.png'])
      expect(unverifiedUserInfo({ avatarUrl }).avatarUrl).to.equal(avatarUrl)
    expect(unverifiedUserInfo({ nickName: 'wxfile://me', bio: 'blob: it is' })).to.include({
      nickName: 'wxfile://me',
      bio: 'blob: it is',
    })
  })

  it('removes what nobody sees, and leaves emoji as they are', () => {
    const seen = (nickName: string) => unverifiedUserInfo({ nickName }).nickName
    expect(seen('\u202Eevil\u202C \u2066x\u2069')).to.equal('evil x')
    expect(seen('A\u200Bd\u200Da\uFEFF\u00AD\u2060\u3164')).to.equal('Ada')
    expect(seen('\uD83D Ada \uDE00')).to.equal('Ada')
    expect(seen('\u3000 \u00A0')).to.equal('')
    expect(seen('Admin1\uFE0F')).to.equal('Admin1')
    expect(seen(`A${'\u0301'.repeat(1_000)}b`)).to.equal(`A${'\u0301'.repeat(8)}b`)
    for (const hidden of ['\u180B\u180B\u180B', '\u061C\u200D\u061C', '\u17B4\u200C\u17B4'])
      expect(seen(`Ad${hidden}min`)).to.equal('Admin')
    expect(seen('Admin\uFE0F\u200D😀')).to.equal('Admin😀')
    expect(seen('one\u2028two\u2029')).to.equal('onetwo')
    expect(seen('\u{E0041}\u{E007F}')).to.equal('')
    for (const emoji of [
      '👨‍👩‍👧',
      '👩🏽‍🚀',
      '❤️‍🔥',
      '1️⃣',
      '🇨🇳',
      '小明',
      'می‌خواهم',
      '葛\u{E0100}飾',
      '神\uFE00',
      'ᠠ᠋ᠠ',
      'രാജന്\u200D',
      '\u06DD١',
      '//TODO',
      'Data: me',
    ])
      expect(seen(emoji)).to.equal(emoji)
  })

  it('takes what it has given, unchanged, whatever it made of it', () => {
    const letters = fc.constantFrom(
      ...'aé微😀\t\n\x01\u200B\u200C\u200D\u180B\u061C\u17B4\uFE0F\u20E31\u0301 \u3000م\u0D4Dന\u{E0100}葛'.split(
        /(?:)/u,
      ),
    )
    fc.assert(
      fc.property(fc.string({ unit: letters, maxLength: 30 }), (nickName) => {
        const once = unverifiedUserInfo({ nickName })
        expect(unverifiedUserInfo({ ...once })).to.deep.equal(once)
      }),
      { numRuns: 20_000 },
    )
  })

  it('takes an address that everybody can reach, or none', () => {
    expect(unverifiedUserInfo({ avatarUrl: 'https://cdn.example.com/头像"<b>.png' }).avatarUrl).to.equal(
      'https://cdn.example.com/%E5%A4%B4%E5%83%8F%22%3Cb%3E.png',
    )
    for (const avatarUrl of [
      'https://cdn.example.com/a.png',
      'http://8.8.8.8/a',
      'https://[2606:4700::1111]/',
      '',
    ])
      expect(unverifiedUserInfo({ avatarUrl }).avatarUrl).to.equal(avatarUrl)
    expect(unverifiedUserInfo({ remark: 'on JavaScript: a book' }).remark).to.equal('on JavaScript: a book')
  })

  it('takes an address of this machine or its network where the server allows it, but none of a link or a cloud', async () => {
    const read = (avatarUrl: string) =>
      readUnverified({ avatarUrl }, { allowPrivateAddresses: true }).avatarUrl
    for (const good of [
      'http://127.0.0.1:3000/avatars/1',
      'http://localhost:3000/a',
      'http://192.168.1.5/a',
      'http://[::1]/a',
      'http://[fd00::5]/a',
      'http://my-laptop/a',
      'http://my-laptop.local/a',
      'https://cdn.example.com/a',
    ])
      expect(read(good)).to.equal(good)
    for (const bad of [
      'http://169.254.169.254/',
      'http://[fe80::1]/',
      'http://100.100.100.200/',
      'http://0.0.0.0/',
      'http://metadata.google.internal/',
      'http://metadata/',
      'javascript:alert(1)',
      '//evil.example/a',
    ])
      await weappErrorOf('ERR_REQUEST_INVALID', () => read(bad))
  })

  it('takes as much as is allowed', () => {
    expect(Object.keys(unverifiedUserInfo(fields(32)))).to.have.length(33)
    expect(unverifiedUserInfo({ nickName: 'x'.repeat(1_024) }).nickName).to.have.length(1_024)
    expect(unverifiedUserInfo({ ['x'.repeat(64)]: 1 })).to.have.property('x'.repeat(64), 1)
    expect(unverifiedUserInfo({ nickName: '微信用户 👩‍👧' }).nickName).to.equal('微信用户 👩‍👧')
  })

  it('answers a safe profile or refuses, whatever JSON a phone sends', () => {
    const names = fc.oneof(
      fc.string(),
      fc.string({ unit: fc.constantFrom('a', 'U', '_', '9') }),
      fc.constantFrom('openId', 'verified', '__proto__', 'constructor', 'nickName', 'avatarUrl'),
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
      verifiedUserInfo({ ...WECHATS, openId: 'o1', unionId: 'u1', watermark: {}, verified: false }),
    ).to.deep.equal({ ...WECHATS, verified: true })
  })

  it('leaves out every field that WeChat is not known to have, or not like that', () => {
    const more = { role: 'admin', phoneNumber: '13580006666', toString: 'x', badges: [1], is_demote: true }
    expect(verifiedUserInfo({ ...more, ...WECHATS })).to.deep.equal({ ...WECHATS, verified: true })
    const odd = { gender: 3, city: ['x'], province: 7, country: 'x'.repeat(1_025), language: 7 }
    expect(verifiedUserInfo({ ...WECHATS, ...odd })).to.deep.equal({
      nickName: 'Band',
      avatarUrl: WECHATS.avatarUrl,
      verified: true,
    })
    for (const avatarUrl of ['javascript:alert(1)', '//evil.example/a', 'http://169.254.169.254/'])
      expect(verifiedUserInfo({ nickName: 'Band', avatarUrl })).to.deep.equal({
        nickName: 'Band',
        verified: true,
      })
    expect(verifiedUserInfo({ nickName: '', avatarUrl: '' })).to.include({ nickName: '', avatarUrl: '' })
  })

  it('says that it is not vouched for where its caller cannot be sure', () => {
    expect(wechatUserInfo(WECHATS, false)).to.deep.equal({ ...WECHATS, verified: false })
  })

  it('refuses more than any profile of WeChat has', async () => {
    const long = Object.fromEntries(
      ['nickName', 'city', 'province', 'country'].map((name) => [name, '长'.repeat(1_000)]),
    )
    await weappErrorOf('ERR_DATA_MALFORMED', () => verifiedUserInfo(long))
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
    expect(verifiedUserInfo({ ...spellings, ...WECHATS })).to.deep.equal({ ...WECHATS, verified: true })
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
    const unverified = unverifiedUserInfo(PROFILE)
    for (const profile of [unverified, { ...unverified, verified: true }, { verified: false }])
      expect(decodeUserInfo(encodeUserInfo(profile))).to.deep.equal(profile)
  })

  it('spends few bytes on whether a profile is verified, none where it is not', () => {
    expect(encodeUserInfo({ nickName: 'Band', verified: true })).to.equal('{"nickName":"Band","":1}')
    expect(encodeUserInfo({ nickName: 'Band', verified: false })).to.equal('{"nickName":"Band"}')
  })

  it('takes nothing but its own mark for verified, and that is no name of a field', () => {
    expect(() => unverifiedUserInfo({ '': 1 })).to.throw(/names of up to 64 ASCII letters/)
    for (const text of ['{}', '{"nickName":"Band"}', '{"":true}', '{"":"1"}', '{"verified":true}'])
      expect(decodeUserInfo(text)).to.include({ verified: false }).and.not.have.property('')
    expect(decodeUserInfo('{"":1}')).to.deep.equal({ verified: true })
  })

  it('takes what it cannot read for no profile', () => {
    for (const text of [null, '', 'null', '[]', '1', '"verified"', '{"nickName":"Band"'])
      expect(decodeUserInfo(text)).to.equal(null)
  })
})
