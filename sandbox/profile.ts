import { hash } from 'node:crypto'

/** What WeChat knows about a person, in the field names of `wx.getUserInfo`. */
export interface UserInfo {
  nickName: string
  /** 0 unknown, 1 male, 2 female. */
  gender: number
  /** Language of the place names, such as `zh_CN`. */
  language: string
  city: string
  province: string
  country: string
  avatarUrl: string
}

/** The profiles of all WeChat users: everyone has one, which `sandbox.phone` may change. */
export class Profiles {
  readonly #changes = new Map<string, Partial<UserInfo>>()

  of(user: string): UserInfo {
    return { ...defaultProfile(user), ...this.#changes.get(user) }
  }

  change(user: string, fields: Partial<UserInfo>): void {
    this.#changes.set(user, { ...this.#changes.get(user), ...fields })
  }
}

function defaultProfile(user: string): UserInfo {
  return {
    nickName: user,
    gender: 1,
    language: 'zh_CN',
    city: '广州',
    province: '广东',
    country: '中国',
    avatarUrl: `https://thirdwx.qlogo.cn/mmopen/vi_32/${hash('sha256', user, 'base64url')}/132`,
  }
}
