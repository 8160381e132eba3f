import { hash } from 'node:crypto'
import sqlite from 'node-sqlite3-wasm'
import type { LoginEvent, UserInfoEvent } from 'weapp-session'

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS users (
    id INTEGER PRIMARY KEY,
    appid TEXT NOT NULL,
    openid TEXT NOT NULL,
    unionid TEXT,
    nick_name TEXT,
    avatar_url TEXT,
    logins INTEGER NOT NULL DEFAULT 0,
    UNIQUE (appid, openid)
  );
  CREATE TABLE IF NOT EXISTS avatars (id TEXT PRIMARY KEY, type TEXT NOT NULL, image BLOB NOT NULL)`

/** A picture that a user has uploaded. */
export interface Avatar {
  readonly type: string
  readonly image: Uint8Array
}

/** A row of the application's own table of users. */
export interface User {
  readonly id: number
  readonly nick_name: string | null
  readonly avatar_url: string | null
  readonly logins: number
}

/** The application's own users, in SQL. `onLogin` and `onUserInfo` fit the hooks of `createSessions`. */
export interface Users {
  onLogin(event: LoginEvent): { userId: number }
  onUserInfo(event: UserInfoEvent): void
  find(userId: number): User | undefined
  keepAvatar(avatar: Avatar): { id: string }
  findAvatar(id: string): Avatar | undefined
  close(): void
}

/** Opens the table in an SQLite file; `:memory:` keeps it in memory. */
export function openUsers(file: string): Users {
  const database = new sqlite.Database(file)
  database.exec(SCHEMA)

  return {
    onLogin({ appid, openid, unionid, userInfo }) {
      const row = database.get(
        `INSERT INTO users (appid, openid, unionid, nick_name, avatar_url, logins) VALUES (?, ?, ?, ?, ?, 1)
         ON CONFLICT (appid, openid) DO UPDATE SET
           unionid = coalesce(excluded.unionid, unionid),
           nick_name = coalesce(excluded.nick_name, nick_name),
           avatar_url = coalesce(excluded.avatar_url, avatar_url),
           logins = logins + 1
         RETURNING id`,
        [appid, openid, unionid ?? null, textOf(userInfo?.nickName), textOf(userInfo?.avatarUrl)],
      )
      return { userId: Number(row?.id) }
    },
    onUserInfo({ appid, openid, userInfo }) {
      database.run('UPDATE users SET nick_name = ?, avatar_url = ? WHERE appid = ? AND openid = ?', [
        textOf(userInfo?.nickName),
        textOf(userInfo?.avatarUrl),
        appid,
        openid,
      ])
    },
    find(userId) {
      const row = database.get('SELECT id, nick_name, avatar_url, logins FROM users WHERE id = ?', [userId])
      return (row ?? undefined) as User | undefined
    },
    keepAvatar({ type, image }) {
      const id = hash('sha256', image)
      database.run('INSERT OR IGNORE INTO avatars (id, type, image) VALUES (?, ?, ?)', [id, type, image])
      return { id }
    },
    findAvatar(id) {
      const row = database.get('SELECT type, image FROM avatars WHERE id = ?', [id])
      return (row ?? undefined) as Avatar | undefined
    },
    close: () => database.close(),
  }
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null
}
