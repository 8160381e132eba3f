import { createDecipheriv, hash } from 'node:crypto'
import { expect } from 'chai'
import { describe, it } from 'mocha'
import { createApps } from '../../lib/sessions/apps.js'
import { type CodeGrant, CodeOutcomes, loginCodeOf } from '../../lib/sessions/code-outcomes.js'
import { createKeyRing, type KeyBinding, type KeyRing } from '../../lib/sessions/key-ring.js'
import { decodeRecord, encodeRecord, type SessionRecord } from '../../lib/sessions/record.js'
import { SessionKeys } from '../../lib/sessions/session-keys.js'
import { addressOf, codeIdOf, publicIdOf, valueIdOf } from '../../lib/sessions/token.js'
import { Vault, type VaultBinding } from '../../lib/sessions/vault.js'
import { MemoryStore } from '../../lib/stores/memory-store.js'
import { HOUR } from '../../store-contract/store-under-test.js'
import { failureOf } from '../support/failures.js'
import { hkdf } from '../support/hkdf.js'
import golden from '../vectors/keys-at-rest.json' with { type: 'json' }

/*
 * What earlier releases have written lies in stores and phones. Never change a vector: add a version beside it.
 * (As long as no release has been made, what is written today may be renewed.)
 */
const { appid, openid, secrets, sessionId, sealed } = golden
const APPS = createApps('apps', [{ appid, secret: secrets.app }], 0.02)
const SESSION: KeyBinding = { appid, openid, sessionId }
const NUMBER: VaultBinding = { appid, openid, purpose: 'phone_number' }
const ACCESS: VaultBinding = { appid, purpose: 'access_token' }

type RingName = keyof typeof sealed
const NAMES = Object.keys(sealed) as RingName[]
const RINGS: Readonly<Record<RingName, KeyRing>> = {
  newer: createKeyRing([secrets.newer], APPS.all),
  older: createKeyRing([secrets.older], APPS.all),
  app: createKeyRing(undefined, APPS.all),
}

/** The derivations by hand, from HMAC and AES-GCM alone. */
function derived(secret: Buffer, salt: string, purpose: string): Buffer {
  return hkdf(secret, Buffer.from(salt), Buffer.from(`weapp-session/1/${purpose}`), 32)
}

function openedByHand(name: RingName, text: string, { openid: user = '', ...binding }: KeyBinding): string {
  const { sessionId: id = '', purpose = 'session_key' } = binding
  const master = derived(Buffer.from(secrets[name]), '', 'at-rest')
  const form = text[6] === '.' ? 'utf8' : 'base64'
  const bytes = Buffer.from(text.slice(form === 'utf8' ? 7 : 6), 'base64url')
  const key = derived(master, id || user, purpose)
  const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, 12))
  const context = `${appid}\0${user}\0${id}${form === 'base64' ? '\0base64' : ''}`
  decipher.setAAD(Buffer.from(context)).setAuthTag(bytes.subarray(-16))
  return decipher.update(bytes.subarray(12, -16), undefined, form) + decipher.final(form)
}

/** A store in memory that has such a value. */
async function storeWith(id: string, text: string): Promise<MemoryStore> {
  const store = new MemoryStore()
  await store.replaceValue({ id, from: null, to: text, keepMs: HOUR })
  return store
}

const asStore = (store: MemoryStore) => store as Required<MemoryStore>

for (const name of NAMES) {
  const ring = RINGS[name]
  const what = name === 'app' ? 'an AppSecret' : `the ${name} of two keys`

  describe(`what lies in stores under ${what}`, () => {
    it('has the id of its key in front, a digest', () => {
      const { keyId, ...texts } = sealed[name]
      const master = derived(Buffer.from(secrets[name]), '', 'at-rest')
      expect(keyId).to.equal(hash('sha256', master, 'base64url').slice(0, 6))
      expect(ring.keyIdsOf(appid)).to.deep.equal([keyId])
      for (const text of Object.values(texts)) expect(text.slice(0, 6)).to.equal(keyId)
    })

    it('is a session_key that opens for its session: the bytes of one in base64, the text of another', () => {
      for (const text of [sealed[name].sessionKey, sealed[name].sessionKeyAsText]) {
        expect(ring.open(text, SESSION)).to.equal(golden.sessionKey)
        expect(openedByHand(name, text, SESSION)).to.equal(golden.sessionKey)
      }
      expect(Buffer.from(sealed[name].sessionKey.slice(6), 'base64url')).to.have.length(12 + 16 + 16)
    })

    it('is a phone number and an access token that are found', async () => {
      const values = [
        [NUMBER, golden.valueIds.phoneNumber, sealed[name].phoneNumber, golden.phoneNumber],
        [ACCESS, golden.valueIds.accessToken, sealed[name].accessToken, golden.accessToken],
      ] as const
      for (const [binding, id, text, value] of values) {
        const vault = new Vault(asStore(await storeWith(id, text)), ring)
        expect((await vault.read(binding))?.value).to.deep.equal(value)
        expect(JSON.parse(openedByHand(name, text, binding))).to.deep.equal(value)
      }
    })

    it('is named by the handle of its user', () => {
      expect(ring.handlesOf({ appid, openid })).to.deep.equal([golden.handles[name]])
    })

    it('does not open under another key', () => {
      for (const other of NAMES.filter((another) => another !== name)) {
        expect(RINGS[other].open(sealed[name].sessionKey, SESSION)).to.equal(undefined)
        expect(() => openedByHand(other, sealed[name].sessionKey, SESSION)).to.throw()
      }
    })

    it('has the form that is written today', () => {
      const written = ring.seal(golden.sessionKey, SESSION)
      expect(written).to.have.length(sealed[name].sessionKey.length)
      expect(openedByHand(name, written, SESSION)).to.equal(golden.sessionKey)
    })
  })
}

for (const [version, records] of Object.entries(golden.records)) {
  describe(`a record of version ${version}`, () => {
    for (const [size, { text, record }] of Object.entries(records)) {
      it(`is read, and written byte for byte: ${size}`, () => {
        const present = Object.entries(decodeRecord(text, appid) ?? {}).filter(
          ([, value]) => value !== undefined,
        )
        expect(Object.fromEntries(present)).to.deep.equal(record)
        expect(encodeRecord(record as unknown as SessionRecord)).to.equal(text)
      })
    }

    it('gives its session_keys, the present one and the one before', async () => {
      const keyRing = createKeyRing([secrets.newer, secrets.older], APPS.all)
      const store = new MemoryStore()
      const [handle = ''] = keyRing.handlesOf({ appid, openid })
      await store.issue({
        address: { handle, sessionId },
        record: records.whole.text,
        loginDurationMs: HOUR,
        sessionDurationMs: HOUR,
        maxSessions: 1,
        onLimit: 'refuse',
        userInfoDurationMs: HOUR,
      })
      const keys = new SessionKeys({ apps: APPS, store: asStore(store), keyRing })
      const found = await keys.keysOf({ appid, openid })
      expect(found.map((sessionKey) => sessionKey.reveal())).to.deep.equal([
        golden.sessionKey,
        golden.previousSessionKey,
      ])
      const ref = { appid, openid, sessionId: publicIdOf({ handle, sessionId }) }
      expect((await keys.keyOf(ref))?.reveal()).to.equal(golden.sessionKey)
    })
  })
}

describe('the names of what lies in stores', () => {
  const digest = (text: string) => hash('sha256', text, 'buffer').subarray(0, 18).toString('base64url')

  it('are a digest of the token for a session', () => {
    expect(addressOf(golden.token)).to.deep.equal({ handle: golden.token.slice(0, 20), sessionId })
    expect(sessionId).to.equal(digest(`session\0${golden.token}`))
  })

  it('are digests of purpose, app and user for a value', () => {
    const { accessToken, phoneNumber, keysInUse } = golden.valueIds
    expect(valueIdOf(ACCESS))
      .to.equal(accessToken)
      .and.to.equal(digest(`value\0access_token\0${appid}\0`))
    expect(valueIdOf(NUMBER)).to.equal(phoneNumber)
    expect(phoneNumber).to.equal(digest(`value\0phone_number\0${appid}\0${openid}`))
    expect(valueIdOf({ purpose: 'keys in use', appid })).to.equal(keysInUse)
  })

  for (const [kind, { code, codeId, valueId, sealed: text, outcome }] of Object.entries(golden.outcomes)) {
    it(`are digests for a login code, under which its outcome is found: ${kind}`, async () => {
      expect(codeIdOf(appid, code))
        .to.equal(codeId)
        .and.to.equal(digest(`code\0${appid}\0${code}`))
      expect(valueIdOf({ purpose: `code_answer ${codeId}`, appid })).to.equal(valueId)
      const found = new CodeOutcomes(asStore(await storeWith(valueId, text))).find(loginCodeOf(appid, code))
      if (kind === 'grant') expect(await found).to.deep.equal(outcome as CodeGrant)
      else {
        const { error, message } = outcome as { error: string; message: string }
        expect(await failureOf(() => found)).to.include({ code: error, message })
      }
    })
  }
})
