import { expect } from 'chai'
import { describe, it } from 'mocha'
import { WeappError } from '../../lib/errors.js'
import { createAppBook } from '../../lib/sessions/app-info.js'
import { createKeyRing } from '../../lib/sessions/key-ring.js'
import type { SessionStore } from '../../lib/sessions/store.js'
import { handleOf, valueIdOf } from '../../lib/sessions/token.js'
import { Vault, type VaultBinding } from '../../lib/sessions/vault.js'
import { MemoryStore } from '../../lib/stores/memory-store.js'
import { testClock } from '../support/clock.js'
import { failureOf } from '../support/failures.js'
import { GAME, recording, SHOP, type StoreCall } from './a-book.js'

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

/** Vaults of several processes on one store. */
function vaults(instead: Partial<SessionStore> = {}) {
  const clock = testClock()
  const memory = new MemoryStore({ clock })
  const calls: StoreCall[] = []
  const store = recording(memory, instead, calls)
  const { all } = createAppBook('apps', [SHOP, GAME], 0.1)
  const vault = (secrets: readonly string[] | 'of the apps' = [NEW]) =>
    new Vault(store, createKeyRing(secrets === 'of the apps' ? undefined : secrets, all))
  return { clock, memory, calls, vault, later: () => clock.now + HOUR_MS }
}

/** A vault with a number in it. */
async function filled(instead: Partial<SessionStore> = {}) {
  const shared = vaults(instead)
  const own = shared.vault()
  await own.replace(OF_ALICE, undefined, NUMBER, shared.later())
  return { ...shared, own }
}

describe('a vault', () => {
  it('gives back what was put into it, in every process with the same keys', async () => {
    const { own, vault } = await filled()
    for (const reader of [own, vault()]) expect((await reader.read(OF_ALICE))?.value).to.deep.equal(NUMBER)
  })

  it('keeps any JSON value, null and the empty text included', async () => {
    const { vault, later } = vaults()
    const own = vault()
    for (const value of [null, '', 0, false, [], {}, 'token', { a: ['电话'] }]) {
      expect(await own.replace(OF_ALICE, await own.read(OF_ALICE), value, later())).to.equal(true)
      expect((await own.read(OF_ALICE))?.value).to.deep.equal(value)
    }
  })

  it('is empty where nothing was put', async () => {
    const { own } = await filled()
    for (const [, binding] of ELSEWHERE) expect(await own.read(binding)).to.equal(undefined)
  })

  it('forgets at the end that was named, to the millisecond', async () => {
    const { own, clock } = await filled()
    clock.advance(HOUR_MS - 1)
    expect(await own.read(OF_ALICE)).to.not.equal(undefined)
    clock.advance(1)
    expect(await own.read(OF_ALICE)).to.equal(undefined)
  })

  it('fails as the store does', async () => {
    const failure = new WeappError('ERR_STORE_UNAVAILABLE', 'Later.')
    const failing = () => Promise.reject(failure)
    const { vault, later } = vaults({ readValue: failing, replaceValue: failing })
    expect(await failureOf(() => vault().read(OF_ALICE))).to.equal(failure)
    expect(await failureOf(() => vault().replace(OF_ALICE, undefined, NUMBER, later()))).to.equal(failure)
  })
})

describe('what a vault shows the store', () => {
  it('is an id and an envelope: neither the value nor whose it is', async () => {
    const { own, calls } = await filled()
    await own.read(OF_ALICE)
    const [{ args } = { args: [] }] = calls
    expect(args[0]).to.match(/^[\w-]{24}$/)
    expect(args[2]).to.match(/^[\w-]{6}\.[\w-]+$/)
    const envelope = Buffer.from(String(args[2]).slice(7), 'base64url').toString('latin1')
    const { appid, openid = '' } = OF_ALICE
    for (const secret of ['13580006666', 'phone', appid, openid, handleOf(appid, openid)])
      expect(JSON.stringify(calls) + envelope).to.not.include(secret)
  })

  it('is another envelope each time', async () => {
    const { own, later } = await filled()
    const first = await own.read(OF_ALICE)
    await own.replace(OF_ALICE, first, NUMBER, later())
    expect((await own.read(OF_ALICE))?.sealed).to.not.equal(first?.sealed)
  })

  for (const [what, binding] of ELSEWHERE) {
    it(`does not open when somebody moves it to another ${what}`, async () => {
      const { own, memory, later } = await filled()
      const sealed = (await own.read(OF_ALICE))?.sealed ?? ''
      await memory.replaceValue(valueIdOf(binding), null, sealed, later())
      expect(await own.read(binding)).to.deep.equal({ sealed, value: undefined })
    })
  }

  it('can make no sense, and is then a value that cannot be read', async () => {
    const { vault, memory, later } = vaults()
    await memory.replaceValue(valueIdOf(OF_ALICE), null, 'no envelope', later())
    expect(await vault().read(OF_ALICE)).to.deep.equal({ sealed: 'no envelope', value: undefined })
  })
})

describe('replacing in a vault', () => {
  it('is for who has read what is there', async () => {
    const { own, vault, later } = await filled()
    const other = vault()
    const [mine, theirs] = [await own.read(OF_ALICE), await other.read(OF_ALICE)]
    expect(await other.replace(OF_ALICE, theirs, 'theirs', later())).to.equal(true)
    expect(await own.replace(OF_ALICE, mine, 'mine', later())).to.equal(false)
    expect(await own.replace(OF_ALICE, undefined, 'mine', later())).to.equal(false)
    expect((await own.read(OF_ALICE))?.value).to.equal('theirs')
  })

  it('is not for who has read what is gone', async () => {
    const { own, later } = await filled()
    const found = await own.read(OF_ALICE)
    expect(await own.replace(OF_ALICE, found, undefined, 0)).to.equal(true)
    expect(await own.replace(OF_ALICE, found, 'mine', later())).to.equal(false)
    expect(await own.read(OF_ALICE)).to.equal(undefined)
  })

  it('deletes when the new value is undefined, and only what was read', async () => {
    const { own, later } = await filled()
    const found = await own.read(OF_ALICE)
    await own.replace(OF_ALICE, found, 'newer', later())
    expect(await own.replace(OF_ALICE, found, undefined, 0)).to.equal(false)
    expect((await own.read(OF_ALICE))?.value).to.equal('newer')
    expect(await own.replace(OF_ALICE, await own.read(OF_ALICE), undefined, 0)).to.equal(true)
    expect(await own.read(OF_ALICE)).to.equal(undefined)
  })
})

describe('a vault whose keys have changed', () => {
  it('opens what an older key sealed, as long as that is named', async () => {
    const { vault, later } = vaults()
    await vault([OLD]).replace(OF_ALICE, undefined, NUMBER, later())
    expect((await vault([NEW, OLD]).read(OF_ALICE))?.value).to.deep.equal(NUMBER)
  })

  it('cannot read what is there, but replaces and deletes it', async () => {
    const { vault, later } = vaults()
    const changed = vault([NEW])
    for (const value of [NUMBER, undefined]) {
      await vault([OLD]).replace(OF_ALICE, undefined, 'of the old key', later())
      const found = await changed.read(OF_ALICE)
      expect(found).to.have.property('value', undefined)
      expect(found?.sealed).to.be.a('string')
      expect(await changed.replace(OF_ALICE, found, value, later())).to.equal(true)
      const after = await changed.read(OF_ALICE)
      expect(after?.value).to.deep.equal(value)
      await changed.replace(OF_ALICE, after, undefined, 0)
    }
  })

  it('needs no keys of its own where each app has its AppSecret', async () => {
    const { vault, later } = vaults()
    await vault('of the apps').replace(OF_ALICE, undefined, NUMBER, later())
    expect((await vault('of the apps').read(OF_ALICE))?.value).to.deep.equal(NUMBER)
    expect((await vault([NEW]).read(OF_ALICE))?.value).to.equal(undefined)
  })
})
