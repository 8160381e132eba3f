import { createCipheriv } from 'node:crypto'
import fc from 'fast-check'
import { type KnownMessage, known, type Part } from './forger.js'

/** Whose data it is. */
export interface Owner {
  readonly appid: string
  readonly openid: string
}

/** Two groups and the unionid of the user. */
export const OWN_IDS = [
  'tGeoYNiJprTnP4Mj7sKNl3bmiOKT',
  'tGaB1iJprTnP4Mj7sKNl3bmi-_9',
  'ocMvos6NjeKLIBqg5Mr9QjxrP1FA',
] as const

/** A profile as WeChat encrypts it. */
export function profileOf({ appid, openid }: Owner, nickName: string, timestamp: number): object {
  return {
    openId: openid,
    nickName,
    gender: 1,
    language: 'zh_CN',
    city: '广州',
    province: '广东',
    country: '中国',
    avatarUrl: `https://thirdwx.qlogo.cn/mmopen/vi_32/${'Q0j4TwGTfTK'.repeat(4)}/132`,
    unionId: OWN_IDS[2],
    watermark: { timestamp, appid },
  }
}

/** What a user has of WeChat, with nicknames that put whatever the user likes at the begin of a block. */
export function textsOf(owner: Owner, timestamp: number): string[] {
  const watermark = { timestamp, appid: owner.appid }
  const nickNames = [
    'Band',
    `${'x'.repeat(11)}in`,
    `${'x'.repeat(10)}"13900001111`,
    `${'x'.repeat(10)}":1,"step":99999`,
    `${'x'.repeat(11)}{"phoneNumber":[1],"role":"admin"}`,
  ]
  const steps = Array.from({ length: 31 }, (_, day) => ({
    timestamp: 1_477_238_400 + day * 86_400,
    step: (day * 7_919) % 20_000,
  }))
  const texts = [
    ...nickNames.map((nickName) => profileOf(owner, nickName, timestamp)),
    { phoneNumber: '13580006666', purePhoneNumber: '13580006666', countryCode: '86', watermark },
    { phoneNumber: '+85261234567', purePhoneNumber: '61234567', countryCode: '852', watermark },
    { stepInfoList: steps, watermark },
    { opengid: OWN_IDS[0], watermark },
    { openGId: OWN_IDS[1], watermark },
  ]
  return texts.map((fields) => JSON.stringify(fields))
}

/** Encrypts as WeChat does, with an iv that is the same in each run. */
export function encryptedBy(key: string, text: string, ivText: string): KnownMessage {
  const iv = Buffer.alloc(16, ivText)
  const cipher = createCipheriv('aes-128-cbc', Buffer.from(key, 'base64'), iv)
  const encryptedData = cipher.update(text, 'utf8', 'base64') + cipher.final('base64')
  return known({ encryptedData, iv: iv.toString('base64') }, text)
}

/** The same texts, encrypted. */
export function messagesOf(key: string, texts: readonly string[]): KnownMessage[] {
  return texts.map((text, index) => encryptedBy(key, text, `iv ${index} of the user`))
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
  message: fc.nat(9),
  at: fc.nat(63),
  length: fc.option(fc.integer({ min: 1, max: 40 }), { nil: undefined }),
  says: fc.option(wish, { nil: undefined }),
})
/** A part of a forgery, by the number of its message. */
export type Plan = typeof plan extends fc.Arbitrary<infer P> ? P : never
/** Forgeries of one part to four. */
export const splices = fc.array(plan, { minLength: 1, maxLength: 4 })

/** The parts that are planned. */
export function partsOf(messages: readonly KnownMessage[], plans: readonly Plan[]): Part[] {
  return plans.map(({ message: index, at, length, says }) => {
    const message = messages[index] ?? []
    const from = at % message.length
    return {
      message,
      from,
      ...(length !== undefined && { to: from + length }),
      ...(says !== undefined && { says }),
    }
  })
}

/**
 * The iv decides on the first four characters of a group's id, and what follows may be the end of another id that the user has. It is
 * still none of the user's choice.
 */
export function isEndOfOwnId(id: unknown): boolean {
  const end = String(id).slice(4)
  return OWN_IDS.some((own) => own.endsWith(end))
}
