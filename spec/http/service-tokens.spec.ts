import { createPublicKey } from 'node:crypto'
import { expect } from 'chai'
import jwt from 'jsonwebtoken'
import { afterEach, beforeEach, describe, it } from 'mocha'
import {
  MemoryStore,
  type ServiceTokensOptions,
  serviceTokens,
  WeappError,
  wafer2Protocol,
} from '../../lib/index.js'
import { keyPair, pemOf } from '../service-tokens/forge.js'
import { AUDIENCE, ISSUER, openTokenBed, type TokenBed } from '../service-tokens/token-bed.js'
import { testClock } from '../support/clock.js'
import { expectProblem } from '../support/problem.js'
import { watchStore } from '../support/watched-store.js'

const KEY = keyPair()
const SECRET = 'a secret of 32 bytes or more, for one owner'

function read(token: string): { header: jwt.JwtHeader; payload: jwt.JwtPayload } {
  const { header, payload } = jwt.decode(token, { complete: true }) as jwt.Jwt
  return { header, payload: payload as jwt.JwtPayload }
}

describe('POST /token', () => {
  let bed: TokenBed

  beforeEach(async () => {
    bed = await openTokenBed({ app: { sessionDurationSeconds: 3600, loginDurationDays: 1 } })
  })
  afterEach(async () => {
    await bed.close()
    expect(bed.bugs).to.deep.equal([])
  })

  it('gives a live session a token for one service, which says who and for how long, and no more', async () => {
    const session = await bed.logIn()
    const issuer = bed.issuer({ keys: [KEY] })
    const res = await issuer.post('/token').set('x-3rd-session', session).expect(200)
    expect(res.headers['cache-control']).to.equal('no-store')
    const { header, payload } = read(res.body.token)
    const { body } = await issuer.get('/.well-known/jwks.json')
    expect(header).to.deep.equal({ alg: 'ES256', typ: 'weapp-session+jwt', kid: body.keys[0].kid })
    const iat = Math.floor(bed.clock.now / 1000)
    expect(payload).to.deep.include({
      iss: ISSUER,
      aud: AUDIENCE,
      sub: session.slice(0, 20),
      iat,
      exp: iat + 300,
    })
    expect(payload).to.have.all.keys('iss', 'aud', 'sub', 'iat', 'exp', 'jti')
    expect(payload.jti).to.match(/^[\w-]{24}$/)
    expect(res.body.expiresAt).to.equal(new Date((iat + 300) * 1000).toISOString())
    expect(read(await bed.tokenFrom(issuer, session)).payload.jti).to.not.equal(payload.jti)
  })

  it('gives none without a live session', async () => {
    const session = await bed.logIn()
    const issuer = bed.issuer()
    expectProblem(await issuer.post('/token'), 401, 'ERR_TOKEN_MISSING')
    expectProblem(await issuer.post('/token').set('x-3rd-session', 'x'), 401, 'ERR_TOKEN_MALFORMED')
    const own = await bed.tokenFrom(issuer, session)
    expectProblem(await issuer.post('/token').set('Authorization', `Bearer ${own}`), 401, 'ERR_TOKEN_MISSING')
    await bed.http.post('/logout').set('x-3rd-session', session).expect(204)
    expectProblem(await issuer.post('/token').set('x-3rd-session', session), 401, 'ERR_SESSION_UNKNOWN')
  })

  it('gives none that lives beyond the absolute end of its session', async () => {
    const session = await bed.logIn()
    const issuer = bed.issuer({ lifetimeSeconds: 900 })
    const end = bed.clock.now + 86_400_000
    while (bed.clock.now < end - 1_800_000) {
      bed.clock.advance(1_800_000)
      await bed.me(session)
    }
    bed.clock.set(end - 100_000)
    expect(read(await bed.tokenFrom(issuer, session)).payload.exp).to.equal(Math.floor(end / 1000))
    bed.clock.set(end - 1)
    expectProblem(await issuer.post('/token').set('x-3rd-session', session), 401, 'ERR_SESSION_UNKNOWN')
  })

  it('gives none that lives beyond the idle end of its session', async () => {
    await bed.close()
    bed = await openTokenBed({ app: { sessionDurationSeconds: 100 }, touchShare: 0.5 })
    const session = await bed.logIn()
    const end = Math.floor((bed.clock.now + 100_000) / 1000)
    bed.clock.advance(40_000)
    expect(read(await bed.tokenFrom(bed.issuer(), session)).payload.exp).to.equal(end)
  })

  for (const [what, before] of [
    ['fails', () => Promise.reject(new Error('READONLY'))],
    ['does not answer', () => new Promise<never>(() => undefined)],
  ] as const) {
    it(`gives none while the store ${what}, and says that it is not the session's fault`, async () => {
      await bed.close()
      const store = watchStore(new MemoryStore({ clock: testClock() }))
      bed = await openTokenBed({ store, storeTimeoutMs: 500 })
      let asked = 0
      const issuer = bed.issuer({ claims: () => ({ asked: ++asked }) })
      const session = await bed.logIn()
      store.before = before
      const res = await issuer.post('/token').set('x-3rd-session', session)
      expectProblem(res, 503, 'ERR_STORE_UNAVAILABLE')
      expect(res.headers['cache-control']).to.equal('no-store')
      expect([res.body.token, asked]).to.deep.equal([undefined, 0])
      await issuer.get('/.well-known/jwks.json').expect(200)
      store.before = () => undefined
      expect(read(await bed.tokenFrom(issuer, session)).payload.asked).to.equal(1)
    })
  }

  it('is for a service of the list only, which is needed where there are several', async () => {
    const session = await bed.logIn()
    const issuer = bed.issuer({ audiences: ['orders', 'stock'] })
    expect(read(await bed.tokenFrom(issuer, session, { audience: 'stock' })).payload.aud).to.equal('stock')
    const ask = (body: object) => issuer.post('/token').set('x-3rd-session', session).send(body)
    for (const body of [
      {},
      { audience: 'pay' },
      { audience: ['orders'] },
      { audience: 1 },
      { audience: '' },
    ]) {
      expectProblem(await ask(body), 400, 'ERR_REQUEST_INVALID')
    }
    expectProblem(await ask([]), 400, 'ERR_BODY_INVALID')
  })

  it('names openid, app and unionid only where that is chosen', async () => {
    const { appid, openid, unionid } = bed.phone
    const session = await bed.logIn()
    const token = await bed.tokenFrom(bed.issuer({ openid: true, unionid: true }), session)
    expect(read(token).payload).to.include({ appid, openid, unionid })
  })

  it('has the claims that the application adds', async () => {
    const issuer = bed.issuer({
      claims: async ({ openid }) => ({ role: 'editor', of: [openid], none: undefined }),
    })
    const { payload } = read(await bed.tokenFrom(issuer, await bed.logIn()))
    expect(payload).to.deep.include({ role: 'editor', of: [bed.phone.openid] })
    await bed.tokenFrom(bed.issuer({ claims: () => undefined }), await bed.logIn())
  })

  const badClaims: [string, ServiceTokensOptions['claims']][] = [
    ...['iss', 'sub', 'aud', 'exp', 'nbf', 'iat', 'jti', 'openid', 'appid', 'unionid', '__proto__'].map(
      (name): [string, ServiceTokensOptions['claims']] => [
        `name ${name}`,
        () => JSON.parse(`{"${name}":"x"}`) as object,
      ],
    ),
    ['are a list', () => []],
    ['are a text', () => 'x' as never],
    ['are null', () => null as never],
    ['are too long', () => ({ a: 'x'.repeat(2048) })],
    ['are no JSON', () => ({ a: 1n })],
    ['throw', () => Promise.reject(new Error('the database is down'))],
  ]
  for (const [what, claims] of badClaims) {
    it(`gives no token where the claims of the application ${what}`, async () => {
      const issuer = bed.issuer({ ...(claims && { claims }) })
      const res = await issuer.post('/token').set('x-3rd-session', await bed.logIn())
      expectProblem(res, 500, 'ERR_HOOK_FAILED')
      expect(bed.log).to.have.lengthOf(1)
      expect(bed.log[0]).to.match(/^claims failed: /)
    })
  }

  it('lets the application refuse a token by a WeappError', async () => {
    const issuer = bed.issuer({
      claims: () => {
        throw new WeappError('ERR_LOGIN_REFUSED', 'Not you.')
      },
    })
    const res = await issuer.post('/token').set('x-3rd-session', await bed.logIn())
    expect(expectProblem(res, 403, 'ERR_LOGIN_REFUSED')).to.include({ detail: 'Not you.' })
  })

  it('reads the session and writes failures as its protocol does', async () => {
    const issuer = bed.issuer({ protocol: wafer2Protocol() })
    const session = await bed.logIn()
    await issuer.post('/token').set('X-WX-Skey', session).expect(200)
    const { body } = await issuer.post('/token').set('X-WX-Skey', 'x')
    expect(body).to.include({ code: -1, error: 'ERR_SKEY_INVALID' })
  })
})

describe('GET /.well-known/jwks.json', () => {
  let bed: TokenBed

  beforeEach(async () => {
    bed = await openTokenBed()
  })
  afterEach(() => bed.close())

  it('publishes every key, nothing private, and says how long it may be kept', async () => {
    const rsa = keyPair('RS256')
    const keys = [KEY, { key: pemOf(keyPair('EdDSA')), kid: 'next' }, createPublicKey(rsa)]
    const res = await bed.issuer({ keys }).get('/.well-known/jwks.json').expect(200)
    expect(res.headers['content-type']).to.equal('application/jwk-set+json')
    expect(res.headers['cache-control']).to.equal('public, max-age=300')
    const { keys: published } = JSON.parse(res.text)
    const members = { ES256: ['crv', 'x', 'y'], EdDSA: ['crv', 'x'], RS256: ['n', 'e'] }
    expect(published.map(({ alg }: { alg: string }) => alg)).to.deep.equal(Object.keys(members))
    for (const key of published) {
      expect(key).to.have.all.keys('kty', 'kid', 'alg', 'use', ...members[key.alg as 'ES256'])
    }
    expect(published[1].kid).to.equal('next')
  })

  it('is not there for secrets', async () => {
    const issuer = bed.issuer({ keys: [{ key: SECRET, alg: 'HS256' }] })
    const res = await issuer.get('/.well-known/jwks.json').expect(404)
    expect(res.text).to.not.include(SECRET)
    expect(read(await bed.tokenFrom(issuer, await bed.logIn())).header.alg).to.equal('HS256')
  })

  it('answers other methods with what the path takes', async () => {
    const issuer = bed.issuer()
    const posted = await issuer.post('/.well-known/jwks.json')
    expectProblem(posted, 405, 'ERR_METHOD_NOT_ALLOWED')
    expect(posted.headers.allow).to.equal('GET, HEAD')
    expect((await issuer.get('/token')).headers.allow).to.equal('POST')
  })
})

describe('serviceTokens, by its options', () => {
  it('throws a TypeError for a wrong one that says what is allowed, and shows no key', async () => {
    const bed = await openTokenBed()
    const good = { sessions: bed.sessions, issuer: ISSUER, audiences: [AUDIENCE], keys: [KEY] }
    const wrong: [object, RegExp][] = [
      [{ issuer: '' }, /issuer must be a non-empty string/],
      [{ audiences: [] }, /audiences must be an array/],
      [{ audiences: 'orders' }, /audiences must be an array/],
      [{ audiences: ['a', 'a'] }, /must not name a service twice/],
      [{ audiences: [1] }, /audiences\[0\] must be/],
      [{ lifetimeSeconds: 901 }, /lifetimeSeconds must be an integer from 1 to 900/],
      [{ lifetimeSeconds: 0 }, /lifetimeSeconds/],
      [{ openid: 1 }, /openid must be true or false/],
      [{ unionid: 1 }, /unionid must be true or false/],
      [{ claims: {} }, /claims must be a function/],
      [{ logger: {} }, /logger must be a Logger/],
      [{ audience: 'a' }, /unknown option "audience"/],
      [{ sessions: {} }, /serviceTokens: sessions must be/],
      [{ keys: [] }, /keys must be an array of one or more keys/],
      [{ keys: [createPublicKey(KEY)] }, /keys\[0\] must be a private key or a secret/],
      [{ keys: [SECRET] }, /keys\[0\] must be a PEM/],
      [{ keys: [{ key: SECRET.slice(0, 31), alg: 'HS256' }] }, /a secret of 32 bytes or more/],
      [{ keys: [{ key: pemOf(KEY), alg: 'HS256' }] }, /keys\[0\]\.alg does not fit: .* ES256/],
      [{ keys: [{ key: pemOf(createPublicKey(KEY)), alg: 'HS256' }] }, /alg does not fit/],
      [{ keys: [{ key: KEY, alg: 'RS256' }] }, /alg does not fit/],
      [{ keys: [{ key: KEY, alg: 'none' }] }, /alg must be one of 'ES256'/],
      [{ keys: [{ key: KEY, kid: 'a b' }] }, /kid must be 1 to 128/],
      [{ keys: [KEY, KEY] }, /the same key or kid twice/],
      [{ keys: [KEY, { key: SECRET, alg: 'HS256' }] }, /secrets or key pairs, not both/],
      [{ keys: [{ ...KEY.export({ format: 'jwk' }), use: 'enc' }] }, /use "sig"/],
      [{ keys: [{ kty: 'oct', k: 'c2hvcnQ' }] }, /32 bytes or more/],
    ]
    for (const [option, message] of wrong) {
      const make = () => serviceTokens({ ...good, ...option })
      expect(make, JSON.stringify(option)).to.throw(TypeError, message)
      expect(make).to.not.throw(/a secret of 32 bytes or more, for|BEGIN/)
    }
    await bed.close()
  })
})
