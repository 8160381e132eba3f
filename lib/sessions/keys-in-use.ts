import { AsyncResource } from 'node:async_hooks'
import type { Clock } from '../clock.js'
import { isJsonObject } from '../json-object.js'
import type { Logger } from '../logger.js'
import type { App } from './app-info.js'
import type { Apps } from './apps.js'
import { isKeyId, type KeyRing } from './key-ring.js'
import { BackgroundWork } from './once.js'
import type { SessionStore, StoredValue } from './store.js'
import { valueIdOf } from './token.js'

/** How often a process notes that logins of an app go on. */
const NOTE_EVERY_MS = 3_600_000
const RETRY_AFTER_MS = 60_000
/** Each further try means that another process has noted its key in between. */
const MOST_TRIES = 3
/** How many keys of an app are remembered: those under which sessions began last. */
const MOST_KEYS = 10

/** When sessions last began under a key, by the clock of a process in milliseconds since 1970. */
type KeyUse = readonly [keyId: string, lastUsedAt: number]

interface MissingKey {
  readonly keyId: string
  readonly appids: string[]
  lastUsedAt: number
}

interface KeysInUseParts {
  readonly apps: Apps
  readonly store: Required<SessionStore>
  readonly keyRing: KeyRing
  readonly clock: Clock
  readonly logger: Logger
}

/**
 * Remembers in the store under which keys sessions of an app begin, and tells the log when one of those keys
 * is missing in this process: the sessions that live under it are unknown here. The store gets the ids of the
 * keys, which stand in each record as well.
 */
export class KeysInUse {
  readonly #parts: KeysInUseParts
  readonly #background = new BackgroundWork()
  /** When this process last noted a login, by appid. */
  readonly #notes = new Map<string, number>()
  readonly #told = new Set<string>()
  /** Runs in the context of the constructor: it is no part of the request, nor of its trace. */
  readonly #noteApart = AsyncResource.bind(async (app: App): Promise<void> => {
    await this.check()
    await this.#note(app)
  })
  #checked: Promise<void> | undefined
  #failedAt: number | undefined

  constructor(parts: KeysInUseParts) {
    this.#parts = parts
  }

  /** Looks for missing keys of all apps, once in a process; a minute after a failure again. Never rejects. */
  check(): Promise<void> {
    const now = this.#parts.clock()
    if (this.#failedAt !== undefined && Math.abs(now - this.#failedAt) >= RETRY_AFTER_MS) {
      this.#failedAt = undefined
      this.#checked = undefined
    }
    this.#checked ??= this.#checkAll().catch(() => {
      this.#failedAt = now
    })
    return this.#checked
  }

  /** Notes that a session of an app has begun, at most once an hour. Nobody has to wait for it. */
  noteLogin(app: App): void {
    const now = this.#parts.clock()
    const sinceMs = now - (this.#notes.get(app.appid) ?? Number.NEGATIVE_INFINITY)
    // Negative where the clock was set back.
    if (sinceMs >= 0 && sinceMs < NOTE_EVERY_MS) return
    this.#notes.set(app.appid, now)
    this.#background.add(
      this.#noteApart(app).catch(() => void this.#notes.set(app.appid, now - NOTE_EVERY_MS + RETRY_AFTER_MS)),
    )
  }

  async idle(): Promise<void> {
    await this.#background.idle()
  }

  async #checkAll(): Promise<void> {
    const { apps, store } = this.#parts
    const found = apps.all.map(async (app) => ({
      app,
      uses: this.#usesIn(app, await store.readValue(idOf(app))),
    }))
    this.#tellMissing(await Promise.all(found))
  }

  async #note(app: App): Promise<void> {
    const { store, keyRing, clock } = this.#parts
    const [own] = keyRing.keyIdsOf(app.appid)
    const id = idOf(app)
    let found = await store.readValue(id)
    for (let tries = 0; own !== undefined && tries < MOST_TRIES; tries += 1) {
      const uses = this.#usesIn(app, found)
      this.#tellMissing([{ app, uses }])
      const now = clock()
      if (uses.some(([keyId, at]) => keyId === own && Math.abs(now - at) < NOTE_EVERY_MS)) return
      const others = uses.filter(([keyId]) => keyId !== own)
      const to = JSON.stringify(Object.fromEntries([[own, now], ...others].slice(0, MOST_KEYS)))
      const keepMs = app.lifetimes.loginDurationMs
      const outcome = await store.replaceValue({ id, from: found?.text ?? null, to, keepMs })
      if (outcome.isReplaced) return
      found = outcome.value
    }
  }

  /** Returns the keys under which sessions may still live, newest first. Damaged text counts as none. */
  #usesIn({ lifetimes }: App, found: StoredValue | null): readonly KeyUse[] {
    const now = this.#parts.clock()
    return Object.entries(parsed(found?.text))
      .filter((use): use is [string, number] => isKeyId(use[0]) && Number.isFinite(use[1]))
      .filter(([, at]) => Math.abs(now - at) < lifetimes.loginDurationMs)
      .sort(([, a], [, b]) => b - a)
      .slice(0, MOST_KEYS)
  }

  /** Tells of each missing key once. */
  #tellMissing(found: readonly { readonly app: App; readonly uses: readonly KeyUse[] }[]): void {
    const missing = new Map<string, MissingKey>()
    for (const { app, uses } of found) {
      const own = this.#parts.keyRing.keyIdsOf(app.appid)
      for (const [keyId, lastUsedAt] of uses) {
        if (own.includes(keyId) || this.#told.has(`${keyId} ${app.appid}`)) continue
        this.#told.add(`${keyId} ${app.appid}`)
        const key = missing.get(keyId) ?? { keyId, appids: [], lastUsedAt }
        key.appids.push(app.appid)
        key.lastUsedAt = Math.max(key.lastUsedAt, lastUsedAt)
        missing.set(keyId, key)
      }
    }
    for (const key of missing.values()) this.#parts.logger.warn(this.#lineOf(key))
  }

  #lineOf({ keyId, appids, lastUsedAt }: MissingKey): string {
    return (
      `the secret with the id ${keyId} is missing, under which sessions of ${appids.join(', ')} began until ` +
      `${new Date(lastUsedAt).toISOString()}: they are unknown here, so their users log in again; phone ` +
      `numbers and access tokens under it have to be fetched anew. ${this.#remedyOf(keyId, appids)}`
    )
  }

  #remedyOf(keyId: string, appids: readonly string[]): string {
    const { keyRing } = this.#parts
    if (!keyRing.hasKeys)
      return 'If the AppSecret was changed, set "keys" to the new one and the old one; if "keys" was set, set it again'
    const isAppSecret = appids.some((appid) => keyRing.isAppSecret(keyId, appid))
    return isAppSecret
      ? 'It is the AppSecret: put that at the end of "keys"'
      : 'To keep them, put it back at the end of "keys"'
  }
}

function idOf({ appid }: App): string {
  return valueIdOf({ purpose: 'keys in use', appid })
}

function parsed(text = ''): object {
  try {
    const value: unknown = JSON.parse(text)
    return isJsonObject(value) ? value : {}
  } catch {
    return {}
  }
}
