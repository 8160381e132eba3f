import { expect } from 'chai'
import fc from 'fast-check'
import { describe, it } from 'mocha'
import { decodeRecord, encodeRecord, type SessionRecord } from '../../lib/sessions/record.js'

const RECORD: SessionRecord = {
  appid: 'wx4f4bc4dec97d474b',
  openid: 'oGZUI0egBJY1zhBYw2KhdUfwVJJE',
  unionid: 'ocMvos6NjeKLIBqg5Mr9QjxrP1FA',
  createdAt: 1_767_225_600_000,
  expiresAt: 1_769_817_600_000,
  touchAfterMs: 51_840_000,
  sealedSessionKey: 'q0X3kf.c2VhbGVk',
  sealedPreviousKey: undefined,
  data: { accountId: 7, roles: ['buyer'] },
}

/** As version 1 wrote it, and as it lies in stores. Never change this text: add another for another version. */
const GOLDEN_V1 =
  '{"v":1,"a":"wx4f4bc4dec97d474b","o":"oGZUI0egBJY1zhBYw2KhdUfwVJJE","u":"ocMvos6NjeKLIBqg5Mr9QjxrP1FA",' +
  '"c":1767225600000,"x":1769817600000,"t":51840000,"k":"q0X3kf.c2VhbGVk","d":{"accountId":7,"roles":["buyer"]}}'

/** The golden record with fields replaced, or left out where undefined. */
function goldenBut(changes: Record<string, unknown>): string {
  return JSON.stringify({ ...JSON.parse(GOLDEN_V1), ...changes })
}

describe('encodeRecord', () => {
  it('writes version 1 to the byte', () => {
    expect(encodeRecord(RECORD)).to.equal(GOLDEN_V1)
  })

  it('spends no byte on what is not there', () => {
    const text = encodeRecord({ ...RECORD, unionid: undefined, data: undefined })
    expect(Object.keys(JSON.parse(text))).to.deep.equal(['v', 'a', 'o', 'c', 'x', 't', 'k'])
  })
})

describe('decodeRecord', () => {
  it('reads version 1', () => {
    expect(decodeRecord(GOLDEN_V1)).to.deep.equal(RECORD)
  })

  it('reads back whatever was written', () => {
    const time = fc.integer({ min: 0, max: 4_102_444_800_000 })
    const records: fc.Arbitrary<SessionRecord> = fc.record({
      appid: fc.string({ unit: 'grapheme' }),
      openid: fc.string({ unit: 'grapheme' }),
      unionid: fc.option(fc.string(), { nil: undefined }),
      createdAt: time,
      expiresAt: time,
      touchAfterMs: fc.nat(),
      sealedSessionKey: fc.string(),
      sealedPreviousKey: fc.option(fc.string(), { nil: undefined }),
      // JSON knows no -0.
      data: fc.json().map((text): unknown => JSON.parse(JSON.stringify(JSON.parse(text)))),
    })
    fc.assert(
      fc.property(records, (record) => {
        expect(decodeRecord(encodeRecord(record))).to.deep.equal(record)
      }),
    )
  })

  const unreadable: [string, string][] = [
    ['nothing', ''],
    ['half a record', GOLDEN_V1.slice(0, 60)],
    ['two records', GOLDEN_V1 + GOLDEN_V1],
    ['null', 'null'],
    ['a number', '1'],
    ['a text', '"v"'],
    ['a list', `[${GOLDEN_V1}]`],
    ['an empty object', '{}'],
    ['a version to come', goldenBut({ v: 2 })],
    ['a version as text', goldenBut({ v: '1' })],
    ['no version', goldenBut({ v: undefined })],
    ['no appid', goldenBut({ a: undefined })],
    ['an appid that is a number', goldenBut({ a: 1 })],
    ['no openid', goldenBut({ o: undefined })],
    ['an openid that is null', goldenBut({ o: null })],
    ['a unionid that is null', goldenBut({ u: null })],
    ['no time of login', goldenBut({ c: undefined })],
    ['a time of login as text', goldenBut({ c: '1767225600000' })],
    ['no absolute end', goldenBut({ x: undefined })],
    ['an absolute end that is null', goldenBut({ x: null })],
    ['no time between visits', goldenBut({ t: undefined })],
    ['a time between visits as text', goldenBut({ t: '51840000' })],
    ['no session_key', goldenBut({ k: undefined })],
    ['a session_key that is an object', goldenBut({ k: {} })],
  ]
  for (const [what, text] of unreadable) {
    it(`answers nothing to ${what}`, () => {
      expect(decodeRecord(text)).to.equal(undefined)
    })
  }

  it('answers a whole record or nothing to any JSON, and never throws', () => {
    const field = fc.oneof(fc.constant(1), fc.string(), fc.jsonValue())
    const recordLike = fc.record({
      v: field,
      a: field,
      o: field,
      u: field,
      c: field,
      x: field,
      t: field,
      k: field,
      d: field,
    })
    const text = fc.oneof(
      recordLike.map((value) => JSON.stringify(value)),
      fc.json(),
      fc.string({ unit: 'binary' }),
    )
    fc.assert(
      fc.property(text, (stored) => {
        const record = decodeRecord(stored)
        if (record === undefined) return
        for (const name of ['appid', 'openid', 'sealedSessionKey'] as const)
          expect(record[name]).to.be.a('string')
        for (const name of ['createdAt', 'expiresAt', 'touchAfterMs'] as const)
          expect(record[name]).to.be.a('number')
      }),
      { numRuns: 2_000 },
    )
  })
})
