import { createDecipheriv } from 'node:crypto'
import { expect } from 'chai'
import fc from 'fast-check'
import { describe, it } from 'mocha'
import { WeappError } from '../../lib/errors.js'
import { decryptOpenData, type OpenData, readCiphertext } from '../../lib/wechat/open-data.js'
import { asKind, OPEN_DATA_KINDS, type OpenDataKind } from '../../lib/wechat/open-data-kinds.js'
import { joined, type Part } from './forger.js'
import { encryptedBy, isEndOfOwnId, messagesOf, partsOf, profileOf, splices, textsOf } from './splices.js'

const KEY = 'tiihtNczf5v6AKRyjwEUhQ=='
const OWNER = { appid: 'wx4f4bc4dec97d474b', openid: 'oGZUI0egBJY1zhBYw2KhdUfwVJJE' }
const MADE_AT = 1_477_314_187
const TRIES = 20_000
const MESSAGES = messagesOf(KEY, textsOf(OWNER, MADE_AT))

/** What a route gets that asks for this kind. */
function taken(kind: OpenDataKind, openData: OpenData | undefined): object | undefined {
  try {
    return openData && asKind(kind, openData)
  } catch (error) {
    if (error instanceof WeappError && error.code === 'ERR_DATA_MALFORMED') return undefined
    throw error
  }
}

function opened(parts: readonly Part[]): OpenData | undefined {
  return decryptOpenData(readCiphertext(joined(parts)), [KEY], OWNER)
}

function genuineOf(kind: OpenDataKind): Set<string> {
  const results = MESSAGES.flatMap((message) => taken(kind, opened([{ message, from: 0 }])) ?? [])
  return new Set(results.map((data) => JSON.stringify(data)))
}

describe('100,000 messages joined from blocks of own ones, without the key', () => {
  const genuine = new Map(OPEN_DATA_KINDS.map((kind) => [kind, genuineOf(kind)]))

  it('are no other data than that of the user, though each kind has some', () => {
    for (const [kind, results] of genuine) expect(results, kind).to.not.have.property('size', 0)
  })

  for (let round = 1; round <= 5; round += 1) {
    it(`are taken for nothing but what they were, or a group of no use (${round} of 5)`, () => {
      fc.assert(
        fc.property(splices, (plans) => {
          const openData = opened(partsOf(MESSAGES, plans))
          for (const kind of OPEN_DATA_KINDS) {
            const data = taken(kind, openData)
            if (!data || genuine.get(kind)?.has(JSON.stringify(data))) continue
            const { opengid, openGId, watermark: _watermark, ...others } = data as Record<string, unknown>
            expect({ kind, others }).to.deep.equal({ kind, others: {} })
            expect(opengid ?? openGId).to.satisfy(isEndOfOwnId)
          }
        }),
        { numRuns: TRIES },
      )
    })
  }
})

/** Profiles whose free text is long, so that a joint finds place in it. */
const LONG = ['x', '长', '👩‍👧'].map((letter, index) => {
  const text = JSON.stringify(profileOf(OWNER, letter.repeat(120), MADE_AT))
  return encryptedBy(KEY, text, `iv ${index} of long names`)
})
const JOINTS = 20_000

/** The same messages each time, so that chance does not decide: a text is left, and another one gone into, at every place there is. */
function* joints(): Generator<Part[]> {
  for (let round = 0; ; round += 1)
    for (const one of LONG)
      for (const other of LONG)
        for (let to = 5; to < 20; to += 1)
          for (let from = 5; from < 20; from += 1)
            yield [
              { message: one, from: 0, to },
              { message: other, from, says: `Admin ${String(round).padStart(10, '0')}` },
            ]
}

/** As a server would read it that did not look whether it is text. */
function openedLeniently(parts: readonly Part[]): OpenData | undefined {
  const { bytes, iv } = readCiphertext(joined(parts))
  const decipher = createDecipheriv('aes-128-cbc', Buffer.from(KEY, 'base64'), iv ?? null)
  try {
    return JSON.parse(Buffer.concat([decipher.update(bytes), decipher.final()]).toString())
  } catch {
    return undefined
  }
}

describe('20,000 profiles with a joint in a text', () => {
  it('are taken by nobody, though more than 500 would be if their text were not looked at', () => {
    let lenient = 0
    let left = JOINTS
    for (const parts of joints()) {
      if (left === 0) break
      left -= 1
      expect(opened(parts)).to.equal(undefined)
      if (taken('userInfo', openedLeniently(parts))) lenient += 1
    }
    expect(lenient).to.be.above(500)
  })
})

/** The best place for a joint: in a nickname control characters are text, too, as WeChat puts them in as they are. */
const JOINTS_IN_NICKNAME = 60_000

describe('60,000 profiles with a joint in the nickname', () => {
  it('are taken once in about 13,000 times, and then nothing but the nickname differs from WeChat’s', () => {
    const [message = []] = LONG
    const { nickName: _own, ...genuine } = opened([{ message, from: 0 }]) as OpenData
    const taken = Array.from({ length: JOINTS_IN_NICKNAME }, (_, round) =>
      opened([
        { message, from: 0, to: 5 },
        { message, from: 7, says: `Admin ${String(round).padStart(10, '0')}` },
      ]),
    ).filter((openData) => openData !== undefined)
    expect(taken).to.have.length.within(1, 9)
    for (const { nickName, ...others } of taken) {
      expect(nickName).to.be.a('string')
      expect(others).to.deep.equal(genuine)
    }
  })
})
