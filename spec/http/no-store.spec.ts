import { createPublicKey } from 'node:crypto'
import { expect } from 'chai'
import express, { type Express, type RequestHandler } from 'express'
import { afterEach, beforeEach, describe, it } from 'mocha'
import type { Response } from 'supertest'
import {
  adminRouter,
  loginRouter,
  nativeProtocol,
  type Protocol,
  problemHandler,
  requireServiceToken,
  requireSession,
  serviceTokens,
  WeappError,
  wafer2Protocol,
  waferProtocol,
  waferServerProtocol,
  wxappProtocol,
} from '../../lib/index.js'
import { keyPair } from '../service-tokens/forge.js'
import { openWireBed, type WireBed } from '../support/wire-bed.js'

const protocols: Record<string, () => Protocol> = {
  native: () => nativeProtocol(),
  wafer: waferProtocol,
  wafer2: wafer2Protocol,
  'wafer-server': waferServerProtocol,
  wxapp: wxappProtocol,
}
const BODIES = ['', '{', '{"code":"invalid-code-1"}']
const ISSUER = 'https://app.example.com'
const SIGNING_KEY = keyPair()
const ADMIN_PATHS = [
  '/users/sessions',
  '/users/revoke',
  '/users/forget',
  `/sessions/${'A'.repeat(44)}`,
  '/sessions/%zz',
  '/apps/revoke',
  '/everybody/revoke',
]
const silent = { warn: () => undefined, error: () => undefined }
const METHODS = ['get', 'post', 'delete', 'patch', 'options'] as const

describe('what speaks of a session', () => {
  let bed: WireBed
  let token: string

  beforeEach(async () => {
    bed = await openWireBed(mount)
    const { body } = await bed.http
      .post('/native/login')
      .send({ code: await bed.code() })
      .expect(200)
    token = body.token
  })
  afterEach(() => bed.closeClean())

  function mount(app: Express, sessions: WireBed['sessions']): void {
    for (const [name, protocolOf] of Object.entries(protocols)) {
      const protocol = protocolOf()
      app.use(`/${name}`, loginRouter({ sessions, protocol }))
      app.all(`/guarded-by/${name}`, express.json(), requireSession({ sessions, protocol }), (_req, res) => {
        res.end()
      })
    }
    const tokens = { sessions, issuer: ISSUER, audiences: ['orders'], keys: [SIGNING_KEY] }
    app.use('/tokens', serviceTokens(tokens))
    const service = { issuer: ISSUER, audience: 'orders', keys: [createPublicKey(SIGNING_KEY)] }
    const show: RequestHandler = (req, res) => void res.json(req.serviceToken ?? null)
    app.all('/service', requireServiceToken({ ...service, logger: silent }), show)
    app.all('/service-optional', requireServiceToken({ ...service, logger: silent, optional: true }), show)
    for (const [at, who] of Object.entries({ '/admin': 'ada', '/nobodys-admin': undefined }))
      app.use(at, adminRouter({ sessions, authorize: () => who, onAudit: () => undefined, logger: silent }))
    const guard = requireSession({ sessions })
    app.all('/optional', requireSession({ sessions, optional: true }), (_req, res) => void res.end())
    app.all('/recent', requireSession({ sessions, maxAgeSeconds: 1 }), (_req, res) => void res.end())
    app.all('/problem', guard, (_req, _res, next) => next(new WeappError('ERR_LOGIN_REFUSED', 'No.')))
    app.all('/public-problem', (_req, _res, next) => next(new WeappError('ERR_LOGIN_REFUSED', 'No.')))
    app.use(problemHandler())
  }

  /** Without a token, with one of nobody, with a good one; and bodies of all kinds. */
  async function askAll(path: string, bodies = BODIES): Promise<Response[]> {
    const answers: Response[] = []
    for (const method of METHODS) {
      for (const sent of [undefined, 'T'.repeat(64), token]) {
        for (const body of bodies) {
          const request = bed.http[method](path).set('content-type', 'application/json')
          if (sent !== undefined) request.set('x-3rd-session', sent)
          answers.push(await (method === 'get' ? request : request.send(body)))
        }
      }
    }
    return answers
  }

  function expectNoStore(path: string, answers: readonly Response[]): void {
    for (const { status, headers } of answers) {
      expect(headers['cache-control'], `${path}: ${status}`).to.equal('no-store')
    }
  }

  for (const [name, protocolOf] of Object.entries(protocols)) {
    const paths = new Set(protocolOf().routes.map(({ path }) => path.replace(/:\w+/, 'A'.repeat(24))))
    for (const path of paths) {
      it(`is kept by no cache, whatever the answer: ${path} of ${name}`, async () => {
        expectNoStore(path, await askAll(`/${name}${path}`))
      })
    }

    it(`is kept by no cache behind and in front of the guard of ${name}`, async () => {
      expectNoStore(name, await askAll(`/guarded-by/${name}`, ['', '{}']))
    })
  }

  it('is kept by no cache where it is a token for another service, or what says why there is none', async () => {
    const answers = await askAll('/tokens/token', ['', '{', '{"audience":"orders"}', '{"audience":"?"}'])
    expect(answers.map(({ status }) => status)).to.include.members([200, 204, 400, 401, 405])
    expectNoStore('/tokens/token', answers)
  })

  it('is kept by no cache at another service', async () => {
    const { body } = await bed.http.post('/tokens/token').set('x-3rd-session', token).expect(200)
    for (const path of ['/service', '/service-optional']) {
      const answers = await askAll(path, [''])
      for (const sent of [body.token, `${body.token}x`, token])
        answers.push(await bed.http.get(path).set('authorization', `Bearer ${sent}`))
      expect(answers.map(({ status }) => status)).to.include.members([200, 401])
      expectNoStore(path, answers)
    }
  })

  for (const path of ADMIN_PATHS) {
    it(`is kept by no cache when operators ask for it: ${path}`, async () => {
      const { openid } = await bed.sessions.authenticate(token)
      const bodies = ['', '{', '{"everybody":true}', JSON.stringify({ openid }), '{"appid":"wx0"}']
      for (const at of ['/admin', '/nobodys-admin']) expectNoStore(at + path, await askAll(at + path, bodies))
    })
  }

  it('is kept by no cache where the login is too long ago, is not asked for, or a problem follows', async () => {
    bed.clock.advance(2_000)
    for (const path of ['/recent', '/optional', '/problem', '/public-problem']) {
      expectNoStore(path, await askAll(path))
    }
  })

  it('is kept by no cache when the store is down', async () => {
    bed.store.before = () => Promise.reject(new Error('down'))
    for (const path of [
      '/native/session',
      '/native/login',
      '/problem',
      '/wafer2/login',
      '/guarded-by/wafer2',
      '/native/session/renewal',
      '/native/session/confirmation',
      '/tokens/token',
      `/admin/sessions/${'A'.repeat(44)}`,
    ])
      expectNoStore(path, await askAll(path, ['', '{"code":"invalid-code-1"}']))
  })

  it('is kept by no cache when its path cannot be decoded', async () => {
    const answers = [
      await bed.http.delete('/native/sessions/%zz'),
      await bed.http.get('/native/sessions/%zz'),
    ]
    expectNoStore('%zz', answers)
    expect(answers[0]?.status).to.equal(400)
  })
})
