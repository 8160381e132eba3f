import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { mock } from 'node:test'
import { expect } from 'chai'
import { MemoryStore, type MemoryStoreOptions } from '../../lib/index.js'
import { HOUR, newAddress, newHandle, storeUnderTest } from '../../store-contract/store-under-test.js'
import { ownStoreContract } from '../contracts/own-store-contract.js'
import { testClock } from '../support/clock.js'

describe('MemoryStore', () => {
  const start = 1_700_000_000_000
  const clock = testClock(start)
  let store: MemoryStore
  const { issue, entry, listedIds, moment } = storeUnderTest(clock, () => store)

  function makeStore(options: MemoryStoreOptions = {}): void {
    store = new MemoryStore({ clock, ...options })
  }

  beforeEach(() => {
    clock.set(start)
    makeStore()
  })
  afterEach(() => store.close())

  ownStoreContract({ createStore: () => new MemoryStore() })

  describe('by its clock', () => {
    for (const [offset, lives] of [
      [-1, true],
      [0, false],
      [1, false],
    ] as const) {
      const when =
        offset === 0 ? 'at the end' : `${Math.abs(offset)} ms ${offset < 0 ? 'before' : 'after'} the end`

      it(`has ${lives ? 'a' : 'no'} session ${when}`, async () => {
        const { address, record, endsAt } = await issue({ sessionDurationMs: 1_000 })
        expect(endsAt).to.equal(clock.now + 1_000)
        clock.set(endsAt + offset)
        expect((await store.read(address)) !== null).to.equal(lives)
        expect(await listedIds(address.handle)).to.have.lengthOf(lives ? 1 : 0)
        expect((await store.touch(address, { sessionDurationMs: 1_000, endsBy: endsAt })) !== null).to.equal(
          lives,
        )
        const change = { sessionId: address.sessionId, from: record, to: 'new' }
        expect(await store.rewrite(address.handle, [change])).to.equal(lives ? 1 : 0)
        expect(await store.revoke(address)).to.equal(lives)
      })

      it(`has ${lives ? 'a' : 'no'} session ${when} of the login`, async () => {
        const beganAt = await moment()
        clock.advance(500)
        const { address, endsAt } = await issue({ beganAt, loginDurationMs: 1_000 })
        expect(endsAt).to.equal(clock.now + 500)
        clock.set(endsAt + offset)
        expect((await store.read(address)) !== null).to.equal(lives)
      })

      it(`${lives ? 'counts' : 'does not count'} a session for the cap ${when}`, async () => {
        const { address, endsAt } = await issue()
        clock.set(endsAt + offset)
        const login = entry({ address: newAddress(address.handle), maxSessions: 1, onLimit: 'refuse' })
        expect((await store.issue(login)).state).to.equal(lives ? 'refused' : 'issued')
      })

      it(`has ${lives ? 'a' : 'no'} profile ${when}`, async () => {
        const { address } = await issue({ userInfo: '{}', userInfoDurationMs: 1_000 })
        clock.advance(1_000 + offset)
        expect((await store.read(address))?.userInfo).to.equal(lives ? '{}' : null)
        const { userInfo, wasHere } = await store.readUser(address.handle)
        expect([userInfo, wasHere]).to.deep.equal(lives ? ['{}', true] : [null, false])
      })

      it(`has ${lives ? 'a' : 'no'} shared value ${when}`, async () => {
        await store.replaceValue({ id: 'id', from: null, to: 'value', keepMs: 1_000 })
        clock.advance(1_000 + offset)
        const value = { text: 'value', writtenAt: start * 1000, leftMs: -offset }
        expect(await store.readValue('id')).to.deep.equal(lives ? value : null)
        const change = { id: 'id', from: null, to: 'new', keepMs: HOUR }
        expect((await store.replaceValue(change)).isReplaced).to.equal(!lives)
      })

      it(`${lives ? 'remembers' : 'has forgotten'} that a user was ended ${when} of ten minutes`, async () => {
        const { address } = entry()
        const beganAt = await moment()
        await store.revokeUser(address.handle)
        clock.advance(10 * 60_000 + offset)
        expect((await store.issue(entry({ address, beganAt }))).state).to.equal(lives ? 'revoked' : 'issued')
      })
    }

    it('remembers for good that everybody was ended', async () => {
      const beganAt = await moment()
      await store.revokeBatch({ group: null })
      clock.advance(24 * HOUR)
      expect((await store.issue(entry({ beganAt }))).state).to.equal('revoked')
    })

    it('remembers the later of two ends, when the clock was set back between them', async () => {
      const [handle, beganAt] = [newHandle(), await moment()]
      await store.revokeUser(handle)
      clock.advance(-1_000)
      await store.revokeUser(handle)
      expect((await store.issue(entry({ address: newAddress(handle), beganAt }))).state).to.equal('revoked')

      const other = await moment()
      await store.revokeBatch({ group: null })
      clock.advance(-1_000)
      await store.revokeBatch({ group: null })
      expect((await store.issue(entry({ beganAt: other }))).state).to.equal('revoked')
    })

    it('remembers the latest end of a group, when the clock was set back between them', async () => {
      const handle = newHandle()
      const group = handle.slice(0, 4)
      clock.advance(60_000)
      const beganAt = await moment()
      await store.revokeBatch({ group })
      for (const end of [group, null, group]) {
        clock.advance(-1_000)
        await store.revokeBatch({ group: end })
        expect((await store.issue(entry({ address: newAddress(handle), beganAt }))).state).to.equal('revoked')
      }
      expect((await store.issue(entry({ beganAt }))).state).to.equal('issued')
    })

    it('tells a visit, and when a session is read, to the millisecond', async () => {
      const { address } = await issue()
      clock.advance(5)
      await store.touch(address, { sessionDurationMs: HOUR, endsBy: start + 2 * HOUR })
      clock.advance(7)
      expect(await store.read(address)).to.deep.include({
        createdAt: start,
        lastVisitAt: start + 5,
        endsAt: start + 5 + HOUR,
        readAt: start + 12,
      })
    })

    it('keeps a value to the end that its first replacement set', async () => {
      await store.replaceValue({ id: 'id', from: null, to: 'one', keepMs: 1_000 })
      clock.advance(400)
      await store.replaceValue({ id: 'id', from: 'one', to: 'two' })
      expect(await store.readValue('id')).to.include({ text: 'two', leftMs: 600 })
      clock.advance(600)
      expect(await store.readValue('id')).to.equal(null)
    })
  })

  describe('in one millisecond', () => {
    it('tells a thousand moments of that millisecond, each later than the one before', async () => {
      const moments = []
      for (let calls = 0; calls < 1_000; calls += 1) moments.push(await moment())
      expect(moments).to.deep.equal(Array.from({ length: 1_000 }, (_, number) => clock.now * 1000 + number))
    })

    it('tells later moments still when they are more, also in the next', async () => {
      let latest = 0
      for (let calls = 0; calls < 1_500; calls += 1) {
        if (calls === 1_200) clock.advance(1)
        const next = await moment()
        expect(next).to.be.greaterThan(latest)
        latest = next
      }
    })

    it('tells logins that began before an end from those that began after it', async () => {
      const { address } = await issue()
      const before = await moment()
      await store.revokeUser(address.handle)
      const after = await moment()
      const results = []
      for (const beganAt of [before, after]) {
        results.push(await store.issue(entry({ address: newAddress(address.handle), beganAt })))
      }
      expect(results.map(({ state }) => state)).to.deep.equal(['revoked', 'issued'])
    })

    it('follows a clock that was set back', async () => {
      await moment()
      clock.advance(-1_000)
      expect(await moment()).to.equal(clock.now * 1000)
      expect(await moment()).to.equal(clock.now * 1000 + 1)
    })

    it('tells whole numbers by a clock that knows parts of it', async () => {
      const { createdAt, endsAt } = await issue()
      clock.advance(0.75)
      const at = await moment()
      const later = await issue()
      expect([Number.isSafeInteger(at), later.createdAt, later.endsAt]).to.deep.equal([
        true,
        createdAt,
        endsAt,
      ])
    })
  })

  describe('with room for two', () => {
    beforeEach(() => makeStore({ maxSessions: 2 }))

    it('drops the session that was issued first for one more', async () => {
      const [first, second] = [await issue(), await issue()]
      await store.touch(first.address, { sessionDurationMs: HOUR, endsBy: clock.now + HOUR })
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
      await store.revoke(second.address)
      await issue()
      expect(await store.read(first.address)).to.not.equal(null)
      await store.revokeBatch({ group: null })
      const logins = [await issue(), await issue()]
      for (const { address } of logins) expect(await store.read(address)).to.not.equal(null)
    })

    it('drops the oldest profile for one more', async () => {
      const handles = [newHandle(), newHandle(), newHandle()]
      for (const handle of handles) await store.writeUserInfo(handle, 'kept', HOUR)
      const profiles = []
      for (const handle of handles.reverse()) profiles.push((await store.readUser(handle)).userInfo)
      expect(profiles).to.deep.equal(['kept', 'kept', null])
    })

    it('drops the shared value that was set longest ago for one more', async () => {
      const set = (id: string) => store.replaceValue({ id, from: null, to: 'old', keepMs: HOUR })
      for (const id of ['first', 'second']) await set(id)
      await store.replaceValue({ id: 'first', from: 'old', to: 'new' })
      await set('third')
      const values = await Promise.all(['first', 'second', 'third'].map((id) => store.readValue(id)))
      expect(values.map((value) => value?.text)).to.deep.equal(['new', undefined, 'old'])
    })

    it('forgets the end of the user that was ended first for one more', async () => {
      const beganAt = await moment()
      const handles = [newHandle(), newHandle(), newHandle()]
      for (const handle of handles) await store.revokeUser(handle)
      const states = []
      for (const handle of handles) {
        states.push((await store.issue(entry({ address: newAddress(handle), beganAt }))).state)
      }
      expect(states).to.deep.equal(['issued', 'revoked', 'revoked'])
    })
  })

  describe('swept once a minute', () => {
    beforeEach(() => {
      mock.timers.enable({ apis: ['setInterval'] })
      makeStore({ maxSessions: 2 })
    })

    afterEach(() => mock.timers.reset())

    it('has room again where something has ended', async () => {
      const lasting = await issue({ userInfo: 'kept' })
      const short = await issue({ sessionDurationMs: 10, userInfo: 'short', userInfoDurationMs: 10 })
      const set = (id: string, keepMs: number) => store.replaceValue({ id, from: null, to: id, keepMs })
      await set('lasting', HOUR)
      await set('short', 10)

      clock.advance(10)
      mock.timers.tick(60_000)
      const next = await issue({ userInfo: 'next' })
      await set('next', HOUR)

      expect((await store.read(lasting.address))?.userInfo).to.equal('kept')
      expect((await store.read(next.address))?.userInfo).to.equal('next')
      expect(await store.read(short.address)).to.equal(null)
      expect((await store.readValue('lasting'))?.text).to.equal('lasting')
    })

    it('has room again where the end of a user need not be remembered any longer', async () => {
      const handles = [newHandle(), newHandle(), newHandle()]
      const [lasting = '', short = '', next = ''] = handles
      await store.revokeUser(short)
      clock.advance(10 * 60_000 - 1)
      await store.revokeUser(lasting)
      clock.advance(1)
      mock.timers.tick(60_000)
      await store.revokeUser(next)
      const beganAt = start * 1000
      const login = entry({ address: newAddress(lasting), beganAt })
      expect((await store.issue(login)).state).to.equal('revoked')
    })

    it('is swept no more when it is closed', async () => {
      const lasting = await issue()
      await issue({ sessionDurationMs: 0 })
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
        'MemoryStore: unknown option "maxSession"; known: maxSessions, clock',
      )
    })

    for (const maxSessions of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, '10', true]) {
      it(`refuses ${JSON.stringify(maxSessions)} (${typeof maxSessions}) for maxSessions`, () => {
        expect(() => new MemoryStore({ maxSessions: maxSessions as number })).to.throw(
          TypeError,
          /^MemoryStore: maxSessions must be an integer from 1/,
        )
      })
    }

    it('refuses a clock that is not a function', () => {
      expect(() => new MemoryStore({ clock: 7 as unknown as () => number })).to.throw(TypeError, /clock/)
    })

    for (const options of [null, 'memory', 7, []]) {
      it(`refuses ${JSON.stringify(options)} for options`, () => {
        expect(() => new MemoryStore(options as object)).to.throw(TypeError, /the options must be an object/)
      })
    }
  })
})
