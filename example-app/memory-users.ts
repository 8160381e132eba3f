import type { UserInfo } from 'weapp-session'
import type { Identity, User, Users, UserTable } from './users.js'

/** The application's own users, in memory: enough for those of a fake WeChat, who end with the process. */
export function createMemoryUsers(): UserTable & Pick<Users, 'onLogin' | 'onUserInfo'> {
  const rows = new Map<string, User>()

  function change({ appid, openid }: Identity, fields: (row: User) => Partial<User>): User {
    const key = `${appid} ${openid}`
    const row = rows.get(key) ?? { id: rows.size + 1, nick_name: null, avatar_url: null, logins: 0 }
    const changed = { ...row, ...fields(row) }
    rows.set(key, changed)
    return changed
  }

  return {
    onLogin(event) {
      change(event, (row) => ({ ...(event.userInfo && shownOf(event)), logins: row.logins + 1 }))
    },
    onUserInfo(event) {
      change(event, () => shownOf(event))
    },
    of: (user) => change(user, () => ({})),
  }
}

function shownOf({
  userInfo,
}: {
  readonly userInfo?: UserInfo | null | undefined
}): Pick<User, 'nick_name' | 'avatar_url'> {
  return { nick_name: textOf(userInfo?.nickName), avatar_url: textOf(userInfo?.avatarUrl) }
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null
}
