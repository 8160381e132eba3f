import type { UserInfo } from 'weapp-session'
import type { Identity, User, UserTable } from './users.js'

/** Keeps users in memory: enough for those of a fake WeChat, who exist as long as the process. */
export function createMemoryUsers(): UserTable {
  const rows = new Map<string, User>()
  const rowKey = ({ appid, openid }: Identity) => `${appid} ${openid}`

  function save(user: Identity, fields: Omit<User, 'id'>): User {
    const row = { id: rows.get(rowKey(user))?.id ?? rows.size + 1, ...fields }
    rows.set(rowKey(user), row)
    return row
  }

  return {
    onLogin(event) {
      const { logins, ...names } = rows.get(rowKey(event)) ?? { ...namesIn(null), logins: 0 }
      const { nick_name, avatar_url } = namesIn(event.userInfo)
      save(event, {
        nick_name: nick_name ?? names.nick_name,
        avatar_url: avatar_url ?? names.avatar_url,
        logins: logins + 1,
      })
    },
    onUserInfo(event) {
      const row = rows.get(rowKey(event))
      if (row) save(event, { ...row, ...namesIn(event.userInfo) })
    },
    of: (user) => rows.get(rowKey(user)) ?? save(user, { ...namesIn(user.userInfo), logins: 0 }),
    close: () => rows.clear(),
  }
}

function namesIn(userInfo: UserInfo | null | undefined): Pick<User, 'nick_name' | 'avatar_url'> {
  const textOf = (value: unknown) => (typeof value === 'string' ? value : null)
  return { nick_name: textOf(userInfo?.nickName), avatar_url: textOf(userInfo?.avatarUrl) }
}
