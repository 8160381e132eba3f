import { expect } from 'chai'
import { type RedisClient, RedisStore } from '../../lib/index.js'
import {
  endAllSessions,
  HOUR,
  newAddress,
  newHandle,
  newId,
  storeUnderTest,
} from '../contracts/store-under-test.js'
import { aRedisClient, freshPrefix } from '../support/redis-client.js'

describe('RedisStore, interrupted', () => {
  const redis = aRedisClient()
  let prefix: string
  let store: RedisStore
  const { entry, issue, listedIds } = storeUnderTest(
    { describe, it, beforeEach, afterEach },
    Date.now,
    () => store,
  )

  beforeEach(() => {
    prefix = freshPrefix()
    store = new RedisStore(redis(), { prefix })
  })

  /** A store during whose next command of this name something else happens: once Redis has answered, before the store knows. */
  function interrupted(command: string, meanwhile: () => Promise<unknown>): RedisStore {
    let waiting = true
    const client: RedisClient = {
      async call(...words) {
        const reply = await redis().call(...words)
        if (waiting && words[0] === command) {
          waiting = false
          await meanwhile()
        }
        return reply
      },
    }
    return new RedisStore(client, { prefix })
  }

  it('lists a session that was issued while all were being ended, if it lives', async () => {
    const { address } = await issue()
    const late = newAddress(address.handle)
    await endAllSessions(interrupted('SCAN', () => issue({ address: late })))
    expect(await store.read(address)).to.equal(null)
    const alive = (await store.read(late)) ? [late.sessionId] : []
    expect(await listedIds(address.handle)).to.deep.equal(alive)
  })

  it('ends a session of a user that was issued while all were being ended, if it lives', async () => {
    const { address } = await issue()
    const late = newAddress(address.handle)
    await endAllSessions(interrupted('SCAN', () => issue({ address: late })))
    await store.removeUser(address.handle)
    expect(await store.read(late)).to.equal(null)
  })

  // A client sends a command again when the connection was lost before the answer came, although Redis may have carried it out.
  describe('by a lost connection after which a login is sent again', () => {
    it('ends no further session', async () => {
      const [handle, start] = [newHandle(), Date.now() - 10_000]
      const login = (number: number) =>
        entry({
          address: newAddress(handle),
          createdAt: start + number,
          dropAt: start + HOUR,
          maxSessions: 2,
        })
      const [first, second, third] = [login(1), login(2), login(3)]
      for (const each of [first, second, third, third]) await store.issue(each)
      expect(await listedIds(handle)).to.deep.equal([second.address.sessionId, third.address.sessionId])
    })

    it('answers as it did the first time when it may be refused', async () => {
      const login = entry({ maxSessions: 1, onLimit: 'refuse', userInfo: 'new' })
      expect(await store.issue(login)).to.deep.equal({ issued: true, seenBefore: false, userInfo: 'new' })
      expect(await store.issue(login)).to.include({ issued: true, userInfo: 'new' })
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

      const [id, end] = [newId(), Date.now() + HOUR]
      expect(await store.replaceValue(id, null, 'value', end)).to.equal(true)
      expect(await store.replaceValue(id, null, 'value', end)).to.equal(false)
      expect(await store.readValue(id)).to.equal('value')
    })
  })

  it('does not bring a session back that ends between its read and its rewrite', async () => {
    const { address, record } = await issue()
    const slow = interrupted('MGET', () => store.remove(address))
    expect(await slow.read(address)).to.include({ record })
    const change = { sessionId: address.sessionId, from: record, to: 'new' }
    expect(await slow.rewrite(address.handle, [change])).to.equal(0)
    expect(await redis().keys(`${prefix}*`)).to.deep.equal([`${prefix}{${address.handle}}:user`])
  })

  it('keeps a visit that is recorded between a read and a rewrite', async () => {
    const { address, record, createdAt, dropAt } = await issue()
    const slow = interrupted('MGET', () => store.touch(address, createdAt + 1, dropAt))
    expect(await slow.read(address)).to.include({ lastVisitAt: createdAt })
    const change = { sessionId: address.sessionId, from: record, to: 'new' }
    expect(await slow.rewrite(address.handle, [change])).to.equal(1)
    expect(await store.read(address)).to.include({ record: 'new', lastVisitAt: createdAt + 1 })
  })

  it('does not replace a shared value that another process replaces after its read', async () => {
    const [id, end] = [newId(), Date.now() + HOUR]
    await store.replaceValue(id, null, 'first', end)
    const slow = interrupted('GET', () => store.replaceValue(id, 'first', 'theirs', end))
    const first = await slow.readValue(id)
    expect(await slow.replaceValue(id, first, 'mine', end)).to.equal(false)
    expect(await store.readValue(id)).to.equal('theirs')
  })

  it('does not bring a session back that ends between its read and its touch', async () => {
    const { address, createdAt, dropAt } = await issue()
    const slow = interrupted('MGET', () => store.remove(address))
    expect(await slow.read(address)).to.not.equal(null)
    expect(await slow.touch(address, createdAt + 1, dropAt)).to.equal(false)
    expect(await redis().keys(`${prefix}*`)).to.deep.equal([`${prefix}{${address.handle}}:user`])
  })
})
