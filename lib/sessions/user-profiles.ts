import type { App } from './app-info.js'
import type { KeyRing } from './key-ring.js'
import type { UserRef } from './session.js'
import type { SessionStore, StoredUser } from './store.js'
import { decodeUserInfo, encodeUserInfo, isPlaceholder, type UserInfo } from './user-info.js'

/** A user who logged in under an older key of the ring. */
export interface EarlierUser {
  /** The encoded profile; undefined if there is none, or the newest key has the user, too. */
  readonly userInfo: string | undefined
}

/** The profiles of users, and whether they were here. A user has a place under each key of the ring. */
export class UserProfiles {
  readonly #store: Required<SessionStore>
  readonly #keyRing: KeyRing

  constructor(store: Required<SessionStore>, keyRing: KeyRing) {
    this.#store = store
    this.#keyRing = keyRing
  }

  /** Whether a user has logged in before, which is remembered for `userInfoDurationDays`. */
  async hasSeen(user: UserRef): Promise<boolean> {
    const known = await this.#usersAt(this.#keyRing.handlesOf(user))
    return known.some(({ wasHere }) => wasHere)
  }

  async find(user: UserRef): Promise<UserInfo | null> {
    const known = await this.#usersAt(this.#keyRing.handlesOf(user))
    const place = known.find(({ wasHere, userInfo }) => wasHere || userInfo !== null)
    return decodeUserInfo(place?.userInfo ?? null)
  }

  /** Returns the stored profile if the given one is WeChat's placeholder and would replace a real one. */
  async keptOver(user: UserRef, given: UserInfo | null | undefined): Promise<UserInfo | undefined> {
    if (!given || !isPlaceholder(given)) return undefined
    const stored = await this.find(user)
    return stored && !isPlaceholder(stored) ? stored : undefined
  }

  async set(app: App, openid: string, userInfo: UserInfo | null): Promise<void> {
    const [newest = '', ...older] = this.#keyRing.handlesOf({ appid: app.appid, openid })
    const known = await this.#usersAt(older)
    const kept = [newest, ...older.filter((_, place) => known[place]?.wasHere)]
    const text = userInfo && encodeUserInfo(userInfo)
    await Promise.all(kept.map((handle) => this.#store.writeUserInfo(handle, text, app.userInfoDurationMs)))
  }

  async forget(user: UserRef): Promise<void> {
    const forgotten = this.#keyRing
      .handlesOf(user)
      .map((handle) => this.#store.writeUserInfo(handle, null, 0))
    await Promise.all(forgotten)
  }

  /** Returns the user under the older keys of the ring, if there is one. */
  async underOlderKeys(user: UserRef): Promise<EarlierUser | undefined> {
    const [newest, ...older] = await this.#usersAt(this.#keyRing.handlesOf(user))
    const earlier = older.find(({ wasHere }) => wasHere)
    return earlier && { userInfo: newest?.wasHere ? undefined : (earlier.userInfo ?? undefined) }
  }

  #usersAt(handles: readonly string[]): Promise<StoredUser[]> {
    return Promise.all(handles.map((handle) => this.#store.readUser(handle)))
  }
}
