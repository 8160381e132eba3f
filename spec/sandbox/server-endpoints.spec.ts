import { expect } from 'chai'
import { describe, it } from 'mocha'
import { SERVER_ENDPOINTS } from '../../sandbox/server-endpoints.js'
import { aSandbox } from './a-sandbox.js'
import { type Answered, ask, errorCodeOf } from './ask.js'

describe('the endpoints for servers', () => {
  it('are those of WeChat and QQ, and that of Douyin', () => {
    expect([...SERVER_ENDPOINTS.keys()]).to.deep.equal([
      '/sns/jscode2session',
      '/cgi-bin/stable_token',
      '/wxa/checksession',
      '/wxa/resetusersessionkey',
      '/wxa/business/getuserphonenumber',
      '/api/apps/v2/jscode2session',
    ])
  })
})

for (const path of SERVER_ENDPOINTS.keys()) {
  describe(`a misbehaving ${path}`, () => {
    const sandbox = aSandbox()

    const post = (): Promise<Answered> => ask(`${sandbox().url}${path}`, { method: 'POST', body: '{}' })

    it('returns an errcode under its own name', async () => {
      sandbox().misbehave({ errcode: -1 }, { path })
      const { status, json } = await post()
      expect(status).to.equal(200)
      expect(json.errcode ?? json.err_no).to.equal(-1)
      expect(json.errmsg ?? json.err_tips).to.match(/^system error/)
    })

    it('returns the pages of gateways', async () => {
      sandbox().misbehave('html', { path, times: 1 })
      sandbox().misbehave('html502', { path, times: 1 })
      sandbox().misbehave('http500', { path, times: 1 })
      sandbox().misbehave('redirect', { path, times: 1 })
      const statuses = [await post(), await post(), await post(), await post()].map(({ status }) => status)
      expect(statuses).to.deep.equal([200, 502, 500, 302])
    })

    it('returns half of its JSON, or nothing', async () => {
      sandbox().misbehave('badJson', { path, times: 1 })
      sandbox().misbehave('empty', { path, times: 1 })
      const { text } = await post()
      expect(text).to.match(/^\{"/)
      expect(() => JSON.parse(text)).to.throw(SyntaxError)
      expect((await post()).text).to.equal('')
    })

    it('breaks the connection, or responds late', async () => {
      sandbox().misbehave('drop', { path, times: 1 })
      sandbox().misbehave('truncated', { path, times: 1 })
      sandbox().misbehave({ slowMs: 1 }, { path, times: 1 })
      expect(await errorCodeOf(post())).to.equal('ECONNRESET')
      expect(await errorCodeOf(post())).to.equal('ECONNRESET')
      expect((await post()).status).to.equal(200)
    })
  })
}

describe('stable_token with wrong types', () => {
  const sandbox = aSandbox()

  it('returns a token that is a number, and an end that is a text', async () => {
    const path = '/cgi-bin/stable_token'
    sandbox().misbehave('wrongTypes', { path })
    const body = JSON.stringify({ grant_type: 'client_credential', ...sandbox().app })
    const { json } = await ask(`${sandbox().url}${path}`, { method: 'POST', body })
    expect(json).to.deep.equal({ access_token: 42, expires_in: 'soon' })
  })
})
