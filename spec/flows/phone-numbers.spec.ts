import { expect } from 'chai'
import { describe, it } from 'mocha'
import { WeappError } from '../../lib/errors.js'
import { PhoneNumbers } from '../../lib/flows/phone-numbers.js'
import type { App } from '../../lib/sessions/app-info.js'
import { createApps } from '../../lib/sessions/apps.js'
import { createKeyRing } from '../../lib/sessions/key-ring.js'
import type { SessionStore } from '../../lib/sessions/store.js'
import { Vault } from '../../lib/sessions/vault.js'
import { MemoryStore } from '../../lib/stores/memory-store.js'
import { DAY_MS, GAME, LOGIN, methodsOf, recording, SHOP, type StoreCall } from '../sessions/a-registry.js'
import { testClock } from '../support/clock.js'
import { failureOf, weappErrorOf } from '../support/failures.js'

const NUMBER = { phoneNumber: '13580006666', purePhoneNumber: '13580006666', countryCode: '86' }
const OTHER = { phoneNumber: '+85291234567', purePhoneNumber: '91234567', countryCode: '852' }
const APPS = createApps('apps', [SHOP, { ...GAME, userInfoDurationDays: 1 }], 0.1)
const [SHOP_APP, GAME_APP] = APPS.all as [App, App]
const alice = { appid: SHOP.appid, openid: 'alice' }

/** Phone numbers of several processes on one store. */
function processes(instead: Partial<SessionStore> = {}) {
  const clock = testClock(LOGIN)
  const memory = new MemoryStore({ clock })
  const calls: StoreCall[] = []
  const store = recording(memory, instead, calls)
  const phoneNumbers = (secrets?: readonly string[]) =>
    new PhoneNumbers(new Vault(store, createKeyRing(secrets, APPS.all)))
  return { clock, memory, calls, instead, phoneNumbers, own: phoneNumbers() }
}

describe('a phone number', () => {
  it('is found by every process once it is kept', async () => {
    const { own, phoneNumbers } = processes()
    await own.keep(SHOP_APP, 'alice', NUMBER)
    for (const reader of [own, phoneNumbers()]) expect(await reader.find(alice)).to.deep.equal(NUMBER)
  })

  it('is that of one user of one app', async () => {
    const { own } = processes()
    await own.keep(SHOP_APP, 'alice', NUMBER)
    await own.keep(GAME_APP, 'alice', OTHER)
    expect(await own.find(alice)).to.deep.equal(NUMBER)
    expect(await own.find({ ...alice, appid: GAME.appid })).to.deep.equal(OTHER)
    expect(await own.find({ ...alice, openid: 'bob' })).to.equal(null)
  })

  it('is the last one that was kept', async () => {
    const { own } = processes()
    for (const number of [NUMBER, OTHER]) await own.keep(SHOP_APP, 'alice', number)
    expect(await own.find(alice)).to.deep.equal(OTHER)
  })

  it('is kept as long as the app keeps a profile, from the last change, to the millisecond', async () => {
    const { own, clock } = processes()
    await own.keep(SHOP_APP, 'alice', NUMBER)
    await own.keep(GAME_APP, 'alice', NUMBER)
    clock.advance(DAY_MS)
    await own.keep(SHOP_APP, 'alice', OTHER)
    expect(await own.find({ ...alice, appid: GAME.appid })).to.equal(null)
    clock.advance(100 * DAY_MS - 1)
    expect(await own.find(alice)).to.deep.equal(OTHER)
    clock.advance(1)
    expect(await own.find(alice)).to.equal(null)
  })

  it('is forgotten on demand, also when there is none', async () => {
    const { own, memory, calls } = processes()
    await own.keep(SHOP_APP, 'alice', undefined)
    await own.keep(SHOP_APP, 'alice', NUMBER)
    await own.keep(SHOP_APP, 'alice', undefined)
    expect(await own.find(alice)).to.equal(null)
    expect(await memory.readValue(String(calls[0]?.args[0]))).to.equal(null)
  })

  it('lies in the store sealed, under an id that does not show whose it is', async () => {
    const { own, calls } = processes()
    await own.keep(SHOP_APP, 'alice', NUMBER)
    expect(methodsOf(calls)).to.deep.equal(['readValue', 'replaceValue'])
    const seen = JSON.stringify(calls)
    for (const secret of ['13580006666', 'phone', 'alice', SHOP.appid]) expect(seen).to.not.include(secret)
  })

  it('is none when the key ring cannot read it any more, and can then be kept again or forgotten', async () => {
    const { own, phoneNumbers, memory, calls } = processes()
    const changed = phoneNumbers(['another secret, 32 characters long'])
    for (const number of [OTHER, undefined]) {
      await own.keep(SHOP_APP, 'alice', NUMBER)
      expect(await changed.find(alice)).to.equal(null)
      await changed.keep(SHOP_APP, 'alice', number)
      expect(await changed.find(alice)).to.deep.equal(number ?? null)
    }
    expect(await memory.readValue(String(calls[0]?.args[0]))).to.equal(null)
  })

  it('fails as the store does', async () => {
    const failure = new WeappError('ERR_STORE_UNAVAILABLE', 'Later.')
    for (const method of ['readValue', 'replaceValue'] as const) {
      const { own } = processes({ [method]: () => Promise.reject(failure) })
      expect(await failureOf(() => own.keep(SHOP_APP, 'alice', NUMBER))).to.equal(failure)
    }
    const { own } = processes({ readValue: () => Promise.reject(failure) })
    expect(await failureOf(() => own.find(alice))).to.equal(failure)
  })
})

describe('keeping a phone number while somebody else does', () => {
  /** Between the first reading and writing, another process keeps {@link OTHER}. */
  function interrupted() {
    const setup = processes()
    const { instead, memory, phoneNumbers } = setup
    instead.replaceValue = async (...question) => {
      delete instead.replaceValue
      await phoneNumbers().keep(SHOP_APP, 'alice', OTHER)
      return memory.replaceValue(...question)
    }
    return setup
  }

  it('is done again, and the last one stays', async () => {
    const { own } = interrupted()
    await own.keep(SHOP_APP, 'alice', NUMBER)
    expect(await own.find(alice)).to.deep.equal(NUMBER)
  })

  it('forgets also what the other one has kept', async () => {
    const { own, phoneNumbers } = interrupted()
    await phoneNumbers().keep(GAME_APP, 'alice', NUMBER)
    await own.keep(SHOP_APP, 'alice', undefined)
    expect(await own.find(alice)).to.equal(null)
  })

  it('gives up, and says so, when the other one is always faster', async () => {
    const { own, calls } = processes({ replaceValue: async () => ({ isReplaced: false, value: null }) })
    await weappErrorOf('ERR_STORE_UNAVAILABLE', () => own.keep(SHOP_APP, 'alice', NUMBER))
    expect(methodsOf(calls).filter((method) => method === 'replaceValue')).to.have.length(5)
  })
})
