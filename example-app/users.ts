import { hash } from 'node:crypto'
import { existsSync } from 'node:fs'
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
  CREATE TABLE IF NOT EXISTS pictures (
    appid TEXT NOT NULL,
    openid TEXT NOT NULL,
    id TEXT NOT NULL,
    type TEXT NOT NULL,
    image BLOB NOT NULL,
    PRIMARY KEY (appid, openid, id)
  );
  CREATE INDEX IF NOT EXISTS pictures_by_id ON pictures (id)`

/** A user has the latest few: the profile names an earlier one until it is saved, and nobody can fill the table. */
const MOST_AVATARS = 3

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

/** Whose a row is: WeChat's name of a user in an app. It means the same in every table, which the id of a row does not. */
export type Identity = Pick<LoginEvent, 'appid' | 'openid'>

/** The application's own users. `onLogin` and `onUserInfo` fit the hooks of `createSessions`. */
export interface UserTable {
  /** Counts the login, and makes the row at the first one. Its id goes nowhere: in another table it is another user's. */
  onLogin(event: LoginEvent): void
  onUserInfo(event: UserInfoEvent): void
  /** The row of the user of a session; made anew where the table has lost it. */
  of(user: Identity & Pick<UserInfoEvent, 'userInfo'>): User
  close(): void
}

/** Users in SQL, with their pictures. */
export interface Users extends UserTable {
  /** Keeps a picture of a user, and drops the oldest of the same user where there are too many. */
  keepAvatar(whose: Identity, avatar: Avatar): { id: string }
  findAvatar(id: string): Avatar | undefined
}

/** How long a process waits until another one is done with the file, in milliseconds. */
const PATIENCE_MS = 2000

/**
 * Opens the table in an SQLite file, which several processes may share; `:memory:` keeps it in memory. Throws a `TypeError` when the
 * file cannot be used.
 */
export function openUsers(file: string, patienceMs = PATIENCE_MS): Users {
  const database = openDatabase(file, patienceMs)

  function rowOf({ appid, openid }: Identity): User | undefined {
    const row = database.get(
      'SELECT id, nick_name, avatar_url, logins FROM users WHERE appid = ? AND openid = ?',
      [appid, openid],
    )
    return (row ?? undefined) as User | undefined
  }

  function makeRow({ appid, openid, userInfo }: Identity & Pick<UserInfoEvent, 'userInfo'>): void {
    database.run('INSERT OR IGNORE INTO users (appid, openid, nick_name, avatar_url) VALUES (?, ?, ?, ?)', [
      appid,
      openid,
      textOf(userInfo?.nickName),
      textOf(userInfo?.avatarUrl),
    ])
  }

  return {
    onLogin({ appid, openid, unionid, userInfo }) {
      database.run(
        `INSERT INTO users (appid, openid, unionid, nick_name, avatar_url, logins) VALUES (?, ?, ?, ?, ?, 1)
         ON CONFLICT (appid, openid) DO UPDATE SET
           unionid = coalesce(excluded.unionid, unionid),
           nick_name = coalesce(excluded.nick_name, nick_name),
           avatar_url = coalesce(excluded.avatar_url, avatar_url),
           logins = logins + 1`,
        [appid, openid, unionid ?? null, textOf(userInfo?.nickName), textOf(userInfo?.avatarUrl)],
      )
    },
    onUserInfo({ appid, openid, userInfo }) {
      database.run('UPDATE users SET nick_name = ?, avatar_url = ? WHERE appid = ? AND openid = ?', [
        textOf(userInfo?.nickName),
        textOf(userInfo?.avatarUrl),
        appid,
        openid,
      ])
    },
    of(user) {
      const row = rowOf(user)
      if (row) return row
      makeRow(user)
      return rowOf(user) as User
    },
    keepAvatar({ appid, openid }, { type, image }) {
      const id = hash('sha256', image)
      database.run(
        'INSERT OR REPLACE INTO pictures (appid, openid, id, type, image) VALUES (?, ?, ?, ?, ?)',
        [appid, openid, id, type, image],
      )
      database.run(
        `DELETE FROM pictures WHERE appid = ?1 AND openid = ?2 AND rowid NOT IN (
           SELECT rowid FROM pictures WHERE appid = ?1 AND openid = ?2 ORDER BY rowid DESC LIMIT ${MOST_AVATARS})`,
        [appid, openid],
      )
      return { id }
    },
    findAvatar(id) {
      const row = database.get('SELECT type, image FROM pictures WHERE id = ? LIMIT 1', [id])
      return (row ?? undefined) as Avatar | undefined
    },
    close: () => database.close(),
  }
}

function openDatabase(file: string, patienceMs: number) {
  try {
    const database = new sqlite.Database(file)
    database.exec(`PRAGMA busy_timeout = ${patienceMs}; ${SCHEMA}`)
    return database
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new TypeError(`DATABASE ${file}: ${reason}${adviceOn(file)}`, { cause })
  }
}

/** The lock is a folder, which stays behind when a process is killed in the midst of a statement. */
function adviceOn(file: string): string {
  const lock = `${file}.lock`
  return existsSync(lock) ? `; remove the folder ${lock} if no other process uses the file` : ''
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null
}
