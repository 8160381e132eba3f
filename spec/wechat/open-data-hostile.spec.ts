import { createCipheriv } from 'node:crypto'
import { expect } from 'chai'
import fc from 'fast-check'
import { describe, it } from 'mocha'
import { WeappError } from '../../lib/errors.js'
import { type DataOwner, decryptOpenData, type OpenData, readCiphertext } from '../../lib/wechat/open-data.js'

const BLOCK_BYTES = 16
const APPID = 'wx4f4bc4dec97d474b'
const MADE_AT = 1_477_314_187
const OWNER: DataOwner = { appid: APPID, openid: 'oOwner0egBJY1zhBYw2KhdUfwVJJ' }
const OTHER: DataOwner = { appid: APPID, openid: 'oOther0egBJY1zhBYw2KhdUfwVJJ' }
const OWNER_KEYS = ['tiihtNczf5v6AKRyjwEUhQ==', 'HyVFkGl5F5OQWJZZaNzBBg==']
const OTHER_KEY = 'o0q0otL8aEzpcZL/FT9WsQ=='
/** Longer than what a flipped bit could write by chance. */
const OTHER_MARK = 'the-other-user'

interface Sample {
  readonly bytes: Buffer
  readonly iv: Buffer
}

const watermark = { timestamp: MADE_AT, appid: APPID }

/** What WeChat encrypts for a user: a profile, a phone number and steps; the last two do not name the user. */
function plaintextsOf({ openid }: DataOwner, mark: string): object[] {
  return [
    { openId: openid, nickName: mark, city: '广州', avatarUrl: `https://wx.qlogo.cn/${mark}/0`, watermark },
    { phoneNumber: mark, purePhoneNumber: mark, countryCode: '86', watermark },
    { stepInfoList: [{ timestamp: MADE_AT, step: 5_000 }], remark: mark, watermark },
  ]
}

/** With ivs of its own, fixed so that a failing case fails again. */
function encrypted(fields: object, key: string, index: number): Sample {
  const iv = Buffer.alloc(BLOCK_BYTES, `iv ${index} of ${key}`)
  const cipher = createCipheriv('aes-128-cbc', Buffer.from(key, 'base64'), iv)
  return { iv, bytes: Buffer.concat([cipher.update(JSON.stringify(fields), 'utf8'), cipher.final()]) }
}

const OWN = OWNER_KEYS.flatMap((key) =>
  plaintextsOf(OWNER, 'the-owner').map((fields, index) => encrypted(fields, key, index)),
)
const OTHERS = plaintextsOf(OTHER, OTHER_MARK).map((fields, index) => encrypted(fields, OTHER_KEY, index))
/** The other user's data under the owner's key, as after a mix-up: no whole copy of it may get through. */
const MIXED_UP = encrypted(plaintextsOf(OTHER, OTHER_MARK)[0] ?? {}, OWNER_KEYS[0] ?? '', 9)

/** What the server makes of it for the owner; nothing also stands for a refusal. Other exceptions go through. */
function receive({ bytes, iv }: Sample, keys = OWNER_KEYS, owner = OWNER): OpenData | undefined {
  try {
    const data = readCiphertext({ encryptedData: bytes.toString('base64'), iv: iv.toString('base64') })
    return decryptOpenData(data, keys, owner)
  } catch (error) {
    if (error instanceof WeappError && error.code === 'ERR_DATA_MALFORMED') return undefined
    throw error
  }
}

function expectOwn(data: OpenData | undefined): void {
  if (data === undefined) return
  expect(data.watermark.appid).to.equal(APPID)
  expect([undefined, OWNER.openid]).to.include(data.openId)
  expect(JSON.stringify(data)).to.not.include(OTHER_MARK).and.not.include(OTHER.openid)
}

const own = fc.constantFrom(...OWN)
const others = fc.constantFrom(...OTHERS)
const ivs = fc.oneof(
  fc.constantFrom(...OWN, ...OTHERS).map(({ iv }) => iv),
  fc.uint8Array({ minLength: BLOCK_BYTES, maxLength: BLOCK_BYTES }).map((bytes) => Buffer.from(bytes)),
)
const flips = fc.array(fc.record({ at: fc.nat(), bit: fc.nat(7) }), { minLength: 1, maxLength: 3 })
const picks = fc.array(fc.nat(), { minLength: 1, maxLength: 30 })

function flipped(bytes: Buffer, bits: readonly { at: number; bit: number }[]): Buffer {
  const copy = Buffer.from(bytes)
  for (const { at, bit } of bits)
    copy.writeUInt8(copy.readUInt8(at % copy.length) ^ (1 << bit), at % copy.length)
  return copy
}

/** Some of the blocks in any order, any of them more than once. */
function blocksOf(bytes: Buffer, indexes: readonly number[]): Buffer {
  const count = bytes.length / BLOCK_BYTES
  const blockAt = (index: number) => bytes.subarray(index * BLOCK_BYTES, (index + 1) * BLOCK_BYTES)
  return Buffer.concat(indexes.map((index) => blockAt(index % count)))
}

describe('encrypted data in hostile hands', () => {
  it('is readable as it is, to its owner alone', () => {
    for (const sample of OWN) expectOwn(receive(sample) ?? expect.fail('the sample is of no use'))
    for (const sample of [...OTHERS, MIXED_UP]) expect(receive(sample)).to.equal(undefined)
    for (const sample of OTHERS) expect(receive(sample, [OTHER_KEY], OTHER)).to.not.equal(undefined)
  })

  const attacks: [what: string, hostile: fc.Arbitrary<Sample>, numRuns: number][] = [
    [
      'is cut off anywhere',
      fc.tuple(own, fc.nat(), fc.boolean()).map(([{ bytes, iv }, at, atEnd]) => {
        const kept = bytes.subarray(0, at % bytes.length)
        return { iv, bytes: atEnd ? kept : bytes.subarray(kept.length) }
      }),
      1_500,
    ],
    [
      'has its blocks in another order',
      fc.tuple(own, picks).map(([{ bytes, iv }, order]) => ({ iv, bytes: blocksOf(bytes, order) })),
      1_500,
    ],
    [
      'has two blocks swapped',
      fc.tuple(own, fc.nat(), fc.nat()).map(([{ bytes, iv }, one, two]) => {
        const order = [...Array(bytes.length / BLOCK_BYTES).keys()]
        const [a, b] = [one % order.length, two % order.length]
        return { iv, bytes: blocksOf(bytes, order.with(a, b).with(b, a)) }
      }),
      1_000,
    ],
    [
      'has bits of its ciphertext flipped',
      fc.tuple(own, flips).map(([{ bytes, iv }, bits]) => ({ iv, bytes: flipped(bytes, bits) })),
      1_500,
    ],
    [
      'has bits of its iv flipped',
      fc.tuple(own, flips).map(([{ bytes, iv }, bits]) => ({ iv: flipped(iv, bits), bytes })),
      1_500,
    ],
    ['comes with another iv', fc.tuple(own, ivs).map(([{ bytes }, iv]) => ({ iv, bytes })), 1_000],
    [
      'is of another user, altered or not',
      fc.tuple(others, ivs, fc.boolean(), picks).map(([{ bytes, iv }, otherIv, isWhole, order]) => {
        return { iv: isWhole ? iv : otherIv, bytes: isWhole ? bytes : blocksOf(bytes, order) }
      }),
      1_000,
    ],
    [
      'has blocks of another user put into it',
      fc.tuple(own, others, picks, fc.nat()).map(([{ bytes, iv }, other, order, at]) => {
        const where = (at % (bytes.length / BLOCK_BYTES)) * BLOCK_BYTES
        const foreign = blocksOf(other.bytes, order)
        return { iv, bytes: Buffer.concat([bytes.subarray(0, where), foreign, bytes.subarray(where)]) }
      }),
      1_000,
    ],
  ]

  it('is tried in 10,000 ways', () => {
    expect(attacks.reduce((sum, [, , numRuns]) => sum + numRuns, 0)).to.equal(10_000)
  })

  for (const [what, hostile, numRuns] of attacks) {
    it(`is refused, or still the owner's own, when it ${what}`, () => {
      fc.assert(
        fc.property(hostile, (sample) => expectOwn(receive(sample))),
        { numRuns },
      )
    })
  }

  it('has some alterations that leave it readable, so that the cases above mean something', () => {
    const readable = fc
      .sample(fc.tuple(own, flips), { numRuns: 2_000, seed: 1 })
      .filter(([{ bytes, iv }, bits]) => receive({ iv: flipped(iv, bits), bytes }) !== undefined)
    expect(readable).to.not.have.length(0)
  })
})

describe('the time in the watermark', () => {
  const [sample] = OWN
  const at = (notBefore: number | undefined, data = sample ?? expect.fail()) =>
    receive(data, OWNER_KEYS, { ...OWNER, notBefore })

  it('may be any where nothing else is asked for', () => {
    expect(at(undefined)).to.deep.include({ watermark })
  })

  it('may be the earliest that is allowed, or later, but not earlier', () => {
    for (const notBefore of [0, MADE_AT - 1, MADE_AT]) expect(at(notBefore)).to.deep.include({ watermark })
    for (const notBefore of [MADE_AT + 1, MADE_AT + 0.5, Infinity]) expect(at(notBefore)).to.equal(undefined)
  })

  for (const timestamp of [undefined, null, 'soon', {}, [], '', -1, 1.5]) {
    it(`cannot be ${JSON.stringify(timestamp)}`, () => {
      const fields = { openId: OWNER.openid, watermark: { appid: APPID, timestamp } }
      const data = encrypted(fields, OWNER_KEYS[0] ?? '', 0)
      expect(at(1, data)).to.equal(undefined)
      expect(at(undefined, data)).to.equal(undefined)
    })
  }

  it('has nothing beside it but the appid', () => {
    const fields = { openId: OWNER.openid, watermark: { appid: APPID, timestamp: MADE_AT, more: 1 } }
    expect(at(undefined, encrypted(fields, OWNER_KEYS[0] ?? '', 0))).to.equal(undefined)
  })
})
