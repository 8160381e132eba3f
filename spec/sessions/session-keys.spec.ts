import { expect } from 'chai'
import { describe, it } from 'mocha'
import { WeappError } from '../../lib/errors.js'
import type { SessionStore } from '../../lib/sessions/store.js'
import { MemoryStore } from '../../lib/stores/memory-store.js'
import { testClock } from '../support/clock.js'
import { failureOf } from '../support/failures.js'
import {
  aRegistry,
  GAME,
  LOGIN,
  MINUTE_MS,
  methodsOf,
  type RegistrySetup,
  SECRETS,
  SHOP,
  undropping,
} from './a-registry.js'

const NEW_SECRET = ['another secret, 32 characters long']
const alice = { appid: SHOP.appid, openid: 'alice' }
const bob = { appid: SHOP.appid, openid: 'bob' }

/**
 * Logs alice in several times, a minute apart, with `key 0`, `key 1` and so on, and answers the ids in that
 * order.
 */
async function logInTimes(setup: RegistrySetup, times: number): Promise<string[]> {
  const ids: string[] = []
  for (let index = 0; index < times; index += 1) {
    const { session } = await setup.logIn('alice', { sessionKey: `key ${index}` })
    ids.push(session.sessionId)
    setup.clock.advance(MINUTE_MS)
  }
  return ids
}

/** The id of one session behind the handle of the user of another. */
const withHandleOf = (user: string, sessionId: string) => user.slice(0, 20) + sessionId.slice(20)

/** Two books on one store; before the first one rewrites, `meanwhile` is done with the other one, once. */
function interrupted(meanwhile: (rival: RegistrySetup) => Promise<unknown>) {
  const clock = testClock(LOGIN)
  const memory = new MemoryStore({ clock })
  const rival = aRegistry({ clock, memory })
  let isDone = false
  const instead: Partial<SessionStore> = {
    async rewrite(...question) {
      if (!isDone) {
        isDone = true
        await meanwhile(rival)
      }
      return memory.rewrite(...question)
    },
  }
  return aRegistry({ clock, memory, instead })
}

describe('the session_keys of a user', () => {
  it('begin with the one of the session that asks, then the newest', async () => {
    const setup = aRegistry()
    const ids = await logInTimes(setup, 4)
    expect(await setup.keys.keysOf(alice)).to.deep.equal(['key 3', 'key 2', 'key 1', 'key 0'])
    expect(await setup.keys.keysOf(alice, ids[1])).to.deep.equal(['key 1', 'key 3', 'key 2', 'key 0'])
    expect(await setup.keys.keysOf(alice, 'no such session')).to.have.length(4)
  })

  it('are ten at most, the one that asks among them', async () => {
    const setup = aRegistry({ cap: { maxSessionsPerUser: 12 } })
    const ids = await logInTimes(setup, 12)
    const keys = await setup.keys.keysOf(alice, ids[0])
    expect(keys).to.have.length(10).and.include.members(['key 0', 'key 11', 'key 3']).and.not.include('key 2')
  })

  it('are there once each, however many sessions have the same', async () => {
    const { keys, logIn } = aRegistry()
    for (const sessionKey of ['old', 'same', 'old', 'same']) await logIn('alice', { sessionKey })
    expect(await keys.keysOf(alice)).to.deep.equal(['same', 'old'])
  })

  it('are those of live sessions that can be opened, of that user alone', async () => {
    const setup = aRegistry()
    const { clock, memory } = setup
    await logInTimes(setup, 1)
    await setup.logIn('bob')
    const rotated = aRegistry({ clock, memory, secrets: NEW_SECRET })
    await rotated.logIn('alice', { sessionKey: 'key of the new secret' })
    expect(await rotated.keys.keysOf(alice)).to.deep.equal(['key of the new secret'])
    expect(await setup.keys.keysOf(alice)).to.deep.equal(['key 0'])
    clock.advance(59 * MINUTE_MS)
    expect(await setup.keys.keysOf(alice)).to.deep.equal([])
  })

  it('are none where the app is not configured', async () => {
    const both = aRegistry({ apps: [SHOP, GAME] })
    await both.logIn('alice', { app: both.apps.choose(GAME.appid) })
    const user = { ...alice, appid: GAME.appid }
    const shopOnly = aRegistry({ ...both, apps: [SHOP] })
    expect(await shopOnly.keys.keysOf(user)).to.deep.equal([])
    expect(await both.keys.keysOf(user)).to.deep.equal(['key of alice'])
  })

  it('cannot be told when the store fails', async () => {
    const failure = new WeappError('ERR_STORE_UNAVAILABLE', 'Later.')
    const fail = () => Promise.reject(failure)
    const { keys, logIn } = aRegistry({ instead: { readUser: fail, read: fail } })
    const { session } = await logIn('alice')
    expect(await failureOf(() => keys.keysOf(alice))).to.equal(failure)
    expect(await failureOf(() => keys.keyOf(session))).to.equal(failure)
    expect(await failureOf(() => keys.keep(alice, 'new'))).to.equal(failure)
  })
})

describe('the session_key of a session', () => {
  it('is its own, also when a newer session has another', async () => {
    const setup = aRegistry()
    const [first = '', second = ''] = await logInTimes(setup, 2)
    expect(await setup.keys.keyOf({ ...alice, sessionId: first })).to.equal('key 0')
    expect(await setup.keys.keyOf({ ...alice, sessionId: second })).to.equal('key 1')
  })

  it('is null when it cannot be opened', async () => {
    const { keys, logIn, memory } = aRegistry()
    const { session, address } = await logIn('alice')
    const from = (await memory.read(address))?.record ?? ''
    const { sessionId } = address
    await memory.rewrite(address.handle, [{ sessionId, from, to: from.replace(/"[\w-]{6}\./, '"######.') }])
    expect(await keys.keyOf(session)).to.equal(null)
  })

  it('is found under an older key of the ring, and undefined once that is taken out', async () => {
    const setup = aRegistry()
    const { session } = await setup.logIn('alice')
    const withBoth = aRegistry({ ...setup, apps: [SHOP], secrets: [...NEW_SECRET, ...SECRETS] })
    expect(await withBoth.keys.keyOf(session)).to.equal('key of alice')
    const withNew = aRegistry({ ...setup, apps: [SHOP], secrets: NEW_SECRET })
    expect(await withNew.keys.keyOf(session)).to.equal(undefined)
  })

  it('is undefined when the session has ended, was never there or is somebody else’s', async () => {
    const { keys, registry, logIn } = aRegistry()
    const { session } = await logIn('alice')
    const { session: bobs } = await logIn('bob')
    for (const sessionId of [session.sessionId, withHandleOf(bobs.sessionId, session.sessionId)])
      expect(await keys.keyOf({ ...bob, sessionId })).to.equal(undefined)
    await registry.revoke(session)
    expect(await keys.keyOf(session)).to.equal(undefined)
    expect(await keys.keyOf({ ...alice, sessionId: 'no such session' })).to.equal(undefined)
  })

  it('is undefined from the end of the session on, even if the store has not dropped it', async () => {
    const clock = testClock(LOGIN)
    const memory = new MemoryStore({ clock })
    const { keys, logIn } = aRegistry({ clock, memory, instead: undropping(memory) })
    const { session } = await logIn('alice')
    clock.advance(60 * MINUTE_MS - 1)
    expect(await keys.keyOf(session)).to.equal('key of alice')
    clock.advance(1)
    expect(await keys.keyOf(session)).to.equal(undefined)
  })
})

describe('keeping a new session_key', () => {
  it('changes one session, and no other', async () => {
    const setup = aRegistry()
    const [first = '', second = ''] = await logInTimes(setup, 2)
    expect(await setup.keys.keep(alice, 'new', first)).to.equal(1)
    expect(await setup.keys.keyOf({ ...alice, sessionId: first })).to.equal('new')
    expect(await setup.keys.keyOf({ ...alice, sessionId: second })).to.equal('key 1')
  })

  it('changes all sessions of the user in one step, and those of nobody else', async () => {
    const setup = aRegistry()
    await logInTimes(setup, 3)
    await setup.logIn('bob')
    expect(await setup.keys.keep(alice, 'new')).to.equal(3)
    expect(methodsOf(setup.calls)).to.deep.equal(['issue', 'readUser', 'rewrite'])
    expect(setup.calls[2]?.args[0]).to.equal(setup.handleOf('alice'))
    expect(setup.calls[2]?.args[1]).to.have.length(3)
    expect(await setup.keys.keysOf(alice)).to.have.members(['new', 'key 2', 'key 1', 'key 0'])
    expect(await setup.keys.keysOf(bob)).to.deep.equal(['key of bob'])
  })

  it('keeps the one before it as well, and none older', async () => {
    const { keys, logIn } = aRegistry()
    const { session } = await logIn('alice')
    await keys.keep(alice, 'second', session.sessionId)
    expect(await keys.keysOf(alice)).to.deep.equal(['second', 'key of alice'])
    await keys.keep(alice, 'third', session.sessionId)
    expect(await keys.keysOf(alice)).to.deep.equal(['third', 'second'])
    expect(await keys.keyOf(session)).to.equal('third')
  })

  it('reaches the sessions that began under an older key of the ring, too', async () => {
    const setup = aRegistry()
    await setup.logIn('alice', { sessionKey: 'old' })
    const rotated = aRegistry({ ...setup, apps: [SHOP], secrets: [...NEW_SECRET, ...SECRETS] })
    const { session } = await rotated.logIn('alice', { sessionKey: 'fresh' })
    expect(await rotated.keys.keysOf(alice)).to.deep.equal(['fresh', 'old'])
    expect(await rotated.keys.keep(alice, 'new')).to.equal(2)
    expect(await rotated.keys.keysOf(alice, session.sessionId)).to.deep.equal(['new', 'fresh', 'old'])
  })

  it('leaves the visit, the ends and everything else as they are', async () => {
    const { keys, registry, logIn, clock } = aRegistry()
    const userInfo = { nickName: 'Band', verified: true }
    const { session, address } = await logIn('alice', { data: { accountId: 7 }, userInfo })
    clock.advance(5 * MINUTE_MS)
    await keys.keep(alice, 'new')
    expect((await registry.visit(address))?.session).to.deep.equal(session)
    clock.set(session.idleExpiresAt.getTime())
    expect(await registry.visit(address)).to.equal(undefined)
  })

  it('shows the store neither key', async () => {
    const { keys, logIn, calls } = aRegistry()
    await logIn('alice', { sessionKey: 'tiihtNczf5v6AKRyjwEUhQ==' })
    await keys.keep(alice, 'HyVFkGl5F5OQWJZZaNzBBg==')
    expect(JSON.stringify(calls)).to.not.include('tiihtNcz').and.not.include('HyVFkGl5')
  })

  it('is done again when somebody else changed the record in the same moment', async () => {
    const setup = interrupted((rival) => rival.keys.keep(alice, 'of the rival'))
    const { session } = await setup.logIn('alice')
    expect(await setup.keys.keep(alice, 'mine', session.sessionId)).to.equal(1)
    expect(methodsOf(setup.calls)).to.deep.equal(['issue', 'readUser', 'rewrite', 'readUser', 'rewrite'])
    expect(await setup.keys.keyOf(session)).to.equal('mine')
  })

  it('changes all sessions, each with the key before, also when one of them changed in the same moment', async () => {
    const ids: string[] = []
    const setup = interrupted((rival) => rival.keys.keep(alice, 'of the rival', ids[1]))
    ids.push(...(await logInTimes(setup, 3)))
    expect(await setup.keys.keep(alice, 'mine')).to.equal(3)
    for (const sessionId of ids) expect(await setup.keys.keyOf({ ...alice, sessionId })).to.equal('mine')
    expect(await setup.keys.keysOf(alice)).to.have.members(['mine', 'key 2', 'of the rival', 'key 0'])
  })

  it('does not lose the key before when the same one is kept twice', async () => {
    const { keys, logIn } = aRegistry()
    await logIn('alice')
    for (const key of ['new', 'new']) await keys.keep(alice, key)
    expect(await keys.keysOf(alice)).to.deep.equal(['new', 'key of alice'])
  })

  it('does not revive a session that ends in the same moment', async () => {
    const setup = interrupted((rival) => rival.registry.revokeUser(alice))
    const { session, address } = await setup.logIn('alice')
    expect(await setup.keys.keep(alice, 'new', session.sessionId)).to.equal(0)
    expect(await setup.memory.read(address)).to.equal(null)
    expect((await setup.memory.readUser(address.handle)).sessions).to.deep.equal([])
  })

  it('finds nothing to change where there is no session', async () => {
    const setup = aRegistry()
    await setup.logIn('bob')
    expect(await setup.keys.keep(alice, 'new')).to.equal(0)
    expect(await setup.keys.keep(bob, 'new', 'no such session')).to.equal(0)
    expect(await setup.keys.keysOf(bob)).to.deep.equal(['key of bob'])
  })

  it('comes to an end when somebody else is always faster', async () => {
    const { keys, logIn, calls } = aRegistry({ instead: { rewrite: async () => 0 } })
    await logIn('alice')
    expect(await keys.keep(alice, 'new')).to.equal(0)
    expect(methodsOf(calls).filter((method) => method === 'rewrite')).to.have.length(5)
  })
})
