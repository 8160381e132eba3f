import { createHash, randomBytes } from 'node:crypto'

export const APP = { appid: 'wx4f4bc4dec97d474b', secret: 'b'.repeat(32) } as const
export const DAY_SECONDS = 86_400
/** How long all sessions last, ours and others'. */
export const SESSION_DAYS = 30

export interface SampleUser {
  readonly openid: string
  readonly unionid: string
  readonly sessionKey: string
  readonly data: { readonly userId: number }
  readonly userInfo: Readonly<Record<string, unknown>>
}

/** With the profile of WeChat's published sample, and an address of an avatar as long as those of 2026. */
export function sampleUsers(count: number): SampleUser[] {
  return Array.from({ length: count }, (_, place) => ({
    openid: newId(),
    unionid: newId(),
    sessionKey: randomBytes(16).toString('base64'),
    data: { userId: 10_000 + place },
    userInfo: {
      nickName: 'Band',
      gender: 1,
      language: 'zh_CN',
      city: 'Guangzhou',
      province: 'Guangdong',
      country: 'CN',
      avatarUrl: `https://wx.qlogo.cn/mmopen/vi_32/${randomBytes(70).toString('base64url').slice(0, 93)}/132`,
    },
  }))
}

/** The profile as a phone sends it, signed with the session_key. */
export function signedProfile({ userInfo, sessionKey }: SampleUser): { rawData: string; signature: string } {
  const rawData = JSON.stringify(userInfo)
  return {
    rawData,
    signature: createHash('sha1')
      .update(rawData + sessionKey)
      .digest('hex'),
  }
}

function newId(): string {
  return `o${randomBytes(21).toString('base64url').slice(0, 27)}`
}
