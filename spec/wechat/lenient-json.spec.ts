import { expect } from 'chai'
import fc from 'fast-check'
import { describe, it } from 'mocha'
import { parseLenientJson } from '../../lib/wechat/lenient-json.js'

const CONTROLS = String.fromCharCode(...Array.from({ length: 32 }, (_, code) => code), 0x7f, 0x85)

/** JSON with its control characters as they are, as WeChat writes it. */
function raw(value: unknown): string {
  return JSON.stringify(value).replace(/\\(?:u00([01][0-9a-f])|([bfnrt]))/g, (escaped) =>
    JSON.parse(`"${escaped}"`),
  )
}

describe('parseLenientJson', () => {
  it('takes every control character in a text as it is', () => {
    const profile = { nickName: `A${CONTROLS}B`, city: CONTROLS, [CONTROLS]: [`x${CONTROLS}`] }
    expect(() => JSON.parse(raw(profile))).to.throw(SyntaxError)
    expect(parseLenientJson(raw(profile), 'everywhere')).to.deep.equal(profile)
  })

  it('takes them in the nickname and nowhere else where it is told so', () => {
    const profile = { openId: 'o1', nickName: `A${CONTROLS}"\\B`, city: 'C' }
    expect(parseLenientJson(raw(profile), 'nickname')).to.deep.equal(profile)
    expect(parseLenientJson(raw(profile).replace(':"A', ' :\n"A'), 'nickname')).to.deep.equal(profile)
    for (const other of [
      { ...profile, city: '\x01' },
      { ...profile, 'my\x01nickName': 'a' },
      { ...profile, name: '"nickName":"\x01' },
    ])
      expect(() => parseLenientJson(raw(other), 'nickname')).to.throw(SyntaxError)
  })

  for (const [what, json] of [
    ['a control character outside of the texts', '{\x01"nickName":"a"}'],
    ['one behind a backslash', '{"nickName":"a\\\n"}'],
    ['one inside an escape', '{"nickName":"\\u00\x014"}'],
    ['a text without its end', '{"nickName":"a\x01'],
    ['a byte order mark', '\ufeff{"nickName":"a\x01"}'],
  ] as const) {
    it(`refuses ${what}`, () => {
      for (const where of ['everywhere', 'nickname'] as const)
        expect(() => parseLenientJson(json, where)).to.throw(SyntaxError)
    })
  }

  it('reads what is JSON as JSON.parse does, and nothing that only lacks escaped control characters otherwise', () => {
    fc.assert(
      fc.property(fc.json(), (json) => {
        for (const where of ['everywhere', 'nickname'] as const)
          expect(parseLenientJson(json, where)).to.deep.equal(JSON.parse(json))
      }),
    )
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'{}[]":,\\u0a1\n\x01 ') }), (text) => {
        const read = (parse: () => unknown) => {
          try {
            return JSON.stringify(parse())
          } catch {
            return undefined
          }
        }
        const strict = read(() => JSON.parse(text))
        const lenient = read(() => parseLenientJson(text, 'everywhere'))
        if (lenient !== strict)
          expect(text).to.satisfy((one: string) => one.includes('\n') || one.includes('\x01'))
      }),
      { numRuns: 20_000 },
    )
  })
})
