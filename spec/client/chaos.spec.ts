import { expect } from 'chai'
import type { RequestHandler } from 'express'
import fc from 'fast-check'
import { after, before, describe, it } from 'mocha'
import { type Client, ClientError, type WxLike } from '../../client/index.js'
import type { EncryptedData, Phone } from '../../sandbox/index.js'
import { type ClientBed, drop, loseAnswer, openClientBed, status } from './client-bed.js'

const SEQUENCES = 500
const PARALLEL_SEQUENCES = 150
/** A login sends its code twice where the answer is lost, a new one where it is refused, and each again after three waits in all. */
const MOST_LOGINS_FOR_A_CALL = 6

/** Lets others go on so many times. */
async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await new Promise(setImmediate)
}

/** What may happen to a request on its way. */
const TROUBLES = {
  none: (_req, _res, next) => next(),
  drop,
  loseAnswer,
  busy: status(503, '1'),
  limited: status(429, '2'),
  down: status(503),
  bare401: status(401),
  slow: (_req, _res, next) => void turns(30).then(() => next()),
} satisfies Record<string, RequestHandler>

/** What happens in the world, and what the mini-program does. */
const STEPS = [
  'request',
  'crowd',
  'login',
  'logout',
  'profile',
  'steps',
  'end',
  'rotate',
  'expire',
  'restart',
] as const

interface Chaos {
  readonly steps: readonly (typeof STEPS)[number][]
  readonly troubles: readonly (keyof typeof TROUBLES)[]
  /** Which calls of storage throw. */
  readonly storage: readonly boolean[]
  readonly offlineAt: number
}

const troubleNames = Object.keys(TROUBLES) as (keyof typeof TROUBLES)[]
const chaos: fc.Arbitrary<Chaos> = fc.record({
  steps: fc.array(fc.constantFrom(...STEPS), { minLength: 2, maxLength: 6 }),
  troubles: fc.array(fc.constantFrom('none', 'none', ...troubleNames), { minLength: 0, maxLength: 12 }),
  storage: fc.array(fc.boolean(), { maxLength: 8 }),
  offlineAt: fc.integer({ min: 0, max: 12 }),
})

/** A phone whose storage throws now and then, and that counts its logins under way. */
function watched({ wx }: Phone, failures: readonly boolean[]) {
  const left = [...failures]
  const logins = { underWay: 0, most: 0, sent: 0 }
  const mayFail =
    <Args extends unknown[], Result>(method: (...args: Args) => Result) =>
    (...args: Args): Result => {
      if (left.shift()) throw new Error('storage is broken')
      return method(...args)
    }
  const counting = (option: object) => {
    logins.underWay += 1
    logins.most = Math.max(logins.most, logins.underWay)
    return { ...option, complete: () => (logins.underWay -= 1) }
  }
  const counted: WxLike = {
    ...wx,
    getStorageSync: mayFail((key: string) => wx.getStorageSync(key)),
    setStorageSync: mayFail(wx.setStorageSync),
    removeStorageSync: mayFail(wx.removeStorageSync),
    login: (option) => wx.login(counting(option) as never),
    request(option) {
      const isLogin = (option as { url: string }).url.endsWith('/login')
      if (isLogin) logins.sent += 1
      return wx.request((isLogin ? counting(option) : option) as never)
    },
  }
  return { wx: counted, logins }
}

/** Waits for all of them, also when one has failed. */
async function settled(calls: Promise<unknown>[]): Promise<unknown> {
  await Promise.allSettled(calls)
  return Promise.all(calls)
}

describe('the client in chaos', function () {
  this.timeout(180_000)
  let bed: ClientBed
  before(async () => {
    bed = await openClientBed()
  })
  after(() => bed.close())

  async function play(
    client: Client,
    step: Chaos['steps'][number],
    phone: Phone,
    weRunData?: EncryptedData,
  ): Promise<unknown> {
    switch (step) {
      case 'request':
        return client.request({ url: '/me' })
      case 'crowd':
        return settled(Array.from({ length: 4 }, () => client.request({ url: '/me' })))
      case 'login':
        return client.login()
      case 'logout':
        return client.logout()
      case 'profile':
        return client.setUserInfo({ userInfo: { nickName: 'a' } })
      case 'steps':
        return client.decrypt({ url: '/steps', ...(weRunData ?? (await phone.wx.getWeRunData())) })
      case 'end':
        return bed.sessions.revokeUser(phone)
      case 'rotate':
        return bed.sandbox.rotateSessionKey(phone)
      case 'expire':
        return bed.clock.advance(31 * 86_400_000)
      case 'restart':
        return undefined
    }
  }

  /** An error that a program can act on; data that WeChat gives only after a login is no matter of the client. */
  function isClear(error: unknown): boolean {
    const { errMsg } = error as { errMsg?: string }
    if (errMsg?.startsWith('getWeRunData:fail')) return true
    return error instanceof ClientError && /^ERR_[A-Z_]+$/.test(error.code) && error.message !== ''
  }

  it(`ends logged in or with one clear error, in ${SEQUENCES} random sequences, and never logs in twice at a time`, async () => {
    const property = fc.asyncProperty(chaos, async ({ steps, troubles, storage, offlineAt }) => {
      const phone = bed.sandbox.phone()
      const { wx, logins } = watched(phone, storage)
      const left = [...troubles]
      bed.line = (req, res, next) => TROUBLES[left.shift() ?? 'none'](req, res, next)
      let client = bed.start({ wx }, phone)

      for (const [index, step] of steps.entries()) {
        if (step === 'restart') {
          client = bed.start({ wx }, phone)
          continue
        }
        phone.offline = index === offlineAt
        const before = logins.sent
        const error = await play(client, step, phone).then(
          () => undefined,
          (reason: unknown) => reason,
        )
        expect(error === undefined || isClear(error), String(error)).to.equal(true)
        expect(logins.sent - before).to.be.at.most(MOST_LOGINS_FOR_A_CALL)
      }

      phone.offline = false
      left.length = 0
      expect(await client.request({ url: '/me' })).to.include({ statusCode: 200 })
      expect([logins.most <= 1, logins.underWay]).to.deep.equal([true, 0])
    })
    await fc.assert(property, { numRuns: SEQUENCES })
  })

  it(`holds no token after a log-out, in ${PARALLEL_SEQUENCES} random crowds of calls at once`, async () => {
    const calls = STEPS.filter((step) => !['logout', 'restart', 'expire'].includes(step))
    const crowd = fc.record({
      steps: fc.array(fc.constantFrom(...calls), { minLength: 1, maxLength: 6 }),
      troubles: fc.array(fc.constantFrom('none', 'none', ...troubleNames), { maxLength: 12 }),
      early: fc.integer({ min: 0, max: 6 }),
      pause: fc.integer({ min: 0, max: 40 }),
    })
    const property = fc.asyncProperty(crowd, async ({ steps, troubles, early, pause }) => {
      const phone = bed.sandbox.phone()
      const { wx, logins } = watched(phone, [])
      const client = bed.start({ wx }, phone)
      bed.line = TROUBLES.none
      await client.login()
      const weRunData = await phone.wx.getWeRunData()
      const left = [...troubles]
      bed.line = (req, res, next) => TROUBLES[left.shift() ?? 'none'](req, res, next)

      const begin = (step: Chaos['steps'][number]) =>
        play(client, step, phone, weRunData).catch((error: unknown) => error)
      const before = steps.slice(0, early).map(begin)
      await turns(pause)
      const leaving = client.logout().then(
        () => true,
        () => false,
      )
      const during = steps
        .slice(early)
        .filter((step) => step !== 'login')
        .map(begin)
      const isOut = await leaving
      const outcomes = await Promise.all([...before, ...during])
      for (const outcome of outcomes) expect(!(outcome instanceof Error) || isClear(outcome)).to.equal(true)
      if (isOut) expect(client.isLoggedIn()).to.equal(false)
      expect(logins.most).to.equal(1)
    })
    await fc.assert(property, { numRuns: PARALLEL_SEQUENCES })
  })
})
