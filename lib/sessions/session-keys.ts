import { Secret } from '../secret.js'
import type { Apps } from './apps.js'
import { addressOwned, type KeyBinding, type KeyRing } from './key-ring.js'
import { liveRecord } from './live-record.js'
import { encodeRecord } from './record.js'
import type { SessionRef, UserRef } from './session.js'
import type { RecordChange, SessionStore, StoredSession } from './store.js'

/** A client can make the server try each of them. */
const MOST_SESSION_KEYS = 10
/** Each further try means that another process has changed a record in between. */
const MOST_TRIES = 5

interface SessionKeysParts {
  readonly apps: Apps
  readonly store: Required<SessionStore>
  readonly keyRing: KeyRing
}

/** The session_keys in the sessions of a user. */
export class SessionKeys {
  readonly #parts: SessionKeysParts

  constructor(parts: SessionKeysParts) {
    this.#parts = parts
  }

  /**
   * Returns the session_keys of the user's live sessions and those they replaced, without duplicates: of the
   * session `first`, then of the newest logins.
   */
  async keysOf(user: UserRef, first?: string): Promise<Secret[]> {
    const { keyRing } = this.#parts
    const idOfFirst = first && addressOwned(keyRing, { ...user, sessionId: first })?.sessionId
    const newestFirst = (await this.#sessionsOf(user))
      .flatMap((sessions) => sessions.toReversed())
      .sort((a, b) => Number(b.sessionId === idOfFirst) - Number(a.sessionId === idOfFirst))
    const sessionKeys = newestFirst
      .slice(0, MOST_SESSION_KEYS)
      .flatMap((session) => this.#sessionKeysIn(session, user))
    const unique = new Map(sessionKeys.map((sessionKey) => [sessionKey.reveal(), sessionKey]))
    return [...unique.values()].slice(0, MOST_SESSION_KEYS)
  }

  /**
   * Returns the session_key of a session; null when it does not open, undefined when the session has ended.
   */
  async keyOf(session: SessionRef): Promise<Secret | null | undefined> {
    const { apps, store, keyRing } = this.#parts
    const address = addressOwned(keyRing, session)
    const stored = address && (await store.read(address))
    const live = stored && liveRecord(stored, apps.find(session.appid))
    if (!live) return undefined
    return this.#open(live.record.sealedSessionKey, bindingOf(session, stored.sessionId)) ?? null
  }

  /**
   * Stores a new session_key and the one before it in one session of a user, or in all: atomically for those
   * under the same ring key. Returns in how many sessions it is new.
   */
  async keep(user: UserRef, sessionKey: Secret, sessionId?: string): Promise<number> {
    const { keyRing } = this.#parts
    if (sessionId !== undefined) {
      const address = addressOwned(keyRing, { ...user, sessionId })
      return address ? this.#keepAt(address.handle, user, sessionKey, address.sessionId) : 0
    }
    const kept = keyRing.handlesOf(user).map((handle) => this.#keepAt(handle, user, sessionKey))
    return (await Promise.all(kept)).reduce((sum, count) => sum + count, 0)
  }

  async #keepAt(handle: string, user: UserRef, sessionKey: Secret, sessionId?: string): Promise<number> {
    let kept = 0
    for (let tries = 1; ; tries += 1) {
      const { sessions } = await this.#parts.store.readUser(handle)
      const changes = sessions
        .filter((session) => sessionId === undefined || session.sessionId === sessionId)
        .flatMap((session) => this.#changeOf(session, user, sessionKey) ?? [])
      const changed = await this.#parts.store.rewrite(handle, changes)
      kept += changed
      if (changed === changes.length || tries === MOST_TRIES) return kept
    }
  }

  /** A list for each ring key. */
  #sessionsOf(user: UserRef): Promise<(readonly StoredSession[])[]> {
    const { keyRing, store } = this.#parts
    const handles = keyRing.handlesOf(user)
    return Promise.all(handles.map(async (handle) => (await store.readUser(handle)).sessions))
  }

  #sessionKeysIn(stored: StoredSession, user: UserRef): Secret[] {
    const live = liveRecord(stored, this.#parts.apps.find(user.appid))
    if (!live) return []
    const { sealedSessionKey, sealedPreviousKey = '' } = live.record
    const binding = bindingOf(user, stored.sessionId)
    return [sealedSessionKey, sealedPreviousKey].flatMap((sealed) => this.#open(sealed, binding) ?? [])
  }

  #open(sealed: string, binding: KeyBinding): Secret | undefined {
    const text = this.#parts.keyRing.open(sealed, binding)
    return text === undefined ? undefined : new Secret(text)
  }

  #changeOf(stored: StoredSession, user: UserRef, sessionKey: Secret): RecordChange | undefined {
    const { apps, keyRing } = this.#parts
    const { sessionId, record: from } = stored
    const live = liveRecord(stored, apps.find(user.appid))
    const binding = bindingOf(user, sessionId)
    if (!live || this.#open(live.record.sealedSessionKey, binding)?.equals(sessionKey)) return undefined
    const sealedSessionKey = keyRing.seal(sessionKey.reveal(), binding)
    const sealedPreviousKey = live.record.sealedSessionKey
    return { sessionId, from, to: encodeRecord({ ...live.record, sealedSessionKey, sealedPreviousKey }) }
  }
}

function bindingOf({ appid, openid }: UserRef, sessionId: string) {
  return { appid, openid, sessionId }
}
