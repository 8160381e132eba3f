import { inspect } from 'node:util'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect } from 'chai'
import fc from 'fast-check'
import { Redis } from 'ioredis'
import { describe, it } from 'mocha'
import { MemoryStore, RedisStore, type SessionStore } from '../../lib/index.js'
import { type TestClock, testClock } from '../support/clock.js'
import { freshPrefix } from '../support/redis-client.js'
import { sharedRedis } from '../support/shared-redis.js'
import { openTestBed, type TestBed } from '../support/test-bed.js'
import { unhandledRejectionsDuring } from '../support/unhandled-rejections.js'
import { type AnyRequest, anyRequest } from './hostile/any-request.js'
import { type BackEnd, openBackEnd } from './hostile/back-end.js'
import { type Answer, sendTo, type Valid } from './hostile/send.js'

// `npm test` sends a part of them, `npm run test:hostile` all. A failure prints its seed: repeat it by
// HOSTILE_SEED and, for the run that failed, HOSTILE_PATH.
const REQUESTS = Number(process.env.HOSTILE_REQUESTS ?? 2000)
const SEED = Number(process.env.HOSTILE_SEED ?? Math.floor(Math.random() * 2 ** 31))
const PATH = process.env.HOSTILE_PATH ?? ''
const AT_ONCE = 25
/** What may stay of all requests: caches that warm up, and codes that are remembered for five minutes. */
const MOST_GROWTH_BYTES = 24 * 2 ** 20
/** By their codes: where Redis and WeChat are well, a stranger causes no failure of the server. */
const PLANNED_FAILURES: readonly string[] = []

const collectGarbage = (() => {
  setFlagsFromString('--expose-gc')
  return runInNewContext('gc') as () => void
})()

const stores: Record<string, (clock: TestClock) => Promise<SessionStore>> = {
  memory: async (clock) => new MemoryStore({ clock }),
  async Redis(clock) {
    const redis = new Redis((await sharedRedis()).url)
    const store = new RedisStore(redis, { prefix: freshPrefix(), clock })
    return Object.assign(store, { close: async () => redis.disconnect() })
  },
}

describe(`hostile requests, with the seed ${SEED}`, function () {
  this.timeout(900_000)

  for (const [name, openStore] of Object.entries(stores)) {
    it(`${REQUESTS / 2} to all routes are refused, answered or cut off, and nothing else comes of them: in ${name}`, async () => {
      const clock = testClock()
      const bed = await openTestBed({ clock, store: await openStore(clock) })
      const backEnd = await openBackEnd(bed.sessions)
      try {
        const honest = await bed.logIn(bed.sandbox.phone())
        const statuses = new Map<string, number>()
        let baseline = 0
        let runs = 0
        const rejections = await unhandledRejectionsDuring(() =>
          fc.assert(
            fc.asyncProperty(
              fc.array(anyRequest(backEnd.routes), { minLength: AT_ONCE, maxLength: AT_ONCE }),
              async (requests) => {
                if (runs === Math.floor(REQUESTS / 2 / AT_ONCE / 4)) baseline = heapAfterGc()
                runs += 1
                await attack(bed, backEnd, requests, statuses)
                await bed.me(honest).expect(200)
                // The codes are forgotten soon, and the quotas of WeChat begin anew.
                clock.advance(72_000)
                bed.sandbox.clearCalls()
              },
            ),
            { numRuns: REQUESTS / 2 / AT_ONCE, seed: SEED, path: PATH, endOnFailure: true },
          ),
        )
        expect(rejections).to.deep.equal([])
        expect(backEnd.bugs).to.deep.equal([])
        expect(Object.keys(Object.prototype)).to.deep.equal([])
        expect(heapAfterGc() - baseline).to.be.below(MOST_GROWTH_BYTES)
        if (process.env.HOSTILE_REQUESTS) tell(name, statuses, heapAfterGc() - baseline, bed.log.length)
      } finally {
        await backEnd.close()
        await bed.close()
      }
    })
  }
})

async function attack(
  bed: TestBed,
  backEnd: BackEnd,
  requests: readonly AnyRequest[],
  statuses: Map<string, number>,
): Promise<void> {
  // Another one each time, as WeChat limits the logins of a user.
  const phone = bed.sandbox.phone()
  const token = await bed.logIn(phone)
  const valid: Valid = {
    token,
    code: (await phone.wx.login()).code,
    phoneCode: (await phone.getPhoneNumber()).code ?? '',
    serviceToken: await backEnd.serviceToken(token),
    sessionId: (await bed.sessions.authenticate(token)).sessionId,
    appid: phone.appid,
    openid: phone.openid,
  }
  await Promise.all(
    requests.map(async (request) => {
      const answer = await sendTo(backEnd.port, request, valid)
      const kind = String(answer.status ?? 'cut off')
      statuses.set(kind, (statuses.get(kind) ?? 0) + 1)
      judge(request, answer)
    }),
  )
  const bugs = backEnd.bugs.map((bug) => inspect(bug, { depth: 4 }))
  expect(bugs, `what reached the application: ${bugs[0]}`).to.deep.equal([])
}

function judge(request: AnyRequest, { status, text, isWhole }: Answer): void {
  const told = `${JSON.stringify({ ...request, body: String(request.body).slice(0, 2000) })}\n${text.slice(0, 2000)}`
  if (isWhole && status === undefined) expect.fail(`no answer to ${told}`)
  if (status !== undefined && status >= 500 && !PLANNED_FAILURES.some((code) => text.includes(code))) {
    expect.fail(`a failure of the server: ${told}`)
  }
  if (/node:internal|\/lib\/|\/node_modules\//.test(text)) expect.fail(`a trace of the code: ${told}`)
}

function heapAfterGc(): number {
  collectGarbage()
  return process.memoryUsage().heapUsed
}

function tell(store: string, statuses: ReadonlyMap<string, number>, growth: number, lines: number): void {
  const counts = [...statuses].sort().map(([status, count]) => `${status}: ${count}`)
  const heap = `heap ${(growth / 2 ** 20).toFixed(1)} MB more`
  process.stdout.write(`      ${store}: ${counts.join(', ')}; ${heap}; ${lines} lines in the log\n`)
}
