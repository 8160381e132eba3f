import { expect } from 'chai'
import { describe, it } from 'mocha'
import { WeappError } from '../../lib/errors.js'
import { createKeyRing } from '../../lib/sessions/key-ring.js'
import { SessionRegistry } from '../../lib/sessions/session-registry.js'
import { groupOf } from '../../lib/sessions/token.js'
import { newId } from '../../store-contract/store-under-test.js'
import { failureOf, weappErrorOf } from '../support/failures.js'
import {
  aRegistry,
  DAY_MS,
  GAME,
  LOGIN,
  MINUTE_MS,
  methodsOf,
  type RegistrySetup,
  recording,
  SECRETS,
  SHOP,
  type StoreCall,
} from './a-registry.js'

const BAND = { nickName: 'Band', verified: true }

const alice = { appid: SHOP.appid, openid: 'alice' }
const bob = { appid: SHOP.appid, openid: 'bob' }

async function idsOf({ registry }: RegistrySetup, user = alice): Promise<string[]> {
  return (await registry.list(user)).map(({ sessionId }) => sessionId)
}

/** Logs in several times, a minute apart, and answers the ids in that order. */
async function logInTimes(setup: RegistrySetup, times: number, openid = 'alice'): Promise<string[]> {
  const ids: string[] = []
  for (let index = 0; index < times; index += 1) {
    const { session } = await setup.logIn(openid)
    ids.push(session.sessionId)
    setup.clock.advance(MINUTE_MS)
  }
  return ids
}

async function claimedAt({ memory }: RegistrySetup): Promise<number> {
  const { value } = await memory.replaceValue({ id: newId(), from: null, to: 'claim', keepMs: MINUTE_MS })
  return value?.writtenAt ?? expect.fail('the id is new')
}

describe('issuing a session', () => {
  it('answers the token and the session, which begins now', async () => {
    const { logIn, handleOf } = aRegistry()
    const { token, address, session } = await logIn('alice', {
      data: { accountId: 7 },
      userInfo: BAND,
      device: 'Pixel 7',
    })
    expect(token.slice(0, 20)).to.equal(handleOf('alice'))
    expect(session).to.deep.equal({
      ...alice,
      sessionId: address.handle + address.sessionId,
      device: 'Pixel 7',
      unionid: undefined,
      createdAt: new Date(LOGIN),
      lastVisitAt: new Date(LOGIN),
      expiresAt: new Date(LOGIN + 10 * DAY_MS),
      idleExpiresAt: new Date(LOGIN + 60 * MINUTE_MS),
      userInfo: BAND,
      confirmedAt: undefined,
      data: { accountId: 7 },
    })
  })

  it('is one call to the store, which learns for how long to keep what', async () => {
    const { logIn, calls } = aRegistry()
    const { address } = await logIn('alice')
    expect(methodsOf(calls)).to.deep.equal(['issue'])
    expect(calls[0]?.args[0]).to.deep.include({
      address,
      beganAt: undefined,
      loginDurationMs: 10 * DAY_MS,
      sessionDurationMs: 60 * MINUTE_MS,
      userInfoDurationMs: 100 * DAY_MS,
      replaces: undefined,
    })
  })

  it('shows the store neither token nor session_key', async () => {
    const { logIn, calls } = aRegistry()
    const { token } = await logIn('alice', { sessionKey: 'tiihtNczf5v6AKRyjwEUhQ==' })
    const seen = JSON.stringify(calls)
    expect(seen).to.not.include(token.slice(20)).and.not.include('tiihtNczf5v6AKRyjwEUhQ==')
  })

  it('has another token and id each time', async () => {
    const setup = aRegistry()
    const [first, second] = [await setup.logIn('alice'), await setup.logIn('alice')]
    expect(first.token).to.not.equal(second.token)
    expect(await idsOf(setup)).to.deep.equal([first.session.sessionId, second.session.sessionId])
  })

  it('keeps the profile there is, unless it brings one', async () => {
    const { logIn } = aRegistry()
    await logIn('alice', { userInfo: BAND })
    expect((await logIn('alice')).session.userInfo).to.deep.equal(BAND)
    const renamed = { nickName: 'Solo', verified: false }
    expect((await logIn('alice', { userInfo: renamed })).session.userInfo).to.deep.equal(renamed)
    expect((await logIn('bob')).session.userInfo).to.equal(null)
  })

  it('fails as the store does', async () => {
    const failure = new WeappError('ERR_STORE_UNAVAILABLE', 'Later.')
    const { logIn } = aRegistry({ instead: { issue: () => Promise.reject(failure) } })
    expect(await failureOf(() => logIn('alice'))).to.equal(failure)
  })
})

describe('issuing a session to a phone that presents a token', () => {
  it('ends the old session of the same user in the same call', async () => {
    const setup = aRegistry()
    const old = await setup.logIn('alice')
    const { session } = await setup.logIn('alice', { presentedToken: old.token })
    expect(await idsOf(setup)).to.deep.equal([session.sessionId])
    expect(methodsOf(setup.calls)).to.include('issue').and.not.include('revoke')
  })

  it('ends the old session of another user, and no other of theirs', async () => {
    const setup = aRegistry()
    const [phone, tablet] = [await setup.logIn('bob'), await setup.logIn('bob')]
    await setup.logIn('alice', { presentedToken: phone.token })
    expect(methodsOf(setup.calls)).to.deep.equal(['issue', 'read', 'revoke'])
    expect(setup.calls[0]?.args[0]).to.have.property('replaces', undefined)
    expect(await idsOf(setup, bob)).to.deep.equal([tablet.session.sessionId])
  })

  it('does not end a session of another app', async () => {
    const setup = aRegistry({ apps: [SHOP, { ...SHOP, appid: 'wx-other' }] })
    const other = await setup.logIn('bob', { app: setup.apps.choose('wx-other') })
    await setup.logIn('alice', { presentedToken: other.token })
    expect((await setup.registry.visit(other.address))?.session).to.include({ openid: 'bob' })
  })

  it('takes no notice of what is no token, or of no session', async () => {
    const setup = aRegistry()
    const first = await setup.logIn('alice', { presentedToken: 'undefined' })
    expect(methodsOf(setup.calls)).to.deep.equal(['issue'])
    const second = await setup.logIn('alice', { presentedToken: `${first.token.slice(0, 63)}~` })
    const gone = first.token.slice(0, 20) + 'A'.repeat(44)
    const third = await setup.logIn('alice', { presentedToken: gone })
    expect(await idsOf(setup)).to.deep.equal([first, second, third].map(({ session }) => session.sessionId))
  })
})

describe('the cap of a user', () => {
  it('ends the oldest sessions for a new one', async () => {
    const setup = aRegistry({ cap: { maxSessionsPerUser: 2 } })
    const [, second, third] = await logInTimes(setup, 3)
    expect(await idsOf(setup)).to.deep.equal([second, third])
  })

  it('refuses a new one, and leaves the others alone', async () => {
    const setup = aRegistry({ cap: { maxSessionsPerUser: 2, onLimit: 'refuse' } })
    const ids = await logInTimes(setup, 2)
    await weappErrorOf('ERR_SESSION_LIMIT', () => setup.logIn('alice'))
    expect(await idsOf(setup)).to.deep.equal(ids)
  })

  it('does not count sessions that are over since the session duration has become shorter', async () => {
    const cap = { maxSessionsPerUser: 2, onLimit: 'refuse' } as const
    const before = aRegistry({ cap })
    await logInTimes(before, 2)
    const shorter = aRegistry({ ...before, cap, apps: [{ ...SHOP, sessionDurationSeconds: 30 }] })
    const { session } = await shorter.logIn('alice')
    expect(await idsOf(shorter)).to.deep.equal([session.sessionId])
    await shorter.logIn('alice')
    await weappErrorOf('ERR_SESSION_LIMIT', () => shorter.logIn('alice'))
  })

  it('is that of the login, else that of the app, else that of all', async () => {
    const setup = aRegistry({
      apps: [{ ...SHOP, maxSessionsPerUser: 3 }, GAME],
      cap: { maxSessionsPerUser: 4 },
    })
    const expectCap = (cap: number) => expect(setup.calls[0]?.args[0]).to.include({ maxSessions: cap })
    await setup.logIn('alice', { maxSessionsPerUser: 2 })
    expectCap(2)
    await setup.logIn('alice')
    expectCap(3)
    await setup.logIn('alice', { app: setup.apps.choose(GAME.appid) })
    expectCap(4)
  })

  it('does not count the session that the new one replaces', async () => {
    const setup = aRegistry({ cap: { maxSessionsPerUser: 1, onLimit: 'refuse' } })
    const old = await setup.logIn('alice')
    const { session } = await setup.logIn('alice', { presentedToken: old.token })
    expect(await idsOf(setup)).to.deep.equal([session.sessionId])
  })

  it('does not count the sessions of others, nor of the same openid elsewhere', async () => {
    const setup = aRegistry({ apps: [SHOP, GAME], cap: { maxSessionsPerUser: 1, onLimit: 'refuse' } })
    await setup.logIn('alice')
    await setup.logIn('bob')
    await setup.logIn('alice', { app: setup.apps.choose(GAME.appid) })
    expect(await idsOf(setup)).to.have.length(1)
  })
})

describe('ending sessions', () => {
  it('ends one, and tells whether there was one', async () => {
    const setup = aRegistry()
    const [first = '', second = ''] = await logInTimes(setup, 2)
    expect(await setup.registry.revoke({ ...alice, sessionId: first })).to.equal(true)
    expect(await setup.registry.revoke({ ...alice, sessionId: first })).to.equal(false)
    expect(await setup.registry.revoke({ ...bob, sessionId: second })).to.equal(false)
    expect(await idsOf(setup)).to.deep.equal([second])
  })

  it('ends none by an id whose user is another, whichever half is whose', async () => {
    const setup = aRegistry()
    const [own = ''] = await logInTimes(setup, 1)
    const { session: bobs } = await setup.logIn('bob')
    const spliced = own.slice(0, 20) + bobs.sessionId.slice(20)
    const turned = bobs.sessionId.slice(0, 20) + own.slice(20)
    for (const sessionId of [spliced, turned, bobs.sessionId]) {
      expect(await setup.registry.revoke({ ...alice, sessionId })).to.equal(false)
      expect(await setup.registry.setData({ ...alice, sessionId }, { isAdmin: true })).to.equal(false)
      expect(await setup.registry.isThere({ ...alice, sessionId })).to.equal(false)
      expect(await setup.keys.keep(alice, 'new', sessionId)).to.equal(0)
    }
    expect([...(await idsOf(setup)), ...(await idsOf(setup, bob))]).to.deep.equal([own, bobs.sessionId])
    expect(await setup.registry.revokeUser(alice, turned)).to.equal(1)
  })

  it('ends the one at an address, also when it has ended already', async () => {
    const setup = aRegistry()
    const { address } = await setup.logIn('alice')
    await setup.registry.revokeAt(address)
    await setup.registry.revokeAt(address)
    expect(await idsOf(setup)).to.deep.equal([])
  })

  it('ends all of a user, except one if named', async () => {
    const setup = aRegistry()
    const [first = ''] = await logInTimes(setup, 3)
    await setup.logIn('bob')
    expect(await setup.registry.revokeUser(alice, first)).to.equal(2)
    expect(await idsOf(setup)).to.deep.equal([first])
    expect(await setup.registry.revokeUser(alice)).to.equal(1)
    expect(await idsOf(setup, bob)).to.have.length(1)
  })

  it('ends a login that is under way, also one that began in the same millisecond', async () => {
    const setup = aRegistry()
    const [beganAt, later] = [await claimedAt(setup), async () => ({ beganAt: await claimedAt(setup) })]
    await setup.registry.revokeUser(alice)
    const error = await weappErrorOf('ERR_CODE_INVALID', () => setup.logIn('alice', { beganAt }))
    expect(error.message).to.include('Call wx.login')
    expect(setup.log.lines).to.have.length(1)
    expect(setup.log.lines[0]).to.match(/^warn: a login of wxShop came to nothing.*maxSessionsPerUser: 1/)
    expect(await idsOf(setup)).to.deep.equal([])
    const { session } = await setup.logIn('alice', await later())
    await setup.registry.revokeAll()
    await weappErrorOf('ERR_CODE_INVALID', () => setup.logIn('bob', { beganAt }))
    expect(await setup.registry.revoke(session)).to.equal(false)
    await setup.logIn('alice', await later())
    expect(await idsOf(setup)).to.have.length(1)
  })

  it('ends all of all users, batch after batch', async () => {
    const batches = [
      { revoked: 500, next: '0:17' },
      { revoked: 0, next: '1:0' },
      { revoked: 3, next: undefined },
    ]
    const { registry, calls } = aRegistry({
      instead: { revokeBatch: async () => batches.shift() ?? expect.fail('it does not stop') },
    })
    expect(await registry.revokeAll()).to.equal(503)
    const cursors = [undefined, '0:17', '1:0']
    expect(calls.map(({ args }) => args[0])).to.deep.equal(cursors.map((cursor) => ({ group: null, cursor })))
  })

  it('ends all of the users of an app, batch after batch, where it is narrowed to it', async () => {
    const setup = aRegistry({ apps: [SHOP, GAME] })
    const batches = [
      { revoked: 2, next: '0:17' },
      { revoked: 1, next: undefined },
    ]
    const calls: StoreCall[] = []
    const instead = { revokeBatch: async () => batches.shift() ?? expect.fail('it does not stop') }
    const store = recording(setup.memory, instead, calls)
    const apps = setup.apps.only('spec', GAME.appid)
    const narrowed = new SessionRegistry({
      apps,
      store,
      keyRing: createKeyRing(SECRETS, apps.all),
      logger: setup.log,
    })
    expect(await narrowed.revokeAll()).to.equal(3)
    const group = groupOf(GAME.appid)
    expect(calls.map(({ args }) => args[0])).to.deep.equal([
      { group, cursor: undefined },
      { group, cursor: '0:17' },
    ])
  })
})

describe('the profile of a user', () => {
  it('is shared by all sessions of the user, and can be changed and deleted', async () => {
    const { registry, profiles, logIn, app } = aRegistry()
    const [phone, tablet] = [await logIn('alice', { userInfo: BAND }), await logIn('alice')]
    const profileOn = async ({ address }: typeof phone) => (await registry.visit(address))?.session.userInfo
    const renamed = { nickName: 'Solo', verified: false }
    await profiles.set(app, 'alice', renamed)
    expect(await Promise.all([phone, tablet].map(profileOn))).to.deep.equal([renamed, renamed])
    await profiles.set(app, 'alice', null)
    expect(await Promise.all([phone, tablet].map(profileOn))).to.deep.equal([null, null])
  })

  it('is kept as long as the app says, from the last change', async () => {
    const { profiles, app, calls } = aRegistry()
    await profiles.set(app, 'alice', BAND)
    expect(calls[0]?.args[2]).to.equal(100 * DAY_MS)
  })
})
