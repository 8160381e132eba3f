import { createPublicKey } from 'node:crypto'
import { Agent, type RequestListener } from 'node:http'
import { expect } from 'chai'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { createFetchKeySet } from '../../lib/service-tokens/fetch-key-set.js'
import { startGarbageServer, startHangingServer } from '../support/broken-server.js'
import { everythingIn, failureOf } from '../support/failures.js'
import { keyPair } from './forge.js'
import { type KeyServer, startKeyServer } from './token-bed.js'

const PRIVATE_JWK = keyPair().export({ format: 'jwk' })
const JWK = createPublicKey(keyPair()).export({ format: 'jwk' })
const GOOD = { ...JWK, kid: 'a', use: 'sig', alg: 'ES256' }

describe('fetching a key set', () => {
  let server: KeyServer

  beforeEach(async () => {
    server = await startKeyServer()
  })
  afterEach(() => server.close())

  const fetchFrom = (url: string, timeoutMs = 2000) => createFetchKeySet({ uri: new URL(url), timeoutMs })()
  const sending =
    (body: unknown): RequestListener =>
    (_req, res) =>
      void res.end(typeof body === 'string' ? body : JSON.stringify(body))

  async function kidsOf(body: unknown): Promise<string[]> {
    server.answer = sending(body)
    return [...(await fetchFrom(server.url)).keys()]
  }

  it('takes the public keys for signatures, and passes over all others', async () => {
    const rsa = createPublicKey(keyPair('RS256')).export({ format: 'jwk' })
    const okp = createPublicKey(keyPair('EdDSA')).export({ format: 'jwk' })
    const others = [
      { ...JWK, kid: 'enc', use: 'enc' },
      { ...JWK, kid: 'other-alg', alg: 'ES384' },
      { ...JWK, kid: 'hmac', alg: 'HS256' },
      { ...PRIVATE_JWK, kid: 'private' },
      { ...JWK, kid: 'hidden-secret', k: 'c2VjcmV0' },
      { ...JWK },
      { ...JWK, kid: 1 },
      { ...JWK, kid: 'off-curve', x: JWK.y },
      { kty: 'oct', kid: 'secret', k: 'c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0' },
      { kty: 'RSA', kid: 'short', n: 'AQAB', e: 'AQAB' },
      { kty: 'new', kid: 'new' },
      null,
      'x',
      [],
    ]
    const keys = [GOOD, { ...rsa, kid: 'b' }, ...others, { ...okp, kid: '__proto' }]
    expect(await kidsOf({ keys })).to.deep.equal(['a', 'b', '__proto'])
    expect(await kidsOf({ keys: [] })).to.deep.equal([])
  })

  const bad: [what: string, body: unknown, why: RegExp][] = [
    ['no JSON', '<html>', /not a JWK set/],
    ['an empty answer', '', /not a JWK set/],
    ['a list', [], /not a JWK set/],
    ['no keys', {}, /not a JWK set/],
    ['keys that are no list', { keys: {} }, /not a JWK set/],
    ['too many keys', { keys: Array(101).fill(GOOD) }, /not a JWK set/],
    ['a field twice', `{"keys":[],"keys":[${JSON.stringify(GOOD)}]}`, /not a JWK set/],
    ['two keys of one name', { keys: [GOOD, GOOD] }, /the same kid/],
    ['more than 64 KB', `{"keys":[]}${' '.repeat(65_536)}`, /more than 65536 bytes/],
  ]
  for (const [what, body, why] of bad) {
    it(`fails with ${what}`, async () => {
      server.answer = sending(body)
      expect(String(await failureOf(() => fetchFrom(server.url)))).to.match(why)
    })
  }

  it('reads no more of an endless answer than it has to, and closes the connection', async () => {
    let closed: Promise<unknown> | undefined
    server.answer = (_req, res) => {
      closed = new Promise((resolve) => res.once('close', resolve))
      const write = () => res.write(Buffer.alloc(1_000_000, 32))
      res.on('drain', write)
      write()
    }
    expect(String(await failureOf(() => fetchFrom(server.url, 10_000)))).to.match(/more than 65536 bytes/)
    await closed
  })

  it('fails with bytes that are not UTF-8', async () => {
    server.answer = (_req, res) => void res.end(Buffer.from([0x7b, 0xff, 0x7d]))
    expect(String(await failureOf(() => fetchFrom(server.url)))).to.match(/not UTF-8/)
  })

  for (const status of [101, 204, 301, 302, 304, 307, 404, 500]) {
    it(`fails with status ${status}, and follows no redirect`, async () => {
      const target = await startKeyServer()
      server.answer = (_req, res) => {
        res.writeHead(status, { location: target.url, connection: 'upgrade', upgrade: 'x' })
        res.end()
      }
      const error = await failureOf(() => fetchFrom(server.url))
      expect(String(error)).to.equal(`Error: HTTP status ${status}`)
      expect(target.requests).to.equal(0)
      await target.close()
    })
  }

  it('fails after its deadline, also when bytes keep dripping', async () => {
    const hanging = await startHangingServer()
    const error = await failureOf(() => fetchFrom(`http://127.0.0.1:${hanging.port}/`, 50))
    expect(String(error)).to.equal('Error: no answer within 50 ms')
    await hanging.close()
    server.answer = (_req, res) => {
      const drip = setInterval(() => res.write(' '), 10)
      res.once('close', () => clearInterval(drip))
    }
    expect(String(await failureOf(() => fetchFrom(server.url, 50)))).to.equal('Error: no answer within 50 ms')
  })

  it('fails after its deadline when the Agent finds no connection', async () => {
    const agent = Object.assign(new Agent(), { addRequest: () => undefined })
    const fetchKeySet = createFetchKeySet({ uri: new URL(server.url), timeoutMs: 50, agent })
    expect(String(await failureOf(fetchKeySet))).to.equal('Error: no answer within 50 ms')
  })

  it('repeats no words of an Agent, which may name its proxy with the password', async () => {
    const agent = new Agent()
    Object.assign(agent, {
      createConnection: () => {
        throw new Error('no tunnel through http://user:a-planted-password@10.0.0.1')
      },
    })
    const fetchKeySet = createFetchKeySet({ uri: new URL(server.url), timeoutMs: 2000, agent })
    const error = await failureOf(fetchKeySet)
    expect(everythingIn(error)).to.not.include('planted')
    expect(String(error)).to.equal('Error: Error')
  })

  it('says why there is nobody, or nobody who speaks HTTP', async () => {
    const { url } = server
    await server.close()
    expect(String(await failureOf(() => fetchFrom(url)))).to.match(/ECONNREFUSED 127\.0\.0\.1/)
    const garbage = await startGarbageServer()
    expect(String(await failureOf(() => fetchFrom(`http://127.0.0.1:${garbage.port}/`)))).to.match(/HPE_/)
    await garbage.close()
    server = await startKeyServer()
  })
})
