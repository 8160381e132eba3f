import { generateKeyPairSync } from 'node:crypto'
import { expect } from 'chai'
import express, { type ErrorRequestHandler, type Express } from 'express'
import { afterEach, describe, it } from 'mocha'
import supertest from 'supertest'
import {
  adminRouter,
  asyncHandler,
  loginRouter,
  MemoryStore,
  nativeProtocol,
  requireSession,
  serviceTokens,
  WeappError,
} from '../../lib/index.js'
import { keptLog } from '../support/log-lines.js'
import { openTestBed, type TestBed, type TestBedOptions } from '../support/test-bed.js'
import { unhandledRejectionsDuring } from '../support/unhandled-rejections.js'

const hostile = new Proxy(new Error('no'), {
  get: () => {
    throw new Error('it cannot be read')
  },
  getPrototypeOf: () => {
    throw new Error('it cannot be read')
  },
})

/** What an application may throw; and `next` of Express takes some of it for "go on". */
const thrown: readonly [what: string, value: unknown][] = [
  ['undefined', undefined],
  ['null', null],
  ["'route'", 'route'],
  ['0', 0],
  ['a frozen error', Object.freeze(new RangeError('no'))],
  ['a frozen refusal', Object.freeze(new WeappError('ERR_LOGIN_REFUSED', 'No.'))],
  ['an error that cannot be read', hostile],
]

/** Each at once, and later. */
const failures = thrown.flatMap(([what, value]) => [
  {
    what,
    isLate: false,
    fail: (): never => {
      throw value
    },
  },
  { what: `${what}, later`, isLate: true, fail: async () => Promise.reject(value) },
])

describe('whatever an application throws', () => {
  let bed: TestBed
  afterEach(() => bed.close())

  /** Answers any bug without looking at it. */
  const answerBug: ErrorRequestHandler = (_error, _req, res, _next) => {
    res.status(500).end()
  }

  /** Sends a request, which has to fail with an answer, and leave nothing without a handler. */
  async function expectAnswer(ask: () => PromiseLike<{ readonly status: number }>): Promise<void> {
    let status = 0
    const unhandled = await unhandledRejectionsDuring(async () => {
      status = (await ask()).status
    })
    expect(unhandled).to.deep.equal([])
    expect(status).to.be.within(400, 599)
  }

  const open = async (options: TestBedOptions = {}) => {
    bed = await openTestBed(options)
  }
  const code = async () => (await bed.phone.wx.login()).code
  const logIn = async () =>
    bed.http.post('/login').send({ code: await code(), userInfo: { nickName: 'Ada' } })
  const ask = (app: Express) => supertest(app.use(answerBug))

  for (const { what, fail } of failures) {
    for (const hook of ['onLogin', 'onUserInfo'] as const) {
      it(`is an answer in ${hook}: ${what}`, async () => {
        await open({ [hook]: fail })
        await expectAnswer(logIn)
      })
    }

    it(`is an answer in onConfirm: ${what}`, async () => {
      await open({ onConfirm: fail })
      const token = await bed.logIn()
      await expectAnswer(() =>
        bed.http.post('/session/confirmation').set('x-3rd-session', token).send({ pin: 1 }),
      )
    })

    it(`changes no answer in onLoginRefused: ${what}`, async () => {
      await open({ onLoginRefused: fail })
      await expectAnswer(() => bed.http.post('/login').send({ code: 'invented' }))
    })

    it(`is an answer in accessTokenProvider: ${what}`, async () => {
      await open({ accessTokenProvider: fail })
      const token = await bed.logIn()
      const { code: phoneCode } = await bed.phone.getPhoneNumber()
      await expectAnswer(() =>
        bed.http.post('/session/phone-number').set('x-3rd-session', token).send({ code: phoneCode }),
      )
    })

    it(`is an answer in an exchange: ${what}`, async () => {
      await open({ app: { exchange: fail } })
      await expectAnswer(() => bed.http.post('/login').send({ code: '0a3kFq000aX1bP1KXY20' }))
    })

    for (const method of ['read', 'issue', 'replaceValue', 'addToValue', 'ping'] as const) {
      it(`is an answer in ${method} of a store: ${what}`, async () => {
        const store = new MemoryStore()
        await open({ store })
        const token = await bed.logIn()
        Object.assign(store, { [method]: fail })
        if (method === 'read') await expectAnswer(() => bed.me(token))
        else if (method === 'ping') expect((await bed.sessions.health()).store).to.equal('down')
        else await expectAnswer(logIn)
      })
    }

    for (const hook of ['authorize', 'onAudit'] as const) {
      it(`is an answer in ${hook}: ${what}`, async () => {
        await open()
        const hooks = { authorize: () => 'ada', onAudit: () => undefined, [hook]: fail }
        const app = express().use(adminRouter({ sessions: bed.sessions, logger: keptLog(), ...hooks }))
        await expectAnswer(() => ask(app).post('/everybody/revoke').send({ everybody: true }))
      })
    }

    it(`is an answer in claims: ${what}`, async () => {
      await open()
      const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
      const { sessions } = bed
      const logger = keptLog()
      const tokens = { issuer: 'app', audiences: ['orders'], keys: [privateKey], claims: fail, logger }
      const token = await bed.logIn()
      const app = express().use(serviceTokens({ sessions, ...tokens }))
      await expectAnswer(() => ask(app).post('/token').set('x-3rd-session', token).send({}))
    })

    it(`is an answer in a handler: ${what}`, async () => {
      await open()
      await expectAnswer(() => ask(express().get('/', asyncHandler(fail))).get('/'))
    })
  }

  for (const { what, fail } of failures.filter(({ isLate }) => !isLate)) {
    for (const part of ['readToken', 'writeError'] as const) {
      it(`is an answer in ${part} of a protocol: ${what}`, async () => {
        await open()
        const protocol = { ...nativeProtocol(), [part]: fail }
        const app = express()
          .use(loginRouter({ sessions: bed.sessions, protocol }))
          .get('/me', requireSession({ sessions: bed.sessions, protocol }), (_req, res) => void res.end())
        await expectAnswer(() => ask(app).get('/me'))
        await expectAnswer(() => ask(app).post('/login').send({ code: 'invented' }))
      })
    }
  }
})
