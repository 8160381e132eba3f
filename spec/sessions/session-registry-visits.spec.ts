import { expect } from 'chai'
import { describe, it } from 'mocha'
import { WeappError } from '../../lib/errors.js'
import type { SessionStore } from '../../lib/sessions/store.js'
import type { SessionAddress } from '../../lib/sessions/token.js'
import { MemoryStore } from '../../lib/stores/memory-store.js'
import { testClock } from '../support/clock.js'
import { failureOf } from '../support/failures.js'
import {
  aRegistry,
  DAY_MS,
  GAME,
  LOGIN,
  MINUTE_MS,
  methodsOf,
  type RegistrySettings,
  type RegistrySetup,
  SHOP,
  undropping,
} from './a-registry.js'

const TOUCH_MS = 6 * MINUTE_MS
const IDLE_MS = 60 * MINUTE_MS
const NOBODY: SessionAddress = { handle: 'h'.repeat(20), sessionId: 's'.repeat(24) }
const alice = { appid: SHOP.appid, openid: 'alice' }

/** A registry on a store that keeps every session for years. */
function onUndropping(settings: RegistrySettings = {}): RegistrySetup {
  const { clock = testClock(LOGIN) } = settings
  const { memory = new MemoryStore({ clock }) } = settings
  return aRegistry({ ...settings, clock, memory, instead: undropping(memory) })
}

async function methodsOfVisit(
  { registry, calls }: RegistrySetup,
  address: SessionAddress,
): Promise<string[]> {
  calls.length = 0
  await registry.visit(address)
  return methodsOf(calls)
}

/**
 * Whether the session lives a millisecond before the moment, and at it. Asks the later first: a visit may
 * move the end.
 */
async function livesAround(
  moment: number,
  setup: RegistrySetup,
  address: SessionAddress,
): Promise<boolean[]> {
  const at = await livesAt(moment, setup, address)
  return [await livesAt(moment - 1, setup, address), at]
}

async function livesAt(
  now: number,
  { registry, clock }: RegistrySetup,
  address: SessionAddress,
): Promise<boolean> {
  clock.set(now)
  const [listed] = await registry.list(alice)
  const visited = await registry.visit(address)
  expect(visited?.session.sessionId).to.equal(listed?.sessionId)
  return visited !== undefined
}

describe('a visit', () => {
  it('finds the session as it was issued', async () => {
    const { registry, logIn } = aRegistry()
    const data = { accountId: 7 }
    const { session, address } = await logIn('alice', {
      data,
      userInfo: { nickName: 'Band', verified: true },
    })
    expect((await registry.visit(address))?.session).to.deep.equal(session)
  })

  it('finds nothing where there is nothing', async () => {
    const { registry, logIn } = aRegistry()
    const { address } = await logIn('alice')
    expect((await registry.visit(NOBODY))?.session).to.equal(undefined)
    expect((await registry.visit({ ...address, sessionId: NOBODY.sessionId }))?.session).to.equal(undefined)
    expect((await registry.visit({ ...address, handle: NOBODY.handle }))?.session).to.equal(undefined)
  })

  it('finds no profile in one that cannot be read', async () => {
    const { registry, logIn, memory } = aRegistry()
    const { address } = await logIn('alice')
    await memory.writeUserInfo(address.handle, '{"nickName"', DAY_MS)
    expect((await registry.visit(address))?.session).to.include({ openid: 'alice', userInfo: null })
  })

  it('fails as the store does', async () => {
    const failure = new WeappError('ERR_STORE_UNAVAILABLE', 'Later.')
    const { registry } = aRegistry({ instead: { read: () => Promise.reject(failure) } })
    expect(await failureOf(() => registry.visit(NOBODY))).to.equal(failure)
  })
})

describe('the touch of a visit', () => {
  it('is due when its share of the idle window has passed, to the millisecond', async () => {
    const setup = aRegistry()
    const { address } = await setup.logIn('alice')
    setup.clock.advance(TOUCH_MS - 1)
    expect(await methodsOfVisit(setup, address)).to.deep.equal(['read'])
    setup.clock.advance(1)
    expect(await methodsOfVisit(setup, address)).to.deep.equal(['read', 'touch'])
    expect(await methodsOfVisit(setup, address)).to.deep.equal(['read'])
  })

  it('moves the last visit and the idle end, and nothing else', async () => {
    const { registry, logIn, clock } = aRegistry()
    const { session, address } = await logIn('alice')
    clock.advance(TOUCH_MS)
    const moved = {
      ...session,
      lastVisitAt: new Date(LOGIN + TOUCH_MS),
      idleExpiresAt: new Date(LOGIN + TOUCH_MS + IDLE_MS),
    }
    expect((await registry.visit(address))?.session).to.deep.equal(moved)
    expect((await registry.visit(address))?.session).to.deep.equal(moved)
  })

  it('goes by the idle window of the session itself where the app sets none', async () => {
    const { sessionDurationSeconds: _unset, ...unset } = SHOP
    const setup = aRegistry({ apps: [unset] })
    const { address } = await setup.logIn('alice', { sessionDurationMs: 2 * DAY_MS })
    setup.clock.advance(0.2 * DAY_MS - 1)
    expect(await methodsOfVisit(setup, address)).to.deep.equal(['read'])
    setup.clock.advance(1)
    setup.calls.length = 0
    await setup.registry.visit(address)
    expect(setup.calls[1]?.args[1]).to.deep.equal({
      sessionDurationMs: 2 * DAY_MS,
      endsBy: LOGIN + 10 * DAY_MS,
    })
  })

  it('never moves the end past the absolute one', async () => {
    const setup = onUndropping()
    const { address } = await setup.logIn('alice')
    const end = LOGIN + 10 * DAY_MS
    for (let now = LOGIN; now < end; now += IDLE_MS - 1) {
      setup.clock.set(now)
      await setup.registry.visit(address)
    }
    const windows = setup.calls.filter(({ method }) => method === 'touch').map(({ args }) => args[1])
    expect(windows).to.have.length.above(200)
    for (const window of windows) expect(window).to.deep.equal({ sessionDurationMs: IDLE_MS, endsBy: end })
    expect(await livesAround(end, setup, address)).to.deep.equal([true, false])
  })

  it('does not revive a session that is revoked between reading and touching', async () => {
    const clock = testClock(LOGIN)
    const memory = new MemoryStore({ clock })
    const setup = aRegistry({
      clock,
      memory,
      instead: {
        async read(address) {
          const stored = await memory.read(address)
          await memory.revoke(address)
          return stored
        },
      },
    })
    const { address } = await setup.logIn('alice')
    setup.clock.advance(TOUCH_MS)
    expect((await setup.registry.visit(address))?.session).to.equal(undefined)
    expect(methodsOf(setup.calls)).to.deep.equal(['issue', 'read', 'touch'])
    expect(await memory.read(address)).to.equal(null)
    expect((await memory.readUser(address.handle)).sessions).to.deep.equal([])
  })

  it('lets the visit pass when it fails, as the session was there a moment ago', async () => {
    const failure = new WeappError('ERR_STORE_UNAVAILABLE', 'Later.')
    const { registry, logIn, clock } = aRegistry({ instead: { touch: () => Promise.reject(failure) } })
    const { session, address } = await logIn('alice')
    clock.advance(TOUCH_MS)
    expect((await registry.visit(address))?.session).to.deep.equal(session)
  })
})

describe('the end of a session', () => {
  it('comes an idle window after the last recorded visit, even if the store has not dropped it', async () => {
    const setup = onUndropping()
    const { address } = await setup.logIn('alice')
    setup.clock.advance(TOUCH_MS)
    await setup.registry.visit(address)
    expect(await livesAround(LOGIN + TOUCH_MS + IDLE_MS, setup, address)).to.deep.equal([true, false])
  })

  it('is not put off by a longer login duration set later, but comes sooner with a shorter one', async () => {
    const idle = { sessionDurationSeconds: 40 * 86_400 }
    const before = onUndropping({ apps: [{ ...SHOP, ...idle }] })
    const { address } = await before.logIn('alice')
    const reconfigured = (loginDurationDays: number) =>
      onUndropping({ ...before, apps: [{ ...SHOP, ...idle, loginDurationDays }] })

    expect(await livesAround(LOGIN + 10 * DAY_MS, reconfigured(20), address)).to.deep.equal([true, false])
    expect(await livesAround(LOGIN + 2 * DAY_MS, reconfigured(2), address)).to.deep.equal([true, false])
    before.clock.set(LOGIN)
    expect((await reconfigured(2).registry.visit(address))?.session.expiresAt).to.deep.equal(
      new Date(LOGIN + 2 * DAY_MS),
    )
    expect((await reconfigured(20).registry.visit(address))?.session.expiresAt).to.deep.equal(
      new Date(LOGIN + 10 * DAY_MS),
    )
  })
})

describe('a record that cannot be used', () => {
  it('is refused and told when it cannot be read, and nothing is deleted', async () => {
    const setup = aRegistry({ cap: { maxSessionsPerUser: 2 } })
    const { address } = await setup.logIn('alice')
    const { address: other } = await setup.logIn('alice')
    await setup.memory.revokeUser(address.handle, other.sessionId)
    await setup.memory.issue({
      address,
      record: '[1,"wx',
      loginDurationMs: DAY_MS,
      sessionDurationMs: DAY_MS,
      maxSessions: 2,
      onLimit: 'end-oldest',
      userInfoDurationMs: DAY_MS,
    })
    expect((await setup.registry.list(alice)).map(({ sessionId }) => sessionId)).to.deep.equal([
      address.handle + other.sessionId,
    ])
    expect((await setup.registry.visit(address))?.session).to.equal(undefined)
    expect(await setup.memory.read(address)).to.include({ record: '[1,"wx' })
    expect(setup.log.lines).to.deep.equal([
      `error: the record of session ${address.handle}${address.sessionId} cannot be read: the session is refused`,
    ])
  })

  it('is read once more, as only the reply may have been wrong', async () => {
    const memory = new MemoryStore({ clock: () => LOGIN })
    let reads = 0
    const read: SessionStore['read'] = async (address) => {
      const stored = await memory.read(address)
      reads += 1
      return stored && reads === 1 ? { ...stored, record: stored.record.slice(1) } : stored
    }
    const setup = aRegistry({ memory, instead: { read } })
    const { address } = await setup.logIn('alice')
    expect((await setup.registry.visit(address))?.session).to.include({ openid: 'alice' })
    expect(reads).to.equal(2)
    expect(setup.log.lines).to.deep.equal([])
  })

  it('of a newer release is refused without a word, as there may be some during a deployment', async () => {
    const setup = aRegistry()
    const { address } = await setup.logIn('alice')
    const stored = await setup.memory.read(address)
    const newer = { sessionId: address.sessionId, from: stored?.record ?? '', to: '[2]' }
    await setup.memory.rewrite(address.handle, [newer])
    expect((await setup.registry.visit(address))?.session).to.equal(undefined)
    expect(await setup.memory.read(address)).to.include({ record: '[2]' })
    expect(setup.log.lines).to.deep.equal([])
  })

  it('is unknown, but stays, when its app is not configured here', async () => {
    const both = aRegistry({ apps: [SHOP, GAME] })
    const { address } = await both.logIn('alice', { app: both.apps.choose(GAME.appid) })
    const user = { ...alice, appid: GAME.appid }
    const shopOnly = aRegistry({ ...both, apps: [SHOP] })
    expect((await shopOnly.registry.visit(address))?.session).to.equal(undefined)
    expect(await shopOnly.registry.list(user)).to.deep.equal([])
    expect((await both.registry.visit(address))?.session).to.include(user)
  })
})

describe('the list of a user', () => {
  it('names the live sessions, oldest login first, with their moments', async () => {
    const { registry, logIn, clock } = aRegistry()
    const first = await logIn('alice', { device: 'Pixel 7' })
    clock.advance(TOUCH_MS)
    const second = await logIn('alice')
    await logIn('bob')
    await registry.visit(first.address)
    expect(await registry.list(alice)).to.deep.equal([
      {
        sessionId: first.session.sessionId,
        device: 'Pixel 7',
        createdAt: new Date(LOGIN),
        lastVisitAt: new Date(LOGIN + TOUCH_MS),
        expiresAt: new Date(LOGIN + 10 * DAY_MS),
        idleExpiresAt: new Date(LOGIN + TOUCH_MS + IDLE_MS),
      },
      {
        sessionId: second.session.sessionId,
        device: undefined,
        createdAt: new Date(LOGIN + TOUCH_MS),
        lastVisitAt: new Date(LOGIN + TOUCH_MS),
        expiresAt: new Date(LOGIN + TOUCH_MS + 10 * DAY_MS),
        idleExpiresAt: new Date(LOGIN + TOUCH_MS + IDLE_MS),
      },
    ])
  })
})

describe('a session that is looked up by its address', () => {
  it('is the session as a visit shows it, but keeps its times', async () => {
    const setup = aRegistry()
    const { session, address } = await setup.logIn('alice', { data: { accountId: 7 }, device: 'Pixel 7' })
    setup.clock.advance(TOUCH_MS)
    setup.calls.length = 0
    expect(await setup.registry.find(address)).to.deep.equal(session)
    expect(methodsOf(setup.calls)).to.deep.equal(['read'])
    expect((await setup.registry.visit(address))?.session.lastVisitAt).to.deep.equal(
      new Date(LOGIN + TOUCH_MS),
    )
  })

  it('is not there once it has ended, for another app, or without its key in the ring', async () => {
    const both = aRegistry({ apps: [GAME, SHOP] })
    const { address } = await both.logIn('alice')
    expect(await aRegistry({ memory: both.memory, clock: both.clock }).registry.find(address)).to.equal(
      undefined,
    )
    const secrets = ['another secret, 32 characters long']
    const after = aRegistry({ apps: [GAME, SHOP], memory: both.memory, clock: both.clock, secrets })
    expect(await after.registry.find(address)).to.equal(undefined)
    expect(await both.registry.find(address)).to.include({ openid: 'alice' })
    await both.registry.revokeAt(address)
    expect(await both.registry.find(address)).to.equal(undefined)
  })
})
