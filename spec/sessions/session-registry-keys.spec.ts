import { expect } from 'chai'
import { describe, it } from 'mocha'
import { aRegistry, type RegistrySetup, SECRETS, SHOP } from './a-registry.js'

const NEW = ['another secret, 32 characters long']
const BAND = { nickName: 'Band', verified: true }
const SOLO = { nickName: 'Solo', verified: true }
const alice = { appid: SHOP.appid, openid: 'alice' }

/** The same store in the hands of a server whose ring has these secrets, newest first. */
function withSecrets(setup: RegistrySetup, ...secrets: string[]): RegistrySetup {
  return aRegistry({ memory: setup.memory, clock: setup.clock, secrets })
}

/** A user who logged in before there was a new key, on a server that has both. */
async function acrossKeys() {
  const before = aRegistry()
  const old = await before.logIn('alice', { userInfo: BAND })
  return { before, old, setup: withSecrets(before, ...NEW, ...SECRETS) }
}

describe('a user who logged in under an older key of the ring', () => {
  it('goes on with that session', async () => {
    const { old, setup } = await acrossKeys()
    expect((await setup.registry.visit(old.address))?.session).to.deep.equal(old.session)
  })

  it('is known, and keeps the profile, at the next login', async () => {
    const { setup } = await acrossKeys()
    expect(await setup.profiles.hasSeen(alice)).to.equal(true)
    const { session, seenBefore, address } = await setup.logIn('alice')
    expect([seenBefore, session.userInfo]).to.deep.equal([true, BAND])
    expect((await setup.registry.visit(address))?.session.userInfo).to.deep.equal(BAND)
  })

  it('has the profile of the newest login under the newest key, until then the one before', async () => {
    const { before, setup } = await acrossKeys()
    expect(await setup.profiles.find(alice)).to.deep.equal(BAND)
    await setup.logIn('alice', { userInfo: SOLO })
    expect(await setup.profiles.find(alice)).to.deep.equal(SOLO)
    await before.profiles.set(before.app, 'alice', BAND)
    expect(await setup.profiles.find(alice)).to.deep.equal(SOLO)
    await setup.profiles.set(setup.app, 'alice', null)
    expect(await setup.profiles.find(alice)).to.equal(null)
    expect(await setup.profiles.find({ ...alice, openid: 'nobody' })).to.equal(null)
  })

  it('is listed whole, oldest login first, and ended whole', async () => {
    const { old, setup } = await acrossKeys()
    const { session } = await setup.logIn('alice')
    const ids = (await setup.registry.list(alice)).map(({ sessionId }) => sessionId)
    expect(ids).to.deep.equal([old.session.sessionId, session.sessionId])
    expect(await setup.registry.revokeUser(alice)).to.equal(2)
    expect(await setup.registry.list(alice)).to.deep.equal([])
  })

  it('is ended but for one session, whichever key it began under', async () => {
    for (const spared of [0, 1]) {
      const { old, setup } = await acrossKeys()
      const ids = [old.session.sessionId, (await setup.logIn('alice')).session.sessionId]
      expect(await setup.registry.revokeUser(alice, ids[spared])).to.equal(1)
      expect((await setup.registry.list(alice)).map(({ sessionId }) => sessionId)).to.deep.equal([
        ids[spared],
      ])
    }
  })

  it('has the session of each key changed and found by its own id only', async () => {
    const { old, setup } = await acrossKeys()
    const { session } = await setup.logIn('alice')
    for (const { sessionId } of [old.session, session]) {
      expect(await setup.registry.isThere({ ...alice, sessionId })).to.equal(true)
      expect(await setup.registry.setData({ ...alice, sessionId }, { cart: 1 })).to.equal(true)
      expect(await setup.keys.keyOf({ ...alice, sessionId })).to.equal('key of alice')
      expect(await setup.keys.keep(alice, `of ${sessionId}`, sessionId)).to.equal(1)
    }
    const [handle, other] = [session.sessionId.slice(0, 20), old.session.sessionId.slice(20)]
    expect(await setup.registry.isThere({ ...alice, sessionId: handle + other })).to.equal(false)
  })

  it('can end a session by its id, whichever key it began under', async () => {
    const { old, setup } = await acrossKeys()
    const { session } = await setup.logIn('alice')
    for (const { sessionId } of [old.session, session]) {
      expect(await setup.registry.revoke({ ...alice, sessionId })).to.equal(true)
      expect(await setup.registry.revoke({ ...alice, sessionId })).to.equal(false)
    }
  })

  it('has one profile in all sessions, changed and deleted in all', async () => {
    const { old, setup } = await acrossKeys()
    const fresh = await setup.logIn('alice')
    for (const userInfo of [SOLO, null]) {
      await setup.profiles.set(setup.app, 'alice', userInfo)
      for (const { address } of [old, fresh])
        expect((await setup.registry.visit(address))?.session.userInfo).to.deep.equal(userInfo)
    }
  })

  it('has one profile in all sessions also when a login brings it', async () => {
    const { old, setup } = await acrossKeys()
    for (const userInfo of [SOLO, BAND]) {
      const fresh = await setup.logIn('alice', { userInfo })
      for (const { address } of [old, fresh])
        expect((await setup.registry.visit(address))?.session.userInfo).to.deep.equal(userInfo)
    }
  })

  it('is listed once when a key stands in the ring twice', async () => {
    const { before, old } = await acrossKeys()
    const twice = withSecrets(before, ...SECRETS, ...SECRETS)
    expect((await twice.registry.list(alice)).map(({ sessionId }) => sessionId)).to.deep.equal([
      old.session.sessionId,
    ])
  })

  it('does not get a deleted profile back at a login', async () => {
    const { setup } = await acrossKeys()
    await setup.profiles.set(setup.app, 'alice', null)
    expect((await setup.logIn('alice')).session.userInfo).to.equal(null)
  })

  it('ends the old session by logging in with its token', async () => {
    const { old, setup } = await acrossKeys()
    const { session } = await setup.logIn('alice', { presentedToken: old.token })
    expect((await setup.registry.list(alice)).map(({ sessionId }) => sessionId)).to.deep.equal([
      session.sessionId,
    ])
  })

  it('loses the session when that key is taken out, rather than keep one that no list shows', async () => {
    const { before, old } = await acrossKeys()
    const after = withSecrets(before, ...NEW)
    expect(await after.registry.visit(old.address)).to.equal(undefined)
    expect(await after.registry.list(alice)).to.deep.equal([])
    expect(await after.profiles.hasSeen(alice)).to.equal(false)
  })
})

describe('a server with one key', () => {
  it('asks the store no more often than it has to', async () => {
    const setup = aRegistry()
    const { address } = await setup.logIn('alice')
    expect(setup.calls.map(({ method }) => method)).to.deep.equal(['issue'])
    setup.calls.length = 0
    await setup.registry.visit(address)
    await setup.registry.list(alice)
    await setup.profiles.set(setup.app, 'alice', null)
    await setup.registry.revokeUser(alice)
    expect(setup.calls.map(({ method }) => method)).to.deep.equal([
      'read',
      'readUser',
      'writeUserInfo',
      'revokeUser',
    ])
  })
})
