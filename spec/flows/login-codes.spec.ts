import { expect } from 'chai'
import { describe, it } from 'mocha'
import { ERROR_CODES, type ErrorCode, WeappError } from '../../lib/errors.js'
import type { CheckedIdentity } from '../../lib/exchange.js'
import { FailureLog } from '../../lib/flows/failure-log.js'
import { type CodeUse, LoginCodes } from '../../lib/flows/login-codes.js'
import { Secret } from '../../lib/secret.js'
import type { App } from '../../lib/sessions/app-info.js'
import { createApps } from '../../lib/sessions/apps.js'
import type { CodeGrant, LoginCode } from '../../lib/sessions/code-outcomes.js'
import { deriveKey, open } from '../../lib/sessions/envelope.js'
import type { SessionStore, ValueChange } from '../../lib/sessions/store.js'
import { codeIdOf, valueIdOf } from '../../lib/sessions/token.js'
import { MemoryStore } from '../../lib/stores/memory-store.js'
import { GAME, LOGIN, methodsOf, recording, SHOP, type StoreCall } from '../sessions/a-registry.js'
import { testClock } from '../support/clock.js'
import { everythingIn, failureOf, weappErrorOf } from '../support/failures.js'
import { keptLog } from '../support/log-lines.js'
import { unhandledRejectionsDuring } from '../support/unhandled-rejections.js'

const APPS = createApps('apps', [SHOP, GAME], 0.1)
const SHOP_APP = APPS.choose(SHOP.appid)
const GAME_APP = APPS.choose(GAME.appid)
const CODE = '0a3kFq000aX1bP1KXY200Z9QyV2kFq0s'
const ALICE: CheckedIdentity = {
  openid: 'alice',
  unionid: undefined,
  sessionKey: new Secret('key of Alice'),
}
const TOKEN = 'T'.repeat(64)
const GRANT = {
  handle: 'T'.repeat(20),
  login: { token: TOKEN, seenBefore: true, origin: { mount: 'native /login', nonce: 'n'.repeat(16) } },
}
/** What a code gives whose session_key was stored, and that began no session. */
const KEPT = { handle: 'h'.repeat(20) }
const REPLAY_MS = 60_000
const CODE_LIFETIME_MS = 300_000
const BUSY = new WeappError('ERR_WECHAT_BUSY', 'Busy.', { hint: 'errcode -1' })
const BROKEN = new WeappError('ERR_STORE_UNAVAILABLE', 'Later.')
const STILL_GOOD: readonly ErrorCode[] = [
  'ERR_SERVER_MISCONFIGURED',
  'ERR_WECHAT_BUSY',
  'ERR_WECHAT_QUOTA',
  'ERR_WECHAT_RATE_LIMITED',
  'ERR_WECHAT_UNREACHABLE',
]

/** A use of a code: for the one who used it when it began, for the others what it was good for. */
type Use = CodeUse<{ beganAt: number } | CodeGrant>

function using(grant: CodeGrant = GRANT, before: () => unknown = () => undefined): Use {
  return {
    name: 'a login',
    async use({ beganAt }) {
      await before()
      return { result: { beganAt }, grant }
    },
    reuse: async (found) => found,
  }
}

/** Login codes of several processes on one store. */
function processes(instead: Partial<SessionStore> = {}) {
  const clock = testClock(LOGIN)
  const memory = new MemoryStore({ clock })
  const calls: StoreCall[] = []
  const store = recording(memory, instead, calls)
  /** The codes that WeChat was asked for, in order. */
  const asked: string[] = []
  /** What happens before WeChat answers. */
  const wechat = { before: async (): Promise<void> => undefined }
  const exchange = async (_app: App, code: Secret): Promise<CheckedIdentity> => {
    asked.push(code.reveal())
    await wechat.before()
    return ALICE
  }
  const reports: [what: string, error: unknown][] = []
  const failureLog = Object.assign(new FailureLog(keptLog(), clock), {
    report: (what: string, error: unknown) => void reports.push([what, error]),
  })
  const codes = (patienceMs = 60_000) => new LoginCodes({ store, exchange, failureLog, patienceMs })
  return { clock, memory, calls, instead, asked, wechat, reports, codes }
}

/** What a first process has made of {@link CODE}, and another process beside it. */
async function afterwards(use: Use = using(), exchangeFails?: WeappError) {
  const shared = processes()
  const first = shared.codes()
  if (exchangeFails) shared.wechat.before = () => Promise.reject(exchangeFails)
  await first.redeem(SHOP_APP, CODE, use).catch(() => undefined)
  await first.idle()
  shared.wechat.before = async () => undefined
  const other = shared.codes()
  const again = (app = SHOP_APP, code = CODE) => other.redeem(app, code, using())
  return { ...shared, again }
}

const failingWith = (error: unknown) => using(GRANT, () => Promise.reject(error))

function answerIdOf(appid = SHOP.appid, code = CODE): string {
  return valueIdOf({ purpose: `code_answer ${codeIdOf(appid, code)}`, appid })
}

/** What lies in the store for {@link CODE}, as anybody who can read the store sees it. */
async function answerIn(memory: MemoryStore): Promise<string> {
  return (await memory.readValue(answerIdOf()))?.text ?? expect.fail('there is no answer')
}

/** WeChat answers when it is told to. */
function slow({ wechat }: ReturnType<typeof processes>) {
  let answer = () => {}
  const answered = new Promise<void>((resolve) => {
    answer = resolve
  })
  const isAsked = new Promise<void>((resolve) => {
    wechat.before = () => {
      resolve()
      return answered
    }
  })
  return { isAsked, answer }
}

describe('a login code', () => {
  it('is used by one of many who bring it, and all others get what it gave', async () => {
    const { codes, asked } = processes()
    const all = [codes(), codes(), codes()]
    const results = await Promise.all(
      Array.from({ length: 30 }, (_, index) =>
        (all[index % 3] as LoginCodes).redeem(SHOP_APP, CODE, using()),
      ),
    )
    expect(results.filter((result) => 'beganAt' in result)).to.have.length(1)
    expect(results.filter((result) => 'handle' in result && result.login?.token === TOKEN)).to.have.length(29)
    expect(asked).to.deep.equal([CODE])
  })

  it('tells who uses it when it was claimed, by the clock of the store, in microseconds', async () => {
    const { codes, clock } = processes()
    clock.set(1_000)
    expect(await codes().redeem(SHOP_APP, CODE, using())).to.deep.equal({ beganAt: 1_000_000 })
  })

  it('gives who uses it what WeChat gave', async () => {
    const use: CodeUse<CheckedIdentity> = {
      name: 'a login',
      use: async ({ identity }) => ({ result: identity, grant: GRANT }),
      reuse: async () => expect.fail('it is new'),
    }
    expect(await processes().codes().redeem(SHOP_APP, CODE, use)).to.equal(ALICE)
  })

  it('is one of its own for each code and each app', async () => {
    const { codes } = processes()
    const own = codes()
    for (const [app, code] of [
      [SHOP_APP, CODE],
      [GAME_APP, CODE],
      [SHOP_APP, 'another'],
    ] as const)
      expect(await own.redeem(app, code, using())).to.have.all.keys('beganAt')
  })

  it('keeps who brings it in the same process waiting, without asking the store, until it was used', async () => {
    const shared = processes()
    const { isAsked, answer } = slow(shared)
    const own = shared.codes()
    const first = own.redeem(SHOP_APP, CODE, using())
    await isAsked
    shared.calls.length = 0
    const second = own.redeem(SHOP_APP, CODE, using())
    answer()
    expect(await first).to.have.all.keys('beganAt')
    expect(await second).to.deep.equal(GRANT)
    // The answer, and that the code was used; then what the second one asks.
    const ids = shared.calls.map(({ method, args }) =>
      method === 'readValue' ? args[0] : (args[0] as ValueChange).id,
    )
    const codeId = codeIdOf(SHOP.appid, CODE)
    expect(ids).to.deep.equal([answerIdOf(), codeId, codeId, answerIdOf()])
  })

  it('keeps who brings it to another process waiting until it was used', async () => {
    const shared = processes()
    const { isAsked, answer } = slow(shared)
    const first = shared.codes().redeem(SHOP_APP, CODE, using())
    await isAsked
    const second = shared.codes().redeem(SHOP_APP, CODE, using())
    answer()
    await first
    expect(await second).to.deep.equal(GRANT)
  })

  for (const where of ['the same process', 'another process']) {
    it(`goes to who waits for it in ${where} when its exchange fails and it is still good`, async () => {
      const shared = processes()
      const own = shared.codes()
      const other = where === 'the same process' ? own : shared.codes()
      const waiting: Promise<unknown>[] = []
      shared.wechat.before = async () => {
        if (shared.asked.length > 1) return
        waiting.push(other.redeem(SHOP_APP, CODE, using()))
        throw BUSY
      }
      expect(await failureOf(() => own.redeem(SHOP_APP, CODE, using()))).to.equal(BUSY)
      expect(await waiting[0]).to.have.all.keys('beganAt')
      expect(shared.asked).to.have.length(2)
    })
  }

  for (const where of ['the same process', 'another process']) {
    it(`is ERR_CODE_INVALID for who waits longer for ${where} than patience lasts`, async () => {
      const shared = processes()
      const { isAsked, answer } = slow(shared)
      const own = shared.codes(where === 'the same process' ? 100 : 60_000)
      const first = own.redeem(SHOP_APP, CODE, using())
      await isAsked
      const other = where === 'the same process' ? own : shared.codes(1)
      await weappErrorOf('ERR_CODE_INVALID', () => other.redeem(SHOP_APP, CODE, using()))
      answer()
      await first
    })
  }

  it('fails as the store does when it cannot be claimed, and is given back in case it was', async () => {
    const { codes, instead, memory, asked, reports } = processes()
    instead.replaceValue = async (change) => {
      const outcome = await memory.replaceValue(change)
      if (change.to?.startsWith('?')) throw BROKEN
      return outcome
    }
    const late = codes()
    expect(await failureOf(() => late.redeem(SHOP_APP, CODE, using()))).to.equal(BROKEN)
    await late.idle()
    expect(asked).to.deep.equal([])
    expect(reports).to.deep.equal([])
    delete instead.replaceValue
    expect(await codes().redeem(SHOP_APP, CODE, using())).to.have.all.keys('beganAt')
  })

  it('is claimed until WeChat has forgotten it, and then may be sent again', async () => {
    const shared = processes()
    const { isAsked, answer } = slow(shared)
    const first = shared.codes().redeem(SHOP_APP, CODE, using())
    await isAsked
    shared.clock.advance(CODE_LIFETIME_MS - 1)
    await weappErrorOf('ERR_CODE_INVALID', () => shared.codes(1).redeem(SHOP_APP, CODE, using()))
    shared.clock.advance(1)
    const second = shared.codes().redeem(SHOP_APP, CODE, using())
    answer()
    for (const each of [first, second]) expect(await each).to.have.all.keys('beganAt')
    expect(shared.asked).to.have.length(2)
  })
})

describe('what a used code gave', () => {
  it('is given again for a minute, to the millisecond, and the code is never free again', async () => {
    const { again, clock, asked } = await afterwards()
    clock.advance(REPLAY_MS - 1)
    expect(await again()).to.deep.equal(GRANT)
    clock.advance(1)
    await weappErrorOf('ERR_CODE_INVALID', again)
    clock.advance(CODE_LIFETIME_MS - REPLAY_MS - 1)
    await weappErrorOf('ERR_CODE_INVALID', again)
    expect(asked).to.have.length(1)
  })

  it('tells whether the user is new, to all who bring the code', async () => {
    for (const seenBefore of [true, false]) {
      const grant = { ...GRANT, login: { ...GRANT.login, seenBefore } }
      const { again } = await afterwards(using(grant))
      expect(await again()).to.deep.equal(grant)
    }
  })

  it('is no session where the code began none', async () => {
    const { again, clock } = await afterwards(using(KEPT))
    clock.advance(REPLAY_MS - 1)
    expect(await again()).to.deep.equal(KEPT)
    clock.advance(1)
    await weappErrorOf('ERR_CODE_INVALID', again)
  })

  it('is told with the name that the store knows the code by', async () => {
    const { codes } = await afterwards()
    const use = { ...using(), reuse: async (_: CodeGrant, code: object) => ({ ...KEPT, code }) }
    const { code } = (await codes().redeem(SHOP_APP, CODE, use)) as unknown as { code: LoginCode }
    expect({ ...code, code: code.code.reveal() }).to.deep.equal({
      appid: SHOP.appid,
      code: CODE,
      id: codeIdOf(SHOP.appid, CODE),
    })
  })

  it('lies in the store sealed, under an id that does not show the code', async () => {
    for (const grant of [GRANT, KEPT]) {
      const { calls } = await afterwards(using(grant))
      const seen = JSON.stringify(calls)
      expect(methodsOf(calls)).to.deep.equal(['replaceValue', 'replaceValue', 'replaceValue'])
      expect(seen).to.not.include(CODE).and.not.include(TOKEN).and.not.include(grant.handle)
    }
  })

  it('is written with how long it is kept, and no moment', async () => {
    const { calls } = await afterwards()
    const [claim, answer, used] = calls.map(({ args }) => args[0] as ValueChange)
    expect(claim).to.include({ from: null, keepMs: CODE_LIFETIME_MS })
    expect(answer).to.include({ id: answerIdOf(), from: null, keepMs: REPLAY_MS })
    expect(used).to.include({ id: claim?.id, to: '!used', keepMs: CODE_LIFETIME_MS })
  })

  it('is not given when its time is up, even if the store has it still', async () => {
    const { memory, again, instead } = await afterwards()
    const text = await answerIn(memory)
    instead.readValue = async () => ({ text, writtenAt: 0, leftMs: 1 })
    expect(await again()).to.deep.equal(GRANT)
    instead.readValue = async () => ({ text, writtenAt: 0, leftMs: 0 })
    await weappErrorOf('ERR_CODE_INVALID', again)
  })

  it('leaves the store when it is given no more, while that the code was used stays', async () => {
    const { memory, clock } = await afterwards()
    clock.advance(REPLAY_MS - 1)
    await answerIn(memory)
    clock.advance(1)
    expect(await memory.readValue(answerIdOf())).to.equal(null)
    expect(await memory.readValue(codeIdOf(SHOP.appid, CODE))).to.include({ text: '!used' })
  })

  it('is sealed under a key that only the code gives', async () => {
    const { memory } = await afterwards()
    const codeId = codeIdOf(SHOP.appid, CODE)
    const answer = await answerIn(memory)
    const openWith = (code: string) => open(deriveKey(code, SHOP.appid, 'code-answer'), answer, codeId)
    expect(openWith(CODE)).to.include(TOKEN)
    expect(openWith(codeId)).to.equal(undefined)
  })

  it('cannot be read with another code or by another app, even by who moves it there', async () => {
    const { memory, again } = await afterwards()
    const answer = await answerIn(memory)
    for (const [app, code] of [
      [SHOP_APP, 'another'],
      [GAME_APP, CODE],
    ] as const) {
      const id = codeIdOf(app.appid, code)
      await memory.replaceValue({ id, from: null, to: '!used', keepMs: CODE_LIFETIME_MS })
      const moved = { id: answerIdOf(app.appid, code), from: null, to: answer, keepMs: REPLAY_MS }
      await memory.replaceValue(moved)
      await weappErrorOf('ERR_CODE_INVALID', () => again(app, code))
    }
  })

  it('is not given when what lies in the store makes no sense', async () => {
    const { memory, again } = await afterwards()
    await memory.replaceValue({ id: answerIdOf(), from: await answerIn(memory), to: 'no envelope' })
    await weappErrorOf('ERR_CODE_INVALID', again)
  })

  it('is not given, but the code stays used, when it cannot be kept', async () => {
    const { codes, instead, memory, asked } = processes()
    instead.replaceValue = async (change) =>
      change.id === answerIdOf() ? Promise.reject(BROKEN) : memory.replaceValue(change)
    const own = codes()
    expect(await own.redeem(SHOP_APP, CODE, using())).to.have.all.keys('beganAt')
    await own.idle()
    delete instead.replaceValue
    await weappErrorOf('ERR_CODE_INVALID', () => codes().redeem(SHOP_APP, CODE, using()))
    expect(asked).to.have.length(1)
  })
})

describe('the failure of a code', () => {
  it('is told to all who bring the code, without what is for the log', async () => {
    const { again, asked } = await afterwards(
      failingWith(new WeappError('ERR_USER_BLOCKED', 'Blocked.', { hint: 'rid' })),
    )
    const error = await weappErrorOf('ERR_USER_BLOCKED', again)
    expect(error).to.include({ message: 'Blocked.', hint: undefined })
    expect(asked).to.have.length(1)
  })

  it('is told as a used code where it is trouble of the server, or whose code it was', async () => {
    for (const failure of [
      BROKEN,
      new WeappError('ERR_WECHAT_NO_ANSWER', 'Later.'),
      new WeappError('ERR_USER_CHANGED', 'Of another user.'),
      new TypeError(`cannot read ${TOKEN}`),
      undefined,
    ]) {
      const { again, asked } = await afterwards(failingWith(failure))
      const error = await weappErrorOf('ERR_CODE_INVALID', again)
      expect(error.message).to.equal('This code has been used. Call wx.login for a new one.')
      expect(everythingIn(error)).to.not.include(TOKEN).and.not.include(CODE)
      expect(asked).to.have.length(1)
    }
  })

  it('is thrown as it is to who used the code, and told to the log, of the others nothing', async () => {
    for (const error of [
      BUSY,
      new WeappError('ERR_USER_CHANGED', 'Of another user.'),
      new TypeError('a bug'),
    ]) {
      const { codes, reports } = processes()
      const own = codes()
      const use = { ...failingWith(error), name: 'the exchange of a code' }
      expect(await failureOf(() => own.redeem(SHOP_APP, CODE, use))).to.equal(error)
      await failureOf(() => own.redeem(SHOP_APP, CODE, using()))
      expect(reports).to.deep.equal([['the exchange of a code', error]])
    }
  })

  for (const code of ERROR_CODES) {
    const isGood = STILL_GOOD.includes(code)
    it(`${isGood ? 'gives the code back' : 'keeps the code'} when the exchange failed with ${code}`, async () => {
      const { again, asked } = await afterwards(using(), new WeappError(code, 'A message.'))
      if (isGood) expect(await again()).to.have.all.keys('beganAt')
      else await failureOf(again)
      expect(asked).to.have.length(isGood ? 2 : 1)
    })

    it(`keeps the code after ${code} that came when it was exchanged already`, async () => {
      const { again, asked } = await afterwards(failingWith(new WeappError(code, 'A message.')))
      await failureOf(again)
      expect(asked).to.have.length(1)
    })
  }
})

describe('what is written behind who uses a code', () => {
  const endings: [what: string, use: Use, exchangeFails?: WeappError][] = [
    ['a session', using()],
    ['a failure', failingWith(new WeappError('ERR_USER_BLOCKED', 'Blocked.'))],
    ['a code given back', using(), BUSY],
  ]
  for (const [what, use, exchangeFails] of endings) {
    it(`leaves no rejection unhandled when the store fails to keep ${what}`, async () => {
      const { codes, wechat, instead } = processes()
      wechat.before = async () => {
        instead.replaceValue = () => Promise.reject(BROKEN)
        if (exchangeFails) throw exchangeFails
      }
      const unhandled = await unhandledRejectionsDuring(async () => {
        const own = codes()
        await own.redeem(SHOP_APP, CODE, use).catch(() => undefined)
        await own.idle()
      })
      expect(unhandled).to.deep.equal([])
    })
  }

  it('is waited for by idle, as are redemptions under way', async () => {
    const shared = processes()
    const { isAsked, answer } = slow(shared)
    const own = shared.codes()
    const redemption = own.redeem(SHOP_APP, CODE, using())
    await isAsked
    let isIdle = false
    const idle = own.idle().then(() => {
      isIdle = true
    })
    await new Promise(setImmediate)
    expect(isIdle).to.equal(false)
    let write = () => {}
    const written = new Promise<void>((resolve) => {
      write = resolve
    })
    shared.instead.replaceValue = async (change) => {
      await written
      return shared.memory.replaceValue(change)
    }
    answer()
    await redemption
    await new Promise(setImmediate)
    expect(isIdle).to.equal(false)
    write()
    await idle
    await own.idle()
    expect(await shared.memory.readValue(codeIdOf(SHOP.appid, CODE))).to.include({ text: '!used' })
  })

  it('is not waited for by idle where it begins later', async () => {
    const shared = processes()
    const own = shared.codes()
    const first = slow(shared)
    const redemption = own.redeem(SHOP_APP, CODE, using())
    await first.isAsked
    const idle = own.idle()
    const later = slow(shared)
    const laterRedemption = own.redeem(GAME_APP, CODE, using())
    await later.isAsked
    first.answer()
    await Promise.all([redemption, idle])
    later.answer()
    await laterRedemption
  })
})
