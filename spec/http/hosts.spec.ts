import { gzipSync } from 'node:zlib'
import { expect } from 'chai'
import { afterEach, beforeEach, describe, it } from 'mocha'
import type { ErrorCode } from '../../lib/index.js'
import { type Answered, type Asked, HOSTS, type Host } from '../support/hosts.js'
import { EXCHANGE, openTestBed, type TestBed } from '../support/test-bed.js'

/** Hosts that promise no more than `node:http` does, some of them less. */
for (const [name, open] of Object.entries(HOSTS)) {
  describe(`a back end on ${name}`, () => {
    let bed: TestBed
    let host: Host
    let limited: Host | undefined

    beforeEach(async () => {
      bed = await openTestBed()
      host = await open(bed.sessions)
    })
    afterEach(async () => {
      await limited?.close()
      limited = undefined
      await host.close()
      await bed.close()
    })

    const post = (path: string, body: string, headers: Record<string, string> = {}): Promise<Answered> =>
      host.ask({ method: 'POST', path, body, headers: { 'content-type': 'application/json', ...headers } })

    async function logIn(): Promise<string> {
      const { code } = await bed.phone.wx.login()
      const { status, body } = await post('/login', JSON.stringify({ code }))
      expect(status, body).to.equal(200)
      return JSON.parse(body).token
    }

    async function expectRefusal(asked: Asked, status: number, code: ErrorCode): Promise<void> {
      const answer = await host.ask(asked)
      expect(answer, answer.body).to.include({ status, type: 'application/problem+json' })
      expect(JSON.parse(answer.body)).to.include({ status, code })
    }

    it('logs in, and knows the token in either header', async () => {
      const token = await logIn()
      for (const headers of [{ 'x-3rd-session': token }, { authorization: `Bearer ${token}` }] as Record<
        string,
        string
      >[]) {
        const { status, body } = await host.ask({ method: 'GET', path: '/me', headers })
        expect(status, body).to.equal(200)
        expect(JSON.parse(body)).to.deep.equal({ openid: bed.phone.openid })
      }
    })

    it('lists and ends sessions, one by its id', async () => {
      const [token, other] = [await logIn(), await logIn()]
      const headers = { 'x-3rd-session': token }
      const { body } = await host.ask({ method: 'GET', path: '/sessions', headers })
      const { id } = JSON.parse(body).sessions.find(({ current }: { current: boolean }) => !current)
      const ended = await host.ask({ method: 'DELETE', path: `/sessions/${id}?because=of`, headers })
      expect(ended).to.include({ status: 204, body: '' })
      const asked: Asked = { method: 'GET', path: '/me', headers: { 'x-3rd-session': other } }
      await expectRefusal(asked, 401, 'ERR_SESSION_UNKNOWN')
    })

    it('answers as everywhere what is refused, by a route of ours, by the guard or in a route of its own', async () => {
      await expectRefusal({ method: 'GET', path: '/me' }, 401, 'ERR_TOKEN_MISSING')
      await expectRefusal({ method: 'POST', path: '/login', body: '{' }, 400, 'ERR_BODY_INVALID')
      const tooLong = JSON.stringify({ code: 'x'.repeat(70_000) })
      await expectRefusal({ method: 'POST', path: '/login', body: tooLong }, 413, 'ERR_BODY_TOO_LARGE')
      const headers = { 'x-3rd-session': await logIn() }
      await expectRefusal({ method: 'POST', path: '/steps', headers }, 400, 'ERR_DATA_MALFORMED')
    })

    it('limits logins by address, and says until when', async () => {
      const own = await open(bed.sessions, { limit: { perAddress: 2 } })
      limited = own
      const ask = (code: string) =>
        own.ask({
          method: 'POST',
          path: '/login',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ code }),
        })
      const { code } = await bed.phone.wx.login()
      const answers = [
        await ask('invented-1'),
        await ask('invented-2'),
        await ask('invented-3'),
        await ask(code),
      ]
      expect(answers.map(({ status }) => status)).to.deep.equal([401, 401, 429, 429])
      expect(JSON.parse(answers[2]?.body ?? '')).to.include({ code: 'ERR_LOGIN_LIMIT' })
      expect(answers[0]?.headers.ratelimit).to.match(/^"logins-by-address"; r=1; t=60/)
      expect(answers[2]?.headers['retry-after']).to.equal('60')
      expect(bed.sandbox.callCount(EXCHANGE)).to.equal(2)
      bed.clock.advance(60_000)
      expect((await ask(code)).status).to.equal(200)
    })

    it('gives a repeated login the same token, as the address tells', async () => {
      const { code } = await bed.phone.wx.login()
      const tokens = []
      for (const _attempt of [1, 2]) {
        const { body } = await post('/login', JSON.stringify({ code }))
        tokens.push(JSON.parse(body).token)
      }
      expect(tokens[0]).to.be.a('string').and.equal(tokens[1])
    })
  })
}

describe('a compressed body on a serverless host', () => {
  it('is inflated, also where the host has left the bytes on the request', async () => {
    const bed = await openTestBed()
    const host = await HOSTS['Express, serverless']?.(bed.sessions)
    const { code } = await bed.phone.wx.login()
    const body = gzipSync(JSON.stringify({ code })) as unknown as string
    const answer = await host?.ask({
      method: 'POST',
      path: '/login',
      body,
      headers: { 'content-encoding': 'gzip' },
    })
    expect(answer?.status).to.equal(200)
    await bed.close()
  })
})
