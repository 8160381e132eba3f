import { expect } from 'chai'
import { describe, it } from 'mocha'
import { createWxStorage } from '../../sandbox/wx-storage.js'

const errMsgOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.catch((failure: { errMsg: string }) => failure.errMsg)

describe('wx storage', () => {
  it('keeps values for the synchronous and the asynchronous methods alike', async () => {
    const wx = createWxStorage()
    wx.setStorageSync('token', 'abc')
    expect(await wx.getStorage({ key: 'token' })).to.deep.equal({ data: 'abc', errMsg: 'getStorage:ok' })
    await wx.setStorage({ key: 'token', data: 'def' })
    expect(wx.getStorageSync('token')).to.equal('def')
  })

  for (const value of ['', 'text', 0, 7.5, false, null, [1, [2]], { a: { b: '中' } }]) {
    it(`gives back ${JSON.stringify(value)} as it was`, async () => {
      const wx = createWxStorage()
      await wx.setStorage({ key: 'k', data: value })
      expect(wx.getStorageSync('k')).to.deep.equal(value)
    })
  }

  it('keeps copies', () => {
    const wx = createWxStorage()
    const value = { skey: 'first' }
    wx.setStorageSync('session', value)
    value.skey = 'second'
    wx.getStorageSync<typeof value>('session').skey = 'third'
    expect(wx.getStorageSync('session')).to.deep.equal({ skey: 'first' })
  })

  it('returns an empty string for a missing key, synchronously', () => {
    expect(createWxStorage().getStorageSync('missing')).to.equal('')
  })

  it('fails for a missing key, asynchronously', async () => {
    const failed = createWxStorage().getStorage({ key: 'missing' })
    expect(await errMsgOf(failed)).to.equal('getStorage:fail data not found')
  })

  it('takes undefined for no value', () => {
    const wx = createWxStorage()
    wx.setStorageSync('k', 1)
    wx.setStorageSync('k', undefined)
    expect(wx.getStorageInfoSync().keys).to.deep.equal([])
  })

  it('removes one value', async () => {
    const wx = createWxStorage()
    for (const key of ['a', 'b', 'c']) wx.setStorageSync(key, key)
    wx.removeStorageSync('a')
    await wx.removeStorage({ key: 'b' })
    expect(wx.getStorageInfoSync().keys).to.deep.equal(['c'])
  })

  it('removes what is not there', async () => {
    const wx = createWxStorage()
    wx.removeStorageSync('missing')
    expect(await wx.removeStorage({ key: 'missing' })).to.deep.equal({ errMsg: 'removeStorage:ok' })
  })

  it('removes all values', async () => {
    const wx = createWxStorage()
    wx.setStorageSync('a', 1)
    await wx.clearStorage()
    expect(wx.getStorageSync('a')).to.equal('')
    wx.setStorageSync('a', 1)
    wx.clearStorageSync()
    expect(wx.getStorageSync('a')).to.equal('')
  })

  it('tells its keys and its size', async () => {
    const wx = createWxStorage()
    wx.setStorageSync('a', 'x'.repeat(1500))
    const info = { keys: ['a'], currentSize: 2, limitSize: 10240 }
    expect(wx.getStorageInfoSync()).to.deep.equal(info)
    expect(await wx.getStorageInfo()).to.deep.equal({ ...info, errMsg: 'getStorageInfo:ok' })
  })

  it('refuses a key that is not a string', async () => {
    const wx = createWxStorage()
    const key = 7 as unknown as string
    expect(() => wx.setStorageSync(key, 1)).to.throw(/^setStorageSync:fail parameter error/)
    expect(() => wx.getStorageSync('')).to.throw(/^getStorageSync:fail parameter error/)
    expect(await errMsgOf(wx.getStorage({ key }))).to.match(/^getStorage:fail parameter error/)
  })
})
