import { expect } from 'chai'
import { afterEach, beforeEach, describe, it } from 'mocha'
import type { WxLike } from '../../client/index.js'
import { answering, type ClientBed, clientErrorOf, openClientBed, status } from './client-bed.js'

describe('Retry-After in the client', () => {
  let bed: ClientBed

  beforeEach(async () => {
    bed = await openClientBed()
    await bed.start().login()
  })
  afterEach(() => bed.close())

  for (const code of [503, 429]) {
    it(`waits as Retry-After says after a ${code}, and does not log in`, async () => {
      bed.line = answering('/me', status(code, '3'), status(code, '2'))
      expect(await bed.start().request({ url: '/me' })).to.include({ statusCode: 200 })
      expect([bed.waits, bed.logins()]).to.deep.equal([[3000, 2000], 1])
    })
  }

  it('understands a date', async () => {
    bed.line = answering('/me', status(503, new Date(Date.now() + 9000).toUTCString()))
    await bed.start().request({ url: '/me' })
    expect(bed.waits).to.have.lengthOf(1)
    expect(bed.waits[0]).to.be.within(1, 9000)
  })

  it('does not wait longer in all than it is allowed, and tells how long it should have', async () => {
    const { sandbox } = bed
    sandbox.misbehave({ errcode: 45011 })
    await bed.endAll()
    const error = await clientErrorOf('ERR_WECHAT_RATE_LIMITED', () => bed.start().request({ url: '/me' }))
    expect(error).to.include({ statusCode: 429, retryAfterSeconds: 60 })
    expect(bed.waits).to.deep.equal([])
    bed.line = answering('/me', status(503, '6'), status(503, '6'))
    sandbox.behave()
    expect(await bed.start().request({ url: '/me' })).to.include({ statusCode: 503 })
    expect(bed.waits).to.deep.equal([6000])
  })

  it('waits three times at most, however short the wait', async () => {
    bed.line = (req, res, next) => (req.path === '/me' ? status(503, '0')(req, res, next) : next())
    expect(await bed.start().request({ url: '/me' })).to.include({ statusCode: 503 })
    expect(bed.asked.filter((line) => line === 'GET /me')).to.have.lengthOf(4)
  })

  it('has ten seconds for one call, whatever happens on the way', async () => {
    bed.line = answering('/me', status(503, '9'), status(401), status(503, '9'))
    expect(await bed.start().request({ url: '/me' })).to.include({ statusCode: 503 })
    expect(bed.waits).to.deep.equal([9000])
    bed.line = answering('/me', status(503, '10'))
    expect(await bed.start().request({ url: '/me' })).to.include({ statusCode: 200 })
    bed.line = answering('/me', status(503, '11'))
    expect(await bed.start().request({ url: '/me' })).to.include({ statusCode: 503 })
  })

  it('reads the header however it is written', async () => {
    const { wx } = bed.phone
    const request: WxLike['request'] = (option) => {
      const { success } = option as { success(answer: { header: object }): void }
      const inCapitals = (header: object) =>
        Object.fromEntries(Object.entries(header).map(([name, value]) => [name.toUpperCase(), value]))
      return wx.request({
        ...option,
        success: (answer: { header: object }) => success({ ...answer, header: inCapitals(answer.header) }),
      } as never)
    }
    bed.line = answering('/me', status(503, '3'))
    expect(await bed.start({ wx: { ...wx, request } }).request({ url: '/me' })).to.include({
      statusCode: 200,
    })
    expect(bed.waits).to.deep.equal([3000])
  })

  it('returns the response at once where nothing says how long to wait', async () => {
    for (const [code, retryAfter] of [
      [503, undefined],
      [503, 'soon'],
      [503, '-1'],
      [500, '1'],
    ] as const) {
      bed.line = answering('/me', status(code, retryAfter))
      expect(await bed.start().request({ url: '/me' })).to.include({ statusCode: code })
    }
    expect(bed.waits).to.deep.equal([])
  })

  it('never waits where it is not allowed to', async () => {
    bed.line = answering('/me', status(503, '1'))
    expect(await bed.start({ maxWaitSeconds: 0 }).request({ url: '/me' })).to.include({ statusCode: 503 })
  })

  it('keeps the token while the store of the server is away', async () => {
    const token = bed.stored()
    bed.line = (req, res, next) => (req.path === '/me' ? status(503, '1')(req, res, next) : next())
    await bed.start().request({ url: '/me' })
    expect([bed.stored(), bed.logins()]).to.deep.equal([token, 1])
  })

  it('waits by a timer when nobody injects another', async () => {
    bed.line = answering('/me', status(503, '0'))
    const { wait: _, ...options } = { wait: 0, baseUrl: bed.url, wx: bed.phone.wx }
    const { createClient } = await import('../../client/index.js')
    expect(await createClient(options).request({ url: '/me' })).to.include({ statusCode: 200 })
  })
})
