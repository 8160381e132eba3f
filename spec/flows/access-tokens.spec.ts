import { expect } from 'chai'
import { describe, it } from 'mocha'
import { WeappError } from '../../lib/errors.js'
import { type AccessTokenRequest, AccessTokens } from '../../lib/flows/access-tokens.js'
import { Secret } from '../../lib/secret.js'
import { createApps } from '../../lib/sessions/apps.js'
import { createKeyRing } from '../../lib/sessions/key-ring.js'
import type { SessionStore, ValueChange } from '../../lib/sessions/store.js'
import { valueIdOf } from '../../lib/sessions/token.js'
import { Vault } from '../../lib/sessions/vault.js'
import { MemoryStore } from '../../lib/stores/memory-store.js'
import { GAME, LOGIN, MINUTE_MS, methodsOf, recording, SHOP, type StoreCall } from '../sessions/a-registry.js'
import { testClock } from '../support/clock.js'
import { failureOf, weappErrorOf } from '../support/failures.js'
import { keptLog } from '../support/log-lines.js'
import { unhandledRejectionsDuring } from '../support/unhandled-rejections.js'

const HOURS_2 = 120 * MINUTE_MS
const RENEWAL_AT = HOURS_2 - 5 * MINUTE_MS
const RENEWAL_MS = 10_000
const PAUSE_MS = 10_000
/** For so long a failure is that of all who ask. */
const FAILURE_MS = 1000
const HOUR_MS = 60 * MINUTE_MS
const OF_SHOP = { appid: SHOP.appid }
const ID = valueIdOf({ ...OF_SHOP, purpose: 'access_token' })
/** Under which a process claims the renewal. */
const RENEWAL_ID = valueIdOf({ ...OF_SHOP, purpose: 'access_token_renewal' })
const BUSY = new WeappError('ERR_WECHAT_BUSY', 'Busy.', { hint: 'errcode -1' })
const BROKEN = new WeappError('ERR_STORE_UNAVAILABLE', 'Later.')

/**
 * Access tokens of several processes on one store, and a WeChat that gives `token 1`, `token 2` and so on,
 * each for two hours. Each process may have a clock of its own.
 */
function processes(instead: Partial<SessionStore> = {}) {
  const clock = testClock(LOGIN)
  const memory = new MemoryStore({ clock })
  const calls: StoreCall[] = []
  const store = recording(memory, instead, calls)
  const vault = new Vault(store, createKeyRing(undefined, createApps('apps', [SHOP, GAME], 0.1).all))
  const log = keptLog()
  /** The apps for which WeChat was asked, in order. */
  const asked: string[] = []
  /** What happens before WeChat answers. */
  const wechat = {
    before: async (_asked: number): Promise<void> => undefined,
    token: (count: number) => `token ${count}`,
  }
  const fetchToken = async (appid: string) => {
    const count = asked.push(appid)
    await wechat.before(count)
    return { accessToken: new Secret(wechat.token(count)), expiresInSeconds: HOURS_2 / 1000 }
  }
  const tokens = (renewalMs = RENEWAL_MS, own = clock) => {
    const kept = new AccessTokens({ store, vault, clock: own, logger: log, fetchToken, renewalMs })
    return {
      async get({ appid, refused }: AccessTokenRequest) {
        const token = await kept.get({
          appid,
          refused: refused === undefined ? refused : new Secret(refused),
        })
        return token.reveal()
      },
      idle: () => kept.idle(),
    }
  }
  return { clock, memory, calls, instead, vault, log, asked, wechat, tokens }
}

/** One that has its first token, so long ago. */
async function started(ago = 0) {
  const shared = processes()
  const own = shared.tokens()
  expect(await own.get(OF_SHOP)).to.equal('token 1')
  await own.idle()
  shared.clock.advance(ago)
  shared.calls.length = 0
  return { ...shared, own }
}

/** A promise that is settled from outside. */
function gate() {
  let open = () => {}
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return { open, opened }
}

describe('the first access token of an app', () => {
  it('is fetched once for all who ask at the same time, in all processes', async () => {
    const { tokens, asked } = processes()
    const all = [tokens(), tokens()]
    const askers = Array.from({ length: 100 }, (_, index) => all[index % 2]?.get(OF_SHOP))
    expect(new Set(await Promise.all(askers))).to.deep.equal(new Set(['token 1']))
    expect(asked).to.deep.equal([SHOP.appid])
  })

  it('is kept in the store for everybody, until its end', async () => {
    const { own, tokens, asked, calls, clock, memory } = await started()
    for (const process of [own, tokens()]) expect(await process.get(OF_SHOP)).to.equal('token 1')
    expect(methodsOf(calls)).to.deep.equal(['readValue', 'readValue'])
    expect(asked).to.have.length(1)
    clock.advance(HOURS_2 - 1)
    expect((await memory.readValue(ID))?.leftMs).to.equal(1)
    clock.advance(1)
    expect(await memory.readValue(ID)).to.equal(null)
    expect(await own.get(OF_SHOP)).to.equal('token 2')
  })

  it('ends so long after the question as WeChat says, not after the answer', async () => {
    const { tokens, wechat, clock, memory } = processes()
    wechat.before = async () => clock.advance(3_000)
    await tokens().get(OF_SHOP)
    expect((await memory.readValue(ID))?.leftMs).to.equal(HOURS_2 - 3_000)
  })

  it('ends no later than WeChat says when the clock is set back while WeChat is asked', async () => {
    const { tokens, wechat, memory } = processes()
    const own = testClock(LOGIN)
    wechat.before = async () => own.advance(-HOUR_MS)
    await tokens(RENEWAL_MS, own).get(OF_SHOP)
    expect((await memory.readValue(ID))?.leftMs).to.equal(HOURS_2)
  })

  it('serves who has fetched it, and nobody else, when the clock jumps past its end while WeChat is asked', async () => {
    const { tokens, wechat, memory } = processes()
    const own = testClock(LOGIN)
    wechat.before = async () => own.advance(HOURS_2 + 1)
    expect(await tokens(RENEWAL_MS, own).get(OF_SHOP)).to.equal('token 1')
    expect(await memory.readValue(ID)).to.equal(null)
  })

  it('is fetched once and used by processes whose clocks are hours apart', async () => {
    const { tokens, asked, clock } = processes()
    const clocks = [-HOUR_MS, 0, 3 * HOUR_MS].map((wrongMs) => testClock(LOGIN + wrongMs))
    const all = clocks.map((own) => tokens(RENEWAL_MS, own))
    for (const passedMs of [0, RENEWAL_AT - 1]) {
      for (const each of [clock, ...clocks]) each.advance(passedMs)
      for (const one of all) expect(await one.get(OF_SHOP)).to.equal('token 1')
      for (const one of all) await one.idle()
    }
    expect(asked).to.have.length(1)
  })

  it('is sealed without a moment of any clock', async () => {
    const { memory, vault } = await started()
    expect((await vault.read({ ...OF_SHOP, purpose: 'access_token' }))?.value).to.deep.equal({
      token: 'token 1',
    })
    expect((await memory.readValue(ID))?.leftMs).to.equal(HOURS_2)
  })

  it('is not answered when its time is up, even if the store has it still', async () => {
    const { own, instead, memory } = await started()
    const text = (await memory.readValue(ID))?.text ?? ''
    instead.readValue = async () => ({ text, writtenAt: 0, leftMs: 0 })
    expect(await own.get(OF_SHOP)).to.equal('token 2')
  })

  it('is another for each app', async () => {
    const { own, asked } = await started()
    expect(await own.get({ appid: GAME.appid })).to.equal('token 2')
    expect(await own.get(OF_SHOP)).to.equal('token 1')
    expect(asked).to.deep.equal([SHOP.appid, GAME.appid])
  })

  it('is shown to the store no more than its app is', async () => {
    const { tokens, calls } = processes()
    await tokens().get(OF_SHOP)
    expect(methodsOf(calls)).to.include('replaceValue')
    expect(JSON.stringify(calls)).to.not.include('token 1').and.not.include(SHOP.appid)
  })

  it('fails with an error of its own for whoever asks, as an error is changed by those who catch it', async () => {
    const { tokens, wechat } = processes()
    const own = tokens()
    wechat.before = () => Promise.reject(BUSY)
    const ask = () => failureOf(() => own.get(OF_SHOP))
    const failures = [...(await Promise.all([ask(), ask(), ask()])), await ask()]
    expect(new Set(failures).size).to.equal(4)
  })

  it('fails as WeChat does for all who ask within a second, and the next one asks again', async () => {
    const { tokens, wechat, asked, log, clock } = processes()
    const own = tokens()
    wechat.before = async (count) => (count === 1 ? Promise.reject(BUSY) : undefined)
    const failures = await Promise.all([1, 2, 3].map(() => failureOf(() => own.get(OF_SHOP))))
    expect(failures).to.deep.equal([BUSY, BUSY, BUSY])
    await own.idle()
    clock.advance(FAILURE_MS - 1)
    for (let times = 0; times < 500; times += 1) {
      const { code, message, hint } = await weappErrorOf(BUSY.code, () => own.get(OF_SHOP))
      expect({ code, message, hint }).to.deep.equal({
        code: BUSY.code,
        message: BUSY.message,
        hint: BUSY.hint,
      })
    }
    expect(asked).to.have.length(1)
    clock.advance(1)
    expect(await own.get(OF_SHOP)).to.equal('token 2')
    expect(log.lines).to.deep.equal([])
  })

  it('fails for another process that waits or comes within a second, which asks after that', async () => {
    const { tokens, wechat, asked, clock } = processes()
    const [first, second, third] = [tokens(), tokens(), tokens()]
    const waiting: Promise<unknown>[] = []
    wechat.before = async (count) => {
      if (count > 1) return
      waiting.push(weappErrorOf(BUSY.code, () => second.get(OF_SHOP)))
      throw BUSY
    }
    expect(await failureOf(() => first.get(OF_SHOP))).to.equal(BUSY)
    await Promise.all(waiting)
    await first.idle()
    const { hint } = await weappErrorOf(BUSY.code, () => third.get(OF_SHOP))
    expect(hint).to.equal('another process has just failed to fetch the access token')
    expect(asked).to.have.length(1)
    clock.advance(FAILURE_MS)
    expect(await third.get(OF_SHOP)).to.equal('token 2')
  })

  it('is unavailable when it cannot be read why another process has failed', async () => {
    const { tokens, memory } = processes()
    await memory.replaceValue({ id: RENEWAL_ID, from: null, to: '!toString', keepMs: FAILURE_MS })
    await weappErrorOf('ERR_ACCESS_TOKEN_UNAVAILABLE', () => tokens().get(OF_SHOP))
  })

  it('is asked for at once when the clock has been set back since it failed', async () => {
    const { tokens, wechat, clock } = processes()
    const ownClock = testClock(LOGIN)
    const own = tokens(RENEWAL_MS, ownClock)
    wechat.before = async (count) => (count === 1 ? Promise.reject(BUSY) : undefined)
    await failureOf(() => own.get(OF_SHOP))
    await own.idle()
    ownClock.advance(-HOUR_MS)
    clock.advance(FAILURE_MS)
    expect(await own.get(OF_SHOP)).to.equal('token 2')
  })

  it('is not failed for another app', async () => {
    const { tokens, wechat } = processes()
    const own = tokens()
    wechat.before = async (count) => (count === 1 ? Promise.reject(BUSY) : undefined)
    await failureOf(() => own.get(OF_SHOP))
    expect(await own.get({ appid: GAME.appid })).to.equal('token 2')
  })

  it('is unavailable when another process has been fetching it for too long', async () => {
    const { tokens, memory, asked } = processes()
    await memory.replaceValue({ id: RENEWAL_ID, from: null, to: '?claimant', keepMs: HOUR_MS })
    const error = await weappErrorOf('ERR_ACCESS_TOKEN_UNAVAILABLE', () => tokens(1).get(OF_SHOP))
    expect(error.hint).to.include('for too long')
    expect(asked).to.deep.equal([])
  })

  const failing: [what: string, fails: (method: string, id: string) => boolean][] = [
    ['reading it', (method) => method === 'readValue'],
    ['the claim of its renewal', (_, id) => id === RENEWAL_ID],
    ['writing it', (method, id) => method === 'replaceValue' && id === ID],
  ]
  for (const [what, fails] of failing) {
    it(`fails as the store does when ${what} fails, and the next one asks again`, async () => {
      const { tokens, instead, memory } = processes()
      const own = tokens()
      instead.readValue = (id) => (fails('readValue', id) ? Promise.reject(BROKEN) : memory.readValue(id))
      instead.replaceValue = (change) =>
        fails('replaceValue', change.id) ? Promise.reject(BROKEN) : memory.replaceValue(change)
      expect(await failureOf(() => own.get(OF_SHOP))).to.equal(BROKEN)
      delete instead.readValue
      delete instead.replaceValue
      expect(await own.get(OF_SHOP)).to.match(/^token \d$/)
    })
  }

  it('is not kept from anybody by a claim that cannot be given back', async () => {
    const { tokens, instead, memory } = processes()
    instead.replaceValue = (change) =>
      change.id === RENEWAL_ID && change.to === null ? Promise.reject(BROKEN) : memory.replaceValue(change)
    const own = tokens()
    const unhandled = await unhandledRejectionsDuring(async () => {
      expect(await own.get(OF_SHOP)).to.equal('token 1')
      await own.idle()
    })
    expect(unhandled).to.deep.equal([])
  })

  it('is replaced when the key ring cannot read the one there is', async () => {
    const { tokens, memory } = processes()
    await memory.replaceValue({ id: ID, from: null, to: 'no envelope', keepMs: HOUR_MS })
    expect(await tokens().get(OF_SHOP)).to.equal('token 1')
    expect(await tokens().get(OF_SHOP)).to.equal('token 1')
  })
})

describe('the renewal of an access token', () => {
  it('begins five minutes before the end, to the millisecond, while the old one is answered', async () => {
    const { own, asked, clock } = await started(RENEWAL_AT - 1)
    expect(await own.get(OF_SHOP)).to.equal('token 1')
    await own.idle()
    expect(asked).to.have.length(1)
    clock.advance(1)
    expect(await own.get(OF_SHOP)).to.equal('token 1')
    await own.idle()
    expect(asked).to.have.length(2)
    expect(await own.get(OF_SHOP)).to.equal('token 2')
  })

  it('begins five minutes before the end by the clock of the store, in processes with any clock', async () => {
    for (const wrongMs of [-HOUR_MS, HOUR_MS]) {
      const { tokens, asked, clock } = await started(RENEWAL_AT - 1)
      const own = tokens(RENEWAL_MS, testClock(clock.now + wrongMs))
      await own.get(OF_SHOP)
      await own.idle()
      expect(asked).to.have.length(1)
      clock.advance(1)
      await own.get(OF_SHOP)
      await own.idle()
      expect(asked).to.have.length(2)
    }
  })

  it('that has failed is tried again after a while, at once when the clock has been set back', async () => {
    const { tokens, wechat, asked, clock } = await started(RENEWAL_AT)
    wechat.before = () => Promise.reject(BUSY)
    const ownClock = testClock(LOGIN)
    const own = tokens(RENEWAL_MS, ownClock)
    for (const [movedMs, questions] of [
      [0, 2],
      [PAUSE_MS - 1, 2],
      [1, 3],
      [-HOUR_MS, 4],
      [PAUSE_MS - 1, 4],
      [1, 5],
    ] as const) {
      ownClock.advance(movedMs)
      clock.advance(FAILURE_MS)
      expect(await own.get(OF_SHOP)).to.equal('token 1')
      await own.idle()
      expect(asked).to.have.length(questions)
    }
  })

  it('is done by one, while all others go on with the old one', async () => {
    const { own, tokens, asked, wechat } = await started(RENEWAL_AT)
    const { open, opened } = gate()
    wechat.before = () => opened
    const all = [own, tokens()]
    const askers = Array.from({ length: 100 }, (_, index) => all[index % 2]?.get(OF_SHOP))
    expect(new Set(await Promise.all(askers))).to.deep.equal(new Set(['token 1']))
    open()
    await Promise.all(all.map((one) => one.idle()))
    expect(asked).to.have.length(2)
    for (const one of all) expect(await one.get(OF_SHOP)).to.equal('token 2')
  })

  it('is waited for by idle', async () => {
    const { own, wechat } = await started(RENEWAL_AT)
    const { open, opened } = gate()
    wechat.before = () => opened
    await own.get(OF_SHOP)
    let isIdle = false
    const idle = own.idle().then(() => {
      isIdle = true
    })
    await new Promise(setImmediate)
    expect(isIdle).to.equal(false)
    open()
    await idle
    expect(await own.get(OF_SHOP)).to.equal('token 2')
  })

  it('is one warning when it fails, and the old one serves until its end', async () => {
    const { own, wechat, log, clock } = await started(RENEWAL_AT)
    wechat.before = () => Promise.reject(BUSY)
    const unhandled = await unhandledRejectionsDuring(async () => {
      expect(await own.get(OF_SHOP)).to.equal('token 1')
      await own.idle()
    })
    expect(unhandled).to.deep.equal([])
    expect(log.lines).to.deep.equal([
      'warn: an access token could not be renewed, so the old one stays in use (ERR_WECHAT_BUSY: errcode -1)',
    ])
    clock.advance(5 * MINUTE_MS - 1)
    expect(await own.get(OF_SHOP)).to.equal('token 1')
    await own.idle()
    clock.advance(1)
    await weappErrorOf(BUSY.code, () => own.get(OF_SHOP))
  })

  it('is one warning when it fails, however many have asked meanwhile', async () => {
    const { own, wechat, log } = await started(RENEWAL_AT)
    wechat.before = () => Promise.reject(BUSY)
    await Promise.all(Array.from({ length: 10 }, () => own.get(OF_SHOP)))
    await own.idle()
    expect(log.lines).to.have.length(1)
  })

  it('does not tell the log what a bug has to say', async () => {
    const { own, wechat, log } = await started(RENEWAL_AT)
    wechat.before = () => Promise.reject(new TypeError('cannot read token 1'))
    await own.get(OF_SHOP)
    await own.idle()
    expect(log.lines).to.deep.equal([
      'warn: an access token could not be renewed, so the old one stays in use (a bug)',
    ])
  })

  it('writes nothing when another process has overtaken it', async () => {
    const { own, tokens, asked, wechat, clock, calls } = await started(RENEWAL_AT)
    const [begun, { open, opened }] = [gate(), gate()]
    wechat.before = async (count) => {
      begun.open()
      if (count === 2) await opened
    }
    const other = tokens()
    await own.get(OF_SHOP)
    await begun.opened
    clock.advance(RENEWAL_MS)
    await other.get(OF_SHOP)
    await other.idle()
    expect(await other.get(OF_SHOP)).to.equal('token 3')
    open()
    await own.idle()
    expect(asked).to.have.length(3)
    const changes = calls.flatMap(({ method, args }) => (method === 'replaceValue' ? args[0] : []))
    expect(changes.filter((change) => (change as ValueChange).id === ID)).to.have.length(2)
    for (const one of [own, other]) expect(await one.get(OF_SHOP)).to.equal('token 3')
  })
})

describe('an access token that WeChat has refused', () => {
  const REFUSED = { ...OF_SHOP, refused: 'token 1' }

  it('is dropped, and another one fetched once for all who say so', async () => {
    const { own, tokens, asked } = await started()
    const all = [own, tokens()]
    const askers = Array.from({ length: 100 }, (_, index) => all[index % 2]?.get(REFUSED))
    expect(new Set(await Promise.all(askers))).to.deep.equal(new Set(['token 2']))
    expect(asked).to.have.length(2)
    for (const one of all) expect(await one.get(OF_SHOP)).to.equal('token 2')
  })

  it('is not answered again when no other one can be had', async () => {
    const { own, wechat } = await started()
    wechat.before = () => Promise.reject(BUSY)
    expect(await failureOf(() => own.get(REFUSED))).to.equal(BUSY)
    await weappErrorOf(BUSY.code, () => own.get(OF_SHOP))
  })

  it('is not asked for again for a second when WeChat gives the same one, which still serves others', async () => {
    const { own, wechat, asked, clock } = await started()
    wechat.token = () => 'token 1'
    expect(await own.get(REFUSED)).to.equal('token 1')
    await own.idle()
    for (let times = 0; times < 100; times += 1) {
      const { hint } = await weappErrorOf('ERR_ACCESS_TOKEN_UNAVAILABLE', () => own.get(REFUSED))
      expect(hint).to.equal('there is no access token: WeChat refuses it, and gives no other')
      expect(await own.get(OF_SHOP)).to.equal('token 1')
    }
    expect(asked).to.have.length(2)
    clock.advance(FAILURE_MS)
    wechat.token = () => 'token 2'
    expect(await own.get(REFUSED)).to.equal('token 2')
    expect(asked).to.have.length(3)
  })

  it('takes nothing from a newer one when the news of it come late', async () => {
    const { own, tokens, asked, calls } = await started()
    await own.get(REFUSED)
    await own.idle()
    calls.length = 0
    expect(await tokens().get(REFUSED)).to.equal('token 2')
    expect(methodsOf(calls)).to.deep.equal(['readValue'])
    expect(asked).to.have.length(2)
  })

  it('takes nothing from a newer one that another process writes in the same moment', async () => {
    const { own, tokens, asked, instead, memory } = await started()
    const other = tokens()
    instead.replaceValue = async (...question) => {
      delete instead.replaceValue
      expect(await other.get(REFUSED)).to.equal('token 2')
      return memory.replaceValue(...question)
    }
    expect(await own.get(REFUSED)).to.equal('token 2')
    expect(asked).to.have.length(2)
    expect(await other.get(OF_SHOP)).to.equal('token 2')
  })

  it('is of no account to other apps', async () => {
    const { own, asked } = await started()
    await own.get({ appid: GAME.appid })
    expect(await own.get({ appid: GAME.appid, refused: 'token 1' })).to.equal('token 2')
    expect(asked).to.have.length(2)
  })

  it('is still there for all when the store cannot drop it', async () => {
    const { own, instead } = await started()
    instead.replaceValue = () => Promise.reject(BROKEN)
    expect(await failureOf(() => own.get(REFUSED))).to.equal(BROKEN)
    expect(await own.get(OF_SHOP)).to.equal('token 1')
  })
})
