import { expect } from 'chai'
import { describe, it } from 'mocha'
import { ERROR_CODES, type ErrorCode, WeappError } from '../../lib/errors.js'
import { CodeLedger } from '../../lib/sessions/code-ledger.js'
import { deriveKey, open } from '../../lib/sessions/envelope.js'
import type { SessionStore } from '../../lib/sessions/store.js'
import { codeIdOf, valueIdOf } from '../../lib/sessions/token.js'
import { MemoryStore } from '../../lib/stores/memory-store.js'
import { newClaimant } from '../contracts/store-under-test.js'
import { testClock } from '../support/clock.js'
import { everythingIn, failureOf, weappErrorOf } from '../support/failures.js'
import { unhandledRejectionsDuring } from '../support/unhandled-rejections.js'
import { methodsOf, recording, type StoreCall } from './a-registry.js'

const LOGIN = { appid: 'wx1', code: '0a3kFq000aX1bP1KXY200Z9QyV2kFq0s' }
const TOKEN = 'T'.repeat(64)
const GRANT = {
  handle: 'T'.repeat(20),
  login: { token: TOKEN, seenBefore: true, origin: { mount: '/login', nonce: 'n'.repeat(16) } },
}
const REPLAY_MS = 60_000
const CODE_LIFETIME_MS = 300_000
const STILL_GOOD: readonly ErrorCode[] = [
  'ERR_SERVER_MISCONFIGURED',
  'ERR_WECHAT_BUSY',
  'ERR_WECHAT_QUOTA',
  'ERR_WECHAT_RATE_LIMITED',
  'ERR_WECHAT_UNREACHABLE',
]

/** Ledgers of several processes on one store. */
function processes(instead: Partial<SessionStore> = {}) {
  const clock = testClock()
  const memory = new MemoryStore({ clock })
  const calls: StoreCall[] = []
  const store = recording(memory, instead, calls)
  const ledger = (patienceMs = 60_000) => new CodeLedger({ store, patienceMs })
  return { clock, memory, calls, instead, ledger }
}

/** A ledger whose claim of {@link LOGIN} has ended in `end`, and another ledger beside it. */
async function afterwards(end: (ledger: CodeLedger) => void, instead: Partial<SessionStore> = {}) {
  const shared = processes(instead)
  const first = shared.ledger()
  await first.claim(LOGIN)
  end(first)
  await first.idle()
  return { ...shared, other: shared.ledger() }
}

function answerIdOf({ appid, code } = LOGIN): string {
  return valueIdOf({ purpose: `code_answer ${codeIdOf(appid, code)}`, appid })
}

/** What lies in the store for {@link LOGIN}, as anybody who can read the store sees it. */
async function answerIn(memory: MemoryStore): Promise<string> {
  return (await memory.readValue(answerIdOf()))?.text ?? expect.fail('there is no answer')
}

const settled = (ledger: CodeLedger) => ledger.settle(LOGIN, GRANT)
const failedWith = (error: unknown) => (ledger: CodeLedger) => ledger.fail(LOGIN, error)

describe('the claim of a code', () => {
  it('is given to one of many who bring it, and all others get its token', async () => {
    const { ledger } = processes()
    const ledgers = [ledger(), ledger(), ledger()]
    const claims = Array.from({ length: 30 }, async (_, index) => {
      const own = ledgers[index % 3] as CodeLedger
      const claim = await own.claim(LOGIN)
      if ('beganAt' in claim) own.settle(LOGIN, GRANT)
      return claim
    })
    const results = await Promise.all(claims)
    expect(results.filter((claim) => 'beganAt' in claim)).to.have.length(1)
    expect(results.filter((claim) => 'grant' in claim && claim.grant.login?.token === TOKEN)).to.have.length(
      29,
    )
  })

  it('tells whose it is the moment by the clock of the store, in microseconds', async () => {
    const { ledger, clock } = processes()
    clock.set(1_000)
    expect(await ledger().claim(LOGIN)).to.deep.equal({ beganAt: 1_000_000 })
  })

  it('is of its own for each code and each app', async () => {
    const { ledger } = processes()
    const own = ledger()
    for (const login of [LOGIN, { ...LOGIN, appid: 'wx2' }, { ...LOGIN, code: 'another' }])
      expect(await own.claim(login)).to.have.all.keys('beganAt')
  })

  it('waits for the answer that somebody else is still fetching', async () => {
    const { ledger } = processes()
    const first = ledger()
    await first.claim(LOGIN)
    const waiting = ledger().claim(LOGIN)
    first.settle(LOGIN, GRANT)
    expect(await waiting).to.deep.equal({ grant: GRANT })
  })

  it('goes to one of those who wait when it is given back', async () => {
    const { ledger } = processes()
    const first = ledger()
    await first.claim(LOGIN)
    const waiting = ledger().claim(LOGIN)
    first.fail(LOGIN, new WeappError('ERR_WECHAT_BUSY', 'Busy.'))
    expect(await waiting).to.have.all.keys('beganAt')
  })

  it('ends in ERR_CODE_INVALID for who waits longer than patience lasts', async () => {
    const { ledger } = processes()
    await ledger().claim(LOGIN)
    await weappErrorOf('ERR_CODE_INVALID', () => ledger(1).claim(LOGIN))
  })

  it('is given back when the question was carried out after its deadline', async () => {
    const { memory, ledger } = processes({
      claim: async (...question) => {
        await memory.claim(...question)
        throw new WeappError('ERR_STORE_UNAVAILABLE', 'Later.')
      },
    })
    const late = ledger()
    await weappErrorOf('ERR_STORE_UNAVAILABLE', () => late.claim(LOGIN))
    await late.idle()
    const claim = await memory.claim(codeIdOf(LOGIN.appid, LOGIN.code), newClaimant(), CODE_LIFETIME_MS)
    expect(claim).to.include({ state: 'claimed' })
  })

  it('fails as the store does', async () => {
    const failure = new WeappError('ERR_STORE_UNAVAILABLE', 'Later.')
    const { ledger } = processes({ claim: () => Promise.reject(failure) })
    expect(await failureOf(() => ledger().claim(LOGIN))).to.equal(failure)
  })

  it('is forgotten when WeChat has forgotten the code', async () => {
    const { ledger, clock } = processes()
    await ledger().claim(LOGIN)
    clock.advance(CODE_LIFETIME_MS - 1)
    await weappErrorOf('ERR_CODE_INVALID', () => ledger(1).claim(LOGIN))
    clock.advance(1)
    expect(await ledger().claim(LOGIN)).to.have.all.keys('beganAt')
  })
})

describe('the token of a code', () => {
  it('is answered again for a minute, to the millisecond, and the code is never free again', async () => {
    const { other, clock } = await afterwards(settled)
    clock.advance(REPLAY_MS - 1)
    expect(await other.claim(LOGIN)).to.deep.equal({ grant: GRANT })
    clock.advance(1)
    await weappErrorOf('ERR_CODE_INVALID', () => other.claim(LOGIN))
    clock.advance(CODE_LIFETIME_MS - REPLAY_MS - 1)
    await weappErrorOf('ERR_CODE_INVALID', () => other.claim(LOGIN))
  })

  it('tells whether the user is new, to all who bring the code', async () => {
    for (const seenBefore of [true, false]) {
      const grant = { ...GRANT, login: { ...GRANT.login, seenBefore } }
      const { other } = await afterwards((ledger) => ledger.settle(LOGIN, grant))
      expect(await other.claim(LOGIN)).to.deep.equal({ grant })
    }
  })

  it('lies in the store sealed, under an id that does not show the code', async () => {
    const { calls } = await afterwards(settled)
    const seen = JSON.stringify(calls)
    expect(methodsOf(calls)).to.deep.equal(['claim', 'replaceValue', 'settle'])
    expect(seen).to.not.include(LOGIN.code).and.not.include(TOKEN)
  })

  it('is written with how long it is kept, and no moment', async () => {
    const { calls } = await afterwards(settled)
    const [claim, answer, used] = calls.map(({ args }) => args)
    expect(claim?.slice(2)).to.deep.equal([CODE_LIFETIME_MS])
    expect(answer?.[0]).to.include({ from: null, keepMs: REPLAY_MS })
    expect(used?.slice(2)).to.deep.equal([CODE_LIFETIME_MS])
  })

  it('is not answered when its time is up, even if the store has it still', async () => {
    const { memory, other, instead } = await afterwards(settled)
    const text = await answerIn(memory)
    instead.readValue = async () => ({ text, leftMs: 1 })
    expect(await other.claim(LOGIN)).to.deep.equal({ grant: GRANT })
    instead.readValue = async () => ({ text, leftMs: 0 })
    await weappErrorOf('ERR_CODE_INVALID', () => other.claim(LOGIN))
  })

  it('leaves the store when it is answered no more, while that the code was used stays', async () => {
    const { memory, clock } = await afterwards(settled)
    clock.advance(REPLAY_MS - 1)
    await answerIn(memory)
    clock.advance(1)
    expect(await memory.readValue(answerIdOf())).to.equal(null)
    const claim = await memory.claim(codeIdOf(LOGIN.appid, LOGIN.code), newClaimant(), 0)
    expect(claim).to.deep.equal({ state: 'settled', answer: 'used' })
  })

  it('is sealed under a key that only the code gives', async () => {
    const { memory } = await afterwards(settled)
    const codeId = codeIdOf(LOGIN.appid, LOGIN.code)
    const answer = await answerIn(memory)
    const openWith = (code: string) => open(deriveKey(code, LOGIN.appid, 'code-answer'), answer, codeId)
    expect(openWith(LOGIN.code)).to.include(TOKEN)
    expect(openWith(codeId)).to.equal(undefined)
  })

  it('cannot be read with another code or by another app, even by who moves it there', async () => {
    const { memory, other } = await afterwards(settled)
    const answer = await answerIn(memory)
    for (const login of [
      { ...LOGIN, code: 'another' },
      { ...LOGIN, appid: 'wx2' },
    ]) {
      await memory.settle(codeIdOf(login.appid, login.code), 'used', CODE_LIFETIME_MS)
      await memory.replaceValue({ id: answerIdOf(login), from: null, to: answer, keepMs: REPLAY_MS })
      await weappErrorOf('ERR_CODE_INVALID', () => other.claim(login))
    }
  })

  it('is not answered when what lies in the store makes no sense', async () => {
    const { memory, other } = await afterwards(settled)
    await memory.replaceValue({ id: answerIdOf(), from: await answerIn(memory), to: 'no envelope' })
    await weappErrorOf('ERR_CODE_INVALID', () => other.claim(LOGIN))
  })
})

describe('the session_key of a code', () => {
  const KEPT = { handle: 'h'.repeat(20) }
  const kept = (ledger: CodeLedger) => ledger.settle(LOGIN, KEPT)

  it('is told to all who bring the code, as the user in whose session it is, and nothing else', async () => {
    const { ledger } = processes()
    const first = ledger()
    await first.claim(LOGIN)
    const waiting = [ledger().claim(LOGIN), first.claim(LOGIN)]
    kept(first)
    expect(await Promise.all(waiting)).to.deep.equal([{ grant: KEPT }, { grant: KEPT }])
  })

  it('is told again for a minute, to the millisecond', async () => {
    const { other, clock } = await afterwards(kept)
    clock.advance(REPLAY_MS - 1)
    expect(await other.claim(LOGIN)).to.deep.equal({ grant: KEPT })
    clock.advance(1)
    await weappErrorOf('ERR_CODE_INVALID', () => other.claim(LOGIN))
  })

  it('does not show the store whose it is', async () => {
    const { calls } = await afterwards(kept)
    expect(methodsOf(calls)).to.deep.equal(['claim', 'replaceValue', 'settle'])
    expect(JSON.stringify(calls)).to.not.include(KEPT.handle)
  })

  it('is told apart from a login by the same code', async () => {
    const [login, key] = [await afterwards(settled), await afterwards(kept)]
    expect(await login.other.claim(LOGIN)).to.deep.equal({ grant: GRANT })
    expect(await key.other.claim(LOGIN)).to.deep.equal({ grant: KEPT })
  })
})

describe('the failure of a code', () => {
  it('is answered to all who bring the code', async () => {
    const { other } = await afterwards(
      failedWith(new WeappError('ERR_USER_BLOCKED', 'Blocked.', { hint: 'rid' })),
    )
    const error = await weappErrorOf('ERR_USER_BLOCKED', () => other.claim(LOGIN))
    expect(error).to.include({ message: 'Blocked.', hint: undefined })
  })

  it('is answered as a used code where the first one was told of trouble on the server', async () => {
    for (const failure of [
      new WeappError('ERR_STORE_UNAVAILABLE', 'Later.'),
      new WeappError('ERR_WECHAT_NO_ANSWER', 'Later.'),
      new TypeError(`cannot read ${TOKEN}`),
      undefined,
    ]) {
      const { other } = await afterwards(failedWith(failure))
      const error = await weappErrorOf('ERR_CODE_INVALID', () => other.claim(LOGIN))
      expect(everythingIn(error)).to.not.include(TOKEN).and.not.include(LOGIN.code)
    }
  })

  for (const code of ERROR_CODES) {
    const isGood = STILL_GOOD.includes(code)
    it(`${isGood ? 'gives the code back' : 'keeps the code'} after ${code}`, async () => {
      const { other } = await afterwards(failedWith(new WeappError(code, 'A message.')))
      if (isGood) expect(await other.claim(LOGIN)).to.have.all.keys('beganAt')
      else await failureOf(() => other.claim(LOGIN))
    })
  }
})

describe('a ledger that writes behind its caller', () => {
  const failing = () => Promise.reject(new Error('the store is down'))
  const endings: [string, (ledger: CodeLedger) => void][] = [
    ['a token', settled],
    ['a failure', failedWith(new WeappError('ERR_USER_BLOCKED', 'Blocked.'))],
    ['a code given back', failedWith(new WeappError('ERR_WECHAT_BUSY', 'Busy.'))],
  ]
  for (const [what, end] of endings) {
    it(`leaves no rejection unhandled when the store fails to keep ${what}`, async () => {
      const unhandled = await unhandledRejectionsDuring(async () => {
        await afterwards(end, { replaceValue: failing, settle: failing, release: failing })
      })
      expect(unhandled).to.deep.equal([])
    })
  }

  it('is idle once everything has been written, and not before', async () => {
    let write = () => {}
    const writing = new Promise<void>((resolve) => {
      write = resolve
    })
    const { ledger } = processes({ settle: () => writing })
    const own = ledger()
    own.settle(LOGIN, GRANT)
    let isIdle = false
    const idle = own.idle().then(() => {
      isIdle = true
    })
    await new Promise(setImmediate)
    expect(isIdle).to.equal(false)
    write()
    await idle
    await own.idle()
  })
})
