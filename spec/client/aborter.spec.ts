import { expect } from 'chai'
import { afterEach, beforeEach, describe, it } from 'mocha'
import type { Abortable, WxLike } from '../../client/index.js'
import { unhandledRejectionsDuring } from '../support/unhandled-rejections.js'
import { answering, type ClientBed, clientErrorOf, holding, openClientBed, status } from './client-bed.js'

type Task = { abort(): void }

describe('a call of the client that is aborted', () => {
  let bed: ClientBed

  beforeEach(async () => {
    bed = await openClientBed()
  })
  afterEach(() => bed.close())

  /** A phone whose tasks are kept, with how often each was aborted. */
  function watched() {
    const { wx } = bed.phone
    const aborted: string[] = []
    const watch = (api: 'request' | 'uploadFile' | 'downloadFile') => (option: object) => {
      const task = (wx[api] as unknown as (option: object) => Task)(option)
      const { abort } = task
      task.abort = () => {
        aborted.push(`${api} ${new URL((option as { url: string }).url).pathname}`)
        abort()
      }
      return task
    }
    const phone: WxLike = {
      ...wx,
      request: watch('request'),
      uploadFile: watch('uploadFile'),
      downloadFile: watch('downloadFile'),
    }
    return { wx: phone, aborted }
  }

  async function expectAborted(call: Promise<unknown>, api = 'request'): Promise<void> {
    const error = await clientErrorOf('ERR_ABORTED', () => call)
    expect(error).to.include({ errMsg: `${api}:fail abort`, statusCode: undefined })
  }

  it('fails with ERR_ABORTED, and its request is stopped', async () => {
    const { wx, aborted } = watched()
    const client = bed.start({ wx })
    await client.login()
    const filePath = bed.phone.files.add('a picture')
    for (const [api, path, start] of [
      ['request', '/me', () => client.request({ url: '/me' })],
      ['uploadFile', '/avatar', () => client.uploadFile({ url: '/avatar', filePath, name: 'avatar' })],
      ['downloadFile', '/file', () => client.downloadFile({ url: '/file' })],
    ] as const) {
      const { line, letGo } = holding(path)
      bed.line = line
      const call: Promise<unknown> & Abortable = start()
      await bed.reached(`${api === 'uploadFile' ? 'POST' : 'GET'} ${path}`)
      call.abort()
      await expectAborted(call, api)
      letGo()
    }
    expect(aborted).to.deep.equal(['request /me', 'uploadFile /avatar', 'downloadFile /file'])
    expect(bed.logins()).to.equal(1)
  })

  it('is not sent at all when it is aborted at once', async () => {
    const client = bed.start()
    await client.login()
    const call = client.request({ url: '/me' })
    call.abort()
    await expectAborted(call)
    await client.request({ url: '/session' })
    expect(bed.asked).to.deep.equal(['POST /login', 'GET /session'])
  })

  it('does not wait for a login, which goes on for the others', async () => {
    const { wx, aborted } = watched()
    const client = bed.start({ wx })
    const { line, letGo } = holding('/login')
    bed.line = line
    const [first, second] = [client.request({ url: '/me' }), client.request({ url: '/session' })]
    await bed.reached('POST /login')
    first.abort()
    await expectAborted(first)
    letGo()
    expect(await second).to.include({ statusCode: 200 })
    expect([bed.asked, aborted]).to.deep.equal([['POST /login', 'GET /session'], []])
  })

  it('does not wait for a wx.login that is slow', async () => {
    const client = bed.start({ wx: { ...bed.phone.wx, login: () => undefined }, timeoutMs: 50 })
    const call = client.request({ url: '/me' })
    call.abort()
    await expectAborted(call)
    await client.logout()
  })

  it('does not wait for Retry-After, and is not sent again after it', async () => {
    let isOver = () => {}
    let waits: () => void
    const waiting = new Promise<void>((resolve) => {
      waits = resolve
    })
    const wait = () =>
      new Promise<void>((resolve) => {
        isOver = resolve
        waits()
      })
    const client = bed.start({ wait })
    await client.login()
    bed.line = answering('/me', status(503, '5'))
    const call = client.request({ url: '/me' })
    await waiting
    call.abort()
    await expectAborted(call)
    isOver()
    await client.request({ url: '/session' })
    expect(bed.asked).to.deep.equal(['POST /login', 'GET /me', 'GET /session'])
  })

  it('does not wait for the login after a 401, and is not repeated', async () => {
    const client = bed.start()
    await client.login()
    await bed.endAll()
    const { line, letGo } = holding('/login')
    bed.line = line
    const call = client.request({ url: '/me' })
    await bed.reached('POST /login', 2)
    call.abort()
    await expectAborted(call)
    letGo()
    await client.request({ url: '/session' })
    expect(bed.asked.slice(1)).to.deep.equal(['GET /me', 'POST /login', 'GET /session'])
  })

  it('begins no login because of what came too late', async () => {
    const client = bed.start()
    await client.login()
    await bed.endAll()
    const { line, letGo } = holding('/me')
    bed.line = line
    const call = client.request({ url: '/me' })
    await bed.reached('GET /me')
    call.abort()
    letGo()
    await expectAborted(call)
    expect(bed.logins()).to.equal(1)
  })

  it('can be one with callbacks, which returns its task', async () => {
    const client = bed.start()
    await client.login()
    const order: string[] = []
    await new Promise<void>((resolve) => {
      const task = client.request({
        url: '/me',
        success: () => void order.push('success'),
        fail: ({ code }) => void order.push(code),
        complete: () => resolve(),
      })
      expect(task).to.not.have.property('then')
      task.abort()
      task.abort()
    })
    expect(order).to.deep.equal(['ERR_ABORTED'])
  })

  it('can be aborted by the task of an attempt, while it waits for the next one, too', async () => {
    const tasks: Task[] = []
    const wait = async () => void tasks[0]?.abort()
    const client = bed.start({ wait })
    await client.login()
    await expectAborted(client.request({ url: '/me', onTask: (task) => task.abort() }))
    bed.line = answering('/late', status(503, '1'))
    await expectAborted(client.request({ url: '/late', onTask: (task) => void tasks.push(task) }))
    expect(bed.asked.filter((line) => line === 'GET /late')).to.have.lengthOf(1)
  })

  it('takes a task as it is that cannot be changed, and a phone without tasks', async () => {
    const { wx } = bed.phone
    const frozen = bed.start({
      wx: { ...wx, request: (option) => Object.freeze(wx.request(option as never)) },
    })
    await frozen.login()
    await expectAborted(frozen.request({ url: '/me', onTask: (task) => task.abort() }))
    const taskless = bed.start({ wx: { ...wx, request: (option) => void wx.request(option as never) } })
    const call = taskless.request({ url: '/me' })
    await Promise.resolve()
    call.abort()
    await expectAborted(call)
  })

  it('leaves one that is over as it was, and no rejection unhandled', async () => {
    const unhandled = await unhandledRejectionsDuring(async () => {
      const client = bed.start()
      const call = client.request({ url: '/me' })
      expect(await call).to.include({ statusCode: 200 })
      call.abort()
      expect(await call).to.include({ statusCode: 200 })
      const other = client.request({ url: '/session' })
      other.abort()
      await other.catch(() => undefined)
      const failing = client.request({ url: 'https://example.org' })
      failing.abort()
      await failing.catch(() => undefined)
    })
    expect(unhandled).to.deep.equal([])
  })
})
