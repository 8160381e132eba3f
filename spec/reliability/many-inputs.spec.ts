import { randomBytes } from 'node:crypto'
import { expect } from 'chai'
import express from 'express'
import { Redis } from 'ioredis'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { loginGateOf } from '../../lib/flows/login-gate.js'
import { LoginLimits } from '../../lib/http/login-limits.js'
import {
  createSessions,
  MemoryStore,
  RedisStore,
  requireServiceToken,
  type Sessions,
  WeappError,
} from '../../lib/index.js'
import { inCrowds } from '../support/crowds.js'
import { heapBytes } from '../support/heap.js'
import { keptLog } from '../support/log-lines.js'
import { sharedRedis } from '../support/shared-redis.js'

/** `MANY_INPUTS=100000` sends all of a real attack. */
const INPUTS = Number(process.env.MANY_INPUTS ?? 10_000)
/** Beyond these, whatever remembers what came from outside is full: counts, and the users of handles. */
const [FIRST_INPUTS, FIRST_USERS] = [12_000, 22_000]
/** What a map keeps of an input, be it one short text, takes twice as much; its table may grow once. */
const MOST_GROWTH_BYTES = 100 * INPUTS
const CROWD = 500

const text = (bytes: number) => randomBytes(bytes).toString('base64url')

describe(`${INPUTS} inputs from outside, each another one,`, function () {
  this.timeout(300_000)
  let sessions: Sessions
  let redis: Redis | undefined
  const log = keptLog()

  beforeEach(() => {
    log.lines.length = 0
    sessions = createSessions({
      apps: [
        {
          appid: 'wx1',
          secret: 'f'.repeat(32),
          exchange: async (_app, code) => {
            if (code.startsWith('good')) return { openid: code, sessionKey: 'AAAAAAAAAAAAAAAAAAAAAA==' }
            throw new WeappError('ERR_CODE_INVALID', 'No.', { hint: `the code is ${code.length} long` })
          },
        },
      ],
      store: new MemoryStore({ maxSessions: 1000 }),
      onLoginRefused: () => undefined,
      onConfirm: () => false,
      logger: log,
    })
  })
  afterEach(async () => {
    await sessions.close()
    redis?.disconnect()
  })

  async function expectNoGrowth(input: (number: number) => unknown, first = FIRST_INPUTS): Promise<void> {
    let number = 0
    const attempt = async () => {
      await Promise.resolve(input(number++)).catch(() => undefined)
    }
    await inCrowds(first, CROWD, attempt)
    const before = await heapBytes()
    await inCrowds(INPUTS, CROWD, attempt)
    expect((await heapBytes()) - before).to.be.below(MOST_GROWTH_BYTES)
    expect(log.lines.length).to.be.below(20)
  }

  const inputs: Readonly<Record<string, () => Promise<unknown>>> = {
    'invented login codes': () =>
      sessions.login({ code: text(24), origin: { mount: '/login', peer: text(6), nonce: text(16) } }),
    'invented tokens': () => sessions.authenticate(text(48)),
    'invented session ids': () => sessions.find({ sessionId: text(33) }),
    'users whose confirmation is refused': () =>
      sessions.confirm({ openid: text(15), sessionId: text(33) }, { pin: '1234' }),
    'users with codes and data that are refused': () =>
      sessions.decrypt(
        { openid: text(15), sessionId: text(33) },
        {
          code: text(24),
          encryptedData: randomBytes(64).toString('base64'),
          iv: randomBytes(16).toString('base64'),
        },
      ),
  }
  for (const [what, input] of Object.entries(inputs)) {
    it(`grow nothing and fill no log: ${what}`, () => expectNoGrowth(input))
  }

  it('grow nothing and fill no log: users who log in', async () => {
    const logIn = () => sessions.login({ code: `good${text(12)}`, device: text(20) })
    await expectNoGrowth(async () => sessions.authenticate((await logIn()).token), FIRST_USERS)
  })

  it('grow nothing: addresses that the limits of logins count', async () => {
    const gate = loginGateOf(sessions)
    const limits = gate && new LoginLimits('limit', { perAddress: 1 }, gate)
    const res = { headersSent: true } as never
    await expectNoGrowth(async (number) => {
      const address = `2001:db8:${(number >> 8).toString(16)}:${(number % 256).toString(16).padStart(2, '0')}00::1`
      const takeBack = await limits?.enter({ address, appid: undefined }, res)
      if (number % 2 === 0) takeBack?.()
    })
  })

  it('grow nothing and fill no log: service tokens with invented headers', async () => {
    const guard = requireServiceToken({
      issuer: 'https://app.example.com',
      audience: 'orders',
      jwksUri: 'https://app.example.invalid/jwks.json',
      timeoutMs: 500,
      logger: log,
    })
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
    await expectNoGrowth(async () => {
      const header = part({ alg: 'ES256', typ: 'weapp-session+jwt', kid: text(12) })
      const authorization = `Bearer ${header}.${part({ sub: text(12) })}.${text(64)}`
      const req = { headers: { authorization } } as express.Request
      const res = Object.assign(Object.create(express.response), {
        headersSent: false,
        setHeader: () => undefined,
        end: () => undefined,
        req,
      })
      await guard(req, res, () => undefined)
    })
  })

  for (const localCache of [undefined, { maxUsers: 1000 }]) {
    it(`grow nothing: users that Redis does not know, ${localCache ? 'with a' : 'without'} local cache`, async () => {
      redis = new Redis((await sharedRedis()).url)
      const store = new RedisStore(redis, { prefix: text(6), ...(localCache && { localCache }) })
      await expectNoGrowth(() => store.read({ handle: text(15), sessionId: text(18) }))
      await store.close()
    })
  }
})
