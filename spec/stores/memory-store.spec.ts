import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { mock } from 'node:test'
import { expect } from 'chai'
import { MemoryStore, type MemoryStoreOptions } from '../../lib/index.js'
import { storeContract } from '../contracts/store-contract.js'
import { HOUR, newAddress, newClaimant, newHandle, storeUnderTest } from '../contracts/store-under-test.js'
import { testClock } from '../support/clock.js'

const runner = { describe, it, beforeEach, afterEach }

describe('MemoryStore', () => {
  const clock = testClock(1_700_000_000_000)
  let store: MemoryStore
  const { issue, entry, listedIds } = storeUnderTest(runner, clock, () => store)

  function makeStore(options: MemoryStoreOptions = {}): void {
    store = new MemoryStore({ clock, ...options })
  }

  beforeEach(() => makeStore())
  afterEach(() => store.close())

  storeContract({ runner, createStore: () => new MemoryStore() })

  describe('by its clock', () => {
    for (const [offset, lives] of [
      [-1, true],
      [0, false],
      [1, false],
    ] as const) {
      const when =
        offset === 0 ? 'at the end' : `${Math.abs(offset)} ms ${offset < 0 ? 'before' : 'after'} the end`

      it(`has ${lives ? 'a' : 'no'} session ${when}`, async () => {
        const { address, record, dropAt } = await issue()
        clock.set(dropAt + offset)
        expect((await store.read(address)) !== null).to.equal(lives)
        expect(await listedIds(address.handle)).to.have.lengthOf(lives ? 1 : 0)
        expect(await store.touch(address, clock.now, dropAt)).to.equal(lives)
        const change = { sessionId: address.sessionId, from: record, to: 'new' }
        expect(await store.rewrite(address.handle, [change])).to.equal(lives ? 1 : 0)
        expect(await store.remove(address)).to.equal(lives)
      })

      it(`${lives ? 'counts' : 'does not count'} a session for the cap ${when}`, async () => {
        const { address, dropAt } = await issue()
        clock.set(dropAt + offset)
        const login = entry({ address: newAddress(address.handle), maxSessions: 1, onLimit: 'refuse' })
        expect((await store.issue(login)).issued).to.equal(!lives)
      })

      it(`has ${lives ? 'a' : 'no'} profile ${when}`, async () => {
        const userInfoDropAt = clock.now + 1_000
        const { address } = await issue({ userInfo: '{}', userInfoDropAt })
        clock.set(userInfoDropAt + offset)
        expect((await store.read(address))?.userInfo).to.equal(lives ? '{}' : null)
        expect(await store.hasSeen(address.handle)).to.equal(lives)
      })

      it(`${lives ? 'holds' : 'has given up'} a claim ${when}`, async () => {
        const end = clock.now + 1_000
        await store.claim('id', newClaimant(), end)
        clock.set(end + offset)
        const { state } = await store.claim('id', newClaimant(), end)
        expect(state).to.equal(lives ? 'pending' : 'claimed')
      })

      it(`has ${lives ? 'a' : 'no'} shared value ${when}`, async () => {
        const end = clock.now + 1_000
        await store.replaceValue('id', null, 'value', end)
        clock.set(end + offset)
        expect(await store.readValue('id')).to.equal(lives ? 'value' : null)
        expect(await store.replaceValue('id', null, 'new', end + HOUR)).to.equal(!lives)
      })
    }
  })

  describe('with room for two', () => {
    beforeEach(() => makeStore({ maxSessions: 2 }))

    it('drops the session of the oldest login for one more', async () => {
      const [first, second] = [await issue(), await issue()]
      await store.touch(first.address, clock.now + 1, clock.now + HOUR)
      const third = await issue()
      expect(await store.read(first.address)).to.equal(null)
      expect(await listedIds(first.address.handle)).to.deep.equal([])
      expect(await listedIds(second.address.handle)).to.deep.equal([second.address.sessionId])
      expect(await listedIds(third.address.handle)).to.deep.equal([third.address.sessionId])
    })

    it('counts what a user had in the room, not twice', async () => {
      const { address } = await issue()
      const logins = [await issue({ address: newAddress(address.handle) })]
      logins.push(await issue({ address: newAddress(address.handle), maxSessions: 2 }))
      const ids = logins.map((login) => login.address.sessionId)
      expect(await listedIds(address.handle)).to.deep.equal(ids)
    })

    it('has its room back when a session ends', async () => {
      const [first, second] = [await issue(), await issue()]
      await store.remove(second.address)
      await issue()
      expect(await store.read(first.address)).to.not.equal(null)
      await store.removeBatch()
      const logins = [await issue(), await issue()]
      for (const { address } of logins) expect(await store.read(address)).to.not.equal(null)
    })

    it('drops the oldest profile for one more', async () => {
      const handles = [newHandle(), newHandle(), newHandle()]
      for (const handle of handles) await store.writeUserInfo(handle, 'kept', clock.now + HOUR)
      const profiles = []
      // The newest first: a login without a profile takes a place as well.
      for (const handle of handles.reverse())
        profiles.push((await store.issue(entry({ address: newAddress(handle) }))).userInfo)
      expect(profiles).to.deep.equal(['kept', 'kept', null])
    })

    it('drops the oldest claim for one more', async () => {
      for (const id of ['first', 'second', 'third']) await store.claim(id, newClaimant(), clock.now + HOUR)
      const states = []
      for (const id of ['third', 'second', 'first']) {
        states.push((await store.claim(id, newClaimant(), clock.now + HOUR)).state)
      }
      expect(states).to.deep.equal(['pending', 'pending', 'claimed'])
    })

    it('drops the shared value that was set longest ago for one more', async () => {
      const end = clock.now + HOUR
      for (const id of ['first', 'second']) await store.replaceValue(id, null, 'old', end)
      await store.replaceValue('first', 'old', 'new', end)
      await store.replaceValue('third', null, 'old', end)
      const values = await Promise.all(['first', 'second', 'third'].map((id) => store.readValue(id)))
      expect(values).to.deep.equal(['new', null, 'old'])
    })

    it('does not drop another claim when one is settled', async () => {
      for (const id of ['first', 'second']) await store.claim(id, newClaimant(), clock.now + HOUR)
      await store.settle('second', 'sealed', clock.now + HOUR)
      expect(await store.claim('first', newClaimant(), clock.now + HOUR)).to.deep.equal({
        state: 'pending',
      })
    })
  })

  describe('swept once a minute', () => {
    beforeEach(() => {
      mock.timers.enable({ apis: ['setInterval'] })
      makeStore({ maxSessions: 2 })
    })

    afterEach(() => mock.timers.reset())

    it('has room again where sessions, profiles, claims and shared values have ended', async () => {
      const [end, later] = [clock.now + 10, clock.now + HOUR]
      const lasting = await issue({ userInfo: 'kept' })
      const short = await issue({ dropAt: end, userInfo: 'short', userInfoDropAt: end })
      await store.claim('lasting', newClaimant(), later)
      await store.claim('short', newClaimant(), end)
      await store.replaceValue('lasting', null, 'kept', later)
      await store.replaceValue('short', null, 'short', end)

      clock.set(end)
      mock.timers.tick(60_000)
      const next = await issue({ userInfo: 'next' })
      await store.claim('next', newClaimant(), later)
      await store.replaceValue('next', null, 'next', later)

      expect((await store.read(lasting.address))?.userInfo).to.equal('kept')
      expect((await store.read(next.address))?.userInfo).to.equal('next')
      expect(await store.read(short.address)).to.equal(null)
      expect(await store.claim('lasting', newClaimant(), later)).to.deep.equal({ state: 'pending' })
      expect(await store.readValue('lasting')).to.equal('kept')
    })

    it('is swept no more when it is closed', async () => {
      const lasting = await issue()
      await issue({ dropAt: clock.now })
      await store.close()
      mock.timers.tick(60_000)
      await issue()
      expect(await store.read(lasting.address)).to.equal(null)
    })
  })

  it('does not keep a process alive', async () => {
    const program = `
      import { MemoryStore } from '${new URL('../../lib/index.ts', import.meta.url)}'
      await new MemoryStore().ping()
      process.stdout.write('made')`
    const args = ['--import', 'tsx', '--input-type=module', '--eval', program]
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
    const timer = setTimeout(() => child.kill('SIGKILL'), 15_000)
    try {
      const [output, [code]] = await Promise.all([text(child.stdout), once(child, 'exit')])
      expect([output, code]).to.deep.equal(['made', 0])
    } finally {
      clearTimeout(timer)
    }
  })

  describe('given options', () => {
    it('takes none', async () => {
      await new MemoryStore().close()
    })

    it('refuses one that it does not know', () => {
      expect(() => new MemoryStore({ maxSession: 2 } as object)).to.throw(
        TypeError,
        'MemoryStore has no option "maxSession"; it knows maxSessions, clock',
      )
    })

    for (const maxSessions of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, '10', true]) {
      it(`refuses ${JSON.stringify(maxSessions)} (${typeof maxSessions}) for maxSessions`, () => {
        expect(() => new MemoryStore({ maxSessions: maxSessions as number })).to.throw(
          TypeError,
          /^MemoryStore: maxSessions must be a whole number from 1/,
        )
      })
    }

    it('refuses a clock that is no function', () => {
      expect(() => new MemoryStore({ clock: 7 as unknown as () => number })).to.throw(TypeError, /clock/)
    })

    for (const options of [null, 'memory', 7, []]) {
      it(`refuses ${JSON.stringify(options)} for options`, () => {
        expect(() => new MemoryStore(options as object)).to.throw(TypeError, /takes an object of options/)
      })
    }
  })
})
