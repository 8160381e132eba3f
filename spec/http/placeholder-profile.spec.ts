import { expect } from 'chai'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { LOGINS, openProfileBed, type ProfileBed } from '../support/profile-bed.js'

const GREY =
  'https://thirdwx.qlogo.cn/mmopen/vi_32/POgEwh4mIHO4nibH0KlMECNjjGxQUq24ZEaGT4poC6icRiccVGKSyXwibcPq4BWmiaIGuG1icwxaQX6grC9VemZoJ8rg/132'
const PLACEHOLDER = { nickName: '微信用户', avatarUrl: GREY }
const TYPED = { nickName: '小明', avatarUrl: 'https://cdn.example.com/1.png' }

describe('the profile that WeChat gives in place of the user’s own', () => {
  let bed: ProfileBed
  let token: string
  beforeEach(async () => {
    bed = await openProfileBed()
    token = (await bed.logIn()).body.token
  })
  afterEach(() => bed.closeClean())

  const put = (data: object) => bed.http.put('/session/user-info').set('x-3rd-session', token).send(data)
  const stored = async () => (await bed.http.get('/session').set('x-3rd-session', token)).body.userInfo

  for (const [protocol, logIn] of Object.entries(LOGINS)) {
    it(`does not take the place of one that was typed in, at a login: ${protocol}`, async () => {
      await put({ userInfo: TYPED }).expect(200)
      expect(await logIn(bed, PLACEHOLDER)).to.include(TYPED)
      expect(await stored()).to.deep.equal({ ...TYPED, verified: false })
    })
  }

  for (const [what, own] of [
    ['a name alone', { nickName: '小明' }],
    ['a picture alone', { avatarUrl: TYPED.avatarUrl }],
    ['a picture of their own under WeChat’s name', { ...PLACEHOLDER, avatarUrl: TYPED.avatarUrl }],
    ['something else', { city: '广州' }],
  ] as const) {
    it(`does not take the place of ${what}, whichever way it comes`, async () => {
      await put({ userInfo: own }).expect(200)
      for (const data of [
        () => bed.signed(PLACEHOLDER),
        () => bed.encrypted(PLACEHOLDER),
        () => bed.nameless(PLACEHOLDER),
        () => ({ userInfo: PLACEHOLDER }),
      ]) {
        expect((await put(data()).expect(200)).body.userInfo).to.deep.equal({ ...own, verified: false })
        expect((await bed.logIn(data)).body.userInfo).to.deep.equal({ ...own, verified: false })
      }
      expect(await stored()).to.deep.equal({ ...own, verified: false })
    })
  }

  it('does not take the place of one that WeChat gave in earlier years', async () => {
    const earlier = { nickName: 'Band', avatarUrl: 'https://wx.qlogo.cn/mmopen/1/0' }
    await put(bed.signed(earlier)).expect(200)
    await bed.logIn(() => bed.encrypted(PLACEHOLDER))
    expect(await stored()).to.include({ ...earlier, verified: true })
  })

  it('is kept where there is no other, and gives way to any other', async () => {
    expect((await bed.logIn(() => bed.encrypted(PLACEHOLDER))).body.userInfo).to.include(PLACEHOLDER)
    expect((await put(bed.signed({ ...PLACEHOLDER, gender: 1 }))).body.userInfo).to.include({ gender: 1 })
    await put({ userInfo: TYPED }).expect(200)
    expect(await stored()).to.include(TYPED)
    await put({ userInfo: { nickName: 'Ada' } }).expect(200)
    expect(await stored()).to.deep.equal({ nickName: 'Ada', verified: false })
  })
})
