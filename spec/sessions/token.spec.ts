import { createHmac, createSecretKey, hash } from 'node:crypto'
import { expect } from 'chai'
import fc from 'fast-check'
import { describe, it } from 'mocha'
import {
  addressNamed,
  addressOf,
  codeIdOf,
  groupIn,
  groupOf,
  handleIn,
  handleOf,
  newToken,
  publicIdOf,
  type SessionAddress,
  valueIdOf,
} from '../../lib/sessions/token.js'

const APPID = 'wx4f4bc4dec97d474b'
const OPENID = 'oGZUI0egBJY1zhBYw2KhdUfwVJJE'
const KEY = createSecretKey(Buffer.alloc(32, 'k'))
const HANDLE = handleOf(KEY, APPID, OPENID)

// Neither appids nor openids nor codes hold control characters.
const name = fc.stringMatching(/^[\x21-\x7e]{1,40}$/)
const secretPart = fc.stringMatching(/^[A-Za-z0-9_-]{44}$/)

describe('handleOf', () => {
  it('is the group of the app, then a truncated HMAC-SHA-256 of appid and openid', () => {
    const digest = createHmac('sha256', KEY).update(`handle\0${APPID}\0${OPENID}`).digest().subarray(0, 12)
    expect(HANDLE)
      .to.equal(groupOf(APPID) + digest.toString('base64url'))
      .and.to.have.length(20)
  })

  it('stays the same for a user of an app, and is another for every other user and app', () => {
    fc.assert(
      fc.property(name, name, name, name, (appid, openid, otherAppid, otherOpenid) => {
        const isSame = appid === otherAppid && openid === otherOpenid
        expect(handleOf(KEY, appid, openid) === handleOf(KEY, otherAppid, otherOpenid)).to.equal(isSame)
      }),
    )
  })

  it('tells apart where the appid ends and the openid begins', () => {
    expect(handleOf(KEY, 'wx1', '23')).to.not.equal(handleOf(KEY, 'wx12', '3'))
  })
})

describe('groupOf', () => {
  it('is a truncated SHA-256 of the appid, which needs no key', () => {
    const digest = hash('sha256', `group\0${APPID}`, 'buffer').subarray(0, 3)
    expect(groupOf(APPID))
      .to.equal(digest.toString('base64url'))
      .and.to.match(/^[A-Za-z0-9_-]{4}$/)
  })

  it('is what the handles and tokens of all users of the app begin with, under every key', () => {
    fc.assert(
      fc.property(name, name, fc.uint8Array({ minLength: 32, maxLength: 32 }), (appid, openid, bytes) => {
        const handle = handleOf(createSecretKey(bytes), appid, openid)
        expect([groupIn(handle), groupIn(newToken(handle))]).to.deep.equal([groupOf(appid), groupOf(appid)])
      }),
    )
  })
})

describe('a handle', () => {
  it('is another under another key, so that nobody without the key can tell whose it is', () => {
    expect(handleOf(createSecretKey(Buffer.alloc(32, 'K')), APPID, OPENID)).to.not.equal(HANDLE)
  })

  it('stands in front of a token', () => {
    expect(handleIn(newToken(HANDLE))).to.equal(HANDLE)
  })
})

describe('newToken', () => {
  it('is the handle and 33 random bytes, 64 base64url characters in all', () => {
    const token = newToken(HANDLE)
    expect(token).to.match(/^[A-Za-z0-9_-]{64}$/)
    expect(token.slice(0, 20)).to.equal(HANDLE)
    expect(Buffer.from(token.slice(20), 'base64url')).to.have.length(33)
  })

  it('is never the same twice', () => {
    const tokens = Array.from({ length: 1_000 }, () => newToken(HANDLE))
    expect(new Set(tokens).size).to.equal(1_000)
  })
})

describe('addressOf', () => {
  it('is the handle in front and a truncated SHA-256 of the whole token', () => {
    const token = `${HANDLE}${'A'.repeat(44)}`
    const digest = hash('sha256', `session\0${token}`, 'buffer').subarray(0, 18)
    expect(addressOf(token)).to.deep.equal({ handle: HANDLE, sessionId: digest.toString('base64url') })
  })

  it('gives away no part of the secret', () => {
    fc.assert(
      fc.property(secretPart, (secret) => {
        const { sessionId = '' } = addressOf(HANDLE + secret) ?? {}
        expect(sessionId).to.match(/^[\w-]{24}$/)
        for (let at = 0; at + 6 <= secret.length; at += 1)
          expect(sessionId.includes(secret.slice(at, at + 6))).to.equal(false)
      }),
    )
  })

  it('is another for a token that differs in one character', () => {
    const token = newToken(HANDLE)
    fc.assert(
      fc.property(fc.nat(63), (at) => {
        const other = token.slice(0, at) + (token[at] === 'A' ? 'B' : 'A') + token.slice(at + 1)
        expect(addressOf(other)?.sessionId).to.be.a('string').and.not.equal(addressOf(token)?.sessionId)
      }),
    )
  })

  it('is nothing for any text that is not 64 base64url characters', () => {
    const almost = fc
      .tuple(
        secretPart,
        fc.nat(63),
        fc.constantFrom('', '=', '+', '/', ' ', '.', '\n', '\0', 'é', '！', 'AB'),
      )
      .map(([secret, at, wrong]) => {
        const token = HANDLE + secret
        return token.slice(0, at) + wrong + token.slice(at + 1)
      })
    const anything = fc.oneof(
      fc.string(),
      fc.string({ unit: 'binary', minLength: 60, maxLength: 68 }),
      almost,
    )
    fc.assert(
      fc.property(anything, (text) => {
        fc.pre(!/^[\w-]{64}$/.test(text))
        expect(addressOf(text)).to.equal(undefined)
      }),
      { numRuns: 1_000 },
    )
  })

  it('is nothing for a token with something in front or behind', () => {
    const token = newToken(HANDLE)
    for (const text of [`${token}\n`, `\n${token}`, ` ${token}`, `${token}=`, `${token}${token}`, ''])
      expect(addressOf(text)).to.equal(undefined)
  })
})

describe('the public id of a session', () => {
  const address = addressOf(newToken(HANDLE)) as SessionAddress

  it('is the handle of the user and the id there, and leads back to both', () => {
    expect(publicIdOf(address))
      .to.equal(HANDLE + address.sessionId)
      .and.have.length(44)
    expect(addressNamed(publicIdOf(address))).to.deep.equal(address)
  })

  it('is no token, and no token is one', () => {
    expect(addressOf(publicIdOf(address))).to.equal(undefined)
    expect(addressNamed(newToken(HANDLE))).to.equal(undefined)
  })

  it('is 44 characters of base64url and nothing else', () => {
    const id = 'A'.repeat(44)
    expect(addressNamed(id)).to.deep.equal({ handle: 'A'.repeat(20), sessionId: 'A'.repeat(24) })
    for (const text of [
      '',
      id.slice(1),
      `${id}A`,
      id.slice(20),
      `${id}\n`,
      `${id.slice(1)}*`,
      `{${id.slice(2)}}`,
    ])
      expect(addressNamed(text), text).to.equal(undefined)
  })
})

describe('codeIdOf', () => {
  it('is another for each code and each app, and holds no part of the code', () => {
    const code = '0a3kFq000aX1bP1KXY200Z9QyV2kFq0s'
    expect(codeIdOf(APPID, code)).to.equal(codeIdOf(APPID, code)).and.have.length(24)
    expect(codeIdOf(APPID, `${code}1`)).to.not.equal(codeIdOf(APPID, code))
    expect(codeIdOf('wx1', code)).to.not.equal(codeIdOf(APPID, code))
    expect(code).to.not.include(codeIdOf(APPID, code).slice(0, 6))
  })
})

describe('valueIdOf', () => {
  const OF_USER = { purpose: 'phone_number', appid: APPID, openid: OPENID }

  it('is a truncated SHA-256 of purpose, appid and openid', () => {
    const text = `value\0phone_number\0${APPID}\0${OPENID}`
    const digest = hash('sha256', text, 'buffer').subarray(0, 18).toString('base64url')
    expect(valueIdOf(OF_USER)).to.equal(digest).and.to.have.length(24)
  })

  it('is that of the app as a whole where no user is named', () => {
    const ofApp = { purpose: 'access_token', appid: APPID }
    expect(valueIdOf(ofApp)).to.equal(valueIdOf({ ...ofApp, openid: '' }))
    expect(valueIdOf(ofApp)).to.not.equal(valueIdOf({ ...ofApp, openid: OPENID }))
  })

  it('stays the same for a purpose, an app and a user, and is another for all others', () => {
    const of = fc.record({ purpose: name, appid: name, openid: name })
    fc.assert(
      fc.property(of, of, (one, other) => {
        expect(valueIdOf(one)).to.equal(valueIdOf({ ...one }))
        for (const part of ['purpose', 'appid', 'openid'] as const) {
          const changed = { ...one, [part]: other[part] }
          expect(valueIdOf(changed) === valueIdOf(one)).to.equal(changed[part] === one[part])
        }
      }),
    )
  })

  it('tells apart where purpose, appid and openid end', () => {
    const ids = [
      { purpose: 'a', appid: 'bc', openid: 'd' },
      { purpose: 'ab', appid: 'c', openid: 'd' },
      { purpose: 'a', appid: 'b', openid: 'cd' },
    ].map(valueIdOf)
    expect(new Set(ids).size).to.equal(3)
  })

  it('gives away neither app nor user', () => {
    const id = valueIdOf(OF_USER)
    for (const secret of [APPID, OPENID, HANDLE])
      for (let at = 0; at + 6 <= secret.length; at += 1) expect(id).to.not.include(secret.slice(at, at + 6))
  })
})

describe('the digests of one text', () => {
  it('differ with what they are for', () => {
    const handle = handleOf(KEY, 'a', 'b')
    const codeId = codeIdOf('a', 'b')
    expect(codeId.slice(0, 20)).to.not.equal(handle)
    expect([codeId, handle]).to.not.include(valueIdOf({ purpose: 'a', appid: 'b' }))
    expect(valueIdOf({ purpose: 'code', appid: 'a', openid: 'b' })).to.not.equal(codeId)
    const token = newToken(HANDLE)
    const plain = hash('sha256', token, 'buffer').subarray(0, 18).toString('base64url')
    expect(addressOf(token)?.sessionId).to.not.equal(plain)
  })
})
