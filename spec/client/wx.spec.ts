import { expect } from 'chai'
import { afterEach, beforeEach, describe, it } from 'mocha'
import type { WxLike } from '../../client/index.js'
import { unhandledRejectionsDuring } from '../support/unhandled-rejections.js'
import { type ClientBed, openClientBed } from './client-bed.js'

type Outcome = { statusCode?: number; code?: string; errMsg?: string }

/** What Taro does: it calls back, and answers a promise as well. */
function taroOf(wx: WxLike): WxLike {
  const both = (method: (option: never) => unknown) => (option: object) =>
    new Promise((resolve, reject) => {
      const { success, fail } = option as { success(value: unknown): void; fail(reason: unknown): void }
      method({
        ...option,
        success(value: unknown) {
          success(value)
          resolve(value)
        },
        fail(reason: unknown) {
          fail(reason)
          reject(reason)
        },
      } as never)
    })
  return {
    ...wx,
    login: both(wx.login),
    request: both(wx.request),
    uploadFile: both(wx.uploadFile),
    downloadFile: both(wx.downloadFile),
  }
}

/** What uni-app does: its methods need no other object, and a method without callbacks answers a promise. */
function uniOf(wx: WxLike): WxLike {
  class Uni {
    login = (option: never) => wx.login(option)
    request = (option: never) => wx.request(option)
    uploadFile = (option: never) => wx.uploadFile(option)
    downloadFile = (option: never) => wx.downloadFile(option)
    getStorageSync = (key: string) => wx.getStorageSync(key)
    setStorageSync = (key: string, data: string) => wx.setStorageSync(key, data)
    removeStorageSync = (key: string) => wx.removeStorageSync(key)
  }
  return new Uni()
}

describe('the client and wx', () => {
  let bed: ClientBed

  beforeEach(async () => {
    bed = await openClientBed()
  })
  afterEach(() => bed.close())

  for (const [name, wrap] of [
    ['Taro', taroOf],
    ['uni-app', uniOf],
  ] as const) {
    it(`works the same on ${name}, and leaves no rejection unhandled`, async () => {
      const unhandled = await unhandledRejectionsDuring(async () => {
        const client = bed.start({ wx: wrap(bed.phone.wx) })
        expect(await client.request({ url: '/me' })).to.include({ statusCode: 200 })
        await bed.endAll()
        expect(await client.request({ url: '/me' })).to.include({ statusCode: 200 })
        bed.phone.offline = true
        const outcome = await client.request({ url: '/me' }).catch((error: Outcome) => error)
        expect(outcome).to.include({ code: 'ERR_NETWORK' })
      })
      expect(unhandled).to.deep.equal([])
      expect(bed.logins()).to.equal(2)
    })
  }

  it('takes the global wx where none is given', async () => {
    const global = globalThis as { wx?: unknown }
    global.wx = bed.phone.wx
    try {
      expect(await bed.start({ wx: undefined } as never).request({ url: '/me' })).to.include({
        statusCode: 200,
      })
    } finally {
      delete global.wx
    }
  })

  it('calls back, success then complete, and returns no promise then', async () => {
    const client = bed.start()
    const order: string[] = []
    const outcome = await new Promise<{ statusCode?: number | undefined }>((complete) => {
      const answered = client.request({
        url: '/me',
        success: ({ statusCode }) => void order.push(`success ${statusCode}`),
        fail: () => void order.push('fail'),
        complete,
      })
      expect(answered).to.have.all.keys('abort')
    })
    expect([order, outcome.statusCode]).to.deep.equal([['success 200'], 200])
  })

  it('calls fail, then complete, with the error', async () => {
    bed.phone.offline = true
    const client = bed.start()
    const order: string[] = []
    await new Promise<void>((resolve) =>
      client.login({
        fail: ({ errMsg }) => void order.push(errMsg),
        complete: () => resolve(),
      }),
    )
    expect(order).to.deep.equal(['login:fail the phone is offline'])
  })

  it('calls complete also when success throws, and lets the app hear of that', async () => {
    const client = bed.start()
    const unhandled = await unhandledRejectionsDuring(
      () =>
        new Promise((complete) =>
          client.request({
            url: '/me',
            success: () => {
              throw new Error('a bug of the page')
            },
            complete,
          }),
        ),
    )
    expect(unhandled.map(String)).to.deep.equal(['Error: a bug of the page'])
  })

  it('calls back from every method', async () => {
    const client = bed.start()
    const got = <Result>(
      call: (option: { success: (result: Result) => void; fail: (e: unknown) => void }) => void,
    ) => new Promise<Result>((success, fail) => call({ success, fail }))
    await got((option) => client.login(option))
    const steps = await bed.phone.wx.getWeRunData()
    const { code } = await bed.phone.getPhoneNumber()
    const filePath = bed.phone.files.add('a picture')
    expect(await got((option) => client.decrypt({ url: '/steps', ...steps, ...option }))).to.be.an('object')
    expect(await got((option) => client.phoneNumber({ code, ...option }))).to.include({ countryCode: '86' })
    expect(await got((option) => client.setUserInfo({ userInfo: { nickName: 'a' }, ...option }))).to.include({
      nickName: 'a',
    })
    expect(
      await got((o) => client.uploadFile({ url: '/avatar', filePath, name: 'avatar', ...o })),
    ).to.include({
      statusCode: 200,
    })
    expect(await got((option) => client.downloadFile({ url: '/me', ...option }))).to.include({
      statusCode: 200,
    })
    await got((option) => client.logout(option))
    expect(bed.stored()).to.equal('')
  })

  it('passes on no option of its own', async () => {
    const seen: object[] = []
    const { wx } = bed.phone
    const request: WxLike['request'] = (option) => {
      seen.push(option)
      return wx.request(option as never)
    }
    const client = bed.start({ wx: { ...wx, request } })
    await client.request({ url: '/me', onTask: () => undefined })
    for (const option of seen) expect(option).not.to.have.property('onTask')
  })

  it('calls fail with an error that has a code, also for a wrong address', async () => {
    const code = await new Promise((resolve) =>
      bed.start().request({ url: 'https://example.org', fail: (error) => resolve(error.code) }),
    )
    expect(code).to.equal('ERR_URL_INVALID')
  })

  it('does not wait for a wx.login that never calls back', async () => {
    const client = bed.start({ timeoutMs: 5, wx: { ...bed.phone.wx, login: () => undefined } })
    const outcome = await client.request({ url: '/me' }).catch((error: Outcome) => error)
    expect(outcome).to.include({ code: 'ERR_WX_LOGIN', errMsg: 'login:fail timeout' })
    await client.logout()
  })

  it('does not wait for a wx.request that never calls back, in a login as in a call', async () => {
    const { wx } = bed.phone
    const silent: WxLike = { ...wx, request: () => undefined }
    const failed = { code: 'ERR_NETWORK', errMsg: 'request:fail timeout' }
    const client = bed.start({ timeoutMs: 300, wx: silent })
    expect(await client.login().catch((error: Outcome) => error)).to.include(failed)
    wx.setStorageSync(`weapp-session:${bed.url}`, 'a-token')
    const restarted = bed.start({ timeoutMs: 5, wx: silent })
    expect(await restarted.request({ url: '/me' }).catch((error: Outcome) => error)).to.include(failed)
  })

  it('takes a wx.login without a code for one that has failed', async () => {
    const login: WxLike['login'] = (option) =>
      (option as { success(answer: object): void }).success({ errMsg: 'login:ok' })
    const client = bed.start({ wx: { ...bed.phone.wx, login } })
    const outcome = await client.login().catch((error: Outcome) => error)
    expect(outcome).to.include({ code: 'ERR_WX_LOGIN', errMsg: 'login:ok' })
    expect(bed.asked).to.deep.equal([])
  })

  it('gives requests a deadline, unless they bring their own', async () => {
    const seen: unknown[] = []
    const { wx } = bed.phone
    const request: WxLike['request'] = (option) => {
      seen.push((option as { timeout?: number }).timeout)
      return wx.request(option as never)
    }
    const client = bed.start({ timeoutMs: 4000, wx: { ...wx, request } })
    await client.request({ url: '/me' })
    await client.request({ url: '/me', timeout: 9000 })
    await client.request({ url: '/me', timeout: undefined as never })
    expect(seen).to.deep.equal([4000, 4000, 9000, 4000])
    await bed.start({ storageKey: 'b', wx: { ...wx, request } }).login()
    expect(seen.at(-1)).to.equal(15_000)
    const uploads: object[] = []
    const uploadFile: WxLike['uploadFile'] = (option) => {
      uploads.push(option)
      return wx.uploadFile(option as never)
    }
    const filePath = bed.phone.files.add('a picture')
    await bed.start({ wx: { ...wx, uploadFile } }).uploadFile({ url: '/avatar', filePath, name: 'avatar' })
    expect(uploads[0]).not.to.have.property('timeout')
  })

  it('turns what a broken wx throws into an error of the client', async () => {
    const throwing = () => {
      throw new Error('request is not a function')
    }
    const client = bed.start({ wx: { ...bed.phone.wx, request: throwing } })
    const outcome = await client.login().catch((error: Outcome) => error)
    expect(outcome).to.include({ code: 'ERR_NETWORK', errMsg: 'request is not a function' })
  })
})
