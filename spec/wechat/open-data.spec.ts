import { createCipheriv, randomBytes } from 'node:crypto'
import { expect } from 'chai'
import fc from 'fast-check'
import { describe, it } from 'mocha'
import { WeappError } from '../../lib/errors.js'
import {
  type Ciphertext,
  checkSignedData,
  decryptOpenData,
  type EncryptedData,
  isSignedBy,
  readCiphertext,
} from '../../lib/wechat/open-data.js'
import { everythingIn, weappErrorOf } from '../support/failures.js'
import decrypted from '../vectors/decrypt-vector.json' with { type: 'json' }
import signed from '../vectors/signature-vector.json' with { type: 'json' }

const OWNER = { appid: decrypted.appid, openid: 'oGZUI0egBJY1zhBYw2KhdUfwVJJE' }
const OTHER_KEY = 'AAAAAAAAAAAAAAAAAAAAAA=='
const SAMPLE_IV = Buffer.from(decrypted.iv, 'base64')
const SAMPLE = readCiphertext(decrypted)
const WATERMARK = { appid: OWNER.appid, timestamp: 1_477_314_187 }

/** What WeChat would send, had it these words to encrypt. */
function encrypted(
  plaintext: string | Buffer,
  iv = randomBytes(16),
  sessionKey = decrypted.sessionKey,
): Ciphertext {
  const cipher = createCipheriv('aes-128-cbc', Buffer.from(sessionKey, 'base64'), iv)
  return { iv, bytes: Buffer.concat([cipher.update(Buffer.from(plaintext as string)), cipher.final()]) }
}

function decryptText(plaintext: string | Buffer): unknown {
  return decryptOpenData(encrypted(plaintext), [decrypted.sessionKey], OWNER)
}

describe('readCiphertext', () => {
  it('takes more than 48 KiB for too large, in signed data as well', async () => {
    const tooLong = 'A'.repeat(48 * 1024 + 4)
    await weappErrorOf('ERR_BODY_TOO_LARGE', () => readCiphertext({ ...decrypted, encryptedData: tooLong }))
    await weappErrorOf('ERR_BODY_TOO_LARGE', () =>
      checkSignedData({ rawData: tooLong, signature: signed.signature }),
    )
  })

  it('decodes the published sample', () => {
    expect(SAMPLE.bytes).to.have.length(400)
    expect(SAMPLE.iv?.toString('base64')).to.equal(decrypted.iv)
  })

  it('needs no iv where the key itself is the iv', () => {
    const { encryptedData, iv } = decrypted
    expect(readCiphertext({ encryptedData, ivIsKey: true }).iv).to.equal(undefined)
    expect(readCiphertext({ encryptedData, iv, ivIsKey: true }).iv).to.deep.equal(SAMPLE_IV)
  })

  const block = 'A'.repeat(22)
  const malformed: [string, { encryptedData?: unknown; iv?: unknown }, string][] = [
    ['a blank for a plus', { encryptedData: decrypted.encryptedData.replace('+', ' ') }, 'in a JSON body'],
    ['a blank in the iv', { iv: `${block} =` }, 'iv has spaces where base64 has "+"'],
    [
      'the url-safe alphabet',
      { encryptedData: decrypted.encryptedData.replaceAll('/', '_') },
      'is not base64',
    ],
    ['a line break', { encryptedData: `${decrypted.encryptedData}\n` }, 'encryptedData is not base64'],
    ['a line break in the iv', { iv: `${decrypted.iv}\n` }, 'iv is not base64'],
    ['no padding', { iv: block }, 'iv is not base64'],
    ['padding in the middle', { encryptedData: `${block}==${block}==` }, 'encryptedData is not base64'],
    ['nothing', { encryptedData: '' }, 'not a whole number of blocks'],
    ['half a block', { encryptedData: Buffer.alloc(24).toString('base64') }, 'not a whole number of blocks'],
    ['an iv of 15 bytes', { iv: Buffer.alloc(15).toString('base64') }, 'iv must decode to 16 bytes'],
    ['an iv of 32 bytes', { iv: Buffer.alloc(32).toString('base64') }, 'iv must decode to 16 bytes'],
    ['an empty iv', { iv: '' }, 'iv must decode to 16 bytes'],
    ['no encryptedData', { encryptedData: undefined }, 'encryptedData must be a base64 string'],
    ['no iv', { iv: undefined }, 'iv must be a base64 string'],
    ['an iv that is a list', { iv: [decrypted.iv] }, 'iv must be a base64 string'],
  ]
  for (const [what, change, message] of malformed) {
    it(`refuses ${what}, and does not repeat it`, async () => {
      const { encryptedData, iv } = { ...decrypted, ...change }
      const error = await weappErrorOf('ERR_DATA_MALFORMED', () =>
        readCiphertext({ encryptedData, iv } as EncryptedData),
      )
      expect(error.message).to.include(message)
      expect(everythingIn(error)).to.not.include(decrypted.encryptedData.slice(0, 20))
    })
  }
})

describe('decryptOpenData', () => {
  it('decrypts the published sample', () => {
    expect(decryptOpenData(SAMPLE, [decrypted.sessionKey], OWNER)).to.deep.equal(
      JSON.parse(decrypted.plaintext),
    )
  })

  it('tries one key after the other', () => {
    const keys = [OTHER_KEY, 'no key', '', decrypted.sessionKey]
    expect(decryptOpenData(SAMPLE, keys, OWNER)).to.deep.equal(JSON.parse(decrypted.plaintext))
  })

  it('answers nothing without a key that fits', () => {
    const tooLong = Buffer.alloc(32).toString('base64')
    for (const keys of [[], [OTHER_KEY], [''], ['no key'], [tooLong]])
      expect(decryptOpenData(SAMPLE, keys, OWNER)).to.equal(undefined)
  })

  it('is not taken in by a wrong key under which the padding looks right', () => {
    // One key in 256 gets past the padding, so a few of these do.
    for (let index = 0; index < 2_000; index += 1)
      expect(decryptOpenData(SAMPLE, [randomBytes(16).toString('base64')], OWNER)).to.equal(undefined)
  })

  it('answers nothing for the data of another app or another user', () => {
    const keys = [decrypted.sessionKey]
    expect(decryptOpenData(SAMPLE, keys, { ...OWNER, appid: 'wx0000000000000000' })).to.equal(undefined)
    expect(decryptOpenData(SAMPLE, keys, { ...OWNER, openid: 'oGZUI0egBJY1zhBYw2KhdUfwVJJF' })).to.equal(
      undefined,
    )
  })

  describe('of 2016, whose iv is the key itself', () => {
    const key = Buffer.from(decrypted.sessionKey, 'base64')
    const read = ({ bytes }: Ciphertext) =>
      readCiphertext({ encryptedData: bytes.toString('base64'), ivIsKey: true })

    it('decrypts with the key that fits', () => {
      const data = read(encrypted(decrypted.plaintext, key))
      expect(decryptOpenData(data, [OTHER_KEY, decrypted.sessionKey], OWNER)).to.deep.equal(
        JSON.parse(decrypted.plaintext),
      )
    })

    it('answers nothing without that key, for somebody else, or for data with an iv of its own', () => {
      const data = read(encrypted(decrypted.plaintext, key))
      const keys = [decrypted.sessionKey]
      expect(decryptOpenData(data, [OTHER_KEY], OWNER)).to.equal(undefined)
      expect(decryptOpenData(data, keys, { ...OWNER, openid: 'another' })).to.equal(undefined)
      expect(decryptOpenData(data, keys, { ...OWNER, appid: 'another' })).to.equal(undefined)
      expect(decryptOpenData(read(SAMPLE), keys, OWNER)).to.equal(undefined)
    })
  })

  it('is not confused by texts that look like names of fields', () => {
    const data = { 'a"b': '"c":"d"', e: '\\":', f: [{ g: '":' }, ':', { h: {} }], watermark: WATERMARK }
    expect(decryptText(JSON.stringify(data))).to.deep.equal(data)
    expect(decryptText(JSON.stringify(data, null, 2))).to.deep.equal(data)
  })

  it('answers nothing for a text that is not UTF-8, whatever else it is', () => {
    const text = Buffer.from(JSON.stringify({ nickName: '微', watermark: WATERMARK }))
    expect(decryptText(text)).to.not.equal(undefined)
    for (const broken of [0xff, 0xc0, 0xed, 0x80]) {
      const bytes = Buffer.from(text)
      bytes[text.indexOf('微')] = broken
      expect(decryptText(bytes)).to.equal(undefined)
    }
  })

  it('answers data that names no user, as that of getUserProfile', () => {
    const data = { nickName: '微信用户', watermark: WATERMARK }
    expect(decryptText(JSON.stringify(data))).to.deep.equal(data)
  })

  const unusable: [string, string][] = [
    ['null', 'null'],
    ['a number', '42'],
    ['a text', '"watermark"'],
    ['a list', '[]'],
    ['an empty object', '{}'],
    ['no JSON', 'watermark'],
    ['nothing at all', ''],
    ['a field twice', `{"nickName":"a","nickName":"b","watermark":${JSON.stringify(WATERMARK)}}`],
    ['a field twice, once in other letters', `{"a":1,"\\u0061":2,"watermark":${JSON.stringify(WATERMARK)}}`],
    ['a field twice, deep inside', `{"list":[{"a":1,"a":2}],"watermark":${JSON.stringify(WATERMARK)}}`],
    ['a mark of the byte order in front', `\uFEFF${JSON.stringify({ watermark: WATERMARK })}`],
    ['a watermark that is null', '{"watermark":null}'],
    ['a watermark without appid', '{"watermark":{"timestamp":1}}'],
    ['a watermark that is the appid', JSON.stringify({ watermark: OWNER.appid })],
    ['an openId that is null', JSON.stringify({ openId: null, watermark: WATERMARK })],
    ['an openId in a list', JSON.stringify({ openId: [OWNER.openid], watermark: WATERMARK })],
  ]
  for (const [what, plaintext] of unusable) {
    it(`answers nothing when ${what} was encrypted`, () => {
      expect(decryptText(plaintext)).to.equal(undefined)
    })
  }

  it('never throws anything but a WeappError, and never gives another openId, however the data are altered', () => {
    const mutation = fc.record({
      where: fc.constantFrom('bytes' as const, 'iv' as const),
      at: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      xor: fc.integer({ min: 1, max: 255 }),
      cut: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(400) }),
    })
    fc.assert(
      fc.property(fc.array(mutation, { minLength: 1, maxLength: 4 }), (mutations) => {
        const altered = { bytes: Buffer.from(SAMPLE.bytes), iv: Buffer.from(SAMPLE_IV) }
        for (const { where, at, xor, cut } of mutations) {
          const index = Math.floor(at * altered[where].length)
          altered[where][index] = (altered[where][index] ?? 0) ^ xor
          altered.bytes = altered.bytes.subarray(0, altered.bytes.length - cut)
        }
        try {
          const encryptedData = altered.bytes.toString('base64')
          const data = readCiphertext({ encryptedData, iv: altered.iv.toString('base64') })
          const openData = decryptOpenData(data, [decrypted.sessionKey], OWNER)
          if (!openData) return
          expect(openData.watermark.appid).to.equal(OWNER.appid)
          expect([undefined, OWNER.openid]).to.include(openData.openId)
        } catch (error) {
          if (!(error instanceof WeappError)) throw error
          expect(error.code).to.equal('ERR_DATA_MALFORMED')
        }
      }),
      { numRuns: 2_000 },
    )
  })

  it('refuses an openId that was altered through the iv, which leaves JSON and watermark whole', () => {
    const iv = Buffer.from(SAMPLE_IV)
    iv[11] = (iv[11] ?? 0) ^ 1
    const altered = { ...SAMPLE, iv }
    expect(decryptOpenData(altered, [decrypted.sessionKey], OWNER)).to.equal(undefined)
    const thief = { ...OWNER, openid: `n${OWNER.openid.slice(1)}` }
    expect(decryptOpenData(altered, [decrypted.sessionKey], thief)).to.include({ openId: thief.openid })
  })
})

describe('checkSignedData', () => {
  it('takes the published sample', () => {
    expect(() => checkSignedData(signed)).to.not.throw()
  })

  const malformed: [string, Record<string, unknown>, string][] = [
    [
      'a signature in upper case',
      { signature: signed.signature.toUpperCase() },
      'signature must be 40 lowercase hex',
    ],
    [
      'a signature of 39 digits',
      { signature: signed.signature.slice(1) },
      'signature must be 40 lowercase hex',
    ],
    [
      'a signature with a line break',
      { signature: `${signed.signature}\n` },
      'signature must be 40 lowercase hex',
    ],
    ['no signature', { signature: undefined }, 'signature must be 40 lowercase hex'],
    ['rawData that was parsed', { rawData: JSON.parse(signed.rawData) }, 'rawData must be a string'],
  ]
  for (const [what, change, message] of malformed) {
    it(`refuses ${what}`, async () => {
      const { rawData, signature } = { ...signed, ...change }
      const error = await weappErrorOf('ERR_DATA_MALFORMED', () =>
        checkSignedData({ rawData, signature } as typeof signed),
      )
      expect(error.message).to.include(message)
    })
  }
})

describe('isSignedBy', () => {
  it('knows the published sample, among other keys too', () => {
    expect(isSignedBy(signed, [signed.sessionKey])).to.equal(true)
    expect(isSignedBy(signed, [OTHER_KEY, signed.sessionKey])).to.equal(true)
  })

  it('does not know it by another key, or by none', () => {
    expect(isSignedBy(signed, [OTHER_KEY])).to.equal(false)
    expect(isSignedBy(signed, [])).to.equal(false)
  })

  it('does not know it once a byte of it has changed', () => {
    const reserialised = JSON.stringify(JSON.parse(signed.rawData), null, 1)
    const signature = signed.signature.replace(/.$/, '0')
    expect(isSignedBy({ ...signed, rawData: reserialised }, [signed.sessionKey])).to.equal(false)
    expect(isSignedBy({ ...signed, signature }, [signed.sessionKey])).to.equal(false)
  })
})
