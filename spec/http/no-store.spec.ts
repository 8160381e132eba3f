import { expect } from 'chai'
import express, { type Express } from 'express'
import { afterEach, beforeEach, describe, it } from 'mocha'
import type { Response } from 'supertest'
import {
  loginRouter,
  nativeProtocol,
  type Protocol,
  problemHandler,
  requireSession,
  WeappError,
  wafer2Protocol,
  waferProtocol,
  waferServerProtocol,
  wxappProtocol,
} from '../../lib/index.js'
import { openWireBed, type WireBed } from '../support/wire-bed.js'

const protocols: Record<string, () => Protocol> = {
  native: () => nativeProtocol(),
  wafer: waferProtocol,
  wafer2: wafer2Protocol,
  'wafer-server': waferServerProtocol,
  wxapp: wxappProtocol,
}
const BODIES = ['', '{', '{"code":"invalid-code-1"}']
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
