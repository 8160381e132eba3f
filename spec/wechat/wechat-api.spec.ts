import { expect } from 'chai'
import { describe, it } from 'mocha'
import type { WechatRequest } from '../../lib/wechat/transport.js'
import { createWechatApi } from '../../lib/wechat/wechat-api.js'
import { weappErrorOf } from '../support/failures.js'

const BUSY = { errcode: -1, errmsg: 'system error' }
const SENT = { path: '/cgi-bin/something', query: { access_token: 't1' }, body: { code: 'c1' } }
const CALL = { appid: 'wx1111111111111111', ...SENT }

/** A transport that gives these answers in turn, the last one again and again. */
function answering(...answers: object[]) {
  const requests: WechatRequest[] = []
  return {
    requests,
    async send(request: WechatRequest) {
      requests.push(request)
      return JSON.stringify(answers.length > 1 ? answers.shift() : answers[0])
    },
    close() {},
  }
}

describe('a call of the API of WeChat', () => {
  it('returns the fields of the answer, and sends path, query and body as they are', async () => {
    const transport = answering({ errcode: 0, phone_info: {} })
    expect(await createWechatApi({ transport }).call(CALL, {})).to.deep.equal({ errcode: 0, phone_info: {} })
    expect(transport.requests).to.have.length(1)
    expect(transport.requests[0]).to.deep.include(SENT).and.not.have.property('appid')
  })

  it('throws what an errcode means by the meanings it is given', async () => {
    const api = createWechatApi({ transport: answering({ errcode: 40029 }) })
    const meanings = { 40029: { code: 'ERR_PHONE_CODE_INVALID', detail: 'Tap again.' } } as const
    await weappErrorOf('ERR_PHONE_CODE_INVALID', () => api.call(CALL, meanings))
    await weappErrorOf('ERR_WECHAT_ANSWER_INVALID', () => api.call(CALL, {}))
  })

  it('has one deadline for all its attempts, and each call one of its own', async () => {
    const transport = answering(BUSY, BUSY, {})
    const api = createWechatApi({ transport })
    await api.call(CALL, {})
    await api.call(CALL, {})
    const [first, second, third, other] = transport.requests.map(({ signal }) => signal)
    expect([second, third]).to.deep.equal([first, first])
    expect(second).to.equal(first)
    expect(other).to.be.instanceOf(AbortSignal).and.to.not.equal(first)
  })

  it('makes no further attempt when its deadline leaves no room for one', async () => {
    const transport = answering(BUSY)
    await weappErrorOf('ERR_WECHAT_BUSY', () => createWechatApi({ transport, timeoutMs: 1 }).call(CALL, {}))
    expect(transport.requests).to.have.length(1)
  })

  it('ends by the signal of a caller that has a deadline already', async () => {
    const transport = answering(BUSY)
    const signal = AbortSignal.timeout(1)
    await weappErrorOf('ERR_WECHAT_BUSY', () => createWechatApi({ transport }).call({ ...CALL, signal }, {}))
    expect(transport.requests.map((request) => request.signal)).to.deep.equal([signal])
  })

  it('finds a failure where the platform puts it', async () => {
    const dialect = { platform: 'Douyin', errcode: 'err_no', errmsg: 'err_tips' }
    const transport = answering({ errcode: 40029, err_no: 45009, err_tips: 'quota' }, { errcode: 40029 })
    const api = createWechatApi({ transport, dialect })
    const error = await weappErrorOf('ERR_WECHAT_QUOTA', () => api.call(CALL, {}))
    expect(error.hint).to.include('Douyin returned errcode 45009')
    expect(await api.call(CALL, {})).to.deep.equal({ errcode: 40029 })
  })
})
