import { createPublicKey, generateKeyPairSync } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect } from 'chai'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, it } from 'mocha'
import supertest from 'supertest'
import { forged, keyPair, part, pemOf } from '../service-tokens/forge.js'
import {
  AUDIENCE,
  ISSUER,
  type KeyServer,
  openTokenBed,
  startKeyServer,
  type TokenBed,
} from '../service-tokens/token-bed.js'
import { expectProblem } from '../support/problem.js'

const KEY = keyPair()
const PUBLIC = createPublicKey(KEY)
const JWK = PUBLIC.export({ format: 'jwk' })
const KID = 'key-1'
const HEADER = { alg: 'ES256', typ: 'weapp-session+jwt', kid: KID }
const SECRET = 'a secret of 32 bytes or more, for one owner'

describe('a forged service token', () => {
  let bed: TokenBed
  let keys: KeyServer
  /** Where tokens say their keys are. */
  let trap: KeyServer
  let server: ReturnType<typeof createServer>
  let url: string
  let seconds: number
  let claims: Record<string, unknown>

  beforeEach(async () => {
    bed = await openTokenBed()
    ;[keys, trap] = await Promise.all([startKeyServer(), startKeyServer()])
    keys.answer = (_req, res) => void res.end(JSON.stringify({ keys: [{ ...JWK, kid: KID, use: 'sig' }] }))
    const service = bed.service({ jwksUri: keys.url, allowHttp: true })
    server = createServer({ maxHeaderSize: 256 * 1024 }, service).listen(0, '127.0.0.1')
    await once(server, 'listening')
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    seconds = Math.floor(bed.clock.now / 1000)
    claims = { iss: ISSUER, aud: AUDIENCE, sub: 'user', jti: '1', iat: seconds, exp: seconds + 300 }
  })
  afterEach(async () => {
    server.close()
    server.closeAllConnections()
    await Promise.all([bed.close(), keys.close(), trap.close()])
    expect(bed.bugs).to.deep.equal([])
  })

  async function ask(token: string, at: string | ReturnType<TokenBed['service']> = url) {
    return supertest(at).get('/').set('Authorization', `Bearer ${token}`)
  }

  async function expectRefused(token: string, why: RegExp): Promise<string> {
    bed.log.length = 0
    // Each reason is told once a minute only.
    bed.clock.advance(60_000)
    seconds += 60
    const res = await ask(token)
    expectProblem(res, 401, 'ERR_SERVICE_TOKEN_INVALID')
    expect(bed.log.join('\n')).to.match(why)
    expect(bed.log.join('\n')).to.not.include(token.slice(-20))
    return res.text
  }

  it('is refused, and one that is not forged is taken', async () => {
    const res = await ask(forged(HEADER, claims, KEY))
    expect(res.status, bed.log.join()).to.equal(200)
    expect(res.body.serviceToken.claims).to.deep.equal(claims)
    const answers = new Set<string>()
    answers.add(await expectRefused(forged(HEADER, claims, keyPair()), /signature/))
    answers.add(await expectRefused('x', /not a JWT/))
    answers.add(await expectRefused(forged(HEADER, { ...claims, exp: 1 }, KEY), /expired/))
    expect(answers.size).to.equal(1)
  })

  it('without a signature is refused, however it is written', async () => {
    for (const alg of ['none', 'None', 'NONE', 'nOnE', '', null, undefined, 0, ['ES256']]) {
      await expectRefused(forged({ ...HEADER, alg }, claims), /not a JWT/)
      await expectRefused(`${forged({ ...HEADER, alg }, claims)}AA`, /alg is not allowed/)
    }
    await expectRefused(forged(HEADER, claims), /not a JWT/)
    await expectRefused(forged(HEADER, claims).slice(0, -1), /not a JWT/)
    await expectRefused(`${forged(HEADER, claims)}AA`, /signature/)
  })

  it('with an HMAC under the public key is refused, in whatever form the key is taken', async () => {
    const der = PUBLIC.export({ format: 'der', type: 'spki' })
    for (const secret of [pemOf(PUBLIC), pemOf(PUBLIC).trim(), der, JSON.stringify(JWK), String(JWK.x)]) {
      await expectRefused(forged({ ...HEADER, alg: 'HS256' }, claims, secret), /alg is not allowed/)
      await expectRefused(forged(HEADER, claims, secret), /signature/)
      const service = bed.service({ keys: [{ key: PUBLIC, kid: KID }] })
      const res = await ask(forged({ ...HEADER, alg: 'HS256' }, claims, secret), service)
      expectProblem(res, 401, 'ERR_SERVICE_TOKEN_INVALID')
    }
  })

  it('is refused in any other writing of the same bytes', async () => {
    const good = forged(HEADER, claims, KEY)
    const digits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
    // Of the last digit of 64 bytes, four bits say nothing.
    const last = digits[digits.indexOf(good.slice(-1)) + 1] ?? ''
    const other = good.slice(0, -1) + last
    const signatures = [good, other].map((token) => Buffer.from(token.split('.')[2] ?? '', 'base64url'))
    expect(signatures[0]).to.deep.equal(signatures[1])
    await expectRefused(other, /not a JWT/)
    await expectRefused(`${good}==`, /not a JWT/)
    await expectRefused(`${good}.AAAA`, /not a JWT/)
    await expectRefused(good.slice(0, good.lastIndexOf('.')), /not a JWT/)
    await expectRefused(
      good.replaceAll(/[-_]/g, (digit) => (digit === '-' ? '+' : '/')).concat('='),
      /JWT|object/,
    )
  })

  it('of another kind of JWT is refused, also after a good one', async () => {
    expect((await ask(forged(HEADER, claims, KEY))).status).to.equal(200)
    for (const typ of ['JWT', 'at+jwt', undefined, 'WEAPP-SESSION+JWT', ['weapp-session+jwt']]) {
      await expectRefused(forged({ ...HEADER, typ }, claims, KEY), /typ/)
    }
  })

  const badClaims: [string, Record<string, unknown>, RegExp][] = [
    ['another issuer', { iss: 'https://evil.example' }, /issuer/],
    ['no issuer', { iss: undefined }, /issuer/],
    ['a list of issuers', { iss: [ISSUER] }, /issuer/],
    ['another audience', { aud: 'stock' }, /audience/],
    ['no audience', { aud: undefined }, /audience/],
    ['a list of audiences', { aud: [AUDIENCE] }, /audience/],
    ['a list of several audiences', { aud: [AUDIENCE, 'stock'] }, /audience/],
    ['no end', { exp: undefined }, /times/],
    ['an end that is a text', { exp: '9999999999' }, /times/],
    ['an end without bound', { exp: 1e300 }, /times/],
    ['no beginning', { iat: undefined }, /times/],
    ['no user', { sub: undefined }, /sub or jti/],
    ['a user that is a number', { sub: 1 }, /sub or jti/],
    ['no id', { jti: undefined }, /sub or jti/],
    ['an openid that is no text', { openid: {} }, /openid/],
    ['a bad not-before', { nbf: '0' }, /times/],
  ]
  for (const [what, change, why] of badClaims) {
    it(`that is well signed is refused with ${what}`, async () => {
      await expectRefused(forged(HEADER, { ...claims, ...change }, KEY), why)
    })
  }

  it('is refused from its end on and before its beginning, but for the tolerance', async () => {
    const at = (change: object) => ask(forged(HEADER, { ...claims, ...change }, KEY))
    bed.clock.set(seconds * 1000)
    for (const [change, status] of [
      [{ exp: seconds - 4 }, 200],
      [{ exp: seconds - 5 }, 401],
      [{ nbf: seconds + 5 }, 200],
      [{ nbf: seconds + 6 }, 401],
      [{ iat: seconds + 5 }, 200],
      [{ iat: seconds + 6 }, 401],
      [{ iat: seconds + 6, nbf: seconds }, 401],
    ] as const) {
      expect((await at(change)).status, JSON.stringify(change)).to.equal(status)
    }
  })

  it('that says where its key is gets nothing fetched from there', async () => {
    const own = keyPair()
    const jwk = createPublicKey(own).export({ format: 'jwk' })
    for (const more of [
      { jku: trap.url },
      { x5u: trap.url },
      { jwk },
      { x5c: ['MIIB'] },
      { crit: ['exp'], exp: 1 },
      { crit: [] },
      { b64: false },
      { zip: 'DEF' },
    ]) {
      await expectRefused(forged({ ...HEADER, ...more }, claims, own), /header has more/)
      await expectRefused(forged({ ...HEADER, ...more }, claims, KEY), /header has more/)
    }
    expect(trap.requests).to.equal(0)
    expect(keys.requests).to.equal(0)
  })

  it('of 100 kB is refused before anybody looks into it', async () => {
    const long = forged(HEADER, { ...claims, a: 'x'.repeat(75_000) }, KEY)
    expect(long.length).to.be.above(100_000)
    await expectRefused(long, /more than 8192 characters/)
    await expectRefused('a'.repeat(100_000), /more than 8192 characters/)
    await expectRefused('.'.repeat(100_000), /more than 8192 characters/)
    expect(keys.requests).to.equal(0)
  })

  it('that names a field twice, or __proto__, is refused', async () => {
    const twice = `{"alg":"none",${JSON.stringify(HEADER).slice(1)}`
    await expectRefused(forged(twice, claims, KEY), /not a JSON object/)
    await expectRefused(forged(twice.replace('"alg"', '"\\u0061lg"'), claims, KEY), /not a JSON object/)
    const two = `{"aud":"stock",${JSON.stringify(claims).slice(1)}`
    await expectRefused(forged(HEADER, two, KEY), /not a JSON object/)
    const proto = `{"__proto__":{"openid":"x"},${JSON.stringify(claims).slice(1)}`
    await expectRefused(forged(HEADER, proto, KEY), /not a JSON object/)
  })

  it('under a kid that nobody knows is refused, and the keys are fetched once', async () => {
    for (const kid of [
      '__proto__',
      'constructor',
      'toString',
      '',
      '../../etc/passwd',
      "' OR 1=1",
      'x'.repeat(500),
    ]) {
      expectProblem(await ask(forged({ ...HEADER, kid }, claims, KEY)), 401, 'ERR_SERVICE_TOKEN_INVALID')
    }
    expect(keys.requests).to.equal(1)
    expect(bed.log).to.deep.equal(['a service token is refused: its key is not known'])
    for (const kid of [undefined, null, 1, {}, [KID]]) {
      await expectRefused(forged({ ...HEADER, kid }, claims, KEY), /no kid/)
    }
  })

  it('signed by a key of the issuer under the algorithm of another is refused', async () => {
    const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' })
    const rsa = createPublicKey(keyPair('RS256'))
    const jwks = [
      { ...p384.publicKey.export({ format: 'jwk' }), kid: 'p384', alg: 'ES256' },
      { ...rsa.export({ format: 'jwk' }), kid: 'rsa' },
    ]
    keys.answer = (_req, res) => void res.end(JSON.stringify({ keys: jwks }))
    await expectRefused(forged({ ...HEADER, kid: 'p384' }, claims, p384.privateKey), /key is not known/)
    await expectRefused(forged({ ...HEADER, kid: 'rsa' }, claims, KEY), /not that of its key/)
    await expectRefused(forged({ ...HEADER, alg: 'EdDSA', kid: 'rsa' }, claims, KEY), /not that of its key/)
  })

  it('with a secret for one owner is refused under any other secret and any other algorithm', async () => {
    const service = bed.service({ keys: [{ key: SECRET, alg: 'HS256', kid: KID }] })
    const header = { ...HEADER, alg: 'HS256' }
    expect((await ask(forged(header, claims, SECRET), service)).status).to.equal(200)
    for (const token of [
      forged(header, claims, `${SECRET}!`),
      forged(header, claims, ''),
      forged(HEADER, claims, KEY),
      forged(header, claims, KEY),
      forged(header, claims),
    ]) {
      expectProblem(await ask(token, service), 401, 'ERR_SERVICE_TOKEN_INVALID')
    }
  })

  it('that is a session token is refused, and a service token opens no session', async () => {
    const session = await bed.logIn()
    await expectRefused(session, /not a JWT/)
    const token = forged(HEADER, claims, KEY)
    expectProblem(await bed.http.get('/me').set('Authorization', `Bearer ${token}`), 401, 'ERR_TOKEN_MISSING')
    expectProblem(await bed.me(token), 401, 'ERR_TOKEN_MALFORMED')
    await supertest(url).get('/').set('x-3rd-session', token).expect(401)
  })

  it('by any change of a good one is refused, and never a fault of the server', async () => {
    const good = forged(HEADER, claims, KEY)
    const character = fc.constantFrom(...'AZaz09-_.=+/ {}"\u00e9')
    const changed = fc
      .tuple(fc.nat(good.length), fc.nat(3), fc.array(character, { maxLength: 3 }))
      .map(([at, cut, put]) => good.slice(0, at) + put.join('') + good.slice(at + cut))
    await fc.assert(
      fc.asyncProperty(changed, async (token) => {
        fc.pre(token.trim() !== good)
        const { status, body } = await ask(token)
        expect([status, body.code]).to.deep.equal([401, 'ERR_SERVICE_TOKEN_INVALID'])
      }),
      { numRuns: 300 },
    )
    const shapes = fc.tuple(fc.json({ maxDepth: 3 }), fc.json({ maxDepth: 3 }))
    await fc.assert(
      fc.asyncProperty(shapes, async ([header, payload]) => {
        const { status } = await ask(`${part(header)}.${part(payload)}.AAAA`)
        expect(status).to.equal(401)
      }),
      { numRuns: 100 },
    )
  })
})
