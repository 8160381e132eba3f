import type { Apps } from './app-info.js'
import { changedAllTheTime } from './contention.js'
import type { KeyRing } from './key-ring.js'
import { liveRecord } from './live-record.js'
import { encodeRecord } from './record.js'
import type { SessionRef } from './session.js'
import type { SessionStore } from './store.js'
import type { SessionAddress } from './token.js'

/** Each try but the first means that somebody else has changed the record in the same moment. */
const MOST_TRIES = 10

interface DataBookParts {
  readonly apps: Apps
  readonly store: Required<SessionStore>
  readonly keyRing: KeyRing
}

/** What the application keeps in sessions. */
export class DataBook {
  readonly #apps: Apps
  readonly #store: Required<SessionStore>
  readonly #keyRing: KeyRing

  constructor(parts: DataBookParts) {
    this.#apps = parts.apps
    this.#store = parts.store
    this.#keyRing = parts.keyRing
  }

  /** Replaces the data of a session; returns whether it lives. Its keys and moments stay as they are, or as others make them meanwhile. */
  async set({ sessionId, appid, openid }: SessionRef, data: unknown): Promise<boolean> {
    for (const handle of this.#keyRing.handlesOf(appid, openid)) {
      if (await this.#setAt({ handle, sessionId }, data)) return true
    }
    return false
  }

  async #setAt(address: SessionAddress, data: unknown): Promise<boolean> {
    const { handle, sessionId } = address
    for (let tries = 0; tries < MOST_TRIES; tries += 1) {
      const stored = await this.#store.read(address)
      const live = stored && liveRecord(stored, this.#apps)
      if (!live) return false
      const change = { sessionId, from: stored.record, to: encodeRecord({ ...live.record, data }) }
      if ((await this.#store.rewrite(handle, [change])) === 1) return true
    }
    throw changedAllTheTime()
  }
}
