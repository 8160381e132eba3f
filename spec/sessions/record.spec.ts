import { expect } from 'chai'
import fc from 'fast-check'
import { describe, it } from 'mocha'
import { decodeRecord, encodeRecord, type SessionRecord } from '../../lib/sessions/record.js'

const APPID = 'wx4f4bc4dec97d474b'
const RECORD: SessionRecord = {
  appid: APPID,
  openid: 'oGZUI0egBJY1zhBYw2KhdUfwVJJE',
  unionid: 'ocMvos6NjeKLIBqg5Mr9QjxrP1FA',
  loginDurationMs: 2_592_000_000,
  sealedSessionKey: 'q0X3kfc2VhbGVk',
  sealedPreviousKey: 'q0X3kfb2xk',
  device: 'iPhone 15',
  confirmedAt: 1_767_225_600_000,
  sessionDurationMs: 604_800_000,
  data: { accountId: 7, roles: ['buyer'] },
}

/** As version 1 wrote it, and as it lies in stores. Never change this text: add another for another version. */
const GOLDEN_V1 =
  '[1,"oGZUI0egBJY1zhBYw2KhdUfwVJJE",30,"q0X3kfc2VhbGVk","ocMvos6NjeKLIBqg5Mr9QjxrP1FA",' +
  '{"k":"q0X3kfb2xk","d":"iPhone 15","c":1767225600000,"s":604800000,' +
  '"x":{"accountId":7,"roles":["buyer"]}}]'

/** The golden record with one place replaced, or left out where undefined. */
function goldenBut(place: number, value: unknown): string {
  return JSON.stringify(JSON.parse(GOLDEN_V1).with(place, value))
}

describe('encodeRecord', () => {
  it('writes version 1 to the byte', () => {
    expect(encodeRecord(RECORD)).to.equal(GOLDEN_V1)
  })

  it('spends no byte on what is not there', () => {
    const { appid, openid, loginDurationMs, sealedSessionKey } = RECORD
    const nothing = { appid, openid, unionid: undefined, loginDurationMs, sealedSessionKey }
    const start = '[1,"oGZUI0egBJY1zhBYw2KhdUfwVJJE",30,"q0X3kfc2VhbGVk"'
    expect(encodeRecord(nothing)).to.equal(`${start}]`)
    expect(encodeRecord({ ...nothing, unionid: '' })).to.equal(`${start},""]`)
    expect(encodeRecord({ ...nothing, sealedPreviousKey: 'q0X3kfb2xk' })).to.equal(
      `${start},{"k":"q0X3kfb2xk"}]`,
    )
    expect(encodeRecord({ ...nothing, data: null })).to.equal(`${start},{"x":null}]`)
  })

  it('says nothing of the app, which the address of the session names', () => {
    expect(encodeRecord(RECORD)).to.not.include(APPID)
    expect(decodeRecord(GOLDEN_V1, 'wx0')).to.deep.equal({ ...RECORD, appid: 'wx0' })
  })
})

describe('decodeRecord', () => {
  it('reads version 1', () => {
    expect(decodeRecord(GOLDEN_V1, APPID)).to.deep.equal(RECORD)
  })

  it('reads back whatever was written', () => {
    const records: fc.Arbitrary<SessionRecord> = fc.record({
      appid: fc.string({ unit: 'grapheme' }),
      openid: fc.string({ unit: 'grapheme' }),
      unionid: fc.option(fc.string(), { nil: undefined }),
      loginDurationMs: fc.nat(),
      sealedSessionKey: fc.string(),
      sealedPreviousKey: fc.option(fc.string(), { nil: undefined }),
      device: fc.option(fc.string(), { nil: undefined }),
      confirmedAt: fc.option(fc.nat(), { nil: undefined }),
      sessionDurationMs: fc.option(fc.nat(), { nil: undefined }),
      // JSON knows no -0.
      data: fc.json().map((text): unknown => JSON.parse(JSON.stringify(JSON.parse(text)))),
    })
    fc.assert(
      fc.property(records, (record) => {
        expect(decodeRecord(encodeRecord(record), record.appid)).to.deep.equal(record)
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
    ['an object', `{"v":${GOLDEN_V1}}`],
    ['an empty list', '[]'],
    ['a version to come', goldenBut(0, 2)],
    ['a version as text', goldenBut(0, '1')],
    ['no version', goldenBut(0, undefined)],
    ['no openid', goldenBut(1, undefined)],
    ['an openid that is a number', goldenBut(1, 1)],
    ['no login duration', goldenBut(2, undefined)],
    ['a login duration as text', goldenBut(2, '30')],
    ['no session_key', goldenBut(3, undefined)],
    ['a session_key that is an object', goldenBut(3, {})],
    ['a unionid that is a number', goldenBut(4, 1)],
    ['a unionid that is null', goldenBut(4, null)],
    ['extras that are a text', goldenBut(5, 'k')],
    ['extras that are a list', goldenBut(5, [])],
    ['a previous session_key that is a number', goldenBut(5, { k: 1 })],
    ['a device that is a number', goldenBut(5, { d: 1 })],
    ['a confirmation as text', goldenBut(5, { c: '1767225600000' })],
    ['an idle lifetime as text', goldenBut(5, { s: '604800000' })],
  ]
  for (const [what, text] of unreadable) {
    it(`makes nothing of ${what}`, () => {
      expect(decodeRecord(text, APPID)).to.equal(undefined)
    })
  }

  it('makes a whole record or nothing of any JSON, and never throws', () => {
    const field = fc.oneof(fc.constant(1), fc.string(), fc.jsonValue())
    const recordLike = fc.array(field, { minLength: 4, maxLength: 8 })
    const text = fc.oneof(
      recordLike.map((value) => JSON.stringify(value)),
      fc.json(),
      fc.string({ unit: 'binary' }),
    )
    fc.assert(
      fc.property(text, (stored) => {
        const record = decodeRecord(stored, APPID)
        if (record === undefined) return
        for (const name of ['appid', 'openid', 'sealedSessionKey'] as const)
          expect(record[name]).to.be.a('string')
        expect(record.loginDurationMs).to.be.a('number')
      }),
      { numRuns: 2_000 },
    )
  })
})
