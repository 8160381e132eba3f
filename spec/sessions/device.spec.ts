import { expect } from 'chai'
import fc from 'fast-check'
import { describe, it } from 'mocha'
import { deviceNote } from '../../lib/sessions/device.js'

const SIGNS = [
  '<',
  '>',
  '&',
  '"',
  "'",
  '`',
  '\n',
  '\r',
  '\u2028',
  '\u202e',
  '\u200b',
  '\u0000',
  '\ud83d',
  '👩‍👧',
  ' ',
]
const hostile = fc
  .array(fc.oneof(fc.constantFrom(...SIGNS), fc.string({ unit: 'binary' })), { maxLength: 200 })
  .map((parts) => parts.join(''))

describe('the note of a device', () => {
  it('is what the device says, on one line', () => {
    expect(deviceNote('HUAWEI Mate 60 Pro')).to.equal('HUAWEI Mate 60 Pro')
    expect(deviceNote(' 小米\t14\r\n Ultra ')).to.equal('小米 14 Ultra')
    expect(deviceNote('iPhone iPhone 12 Pro<iPhone13,3>')).to.equal('iPhone iPhone 12 Pro iPhone13,3')
  })

  it('is none where nothing can be seen', () => {
    for (const text of ['', ' \n\t', '\u200b\u202e', '<>&"\'`']) expect(deviceNote(text)).to.equal(undefined)
  })

  it('is cut after 64 characters, and leaves no half of one', () => {
    expect(deviceNote('x'.repeat(100_000))).to.equal('x'.repeat(64))
    expect(deviceNote('📱'.repeat(100))).to.equal('📱'.repeat(64))
    expect(deviceNote(`${'x'.repeat(62)}👩‍👧`)).to.equal(`${'x'.repeat(62)}👩`)
    expect(deviceNote(`${'x'.repeat(63)} y`)).to.equal('x'.repeat(63))
  })

  it('attacks no page that forgets to escape it, whatever was sent', () => {
    fc.assert(
      fc.property(hostile, (text) => {
        const note = deviceNote(text)
        if (note === undefined) return
        expect(note).to.not.match(/[<>&"'`\p{Cc}\p{Zl}\p{Zp}\p{Cs}\u202a-\u202e\u2066-\u2069]/u)
        expect([...note].length).to.be.within(1, 64)
        expect(note).to.equal(note.trim()).and.to.not.match(/\s\s/)
      }),
      { numRuns: 500 },
    )
  })
})
