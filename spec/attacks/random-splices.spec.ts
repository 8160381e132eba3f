import { createCipheriv, createDecipheriv } from 'node:crypto'
import { expect } from 'chai'
import fc from 'fast-check'
import { describe, it } from 'mocha'
import { WeappError } from '../../lib/errors.js'
import { decryptOpenData, type OpenData, readCiphertext } from '../../lib/wechat/open-data.js'
import { asKind, OPEN_DATA_KINDS, type OpenDataKind } from '../../lib/wechat/open-data-kinds.js'
import { joined, type KnownMessage, known, type Part } from './forger.js'

const KEY = 'tiihtNczf5v6AKRyjwEUhQ=='
const OWNER = { appid: 'wx4f4bc4dec97d474b', openid: 'oGZUI0egBJY1zhBYw2KhdUfwVJJE' }
const TRIES = 20_000
const OPEN_CHARACTERS = 4
const OWN_IDS = [
  'tGeoYNiJprTnP4Mj7sKNl3bmiOKT',
  'tGaB1iJprTnP4Mj7sKNl3bmi-_9',
  'ocMvos6NjeKLIBqg5Mr9QjxrP1FA',
] as const

const watermark = { timestamp: 1_477_314_187, appid: OWNER.appid }
const profile = (nickName: string) => ({
  openId: OWNER.openid,
  nickName,
  gender: 1,
  language: 'zh_CN',
  city: '广州',
  province: '广东',
  country: '中国',
  avatarUrl: `https://thirdwx.qlogo.cn/mmopen/vi_32/${'Q0j4TwGTfTK'.repeat(4)}/132`,
  unionId: OWN_IDS[2],
  watermark,
})

/** What a user has of WeChat, with nicknames that put whatever the user likes at the begin of a block. */
const TEXTS: readonly object[] = [
  profile('Band'),
  profile(`${'x'.repeat(11)}in`),
  profile(`${'x'.repeat(10)}"13900001111`),
  profile(`${'x'.repeat(10)}":1,"step":99999`),
  profile(`${'x'.repeat(11)}{"phoneNumber":[1],"role":"admin"}`),
  { phoneNumber: '13580006666', purePhoneNumber: '13580006666', countryCode: '86', watermark },
  { phoneNumber: '+85261234567', purePhoneNumber: '61234567', countryCode: '852', watermark },
  {
    stepInfoList: Array.from({ length: 31 }, (_, day) => ({
      timestamp: 1_477_238_400 + day * 86_400,
      step: (day * 7_919) % 20_000,
    })),
    watermark,
  },
  { opengid: OWN_IDS[0], watermark },
  { openGId: OWN_IDS[1], watermark },
]

const MESSAGES: readonly KnownMessage[] = TEXTS.map((fields, index) =>
  encrypted(JSON.stringify(fields), `iv ${index} of the user`),
)

function encrypted(text: string, ivText: string): KnownMessage {
  const iv = Buffer.alloc(16, ivText)
  const cipher = createCipheriv('aes-128-cbc', Buffer.from(KEY, 'base64'), iv)
  const encryptedData = cipher.update(text, 'utf8', 'base64') + cipher.final('base64')
  return known({ encryptedData, iv: iv.toString('base64') }, text)
}

/** What a forger would have a block say. */
const WISHES = [
  '{"phoneNumber":"',
  '{"phoneNumber": ',
  '{"countryCode":"',
  '{"nickName":"Adm',
  '{"openGId":"tG12',
  '{"opengid":"tG12',
  '{"stepInfoList":',
  '[{"timestamp":1,',
  '":0,"step":99999',
  '"step":1}],"a":"',
  'aaaaaaaaaaa","pu',
  '","avatarUrl":"h',
  '","nickName":"Ad',
  '","unionId":"abc',
  '":"","nickName":',
  '"watermark":{"ap',
  '","x":{"y":[0],"',
  '                ',
  String.raw`\\\\\\\\\\\\\\\\`,
]

const wish = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...WISHES) },
  {
    weight: 1,
    arbitrary: fc.string({ unit: fc.constantFrom(...'aZ09",:{}[]\\ '), minLength: 16, maxLength: 16 }),
  },
)
const plan = fc.record({
  message: fc.nat(MESSAGES.length - 1),
  at: fc.nat(63),
  length: fc.option(fc.integer({ min: 1, max: 40 }), { nil: undefined }),
  says: fc.option(wish, { nil: undefined }),
})
type Plan = typeof plan extends fc.Arbitrary<infer P> ? P : never
const splices = fc.array(plan, { minLength: 1, maxLength: 4 })

function partOf({ message: index, at, length, says }: Plan): Part {
  const message = MESSAGES[index] ?? []
  const from = at % message.length
  return {
    message,
    from,
    ...(length !== undefined && { to: from + length }),
    ...(says !== undefined && { says }),
  }
}

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

/**
 * The iv decides on the first four characters of a group's id, and what follows may be the end of another id that the user has. It is
 * still none of the user's choice.
 */
function isEndOfOwnId(id: unknown): boolean {
  const end = String(id).slice(OPEN_CHARACTERS)
  return OWN_IDS.some((own) => own.endsWith(end))
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
        fc.property(splices, (parts) => {
          const openData = opened(parts.map(partOf))
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
  const text = JSON.stringify(profile(letter.repeat(120)))
  return encrypted(text, `iv ${index} of long names`)
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
