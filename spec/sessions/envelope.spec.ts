import { createDecipheriv, hkdfSync } from 'node:crypto'
import { expect } from 'chai'
import fc from 'fast-check'
import { describe, it } from 'mocha'
import { deriveKey, open, seal } from '../../lib/sessions/envelope.js'
import { hkdf } from '../support/hkdf.js'
import vectors from '../vectors/hkdf-sha256.json' with { type: 'json' }

const KEY = deriveKey('a secret', 'a salt', 'a purpose')
const TEXT = 'tiihtNczf5v6AKRyjwEUhQ=='
const CONTEXT = 'wx1\0o1\0session'

function altered(sealed: string, change: (bytes: Buffer) => Buffer): string {
  return change(Buffer.from(sealed, 'base64url')).toString('base64url')
}

describe('deriveKey', () => {
  it('is HKDF-SHA256 with a purpose of this package', () => {
    const [secret, salt, info] = ['a secret', 'a salt', 'weapp-session/1/a purpose'].map((text) =>
      Buffer.from(text),
    )
    expect(KEY).to.deep.equal(hkdf(secret as Buffer, salt as Buffer, info as Buffer, 32))
  })

  it('is that of Node, whatever secret, salt and purpose are', () => {
    const secret = fc.oneof(fc.string(), fc.uint8Array().map(Buffer.from))
    const text = fc.string({ unit: 'grapheme' })
    fc.assert(
      fc.property(secret, text, text, (secret, salt, purpose) => {
        const expected = hkdfSync('sha256', secret, salt, `weapp-session/1/${purpose}`, 32)
        expect(deriveKey(secret, salt, purpose)).to.deep.equal(Buffer.from(expected))
      }),
    )
  })

  for (const { source, ...hex } of vectors) {
    it(`is compared with an HKDF that gives the published result: ${source}`, () => {
      const [ikm, salt, info] = [hex.ikm, hex.salt, hex.info].map((text) => Buffer.from(text, 'hex'))
      const okm = hkdf(ikm as Buffer, salt as Buffer, info as Buffer, hex.okm.length / 2)
      expect(okm.toString('hex')).to.equal(hex.okm)
    })
  }

  it('gives another key for another secret, salt or purpose', () => {
    const others = [
      deriveKey('another secret', 'a salt', 'a purpose'),
      deriveKey('a secret', 'another salt', 'a purpose'),
      deriveKey('a secret', 'a salt', 'another purpose'),
    ]
    expect(new Set([KEY, ...others].map(String)).size).to.equal(4)
  })
})

describe('seal and open', () => {
  it('give any text back', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.string(), (text, context) => {
        expect(open(KEY, seal(KEY, text, context), context)).to.equal(text)
      }),
    )
  })

  it('hide the text and use a new nonce each time', () => {
    const sealed = Array.from({ length: 1_000 }, () => seal(KEY, TEXT, CONTEXT))
    expect(new Set(sealed.map((text) => text.slice(0, 16))).size).to.equal(1_000)
    expect(Buffer.from(sealed[0] ?? '', 'base64url').toString('latin1')).to.not.include(TEXT)
  })

  it('make an envelope of nonce, AES-256-GCM ciphertext and tag, which others can open', () => {
    const bytes = Buffer.from(seal(KEY, TEXT, CONTEXT), 'base64url')
    expect(bytes).to.have.length(12 + TEXT.length + 16)
    const decipher = createDecipheriv('aes-256-gcm', KEY, bytes.subarray(0, 12))
    decipher.setAAD(Buffer.from(CONTEXT)).setAuthTag(bytes.subarray(-16))
    const text = decipher.update(bytes.subarray(12, -16), undefined, 'utf8') + decipher.final('utf8')
    expect(text).to.equal(TEXT)
  })
})

describe('open', () => {
  const sealed = seal(KEY, TEXT, CONTEXT)
  const size = Buffer.from(sealed, 'base64url').length

  it('answers nothing under another key', () => {
    expect(open(deriveKey('a secret', 'a salt', 'another purpose'), sealed, CONTEXT)).to.equal(undefined)
  })

  it('answers nothing in another context', () => {
    for (const context of ['', 'wx1\0o1\0', 'wx2\0o1\0session', `${CONTEXT}\0`])
      expect(open(KEY, sealed, context)).to.equal(undefined)
  })

  it('answers nothing when any single bit is another', () => {
    for (let bit = 0; bit < size * 8; bit += 1) {
      const flipped = altered(sealed, (bytes) => {
        bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7))
        return bytes
      })
      expect(open(KEY, flipped, CONTEXT), `bit ${bit}`).to.equal(undefined)
    }
  })

  it('answers nothing when it is cut at either end, down to nothing', () => {
    for (let left = 0; left < size; left += 1) {
      expect(
        open(
          KEY,
          altered(sealed, (bytes) => bytes.subarray(0, left)),
          CONTEXT,
        ),
      ).to.equal(undefined)
      expect(
        open(
          KEY,
          altered(sealed, (bytes) => bytes.subarray(size - left)),
          CONTEXT,
        ),
      ).to.equal(undefined)
    }
  })

  it('answers nothing when something is added', () => {
    const longer = altered(sealed, (bytes) => Buffer.concat([bytes, Buffer.from([0])]))
    expect(open(KEY, longer, CONTEXT)).to.equal(undefined)
  })

  it('answers nothing to any other text, and never throws', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.base64String({ maxLength: 200 })), (text) => {
        expect(open(KEY, text, CONTEXT)).to.equal(undefined)
      }),
    )
  })
})
