import type { App } from './app-info.js'
import type { KeyRing } from './key-ring.js'
import type { UserRef } from './session.js'
import type { SessionStore, StoredUser } from './store.js'
import { decodeUserInfo, encodeUserInfo, isPlaceholder, type UserInfo } from './user-info.js'

/** The profiles of users, and whether they have logged in before. They are stored under each ring key. */
export class UserProfiles {
  readonly #store: Required<SessionStore>
  readonly #keyRing: KeyRing

  constructor(store: Required<SessionStore>, keyRing: KeyRing) {
    this.#store = store
    this.#keyRing = keyRing
  }

  /** Whether the user has logged in within the `userInfoDurationDays` of the app. */
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

  /** Sets the profile of a user; null deletes it. */
  async set(app: App, openid: string, userInfo: UserInfo | null): Promise<void> {
    const [newest = '', ...older] = this.#keyRing.handlesOf({ appid: app.appid, openid })
    const known = await this.#usersAt(older)
    const handles = [newest, ...older.filter((_, index) => known[index]?.wasHere)]
    const text = userInfo && encodeUserInfo(userInfo)
    const { userInfoDurationMs } = app
    await Promise.all(handles.map((handle) => this.#store.writeUserInfo(handle, text, userInfoDurationMs)))
  }

  /** Deletes the profile of a user, and that the user has logged in before. */
  async forget(user: UserRef): Promise<void> {
    const handles = this.#keyRing.handlesOf(user)
    await Promise.all(handles.map((handle) => this.#store.writeUserInfo(handle, null, 0)))
  }

  /**
   * Returns what a login takes over from the older ring keys: a profile, unless the newest one has the user
   * already. Undefined when the user has not logged in under an older key.
   */
  async underOlderKeys(user: UserRef): Promise<{ readonly userInfo: string | undefined } | undefined> {
    const [newest, ...older] = await this.#usersAt(this.#keyRing.handlesOf(user))
    const earlier = older.find(({ wasHere }) => wasHere)
    return earlier && { userInfo: newest?.wasHere ? undefined : (earlier.userInfo ?? undefined) }
  }

  #usersAt(handles: readonly string[]): Promise<StoredUser[]> {
    return Promise.all(handles.map((handle) => this.#store.readUser(handle)))
  }
}
