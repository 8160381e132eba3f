import { expect } from 'chai'
import fc from 'fast-check'
import { describe, it } from 'mocha'
import type { App } from '../../lib/sessions/app-info.js'
import { createApps } from '../../lib/sessions/apps.js'
import { checkSecrets, createKeyRing, type KeyBinding } from '../../lib/sessions/key-ring.js'

const SESSION_KEY = 'tiihtNczf5v6AKRyjwEUhQ=='
const OLD = 'an old secret of the operator, 2025'
const NEW = 'a new secret of the operator, 2026!'
const APPS = apps({ appid: 'wx1', secret: 'secret of wx1' }, { appid: 'wx2', secret: 'secret of wx2' })
const BINDING: KeyBinding = { appid: 'wx1', openid: 'o1', sessionId: 'session1' }

function apps(...infos: { appid: string; secret: string }[]): readonly App[] {
  return createApps('apps', infos, 0.02).all
}

describe('a key ring', () => {
  it('opens what it has sealed', () => {
    const ring = createKeyRing([NEW], APPS)
    expect(ring.open(ring.seal(SESSION_KEY, BINDING), BINDING)).to.equal(SESSION_KEY)
  })

  it('opens with a ring of the same secrets in another process', () => {
    const sealed = createKeyRing([NEW], APPS).seal(SESSION_KEY, BINDING)
    expect(createKeyRing([NEW], APPS).open(sealed, BINDING)).to.equal(SESSION_KEY)
  })

  it('shows neither the session_key nor the secret in what it seals', () => {
    const sealed = createKeyRing([NEW], APPS).seal(SESSION_KEY, BINDING)
    expect(sealed).to.match(/^[\w-]{6}[\w-]{59}$/)
    expect(Buffer.from(sealed.slice(6), 'base64url').includes(Buffer.from(SESSION_KEY, 'base64'))).to.equal(
      false,
    )
    expect(sealed).to.not.include(NEW.slice(0, 6))
  })

  it('seals the 16 bytes of a session_key in base64, and any other secret as the text that it is', () => {
    const ring = createKeyRing([NEW], APPS)
    const unpadded = SESSION_KEY.slice(0, -2)
    const texts = [
      unpadded,
      ` ${SESSION_KEY}`,
      `${SESSION_KEY}\n`,
      SESSION_KEY.replace('Q=', 'R='),
      'tiihtNczf5v6AKRyjwEU',
      'sixteen letters!',
      '{"number":"138"}',
      '-_ihtNczf5v6AKRyjwEUhQ==',
      '',
    ]
    expect(ring.seal(SESSION_KEY, BINDING)).to.have.length(6 + 59)
    for (const text of texts) {
      const sealed = ring.seal(text, BINDING)
      expect(sealed, text).to.match(/^[\w-]{6}\./)
      expect(ring.open(sealed, BINDING)).to.equal(text)
    }
  })

  it('gives back whatever it has sealed', () => {
    const ring = createKeyRing([NEW], APPS)
    const bytes = fc.uint8Array({ maxLength: 20 }).map((array) => Buffer.from(array))
    const secrets = fc.oneof(
      bytes.map((key) => key.toString('base64')),
      bytes.map((key) => key.toString('base64url')),
      fc.string({ unit: 'grapheme', maxLength: 30 }),
    )
    fc.assert(fc.property(secrets, (text) => ring.open(ring.seal(text, BINDING), BINDING) === text))
  })

  it('opens no text as bytes, and no bytes as a text', () => {
    const ring = createKeyRing([NEW], APPS)
    const text = ring.seal('sixteen letters!', BINDING)
    expect(ring.open(text.replace('.', ''), BINDING)).to.equal(undefined)
    const bytes = ring.seal(SESSION_KEY, BINDING)
    expect(ring.open(`${bytes.slice(0, 6)}.${bytes.slice(6)}`, BINDING)).to.equal(undefined)
  })

  it('seals with the newest secret', () => {
    const sealed = createKeyRing([NEW, OLD], APPS).seal(SESSION_KEY, BINDING)
    expect(createKeyRing([NEW], APPS).open(sealed, BINDING)).to.equal(SESSION_KEY)
    expect(createKeyRing([OLD], APPS).open(sealed, BINDING)).to.equal(undefined)
  })

  it('still opens what an older secret sealed, until that is taken out', () => {
    const sealed = createKeyRing([OLD], APPS).seal(SESSION_KEY, BINDING)
    expect(createKeyRing([NEW, OLD], APPS).open(sealed, BINDING)).to.equal(SESSION_KEY)
    expect(createKeyRing([NEW], APPS).open(sealed, BINDING)).to.equal(undefined)
  })

  const elsewhere: [string, Partial<KeyBinding>][] = [
    ['app', { appid: 'wx2' }],
    ['user', { openid: 'o2' }],
    ['session', { sessionId: 'session2' }],
    ['purpose', { purpose: 'phone_number' }],
  ]
  for (const [what, change] of elsewhere) {
    it(`does not open for another ${what}`, () => {
      const ring = createKeyRing([NEW], APPS)
      const sealed = ring.seal(SESSION_KEY, BINDING)
      expect(ring.open(sealed, { ...BINDING, ...change })).to.equal(undefined)
    })
  }

  it('tells apart where appid, openid and session id end', () => {
    const ring = createKeyRing([NEW], APPS)
    const sealed = ring.seal(SESSION_KEY, { ...BINDING, appid: 'wx1', openid: '2o1' })
    expect(ring.open(sealed, { ...BINDING, appid: 'wx12', openid: 'o1' })).to.equal(undefined)
  })

  it('seals a session_key where no purpose is named', () => {
    const ring = createKeyRing([NEW], APPS)
    const sealed = ring.seal(SESSION_KEY, BINDING)
    expect(ring.open(sealed, { ...BINDING, purpose: 'session_key' })).to.equal(SESSION_KEY)
  })

  it('seals for a user or for an app as a whole, each apart from the other and for each purpose', () => {
    const ring = createKeyRing([NEW], APPS)
    const bindings: KeyBinding[] = [
      { appid: 'wx1', purpose: 'access_token' },
      { appid: 'wx2', purpose: 'access_token' },
      { appid: 'wx1', purpose: 'phone_number' },
      { appid: 'wx1', openid: 'o1', purpose: 'phone_number' },
      { appid: 'wx1', openid: 'o2', purpose: 'phone_number' },
      { appid: 'wx1', openid: 'o1', sessionId: 'o1', purpose: 'phone_number' },
      { appid: 'wx1', openid: 'o1' },
      BINDING,
    ]
    for (const own of bindings) {
      const sealed = ring.seal(SESSION_KEY, own)
      const opening = bindings.filter((binding) => ring.open(sealed, binding) !== undefined)
      expect(opening).to.deep.equal([own])
    }
  })

  it('answers nothing to any other text, and never throws', () => {
    const ring = createKeyRing([NEW], APPS)
    const sealed = ring.seal(SESSION_KEY, BINDING)
    const tail = fc.string({ unit: 'binary', maxLength: 100 })
    const hostile = fc.oneof(
      tail,
      tail.map((text) => sealed.slice(0, 7) + text),
      fc.nat(sealed.length - 1).map((length) => sealed.slice(0, length)),
    )
    fc.assert(
      fc.property(hostile, (text) => {
        expect(ring.open(text, BINDING)).to.equal(undefined)
      }),
    )
  })
})

describe('a key ring without secrets', () => {
  it('keeps the session_keys of each app under its AppSecret', () => {
    const ring = createKeyRing(undefined, APPS)
    const sealed = ring.seal(SESSION_KEY, BINDING)
    expect(ring.open(sealed, BINDING)).to.equal(SESSION_KEY)

    const alone = createKeyRing(undefined, apps({ appid: 'wx1', secret: 'secret of wx1' }))
    const reset = createKeyRing(undefined, apps({ appid: 'wx1', secret: 'another secret' }))
    expect(alone.open(sealed, BINDING)).to.equal(SESSION_KEY)
    expect(reset.open(sealed, BINDING)).to.equal(undefined)
  })

  it('has another key for each app', () => {
    const ring = createKeyRing(undefined, APPS)
    const [first, second] = ['wx1', 'wx2'].map((appid) => ring.seal(SESSION_KEY, { ...BINDING, appid }))
    expect(first?.slice(0, 6)).to.not.equal(second?.slice(0, 6))
  })

  it('does not seal for an app that is not configured', () => {
    const ring = createKeyRing(undefined, APPS)
    expect(() => ring.seal(SESSION_KEY, { ...BINDING, appid: 'wx3' })).to.throw(
      TypeError,
      'an app that is configured',
    )
  })
})

describe('the handles of a user', () => {
  const handles = (secrets: readonly string[] | undefined, appid = 'wx1', openid = 'o1') =>
    createKeyRing(secrets, APPS).handlesOf({ appid: appid, openid: openid })

  it('are one for each secret, newest first', () => {
    expect(handles([NEW])).to.have.length(1)
    expect(handles([NEW, OLD])).to.deep.equal([...handles([NEW]), ...handles([OLD])])
    expect(handles([NEW])).to.not.deep.equal(handles([OLD]))
  })

  it('are others for each user and app, and have the form of one', () => {
    const all = [handles([NEW]), handles([NEW], 'wx2'), handles([NEW], 'wx1', 'o2')].flat()
    expect(new Set(all).size).to.equal(3)
    for (const handle of all) expect(handle).to.match(/^[\w-]{20}$/)
  })

  it('are one under the AppSecret without secrets, which a ring keeps that names it as an old secret', () => {
    const AppSecret = 'an AppSecret of 32 hex digits or so'
    const before = createKeyRing(undefined, apps({ appid: 'wx1', secret: AppSecret }))
    const [handle = ''] = before.handlesOf({ appid: 'wx1', openid: 'o1' })
    const sealed = before.seal(SESSION_KEY, BINDING)
    const after = createKeyRing([NEW, AppSecret], apps({ appid: 'wx1', secret: 'a new AppSecret' }))
    expect(after.handlesOf({ appid: 'wx1', openid: 'o1' })[1]).to.equal(handle)
    expect(after.open(sealed, BINDING)).to.equal(SESSION_KEY)
  })

  it('are none without secrets for an app that is not configured', () => {
    expect(handles(undefined, 'wx9')).to.deep.equal([])
  })
})

describe('checkSecrets', () => {
  it('takes secrets of 32 characters or more, or none to derive them', () => {
    expect(() => checkSecrets('keys', ['x'.repeat(32), NEW])).to.not.throw()
    expect(() => checkSecrets('keys', undefined)).to.not.throw()
  })

  it('refuses what is not a list of one or more', () => {
    for (const secrets of [[], null, NEW, { 0: NEW }, 42])
      expect(() => checkSecrets('keys', secrets)).to.throw(
        TypeError,
        'keys must be an array of one or more secrets',
      )
  })

  it('names the secret that is too short, and does not show it', () => {
    expect(() => checkSecrets('keys', [NEW, 'x'.repeat(31)])).to.throw(
      TypeError,
      /^keys\[1\] must be a string of at least 32 characters, not a string of 31 characters$/,
    )
    for (const secret of [undefined, null, 42, Buffer.alloc(32)])
      expect(() => checkSecrets('keys', [secret])).to.throw(TypeError, /^keys\[0\] must be a string/)
  })
})
