import { expect } from 'chai'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { encryptOpenData } from '../../sandbox/open-data.js'
import { IV, LOGINS, openProfileBed, type ProfileBed } from '../support/profile-bed.js'

describe('a nickname with control characters in it', () => {
  let bed: ProfileBed
  const profile = { nickName: '\x14小\x05\n明\x00"', avatarUrl: 'https://thirdwx.qlogo.cn/mmopen/1/132' }
  const carried = '小 明"'

  beforeEach(async () => {
    bed = await openProfileBed()
  })
  afterEach(() => bed.closeClean())

  for (const isRaw of [false, true]) {
    const how = isRaw ? 'as they are' : 'escaped'

    for (const [protocol, logIn] of Object.entries(LOGINS)) {
      it(`is carried by a login, ${how}: ${protocol}`, async () => {
        expect(await logIn(bed, profile, isRaw)).to.include({ nickName: carried })
      })
    }

    it(`is carried where the data is signed, encrypted or names nobody, ${how}`, async () => {
      const { token } = (await bed.logIn()).body
      for (const [make, verified] of [
        [bed.signed, true],
        // Nobody signed it, and control characters make room for a joint.
        [bed.encrypted, false],
        [bed.nameless, false],
      ] as const) {
        const put = await bed.http
          .put('/session/user-info')
          .set('x-3rd-session', token)
          .send(make(profile, isRaw))
        expect(put.body.userInfo).to.include({ nickName: carried, verified })
        expect((await bed.logIn(() => make(profile, isRaw))).body.userInfo).to.include({
          nickName: carried,
          verified,
        })
      }
    })

    it(`is decrypted for a route as WeChat has it, ${how}`, async () => {
      const { token } = (await bed.logIn()).body
      for (const as of ['any', 'userInfo']) {
        const { body } = await bed.http
          .post(`/as/${as}`)
          .set('x-3rd-session', token)
          .send(bed.encrypted(profile, isRaw))
        expect(body.nickName).to.equal(profile.nickName)
      }
    })
  }

  it('is carried where it was typed in', async () => {
    expect((await bed.logIn({ userInfo: profile })).body.userInfo).to.include({
      nickName: carried,
      verified: false,
    })
  })

  it('is no reason to take bytes that are no UTF-8, or control characters elsewhere', async () => {
    const { token } = (await bed.logIn()).body
    const put = (data: object) => bed.http.put('/session/user-info').set('x-3rd-session', token).send(data)
    await put(bed.encrypted({ ...profile, city: '\x01' }, true)).expect(400)
    await put(bed.encrypted({ ...profile, 'x\x01': 'y' }, true)).expect(400)
    const latin1 = JSON.stringify({ openId: bed.phone.openid, ...profile, nickName: 'é' })
    const key = bed.sandbox.sessionKeyOf(bed.phone)
    const encryptedData = encryptOpenData(Buffer.from(latin1, 'latin1') as unknown as string, key, IV)
    await put({ encryptedData, iv: IV }).expect(409)
  })
})
