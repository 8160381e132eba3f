import { inspect } from 'node:util'
import { expect } from 'chai'
import { describe, it } from 'mocha'
import { guardStore } from '../../lib/sessions/guarded-store.js'
import type { SessionEntry, SessionStore } from '../../lib/sessions/store.js'
import { MemoryStore } from '../../lib/stores/memory-store.js'
import { failureOf, weappErrorOf } from '../support/failures.js'
import { type KeptLog, keptLog } from '../support/log-lines.js'
import { unhandledRejectionsDuring } from '../support/unhandled-rejections.js'

const ADDRESS = { handle: 'handle', sessionId: 'session' }
const ENTRY: SessionEntry = {
  address: ADDRESS,
  record: 'record',
  createdAt: 1,
  dropAt: 2,
  expiresAt: 3,
  maxSessions: 4,
  onLimit: 'refuse',
  replaces: undefined,
  userInfo: undefined,
  userInfoDropAt: 5,
}
const ADDRESS_WITH_PASSWORD = 'redis://:hunter2@10.0.0.1:6379'

/** Every method with arguments that can be told apart. */
const CALLS: { readonly [M in keyof SessionStore]-?: Parameters<Required<SessionStore>[M]> } = {
  read: [ADDRESS],
  hasSeen: ['handle'],
  issue: [ENTRY],
  touch: [ADDRESS, 1, 2],
  remove: [ADDRESS],
  removeUser: ['handle', 'session'],
  list: ['handle'],
  writeUserInfo: ['handle', 'profile', 1],
  rewrite: ['handle', [{ sessionId: 'session', from: 'old', to: 'new' }]],
  claim: ['id', 'claimant', 1],
  settle: ['id', 'answer', 1],
  release: ['id', 'claimant'],
  readValue: ['id'],
  replaceValue: ['id', 'old', 'new', 1],
  removeBatch: ['cursor'],
  ping: [],
  close: [],
}
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

function guarded(store: SessionStore, timeoutMs = 60_000, log: KeptLog = keptLog()): Required<SessionStore> {
  return guardStore(store, timeoutMs, log)
}

function clientError(): Error {
  return Object.assign(new Error(`connect ECONNREFUSED ${ADDRESS_WITH_PASSWORD}`), { code: 'ECONNREFUSED' })
}

describe('a guarded store', () => {
  for (const method of METHODS) {
    it(`passes arguments and result of ${method} through`, async () => {
      const result = { of: method }
      const calls: unknown[] = []
      const store = storeThat(async (...heard) => {
        calls.push(heard)
        return result
      })
      expect(await call(guarded(store), method)).to.equal(result)
      expect(calls).to.deep.equal([[method, CALLS[method]]])
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
      expect((error.cause as Error).message).to.equal('TimeoutError')
    })
  }

  it('calls the methods on the store itself, so that they find their fields', async () => {
    const store = guarded(new MemoryStore({ clock: () => 0 }))
    expect(await store.claim('id', 'me', 1)).to.deep.equal({ state: 'claimed' })
    expect(await store.claim('id', 'you', 1)).to.deep.equal({ state: 'pending' })
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
})
