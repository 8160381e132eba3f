import { inspect } from 'node:util'
import { expect } from 'chai'
import { describe, it } from 'mocha'
import type { Clock } from '../../lib/clock.js'
import { guardStore } from '../../lib/sessions/guarded-store.js'
import { type SessionEntry, type SessionStore, StoreFailure } from '../../lib/sessions/store.js'
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

  it('logs the first failure of a kind and the first success after it, not each in between', async () => {
    let isUp = true
    const log = keptLog()
    const store = guarded(
      storeThat(async () => {
        if (!isUp) throw clientError()
      }),
      60_000,
      log,
    )
    for (const state of [true, false, false, true, true, false]) {
      isUp = state
      await store.ping().catch(() => {})
    }
    expect(log.lines).to.deep.equal([
      'error: the session store fails (ping): Error (ECONNREFUSED)',
      'warn: the session store works again (ping)',
      'error: the session store fails (ping): Error (ECONNREFUSED)',
    ])
  })

  it('logs each kind of failure of a method once, and no more than five', async () => {
    const failures = ['ECONNREFUSED', 'ETIMEDOUT', 'ECONNREFUSED', 'EPIPE', 'A1', 'B2', 'C3', 'ETIMEDOUT']
    const left = failures.map((code) => Object.assign(clientError(), { code }))
    const log = keptLog()
    const store = guarded(
      storeThat(() => Promise.reject(left.shift())),
      TIMEOUT_MS,
      log,
    )
    for (const _ of failures) await store.ping().catch(() => {})
    expect(log.lines).to.deep.equal(
      ['ECONNREFUSED', 'ETIMEDOUT', 'EPIPE', 'A1', 'B2'].map(
        (code) => `error: the session store fails (ping): Error (${code})`,
      ),
    )
  })
})
