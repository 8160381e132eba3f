import { expect } from 'chai'
import { describe, it } from 'mocha'
import { WeappError } from '../../lib/errors.js'
import { createApps } from '../../lib/sessions/apps.js'
import { createKeyRing } from '../../lib/sessions/key-ring.js'
import type { SessionStore, ValueChange } from '../../lib/sessions/store.js'
import { valueIdOf } from '../../lib/sessions/token.js'
import { Vault, type VaultBinding } from '../../lib/sessions/vault.js'
import { MemoryStore } from '../../lib/stores/memory-store.js'
import { testClock } from '../support/clock.js'
import { failureOf } from '../support/failures.js'
import { GAME, recording, SHOP, type StoreCall } from './a-registry.js'

const OLD = 'an old secret of the operator, 2025'
const NEW = 'a new secret of the operator, 2026!'
const NUMBER = { phoneNumber: '+8613580006666', purePhoneNumber: '13580006666', countryCode: '86' }
const OF_ALICE: VaultBinding = { appid: SHOP.appid, openid: 'openid-of-alice', purpose: 'phone_number' }
const ELSEWHERE: readonly [string, VaultBinding][] = [
  ['app', { ...OF_ALICE, appid: GAME.appid }],
  ['user', { ...OF_ALICE, openid: 'openid-of-bob' }],
  ['purpose', { ...OF_ALICE, purpose: 'access_token' }],
]
const HOUR_MS = 3_600_000
const APPS = createApps('apps', [SHOP, GAME], 0.1).all

/** Vaults of several processes on one store. */
function vaults(instead: Partial<SessionStore> = {}) {
  const clock = testClock()
  const memory = new MemoryStore({ clock })
  const calls: StoreCall[] = []
  const store = recording(memory, instead, calls)
  const vault = (secrets: readonly string[] | 'of the apps' = [NEW]) =>
    new Vault(store, createKeyRing(secrets === 'of the apps' ? undefined : secrets, APPS))
  return { clock, memory, calls, vault }
}

/** A vault with a number in it. */
async function filled(instead: Partial<SessionStore> = {}) {
  const shared = vaults(instead)
  const own = shared.vault()
  await own.replace(OF_ALICE, undefined, NUMBER, HOUR_MS)
  return { ...shared, own }
}

describe('a vault', () => {
  it('gives back what was put into it, in every process with the same keys', async () => {
    const { own, vault } = await filled()
    for (const reader of [own, vault()]) expect((await reader.read(OF_ALICE))?.value).to.deep.equal(NUMBER)
  })

  it('keeps any JSON value, null and the empty text included', async () => {
    const { vault } = vaults()
    const own = vault()
    for (const value of [null, '', 0, false, [], {}, 'token', { a: ['电话'] }]) {
      expect(await own.replace(OF_ALICE, await own.read(OF_ALICE), value, HOUR_MS)).to.equal(true)
      expect((await own.read(OF_ALICE))?.value).to.deep.equal(value)
    }
  })

  it('is empty where nothing was put', async () => {
    const { own } = await filled()
    for (const [, binding] of ELSEWHERE) expect(await own.read(binding)).to.equal(undefined)
  })

  it('tells how long it still keeps something, and forgets it then, to the millisecond', async () => {
    const { own, clock } = await filled()
    expect((await own.read(OF_ALICE))?.leftMs).to.equal(HOUR_MS)
    clock.advance(HOUR_MS - 1)
    expect((await own.read(OF_ALICE))?.leftMs).to.equal(1)
    clock.advance(1)
    expect(await own.read(OF_ALICE)).to.equal(undefined)
  })

  it('fails as the store does', async () => {
    const failure = new WeappError('ERR_STORE_UNAVAILABLE', 'Later.')
    const failing = () => Promise.reject(failure)
    const { vault } = vaults({ readValue: failing, replaceValue: failing })
    expect(await failureOf(() => vault().read(OF_ALICE))).to.equal(failure)
    expect(await failureOf(() => vault().replace(OF_ALICE, undefined, NUMBER, HOUR_MS))).to.equal(failure)
  })
})

describe('what a vault shows the store', () => {
  it('is an id and an envelope: neither the value nor whose it is', async () => {
    const { own, calls } = await filled()
    await own.read(OF_ALICE)
    const [{ args } = { args: [] }] = calls
    const { id, to } = args[0] as ValueChange
    expect(id).to.match(/^[\w-]{24}$/)
    expect(to).to.match(/^[\w-]{6}\.[\w-]+$/)
    const envelope = Buffer.from(String(to).slice(7), 'base64url').toString('latin1')
    const { appid, openid = '' } = OF_ALICE
    const handles = createKeyRing([NEW], APPS).handlesOf({ appid: appid, openid: openid })
    expect(handles).to.have.length(1)
    for (const secret of ['13580006666', 'phone', appid, openid, ...handles])
      expect(JSON.stringify(calls) + envelope).to.not.include(secret)
  })

  it('is another envelope each time', async () => {
    const { own } = await filled()
    const first = await own.read(OF_ALICE)
    await own.replace(OF_ALICE, first, NUMBER, HOUR_MS)
    expect((await own.read(OF_ALICE))?.sealed).to.not.equal(first?.sealed)
  })

  for (const [what, binding] of ELSEWHERE) {
    it(`does not open when somebody moves it to another ${what}`, async () => {
      const { own, memory } = await filled()
      const sealed = (await own.read(OF_ALICE))?.sealed ?? ''
      await memory.replaceValue({ id: valueIdOf(binding), from: null, to: sealed, keepMs: HOUR_MS })
      expect(await own.read(binding)).to.deep.equal({ sealed, value: undefined, leftMs: HOUR_MS })
    })
  }

  it('can make no sense, and is then a value that cannot be read', async () => {
    const { vault, memory } = vaults()
    const sealed = 'no envelope'
    await memory.replaceValue({ id: valueIdOf(OF_ALICE), from: null, to: sealed, keepMs: HOUR_MS })
    expect(await vault().read(OF_ALICE)).to.deep.equal({ sealed, value: undefined, leftMs: HOUR_MS })
  })
})

describe('replacing in a vault', () => {
  it('is for who has read what is there', async () => {
    const { own, vault } = await filled()
    const other = vault()
    const [mine, theirs] = [await own.read(OF_ALICE), await other.read(OF_ALICE)]
    expect(await other.replace(OF_ALICE, theirs, 'theirs', HOUR_MS)).to.equal(true)
    expect(await own.replace(OF_ALICE, mine, 'mine', HOUR_MS)).to.equal(false)
    expect(await own.replace(OF_ALICE, undefined, 'mine', HOUR_MS)).to.equal(false)
    expect((await own.read(OF_ALICE))?.value).to.equal('theirs')
  })

  it('keeps the new value for as long as it is told, whatever was left of the old one', async () => {
    const { own, clock } = await filled()
    clock.advance(HOUR_MS - 1)
    await own.replace(OF_ALICE, await own.read(OF_ALICE), 'newer', 2 * HOUR_MS)
    expect((await own.read(OF_ALICE))?.leftMs).to.equal(2 * HOUR_MS)
  })

  it('is not for who has read what is gone', async () => {
    const { own } = await filled()
    const found = await own.read(OF_ALICE)
    expect(await own.replace(OF_ALICE, found, undefined, 0)).to.equal(true)
    expect(await own.replace(OF_ALICE, found, 'mine', HOUR_MS)).to.equal(false)
    expect(await own.read(OF_ALICE)).to.equal(undefined)
  })

  it('deletes when the new value is undefined, and only what was read', async () => {
    const { own } = await filled()
    const found = await own.read(OF_ALICE)
    await own.replace(OF_ALICE, found, 'newer', HOUR_MS)
    expect(await own.replace(OF_ALICE, found, undefined, 0)).to.equal(false)
    expect((await own.read(OF_ALICE))?.value).to.equal('newer')
    expect(await own.replace(OF_ALICE, await own.read(OF_ALICE), undefined, 0)).to.equal(true)
    expect(await own.read(OF_ALICE)).to.equal(undefined)
  })
})

describe('a vault whose keys have changed', () => {
  it('opens what an older key sealed, as long as that is named', async () => {
    const { vault } = vaults()
    await vault([OLD]).replace(OF_ALICE, undefined, NUMBER, HOUR_MS)
    expect((await vault([NEW, OLD]).read(OF_ALICE))?.value).to.deep.equal(NUMBER)
  })

  it('cannot read what is there, but replaces and deletes it', async () => {
    const { vault } = vaults()
    const changed = vault([NEW])
    for (const value of [NUMBER, undefined]) {
      await vault([OLD]).replace(OF_ALICE, undefined, 'of the old key', HOUR_MS)
      const found = await changed.read(OF_ALICE)
      expect(found).to.have.property('value', undefined)
      expect(found?.sealed).to.be.a('string')
      expect(await changed.replace(OF_ALICE, found, value, HOUR_MS)).to.equal(true)
      const after = await changed.read(OF_ALICE)
      expect(after?.value).to.deep.equal(value)
      await changed.replace(OF_ALICE, after, undefined, 0)
    }
  })

  it('needs no keys of its own where each app has its AppSecret', async () => {
    const { vault } = vaults()
    await vault('of the apps').replace(OF_ALICE, undefined, NUMBER, HOUR_MS)
    expect((await vault('of the apps').read(OF_ALICE))?.value).to.deep.equal(NUMBER)
    expect((await vault([NEW]).read(OF_ALICE))?.value).to.equal(undefined)
  })
})
