import { expect } from 'chai'
import { afterEach, beforeEach, describe, it } from 'mocha'
import type { WxLike } from '../../client/index.js'
import { type ClientBed, openClientBed } from './client-bed.js'

describe('the token on the phone', () => {
  let bed: ClientBed

  beforeEach(async () => {
    bed = await openClientBed()
  })
  afterEach(() => bed.close())

  function withStorage(changes: Partial<WxLike>): WxLike {
    return { ...bed.phone.wx, ...changes }
  }
  const full = () => {
    throw new Error('setStorageSync:fail exceed storage max size 10Mb')
  }

  it('serves all calls beside the token of another service', async () => {
    const client = bed.start()
    const header = { Authorization: 'Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.dozjgNryP4J3jVmNHl0w5N' }
    for (let n = 0; n < 5; n += 1)
      expect(await client.request({ url: '/me', header })).to.include({ statusCode: 200 })
    expect(bed.logins()).to.equal(1)
  })

  it('survives a restart of the app', async () => {
    await bed.start().request({ url: '/me' })
    await bed.start().request({ url: '/me' })
    expect(bed.logins()).to.equal(1)
  })

  it('lives as long as the app where storage takes nothing', async () => {
    const client = bed.start({ wx: withStorage({ setStorageSync: full, removeStorageSync: full }) })
    for (let n = 0; n < 3; n += 1) await client.request({ url: '/me' })
    expect(bed.logins()).to.equal(1)
    await client.logout()
    await client.request({ url: '/me' })
    expect(bed.logins()).to.equal(2)
  })

  it('is missed, and made anew, where storage cannot be read', async () => {
    await bed.start().login()
    const client = bed.start({ wx: withStorage({ getStorageSync: full }) })
    for (let n = 0; n < 3; n += 1) await client.request({ url: '/me' })
    expect(bed.logins()).to.equal(2)
  })

  it('is not taken back from a storage that could not forget it', async () => {
    const client = bed.start({ wx: withStorage({ removeStorageSync: full }) })
    await client.login()
    await client.logout()
    await client.request({ url: '/me' })
    expect(bed.logins()).to.equal(2)
  })

  it('is whatever storage holds only if that is a text', async () => {
    for (const value of [{ token: 'a' }, 7, null, undefined, '']) {
      const client = bed.start({ wx: withStorage({ getStorageSync: () => value }) })
      bed.asked.length = 0
      expect(await client.request({ url: '/me' })).to.include({ statusCode: 200 })
      expect(bed.asked).to.deep.equal(['POST /login', 'GET /me'])
    }
  })

  it('is none where storage holds what no request could carry', async () => {
    for (const value of ['会话', 'a\nb', 'two words', 'x'.repeat(20_000)]) {
      bed.phone.wx.setStorageSync(`weapp-session:${bed.url}`, value)
      bed.asked.length = 0
      expect(await bed.start().request({ url: '/me' })).to.include({ statusCode: 200 })
      expect(bed.asked).to.deep.equal(['POST /login', 'GET /me'])
    }
  })

  it('of a damaged storage costs one login', async () => {
    bed.phone.wx.setStorageSync(`weapp-session:${bed.url}`, 'not-a-token')
    expect(await bed.start().request({ url: '/me' })).to.include({ statusCode: 200 })
    expect(bed.asked).to.deep.equal(['GET /me', 'POST /login', 'GET /me'])
  })

  it('is one for each phone, back end and key', async () => {
    await bed.start().login()
    await bed.start({ storageKey: 'other' }).login()
    await bed.start({}, bed.sandbox.phone({ user: bed.phone.user })).login()
    expect(bed.logins()).to.equal(3)
    expect(await bed.sessions.list(bed.phone)).to.have.lengthOf(3)
  })
})
