import { expect } from 'chai'
import { beforeEach, describe, it } from 'mocha'
import { type RedisClient, RedisStore } from '../../lib/index.js'
import {
  endAllSessions,
  HOUR,
  newAddress,
  newHandle,
  newId,
  storeUnderTest,
} from '../../store-contract/store-under-test.js'
import { aRedisClient, freshPrefix } from '../support/redis-client.js'

describe('RedisStore, interrupted', () => {
  const redis = aRedisClient()
  let prefix: string
  let store: RedisStore
  const { entry, issue, listedIds, moment } = storeUnderTest(Date.now, () => store)

  /** By its SHA-1, or from source. */
  const SCRIPT = /^EVAL/

  beforeEach(() => {
    prefix = freshPrefix()
    store = new RedisStore(redis(), { prefix })
  })

  /**
   * A store during whose next such command something else happens: once Redis has replied, before the store
   * knows.
   */
  function interrupted(command: RegExp, meanwhile: () => Promise<unknown>): RedisStore {
    let waiting = true
    const client: RedisClient = {
      async call(...args) {
        const reply = await redis().call(...args)
        if (waiting && command.test(String(args[0]))) {
          waiting = false
          await meanwhile()
        }
        return reply
      },
    }
    return new RedisStore(client, { prefix })
  }

  describe('while all are being ended', () => {
    for (const [when, command] of [
      ['after the mark was set', SCRIPT],
      ['after the users were found', /^SCAN/],
    ] as const) {
      it(`keeps a login of that time, ${when}, and ends what was there`, async () => {
        const { address } = await issue()
        const late = newAddress(address.handle)
        await endAllSessions(interrupted(command, () => issue({ address: late })))
        expect(await store.read(address)).to.equal(null)
        expect(await store.read(late)).to.include({ sessionId: late.sessionId })
        expect(await listedIds(address.handle)).to.deep.equal([late.sessionId])
      })

      it(`keeps a login that began after the mark, ${when}`, async () => {
        const late = newAddress()
        const login = async () => issue({ address: late, beganAt: await moment() })
        await endAllSessions(interrupted(command, login))
        expect(await listedIds(late.handle)).to.deep.equal([late.sessionId])
      })

      it(`issues no login that began before, ${when}`, async () => {
        const { address } = await issue()
        const late = entry({ address: newAddress(address.handle), beganAt: await moment() })
        const login = async () => expect(await store.issue(late)).to.deep.equal({ state: 'revoked' })
        await endAllSessions(interrupted(command, login))
        expect(await listedIds(address.handle)).to.deep.equal([])
      })

      it(`finds nothing in any other way, ${when}`, async () => {
        const { address, record, endsAt } = await issue()
        const { handle, sessionId } = address
        const look = async () => {
          expect(await store.read(address)).to.equal(null)
          expect(await store.touch(address, { sessionDurationMs: HOUR, endsBy: endsAt })).to.equal(null)
          expect(await store.rewrite(handle, [{ sessionId, from: record, to: 'new' }])).to.equal(0)
          expect(await store.revoke(address)).to.equal(false)
        }
        await endAllSessions(interrupted(command, look))
        expect(await store.read(address)).to.equal(null)
      })
    }
  })

  // A client sends a command again when the connection was lost before the reply came, although Redis may
  // have carried it out.
  describe('by a lost connection after which a login is sent again', () => {
    it('ends no further session', async () => {
      const handle = newHandle()
      const login = () => entry({ address: newAddress(handle), maxSessions: 2 })
      const [first, second, third] = [login(), login(), login()]
      for (const each of [first, second, third, third]) await store.issue(each)
      expect(await listedIds(handle)).to.deep.equal([second.address.sessionId, third.address.sessionId])
    })

    it('answers as it did the first time when it may be refused', async () => {
      const login = entry({ maxSessions: 1, onLimit: 'refuse', userInfo: 'new' })
      const issued = { state: 'issued', userInfo: 'new' }
      expect(await store.issue(login)).to.include({ ...issued, seenBefore: false })
      expect(await store.issue(login)).to.include(issued)
      expect(await listedIds(login.address.handle)).to.deep.equal([login.address.sessionId])
    })
  })

  describe('by a lost connection after which a replacement is sent again', () => {
    it('answers that it replaced nothing, and has changed no more than the first time', async () => {
      const { address } = await issue({ record: 'old' })
      const change = { sessionId: address.sessionId, from: 'old', to: 'new' }
      expect(await store.rewrite(address.handle, [change])).to.equal(1)
      expect(await store.rewrite(address.handle, [change])).to.equal(0)
      expect(await store.read(address)).to.include({ record: 'new' })

      const value = { id: newId(), from: null, to: 'value', keepMs: HOUR }
      expect(await store.replaceValue(value)).to.include({ isReplaced: true })
      expect(await store.replaceValue(value)).to.include({ isReplaced: false })
      expect(await store.readValue(value.id)).to.include({ text: 'value' })
    })
  })

  describe('by a lost connection after which a claim is sent again', () => {
    it('tells the claimant that the first one was granted, and when; and nobody else that it is theirs', async () => {
      const id = newId()
      const claim = (to: string) => store.replaceValue({ id, from: null, to, keepMs: HOUR })
      const { value: first } = await claim('mine')
      const { value: second } = await claim('mine')
      expect(second).to.include({ text: 'mine', writtenAt: first?.writtenAt })
      expect((await claim('theirs')).value).to.include({ text: 'mine' })
    })
  })

  describe('between its read and its change', () => {
    const keysOf = (handle: string) => redis().get(`${prefix}{${handle}}`)

    it('does not bring a session back that ends: by a rewrite', async () => {
      const { address, record } = await issue()
      const slow = interrupted(SCRIPT, () => store.revoke(address))
      expect(await slow.read(address)).to.include({ record })
      const without = await keysOf(address.handle)
      const change = { sessionId: address.sessionId, from: record, to: 'new' }
      expect(await slow.rewrite(address.handle, [change])).to.equal(0)
      expect(await keysOf(address.handle)).to.equal(without)
    })

    it('does not bring a session back that ends: by a touch', async () => {
      const { address, endsAt } = await issue()
      const slow = interrupted(SCRIPT, () => store.revoke(address))
      expect(await slow.read(address)).to.include({ endsAt })
      const without = await keysOf(address.handle)
      expect(await slow.touch(address, { sessionDurationMs: HOUR, endsBy: endsAt })).to.equal(null)
      expect(await keysOf(address.handle)).to.equal(without)
    })

    it('keeps a visit that is recorded', async () => {
      const { address, record, endsAt } = await issue({ sessionDurationMs: HOUR / 2 })
      const slow = interrupted(SCRIPT, () =>
        store.touch(address, { sessionDurationMs: HOUR, endsBy: endsAt + HOUR / 4 }),
      )
      expect(await slow.read(address)).to.include({ endsAt })
      const change = { sessionId: address.sessionId, from: record, to: 'new' }
      expect(await slow.rewrite(address.handle, [change])).to.equal(1)
      expect(await store.read(address)).to.include({ record: 'new', endsAt: endsAt + HOUR / 4 })
    })

    it('keeps a profile that is written', async () => {
      const { address, endsAt } = await issue({ userInfo: 'old' })
      const slow = interrupted(SCRIPT, () => store.writeUserInfo(address.handle, 'new', HOUR))
      expect(await slow.read(address)).to.include({ userInfo: 'old' })
      await slow.touch(address, { sessionDurationMs: HOUR, endsBy: endsAt })
      expect(await store.read(address)).to.include({ userInfo: 'new' })
    })

    it('does not replace a shared value that another process replaces', async () => {
      const id = newId()
      await store.replaceValue({ id, from: null, to: 'first', keepMs: HOUR })
      const slow = interrupted(SCRIPT, () => store.replaceValue({ id, from: 'first', to: 'theirs' }))
      const { text } = (await slow.readValue(id)) ?? expect.fail('the value is gone')
      expect(await slow.replaceValue({ id, from: text, to: 'mine' })).to.include({ isReplaced: false })
      expect(await store.readValue(id)).to.include({ text: 'theirs' })
    })
  })
})
