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

/** Several, as a profile links to an earlier one until it is saved; few, so that nobody fills the table. */
const MAX_AVATARS = 3

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

/** Identifies a user in every table; the id of a row does so only in its own. */
export type Identity = Pick<LoginEvent, 'appid' | 'openid'>

/** The application's own users. `onLogin` and `onUserInfo` are hooks for `createSessions`. */
export interface UserTable {
  /** Counts the login, and inserts the row at the first one. */
  onLogin(event: LoginEvent): void
  onUserInfo(event: UserInfoEvent): void
  /** Returns the row of the user of a session; inserts it if the table has lost it. */
  of(user: Identity & Pick<UserInfoEvent, 'userInfo'>): User
  close(): void
}

/** Users in SQL, with their avatars. */
export interface Users extends UserTable {
  /** Saves an avatar, and deletes the oldest ones of the same user beyond a maximum. */
  saveAvatar(user: Identity, avatar: Avatar): { id: string }
  findAvatar(id: string): Avatar | undefined
}

/** How long a process waits for another one that is using the file, in milliseconds. */
const BUSY_TIMEOUT_MS = 2000

/**
 * Opens the table in an SQLite file, which several processes may share; `:memory:` keeps it in memory. Throws
 * a `TypeError` if the file cannot be used.
 */
export function openUsers(file: string, busyTimeoutMs = BUSY_TIMEOUT_MS): Users {
  const database = openDatabase(file, busyTimeoutMs)

  function rowOf({ appid, openid }: Identity): User | undefined {
    const row = database.get(
      'SELECT id, nick_name, avatar_url, logins FROM users WHERE appid = ? AND openid = ?',
      [appid, openid],
    )
    return (row ?? undefined) as User | undefined
  }

  function insertRow({ appid, openid, userInfo }: Identity & Pick<UserInfoEvent, 'userInfo'>): void {
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
      insertRow(user)
      return rowOf(user) as User
    },
    saveAvatar({ appid, openid }, { type, image }) {
      const id = hash('sha256', image)
      database.run(
        'INSERT OR REPLACE INTO pictures (appid, openid, id, type, image) VALUES (?, ?, ?, ?, ?)',
        [appid, openid, id, type, image],
      )
      database.run(
        `DELETE FROM pictures WHERE appid = ?1 AND openid = ?2 AND rowid NOT IN (
           SELECT rowid FROM pictures WHERE appid = ?1 AND openid = ?2 ORDER BY rowid DESC LIMIT ${MAX_AVATARS})`,
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

function openDatabase(file: string, busyTimeoutMs: number) {
  try {
    const database = new sqlite.Database(file)
    database.exec(`PRAGMA busy_timeout = ${busyTimeoutMs}; ${SCHEMA}`)
    return database
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new TypeError(`DATABASE ${file}: ${reason}${adviceOn(file)}`, { cause })
  }
}

/** The lock is a folder, which is left behind when a process is killed in the middle of a statement. */
function adviceOn(file: string): string {
  const lock = `${file}.lock`
  return existsSync(lock) ? `; remove the folder ${lock} if no other process uses the file` : ''
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null
}
