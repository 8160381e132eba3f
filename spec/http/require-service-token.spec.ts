import { createPublicKey, createSecretKey } from 'node:crypto'
import { expect } from 'chai'
import express from 'express'
import { afterEach, beforeEach, describe, it } from 'mocha'
import supertest from 'supertest'
import { requireServiceToken, requireSession, type ServiceTokenKey } from '../../lib/index.js'
import { keyPair, pemOf } from '../service-tokens/forge.js'
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
const SECRET = 'a secret of 32 bytes or more, for one owner'

describe('requireServiceToken', () => {
  let bed: TokenBed

  beforeEach(async () => {
    bed = await openTokenBed()
  })
  afterEach(async () => {
    await bed.close()
    expect(bed.bugs).to.deep.equal([])
  })

  const ask = (service: Parameters<typeof supertest>[0], token: string) =>
    supertest(service).get('/').set('Authorization', `Bearer ${token}`)

  it('sets what the token says, and keeps the answer out of caches', async () => {
    const session = await bed.logIn()
    const token = await bed.tokenFrom(
      bed.issuer({ keys: [KEY], openid: true, claims: () => ({ role: 'a' }) }),
      session,
    )
    const res = await ask(bed.service({ keys: [PUBLIC] }), token).expect(200)
    expect(res.headers['cache-control']).to.equal('no-store')
    const { serviceToken, openid } = res.body
    expect(openid).to.equal(bed.phone.openid)
    expect(serviceToken).to.have.all.keys('sub', 'jti', 'issuedAt', 'expiresAt', 'claims')
    expect(serviceToken.sub).to.equal(session.slice(0, 20))
    expect(Date.parse(serviceToken.expiresAt) - Date.parse(serviceToken.issuedAt)).to.equal(300_000)
    expect(serviceToken.claims).to.include({ iss: ISSUER, aud: AUDIENCE, role: 'a', appid: bed.phone.appid })
  })

  it('freezes it deeply', async () => {
    const token = await bed.tokenFrom(
      bed.issuer({ keys: [KEY], claims: () => ({ a: [{}] }) }),
      await bed.logIn(),
    )
    const app = express().use(
      requireServiceToken({ issuer: ISSUER, audience: AUDIENCE, keys: [PUBLIC], clock: bed.clock }),
      ({ serviceToken }, res) => {
        const a = serviceToken.claims.a as object[]
        res.json([serviceToken, serviceToken.claims, a, a[0]].map(Object.isFrozen))
      },
    )
    await ask(app, token).expect(200, [true, true, true, true])
  })

  const kinds: [string, ServiceTokenKey, ServiceTokenKey][] = [
    ['ES256, from PEMs', pemOf(KEY), pemOf(PUBLIC)],
    ['ES256, from JWKs', KEY.export({ format: 'jwk' }), PUBLIC.export({ format: 'jwk' })],
    [
      'ES256, with a kid',
      { key: KEY, kid: 'k', alg: 'ES256' },
      { ...PUBLIC.export({ format: 'jwk' }), kid: 'k' },
    ],
    ...(['EdDSA', 'RS256'] as const).map((alg): [string, ServiceTokenKey, ServiceTokenKey] => {
      const key = keyPair(alg)
      return [alg, key, createPublicKey(key)]
    }),
    ['HS256', { key: SECRET, alg: 'HS256' }, createSecretKey(SECRET, 'utf8')],
    ['HS256, from bytes', { key: Buffer.from(SECRET), alg: 'HS256' }, { key: SECRET, alg: 'HS256' }],
  ]
  for (const [what, signing, verifying] of kinds) {
    it(`takes tokens of serviceTokens: ${what}`, async () => {
      const token = await bed.tokenFrom(bed.issuer({ keys: [signing] }), await bed.logIn())
      await ask(bed.service({ keys: [verifying] }), token).expect(200)
      const other = bed.service({ keys: [createPublicKey(keyPair())] })
      expectProblem(await ask(other, token), 401, 'ERR_SERVICE_TOKEN_INVALID')
    })
  }

  it('says ERR_SERVICE_TOKEN_MISSING without Authorization: Bearer, and reads no other place', async () => {
    const token = await bed.tokenFrom(bed.issuer({ keys: [KEY] }), await bed.logIn())
    const http = supertest(bed.service({ keys: [PUBLIC] }))
    expectProblem(await http.get('/'), 401, 'ERR_SERVICE_TOKEN_MISSING')
    expectProblem(await http.get(`/?access_token=${token}`), 401, 'ERR_SERVICE_TOKEN_MISSING')
    expectProblem(await http.get('/').set('x-3rd-session', token), 401, 'ERR_SERVICE_TOKEN_MISSING')
    expectProblem(
      await http.get('/').set('Authorization', `Basic ${token}`),
      401,
      'ERR_SERVICE_TOKEN_MISSING',
    )
    await http.get('/').set('Authorization', `bearer   ${token}`).expect(200)
    expect(bed.log).to.deep.equal([])
  })

  it('refuses two tokens, in one header or in two', async () => {
    const token = await bed.tokenFrom(bed.issuer({ keys: [KEY] }), await bed.logIn())
    const service = bed.service({ keys: [PUBLIC] })
    for (const text of [`${token} ${token}`, `${token}, Bearer ${token}`, `${token},${token}`]) {
      expectProblem(await ask(service, text), 401, 'ERR_SERVICE_TOKEN_INVALID')
    }
    const twice = [`Bearer ${token}`, `Bearer ${token}`] as unknown as string
    const res = await supertest(service).get('/').set('Authorization', twice)
    expectProblem(res, 401, 'ERR_SERVICE_TOKEN_INVALID')
  })

  it('optional lets a request without a token pass, and no bad token', async () => {
    const service = bed.service({ keys: [PUBLIC], optional: true })
    await supertest(service).get('/').expect(200, { serviceToken: null, openid: null })
    expectProblem(await ask(service, 'x'), 401, 'ERR_SERVICE_TOKEN_INVALID')
  })

  it('removes what a guard before it has found', async () => {
    const session = await bed.logIn()
    const guard = (audience: string, optional = false) =>
      requireServiceToken({ issuer: ISSUER, audience, keys: [PUBLIC], clock: bed.clock, optional })
    const show = (req: express.Request, res: express.Response) =>
      void res.json([req.openid ?? null, req.serviceToken?.sub ?? null])
    const app = express()
    app.get('/session', requireSession({ sessions: bed.sessions }), guard(AUDIENCE, true), show)
    const forget: express.RequestHandler = (req, _res, next) => {
      req.headers.authorization = ''
      req.rawHeaders = []
      next()
    }
    app.get('/token', guard(AUDIENCE), forget, guard('stock', true), show)
    const token = await bed.tokenFrom(bed.issuer({ keys: [KEY], openid: true }), session)
    await supertest(app).get('/session').set('x-3rd-session', session).expect(200, [null, null])
    await supertest(app).get('/token').set('Authorization', `Bearer ${token}`).expect(200, [null, null])
  })

  it('tells the log why tokens are refused, each reason once a minute', async () => {
    const service = bed.service({ keys: [PUBLIC] })
    for (let index = 0; index < 3; index++) await ask(service, 'x').expect(401)
    await ask(service, 'x.y').expect(401)
    bed.clock.advance(60_000)
    await ask(service, 'x').expect(401)
    const line = 'a service token is refused: it is not a JWT'
    expect(bed.log).to.deep.equal([line, `${line}; 3 more since it was last logged`])
  })

  it('throws a TypeError for a wrong option that says what is allowed', () => {
    const good = { issuer: ISSUER, audience: AUDIENCE }
    const jwksUri = 'https://app.example.com/.well-known/jwks.json'
    const wrong: [object, RegExp][] = [
      [{}, /give either jwksUri or keys/],
      [{ jwksUri, keys: [PUBLIC] }, /give either jwksUri or keys/],
      [{ jwksUri, issuer: undefined }, /issuer must be a non-empty string/],
      [{ jwksUri, audience: ['a'] }, /audience must be a non-empty string, not an array/],
      [{ jwksUri: 'http://127.0.0.1/' }, /jwksUri must be https; allowHttp/],
      [{ jwksUri: 'file:///etc/passwd', allowHttp: true }, /jwksUri must be an http or https URL/],
      [{ jwksUri: 'https://user:password@example.com/' }, /must not hold a password/],
      [{ jwksUri, algorithms: ['HS256'] }, /algorithms has HS256, for which there is no key/],
      [{ jwksUri, algorithms: ['none'] }, /algorithms\[0\] must be one of/],
      [{ jwksUri, algorithms: [] }, /algorithms must be an array/],
      [{ keys: [PUBLIC], algorithms: ['HS256', 'ES256'] }, /algorithms has HS256/],
      [{ keys: [PUBLIC, { key: SECRET, alg: 'HS256' }] }, /secrets or key pairs, not both/],
      [{ keys: [KEY] }, /a private key stays with the issuer/],
      [{ keys: [] }, /keys must be an array/],
      [{ jwksUri, clockToleranceSeconds: 61 }, /clockToleranceSeconds must be an integer from 0 to 60/],
      [{ jwksUri, clockToleranceSeconds: -1 }, /clockToleranceSeconds/],
      [{ jwksUri, timeoutMs: 0 }, /timeoutMs must be an integer from 1 to 10000/],
      [{ jwksUri, maxStaleSeconds: Number.NaN }, /maxStaleSeconds must be an integer from 0 to 86400/],
      [{ jwksUri, optional: 'yes' }, /optional must be true or false/],
      [{ jwksUri, agent: {} }, /agent must be an Agent/],
      [{ jwksUri, logger: {} }, /logger must be a Logger/],
      [{ jwksUri, sessions: bed.sessions }, /unknown option "sessions"/],
    ]
    for (const [option, message] of wrong) {
      const make = () => requireServiceToken({ ...good, ...option })
      expect(make, String(message)).to.throw(TypeError, message)
    }
  })
})

describe('requireServiceToken with jwksUri', () => {
  let bed: TokenBed
  let server: KeyServer

  beforeEach(async () => {
    bed = await openTokenBed()
    server = await startKeyServer()
  })
  afterEach(async () => {
    await Promise.all([bed.close(), server.close()])
    expect(bed.bugs).to.deep.equal([])
  })

  const deploy = (issuer: ReturnType<typeof supertest>) => {
    server.answer = async (_req, res) => void res.end((await issuer.get('/.well-known/jwks.json')).text)
  }
  const serviceOf = (own: object = {}) => bed.service({ jwksUri: server.url, allowHttp: true, ...own })
  const ask = (service: Parameters<typeof supertest>[0], token: string) =>
    supertest(service).get('/').set('Authorization', `Bearer ${token}`)

  it('says 503 as long as there are no keys, and 401 to what is wrong in itself', async () => {
    server.answer = (_req, res) => void res.writeHead(500).end()
    const token = await bed.tokenFrom(bed.issuer(), await bed.logIn())
    const service = serviceOf()
    expectProblem(await ask(service, token), 503, 'ERR_SERVICE_KEYS_UNAVAILABLE')
    expectProblem(await ask(service, 'x'), 401, 'ERR_SERVICE_TOKEN_INVALID')
    expectProblem(await supertest(service).get('/'), 401, 'ERR_SERVICE_TOKEN_MISSING')
  })

  const outages: [string, KeyServer['answer']][] = [
    ['down', (req) => void req.socket.destroy()],
    ['slow', () => undefined],
    ['10 MB', (_req, res) => void res.end(Buffer.alloc(10_000_000, 32))],
    ['no JSON', (_req, res) => void res.end('<html>')],
  ]
  for (const [what, answer] of outages) {
    it(`takes tokens under known keys while the key set is ${what}, and says 503 to others`, async () => {
      const session = await bed.logIn()
      const issuer = bed.issuer({ keys: [KEY] })
      deploy(issuer)
      const service = serviceOf({ timeoutMs: 200 })
      await ask(service, await bed.tokenFrom(issuer, session)).expect(200)
      server.answer = answer
      const other = await bed.tokenFrom(bed.issuer(), session)
      expectProblem(await ask(service, other), 401, 'ERR_SERVICE_TOKEN_INVALID')
      bed.clock.advance(300_000)
      await ask(service, await bed.tokenFrom(issuer, session)).expect(200)
      const unknown = await bed.tokenFrom(bed.issuer(), session)
      expectProblem(await ask(service, unknown), 503, 'ERR_SERVICE_KEYS_UNAVAILABLE')
      bed.clock.advance(3_600_000)
      const late = await bed.tokenFrom(issuer, session)
      expectProblem(await ask(service, late), 503, 'ERR_SERVICE_KEYS_UNAVAILABLE')
    })
  }

  it('refuses not one good token while keys rotate, step by step, with requests all the time', async () => {
    const session = await bed.logIn()
    const [old, next] = [keyPair('EdDSA'), keyPair()]
    const services = [serviceOf(), serviceOf(), serviceOf()]
    let issuer = bed.issuer({ keys: [old] })
    deploy(issuer)
    let asked = 0
    const kids = new Set<string>()
    /** Lets a minute pass: each process gets tokens that are new, and one that is about to end. */
    let before: string[] = []
    async function minute() {
      const tokens = await Promise.all(services.map(() => bed.tokenFrom(issuer, session)))
      for (const token of [...tokens, ...before.slice(0, 3)]) {
        kids.add(JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString()).kid)
        // Attackers try to use up the pause for unknown keys.
        const fake = await bed.tokenFrom(bed.issuer(), session)
        const answers = await Promise.all(
          services.flatMap((service) => [ask(service, token), ask(service, fake)]),
        )
        answers.forEach(({ status }, index) => {
          expect(status).to.equal(index % 2 === 0 ? 200 : 401)
        })
        asked += services.length
      }
      before = [...before, ...tokens].slice(-12)
      bed.clock.advance(60_000)
    }
    const minutes = async (count: number) => {
      for (let index = 0; index < count; index++) await minute()
    }
    await minutes(6)
    for (const keys of [[old, next], [next, createPublicKey(old)], [next]]) {
      issuer = bed.issuer({ keys })
      deploy(issuer)
      if (keys.length === 1) before = before.slice(-3)
      await minutes(10)
    }
    expect(asked).to.be.above(300)
    expect(kids.size).to.equal(2)
    const retired = await bed.tokenFrom(bed.issuer({ keys: [old] }), session)
    for (const service of services)
      expectProblem(await ask(service, retired), 401, 'ERR_SERVICE_TOKEN_INVALID')
  })

  it('refuses a key that has left the set, although the service was idle since', async () => {
    const session = await bed.logIn()
    deploy(bed.issuer({ keys: [KEY] }))
    const service = serviceOf()
    await ask(service, await bed.tokenFrom(bed.issuer({ keys: [KEY] }), session)).expect(200)
    deploy(bed.issuer())
    bed.clock.advance(300_000)
    const stolen = await bed.tokenFrom(bed.issuer({ keys: [KEY] }), session)
    expectProblem(await ask(service, stolen), 401, 'ERR_SERVICE_TOKEN_INVALID')
  })

  it('takes only the algorithms that are allowed', async () => {
    const issuer = bed.issuer({ keys: [KEY] })
    deploy(issuer)
    const token = await bed.tokenFrom(issuer, await bed.logIn())
    await ask(serviceOf({ algorithms: ['ES256'] }), token).expect(200)
    const other = serviceOf({ algorithms: ['EdDSA'] })
    expectProblem(await ask(other, token), 401, 'ERR_SERVICE_TOKEN_INVALID')
  })
})
