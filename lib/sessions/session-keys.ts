import type { Apps } from './apps.js'
import type { KeyRing } from './key-ring.js'
import { liveRecord } from './live-record.js'
import { encodeRecord } from './record.js'
import type { SessionRef, UserRef } from './session.js'
import type { RecordChange, SessionStore, StoredSession } from './store.js'

/** Each key that is tried costs a decryption, which a client can trigger. */
const MOST_KEYS_TRIED = 10
/** Each retry means that somebody else changed a record at the same time. */
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
   * The session_keys of a user's live sessions: that of `first` in front, then the newest logins; with each
   * the one that it replaced. Each once.
   */
  async keysOf(user: UserRef, first?: string): Promise<string[]> {
    const lists = await Promise.all(
      this.#parts.keyRing.handlesOf(user).map((handle) => this.#sessionsAt(handle)),
    )
    const newestFirst = lists
      .flatMap((sessions) => sessions.toReversed())
      .sort((a, b) => Number(b.sessionId === first) - Number(a.sessionId === first))
    const keys = newestFirst.slice(0, MOST_KEYS_TRIED).flatMap((session) => this.#keysIn(session, user))
    return [...new Set(keys)].slice(0, MOST_KEYS_TRIED)
  }

  /** The session_key of a session; null if it cannot be decrypted, undefined if the session has ended. */
  async keyOf(session: SessionRef): Promise<string | null | undefined> {
    const lists = await Promise.all(
      this.#parts.keyRing.handlesOf(session).map((handle) => this.#sessionsAt(handle)),
    )
    const stored = lists.flat().find(({ sessionId }) => sessionId === session.sessionId)
    const live = stored && liveRecord(stored, this.#parts.apps)
    if (!live) return undefined
    return (
      this.#parts.keyRing.open(live.record.sealedSessionKey, bindingOf(session, session.sessionId)) ?? null
    )
  }

  /**
   * Stores a new key, and the one before it, in one session of a user or, without an id, in all of them: in
   * one step for those that began under one key of the ring. Returns in how many it is new.
   */
  async keep(user: UserRef, sessionKey: string, sessionId?: string): Promise<number> {
    const kept = this.#parts.keyRing
      .handlesOf(user)
      .map((handle) => this.#keepAt(handle, user, sessionKey, sessionId))
    return (await Promise.all(kept)).reduce((sum, count) => sum + count, 0)
  }

  async #keepAt(handle: string, user: UserRef, sessionKey: string, sessionId?: string): Promise<number> {
    let kept = 0
    for (let tries = 1; ; tries += 1) {
      const stored = await this.#sessionsAt(handle)
      const changes = stored
        .filter((session) => sessionId === undefined || session.sessionId === sessionId)
        .flatMap((session) => this.#withKey(session, user, sessionKey) ?? [])
      const changed = await this.#parts.store.rewrite(handle, changes)
      kept += changed
      if (changed === changes.length || tries === MOST_TRIES) return kept
    }
  }

  async #sessionsAt(handle: string): Promise<readonly StoredSession[]> {
    return (await this.#parts.store.readUser(handle)).sessions
  }

  #keysIn(stored: StoredSession, user: UserRef): string[] {
    const live = liveRecord(stored, this.#parts.apps)
    if (!live) return []
    const { sealedSessionKey, sealedPreviousKey = '' } = live.record
    return [sealedSessionKey, sealedPreviousKey].flatMap(
      (sealed) => this.#parts.keyRing.open(sealed, bindingOf(user, stored.sessionId)) ?? [],
    )
  }

  #withKey(stored: StoredSession, user: UserRef, sessionKey: string): RecordChange | undefined {
    const { sessionId, record: from } = stored
    const live = liveRecord(stored, this.#parts.apps)
    const binding = bindingOf(user, sessionId)
    if (!live || this.#parts.keyRing.open(live.record.sealedSessionKey, binding) === sessionKey)
      return undefined
    const sealedSessionKey = this.#parts.keyRing.seal(sessionKey, binding)
    const sealedPreviousKey = live.record.sealedSessionKey
    return { sessionId, from, to: encodeRecord({ ...live.record, sealedSessionKey, sealedPreviousKey }) }
  }
}

function bindingOf({ appid, openid }: UserRef, sessionId: string) {
  return { appid, openid, sessionId }
}
