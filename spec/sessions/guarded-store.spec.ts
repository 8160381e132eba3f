import { inspect } from 'node:util'
import { expect } from 'chai'
import { describe, it } from 'mocha'
import type { Clock } from '../../lib/clock.js'
import { guardStore } from '../../lib/sessions/guarded-store.js'
import { type SessionEntry, type SessionStore, StoreFailure, tooLate } from '../../lib/sessions/store.js'
import { outage } from '../../lib/sessions/store-outage.js'
import { MemoryStore } from '../../lib/stores/memory-store.js'
import { testClock } from '../support/clock.js'
import { failureOf, weappErrorOf } from '../support/failures.js'
import { type KeptLog, keptLog } from '../support/log-lines.js'
import { unhandledRejectionsDuring } from '../support/unhandled-rejections.js'

const ADDRESS = { handle: 'handle', sessionId: 'session' }
const ENTRY: SessionEntry = {
  address: ADDRESS,
  record: 'record',
  beganAt: 1,
  loginDurationMs: 2,
  sessionDurationMs: 3,
  maxSessions: 4,
  onLimit: 'refuse',
  userInfoDurationMs: 5,
}
const TIMEOUT_MS = 60_000
const ADDRESS_WITH_PASSWORD = 'redis://:hunter2@10.0.0.1:6379'

/** Every method with arguments that can be told apart. */
const CALLS = {
  read: [ADDRESS],
  readUser: ['handle'],
  issue: [ENTRY],
  touch: [ADDRESS, { sessionDurationMs: 1, endsBy: 2 }],
  revoke: [ADDRESS],
  revokeUser: ['handle', 'session'],
  writeUserInfo: ['handle', 'profile', 1],
  rewrite: ['handle', [{ sessionId: 'session', from: 'old', to: 'new' }]],
  readValue: ['id'],
  replaceValue: [{ id: 'id', from: 'old', to: 'new', keepMs: 1 }],
  addToValue: [{ id: 'id', add: 1, keepMs: 1 }],
  revokeBatch: [{ group: 'aaaa', cursor: 'cursor' }],
  ping: [],
  close: [],
} satisfies Record<keyof SessionStore, unknown[]>
/** Methods that change nothing, and so are not told until when a change is wanted. */
const READING: readonly (keyof SessionStore)[] = ['read', 'readUser', 'readValue', 'ping', 'close']
const METHODS = Object.keys(CALLS) as (keyof SessionStore)[]

/** A store all of whose methods do the same. */
function storeThat(behaves: (method: string, args: unknown[]) => unknown): SessionStore {
  const methods = METHODS.map((method) => [method, (...args: unknown[]) => behaves(method, args)])
  return Object.fromEntries(methods) as SessionStore
}

function call(store: SessionStore, method: keyof SessionStore): Promise<unknown> {
  const guarded = store[method] as (...args: readonly unknown[]) => Promise<unknown>
  return guarded(...CALLS[method])
}

function guarded(
  store: SessionStore,
  timeoutMs = TIMEOUT_MS,
  logger: KeptLog = keptLog(),
  clock: Clock = Date.now,
): Required<SessionStore> {
  return guardStore({ store, timeoutMs, clock, logger })
}

function clientError(): Error {
  return Object.assign(new Error(`connect ECONNREFUSED ${ADDRESS_WITH_PASSWORD}`), { code: 'ECONNREFUSED' })
}

/** A step of `revokeBatch` is several commands. */
const commandsOf = (method: keyof SessionStore) => (method === 'revokeBatch' ? 4 : 1)

describe('a guarded store', () => {
  for (const method of METHODS) {
    const isTold = !READING.includes(method)
    it(`passes arguments and result of ${method} through${isTold ? ', and for how long it is wanted' : ''}`, async () => {
      const result = { of: method }
      const calls: unknown[] = []
      const store = storeThat(async (...heard) => {
        calls.push(heard)
        return result
      })
      expect(await call(guarded(store), method)).to.equal(result)
      expect(calls).to.deep.equal([
        [method, [...CALLS[method], ...(isTold ? [commandsOf(method) * TIMEOUT_MS] : [])]],
      ])
    })

    it(`reports a ${method} that fails, throws or hangs as ERR_STORE_UNAVAILABLE`, async () => {
      const failing = storeThat(() => Promise.reject(clientError()))
      const throwing = storeThat(() => {
        throw clientError()
      })
      const hanging = storeThat(() => new Promise(() => {}))
      await weappErrorOf('ERR_STORE_UNAVAILABLE', () => call(guarded(failing), method))
      await weappErrorOf('ERR_STORE_UNAVAILABLE', () => call(guarded(throwing), method))
      const error = await weappErrorOf('ERR_STORE_UNAVAILABLE', () => call(guarded(hanging, 1), method))
      expect((error.cause as Error).message).to.equal(`no answer within ${commandsOf(method)} ms`)
    })
  }

  it('calls the methods on the store itself, so that they find their fields', async () => {
    const store = guarded(new MemoryStore({ clock: () => 0 }))
    const change = { id: 'id', from: null, to: 'text', keepMs: 1 }
    expect(await store.replaceValue(change)).to.include({ isReplaced: true })
    expect(await store.replaceValue(change)).to.include({ isReplaced: false })
    expect(await store.readValue('id')).to.include({ text: 'text' })
    await store.close()
  })

  it('closes a store that has nothing to close', async () => {
    const { close: _, ...store } = storeThat(async () => undefined)
    expect(await guarded(store as SessionStore).close()).to.equal(undefined)
  })

  it('tells the kind of failure and repeats no word of it, however deeply the error is looked into', async () => {
    const command = { name: 'auth', args: ['default', 'hunter2'] }
    const log = keptLog()
    const store = guarded(
      storeThat(() =>
        Promise.reject(Object.assign(clientError(), { command, previousErrors: [clientError()] })),
      ),
      60_000,
      log,
    )
    const error = await weappErrorOf('ERR_STORE_UNAVAILABLE', () => store.ping())
    expect((error.cause as Error).message).to.equal('Error (ECONNREFUSED)')
    const looked = inspect(error, { depth: Number.POSITIVE_INFINITY, showHidden: true })
    expect([looked, ...log.lines].join()).to.not.include('hunter2')
  })

  it('tells the first word of what Redis answers, such as READONLY, and no more', async () => {
    const reply = Object.assign(new Error('OOM command not allowed: SET key hunter2'), { name: 'ReplyError' })
    const store = guarded(storeThat(() => Promise.reject(reply)))
    const error = await weappErrorOf('ERR_STORE_UNAVAILABLE', () => store.ping())
    expect((error.cause as Error).message).to.equal('ReplyError (OOM)')
  })

  it('repeats what a store says on purpose', async () => {
    const log = keptLog()
    const store = guarded(
      storeThat(() => Promise.reject(new StoreFailure('the key x is odd'))),
      TIMEOUT_MS,
      log,
    )
    await weappErrorOf('ERR_STORE_UNAVAILABLE', () => store.ping())
    expect(log.lines).to.deep.equal(['error: the session store fails (ping): the key x is odd'])
  })

  it('tells once that its clock is more than a minute off, whatever it is read by', async () => {
    const clock = testClock()
    for (const [offsetMs, told] of [
      [-60_000, []],
      [60_000, []],
      [600_000, ['600 s ahead of']],
      [-3_600_000, ['3600 s behind']],
    ] as const) {
      const log = keptLog()
      const store = guarded(new MemoryStore({ clock }), TIMEOUT_MS, log, () => clock() + offsetMs)
      await store.issue({ ...ENTRY, loginDurationMs: 60_000, sessionDurationMs: 60_000, beganAt: undefined })
      await store.read(ADDRESS)
      await store.replaceValue({ id: 'id', from: null, to: 'text', keepMs: 1 })
      await store.read(ADDRESS)
      expect(log.lines).to.deep.equal(
        told.map(
          (what) =>
            `warn: the clock of this process is ${what} that of the session store, by which sessions live`,
        ),
      )
      await store.close()
    }
  })

  it('makes do with what is thrown, even if that is no Error', async () => {
    for (const thrown of [undefined, null, ADDRESS_WITH_PASSWORD, { code: 'ECONNREFUSED' }]) {
      const store = guarded(storeThat(() => Promise.reject(thrown)))
      const error = await weappErrorOf('ERR_STORE_UNAVAILABLE', () => store.ping())
      expect((error.cause as Error).message).to.equal('unknown reason')
    }
  })

  it('leaves no rejection unhandled when the store fails after its deadline', async () => {
    const unhandled = await unhandledRejectionsDuring(async () => {
      let fail = (_reason: Error) => {}
      const late = new Promise<never>((_resolve, reject) => {
        fail = reject
      })
      await failureOf(() =>
        guarded(
          storeThat(() => late),
          1,
        ).ping(),
      )
      fail(clientError())
    })
    expect(unhandled).to.deep.equal([])
  })

  describe('in its log', () => {
    /** A store that fails for the reasons in turn, and works where there is none. */
    function failingFor(reasons: (string | undefined)[]) {
      const [log, clock] = [keptLog(), testClock()]
      const store = guarded(
        storeThat(async () => {
          const code = reasons.shift()
          if (code) throw Object.assign(clientError(), { code })
        }),
        TIMEOUT_MS,
        log,
        clock,
      )
      const ping = () => store.ping().catch(() => undefined)
      return { log, clock, store, ping }
    }
    const fails = (code: string) => `error: the session store fails (ping): Error (${code})`
    const WORKS = 'warn: the session store works again (ping)'

    it('tells each reason of a method once a minute, with how many more there were, and when it works again', async () => {
      const { log, clock, store, ping } = failingFor(['A1', 'A1', 'B2', 'A1', 'A1', undefined, undefined])
      for (let turn = 0; turn < 3; turn += 1) await ping()
      await store.readUser('handle').catch(() => undefined)
      expect(log.lines).to.deep.equal([
        fails('A1'),
        fails('B2'),
        'error: the session store fails (readUser): Error (A1)',
      ])
      clock.advance(60_000)
      for (let turn = 0; turn < 3; turn += 1) await ping()
      expect(log.lines.slice(3)).to.deep.equal([`${fails('A1')}; 1 more since it was last logged`, WORKS])
    })

    it('tells two lines a minute of a method that fails and works by turns', async () => {
      const states = Array.from({ length: 1000 }, (_, turn) => (turn % 2 === 0 ? 'A1' : undefined))
      const { log, clock, ping } = failingFor([...states, ...states])
      for (const _ of states) await ping()
      expect(log.lines).to.deep.equal([fails('A1'), WORKS])
      clock.advance(60_000)
      for (const _ of states) await ping()
      expect(log.lines.slice(2)).to.deep.equal([`${fails('A1')}; 499 more since it was last logged`, WORKS])
    })

    it('tells six lines a minute of a method, however many reasons it has, as they may name keys', async () => {
      const reasons = Array.from({ length: 500 }, (_, turn) => (turn % 2 === 0 ? `A${turn}` : undefined))
      const { log, clock, ping } = failingFor([...reasons, ...reasons])
      for (const _ of reasons) await ping()
      const failures = () => log.lines.filter((line) => line !== WORKS)
      expect(failures()).to.deep.equal([0, 2, 4, 6, 8, 10].map((turn) => fails(`A${turn}`)))
      clock.advance(60_000)
      for (const _ of reasons) await ping()
      expect(failures()).to.have.lengthOf(12)
      expect(failures().at(-1)).to.match(/; 244 more since it was last logged$/)
    })
  })

  describe('that is not answered', () => {
    /** A store whose methods fail while they are named, and are answered otherwise. */
    function silentAt(error: () => Error, ...methods: string[]) {
      const [log, clock, asked] = [keptLog(), testClock(), [] as string[]]
      const silent = new Set(methods)
      const store = guarded(
        storeThat(async (method) => {
          asked.push(method)
          if (silent.has(method)) throw error()
          return null
        }),
        TIMEOUT_MS,
        log,
        clock,
      )
      const failing = (method: keyof SessionStore) =>
        weappErrorOf('ERR_STORE_UNAVAILABLE', () => call(store, method))
      return { store, log, clock, asked, silent, failing }
    }
    const unreachable = () => outage(clientError())
    const READS = ['read', 'readUser', 'readValue'] as const

    it('is not asked after 5 calls in a row, but by one call after each pause of 250 ms at most', async () => {
      const { clock, asked, failing, log } = silentAt(unreachable, ...METHODS)
      for (let calls = 0; calls < 100; calls += 1) await failing('read')
      expect(asked).to.have.lengthOf(5)
      const error = await failing('read')
      expect((error.cause as Error).message).to.equal('not asked, as the last calls had no answer')
      expect(error.headers).to.deep.equal({ 'Retry-After': '1' })
      for (let pauses = 1; pauses <= 10; pauses += 1) {
        clock.advance(250)
        for (let calls = 0; calls < 10; calls += 1) await failing('read')
        expect(asked).to.have.lengthOf(5 + pauses)
      }
      expect(log.lines).to.deep.equal([
        'error: the session store fails (read): Error (ECONNREFUSED)',
        'error: the session store fails (read): not asked, as the last calls had no answer',
      ])
    })

    it('is asked by all again once it has answered a probe', async () => {
      const { clock, silent, asked, failing, store } = silentAt(unreachable, ...METHODS)
      for (let calls = 0; calls < 5; calls += 1) await failing('read')
      silent.clear()
      await failing('read')
      clock.advance(250)
      for (let calls = 0; calls < 10; calls += 1) expect(await store.read(ADDRESS)).to.equal(null)
      expect(asked).to.have.lengthOf(15)
    })

    it('has one probe at a time, and refuses the others while it waits', async () => {
      const { clock, asked, failing } = silentAt(unreachable, ...METHODS)
      for (let calls = 0; calls < 5; calls += 1) await failing('read')
      clock.advance(250)
      await Promise.all(Array.from({ length: 50 }, () => failing('read')))
      expect(asked).to.have.lengthOf(6)
    })

    it('is read on while only changes fail, and changed while only reads fail', async () => {
      for (const [silent, answered] of [
        ['issue', 'read'],
        ['read', 'issue'],
      ] as const) {
        const { store, failing } = silentAt(unreachable, silent)
        for (let calls = 0; calls < 30; calls += 1) await failing(silent)
        expect(await call(store, answered)).to.equal(null)
      }
    })

    it('counts all reads together, and all changes together', async () => {
      for (const methods of [READS, METHODS.filter((name) => !['close', ...READS].includes(name))]) {
        const { asked, failing } = silentAt(unreachable, ...METHODS)
        for (let calls = 0; calls < 5; calls += 1) await failing(methods[calls % methods.length] ?? 'ping')
        for (const method of methods) await failing(method)
        expect(asked).to.have.lengthOf(5)
      }
    })

    it('can be closed all the same', async () => {
      const { store, failing, silent } = silentAt(unreachable, ...METHODS)
      for (const method of ['read', 'issue'] as const)
        for (let calls = 0; calls < 5; calls += 1) await failing(method)
      silent.delete('close')
      await store.close()
    })

    it('is asked on while one call in 5 is answered', async () => {
      const { asked, failing, silent, store } = silentAt(unreachable, 'read')
      for (let rounds = 0; rounds < 10; rounds += 1) {
        for (let calls = 0; calls < 4; calls += 1) await failing('read')
        silent.delete('read')
        await store.read(ADDRESS)
        silent.add('read')
      }
      expect(asked).to.have.lengthOf(50)
    })

    it('is asked on where calls get no answer while others do, as when one server of several hangs', async () => {
      let asked = 0
      const hangingForSome = storeThat((_method, [handle]) => {
        asked += 1
        return handle === 'lost' ? new Promise(() => {}) : Promise.resolve(null)
      })
      const store = guarded(hangingForSome, 5, keptLog(), testClock())
      for (let rounds = 0; rounds < 4; rounds += 1) {
        const lost = Array.from({ length: 50 }, () => failureOf(() => store.readUser('lost')))
        await store.readUser('found')
        await Promise.all(lost)
      }
      expect(asked).to.equal(204)
    })

    for (const [what, error] of [
      ['a full store', () => Object.assign(new Error('OOM command not allowed'), { name: 'ReplyError' })],
      ['a replica', () => Object.assign(new Error('READONLY You can not'), { name: 'ReplyError' })],
      ['a key of another type', () => new Error('WRONGTYPE Operation against a key')],
      ['a user that cannot be read', () => new StoreFailure('the key x cannot be read')],
      ['a change that is late', tooLate],
      ['a bug', () => new TypeError('x is not a function')],
    ] as const) {
      it(`is asked on whatever it answers: ${what}`, async () => {
        const { asked, failing } = silentAt(error, 'read')
        for (let calls = 0; calls < 50; calls += 1) await failing('read')
        expect(asked).to.have.lengthOf(50)
      })
    }

    it('counts calls that have waited as long as they may', async () => {
      let asked = 0
      const hanging = storeThat(() => {
        asked += 1
        return new Promise(() => {})
      })
      const store = guarded(hanging, 1, keptLog(), testClock())
      for (let calls = 0; calls < 30; calls += 1)
        await weappErrorOf('ERR_STORE_UNAVAILABLE', () => store.read(ADDRESS))
      expect(asked).to.equal(5)
    })
  })
})
