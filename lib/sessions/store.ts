import type { SessionAddress } from './token.js'

/** A session as it lies in a store. The store does not look into `record`. */
export interface StoredSession {
  readonly sessionId: string
  /** Opaque text, written at login and by {@link SessionStore.rewrite}. */
  readonly record: string
  /** The last recorded visit, in milliseconds since 1970. */
  readonly lastVisitAt: number
}

/** A session together with the profile of its user. */
export interface StoredVisit extends StoredSession {
  /** The user's profile as opaque text, or null when there is none. */
  readonly userInfo: string | null
}

/** What a login writes, in one atomic step. */
export interface SessionEntry {
  readonly address: SessionAddress
  readonly record: string
  /** The time of login; also the first visit. Milliseconds since 1970, like every time here. */
  readonly createdAt: number
  /** When the store drops the record unless a touch comes first. May already have passed. */
  readonly dropAt: number
  /** The absolute end, after which no touch can move `dropAt`. */
  readonly expiresAt: number
  /** How many sessions the user may have, this one included. */
  readonly maxSessions: number
  /** What happens to one more: the oldest ends, or the new one is refused. */
  readonly onLimit: 'end-oldest' | 'refuse'
  /** A session of the same user that ends with this login. */
  readonly replaces: string | undefined
  /** A new profile, never empty; undefined keeps the one there is. */
  readonly userInfo: string | undefined
  /** Until when the profile is kept, and that the user was here. */
  readonly userInfoDropAt: number
}

/** What became of a login. */
export interface IssueResult {
  /** False when the user had too many sessions and `onLimit` is `refuse`. */
  readonly issued: boolean
  /** Whether the user had logged in before, as long as that is remembered. */
  readonly seenBefore: boolean
  /** The user's profile after the login. */
  readonly userInfo: string | null
}

/** A record that is to be replaced, if it is still the one that was read. */
export interface RecordChange {
  readonly sessionId: string
  /** The record as it was read. */
  readonly from: string
  readonly to: string
}

/**
 * What became of a claim: it is yours alone (`claimed`), somebody else's (`pending`), or it was settled with this answer
 * (`settled`).
 */
export type Claim =
  | { readonly state: 'claimed' }
  | { readonly state: 'pending' }
  | { readonly state: 'settled'; readonly answer: string }

/** One step of {@link SessionStore.removeBatch}. */
export interface RemovedBatch {
  readonly removed: number
  /** Where to go on; undefined when all is done. */
  readonly next: string | undefined
}

/**
 * Where sessions live. Every method is atomic for one user; absolute times cross this interface, never a relative TTL.
 * A method throws when it cannot do its work: an error is never reported as "not there". Deadlines are kept by the caller.
 *
 * `spec/contracts/store-contract.ts` in the repository is a test suite for implementations.
 *
 * @example
 * class MyStore implements SessionStore { … }
 * createSessions({ apps, store: new MyStore() })
 */
export interface SessionStore {
  /** Reads a session and its user's profile; null when there is none or it has been dropped. One round trip. */
  read(address: SessionAddress): Promise<StoredVisit | null>
  /** Whether the user has logged in before, as long as that is remembered. */
  hasSeen(handle: string): Promise<boolean>
  /** Writes a login: record, index, profile; keeps to the cap; forgets what the index names but the store has dropped. */
  issue(entry: SessionEntry): Promise<IssueResult>
  /**
   * Records a visit and moves the end, only if the session is still there; answers whether it is.
   * A visit earlier than the recorded one changes nothing.
   */
  touch(address: SessionAddress, lastVisitAt: number, dropAt: number): Promise<boolean>
  /** Ends a session; answers whether there was one. */
  remove(address: SessionAddress): Promise<boolean>
  /** Ends all sessions of a user, except one if named; answers how many. The profile stays. */
  removeUser(handle: string, exceptSessionId?: string): Promise<number>
  /** All live sessions of a user, oldest login first. */
  list(handle: string): Promise<StoredSession[]>
  /** Sets (never to an empty text) or deletes (null) the profile that all sessions of the user share. */
  writeUserInfo(handle: string, userInfo: string | null, dropAt: number): Promise<void>
  /**
   * Replaces records of a user, each only if it is still as it was read; visits, ends and the index stay. Answers how many
   * were replaced. All in one step: nobody reads one of them new and another one old.
   */
  rewrite(handle: string, changes: readonly RecordChange[]): Promise<number>
  /**
   * Claims an id, such as that of a login code, until `dropAt`, unless it is claimed or settled already. Exactly one
   * claimant gets `claimed`, and gets it again when it asks again: a client may have sent the question twice.
   */
  claim(id: string, claimant: string, dropAt: number): Promise<Claim>
  /** Replaces a claim by an answer, which is never empty. */
  settle(id: string, answer: string, dropAt: number): Promise<void>
  /** Gives a claim back, if it is this claimant's. */
  release(id: string, claimant: string): Promise<void>
  /** A value that all processes share, such as an access token, or null. */
  readValue(id: string): Promise<string | null>
  /**
   * Replaces a shared value, only if it is still `from` (null: there is none); null as `to` deletes it. Answers whether
   * it did. Values are never empty.
   */
  replaceValue(id: string, from: string | null, to: string | null, dropAt: number): Promise<boolean>
  /**
   * Ends a part of all sessions of all users. Called again with `next` until that is undefined, it has ended every
   * session that existed at the first call. Profiles stay.
   */
  removeBatch(cursor?: string): Promise<RemovedBatch>
  /** Resolves when the store answers. */
  ping(): Promise<void>
  /** Gives back what the store itself has opened. */
  close?(): Promise<void>
}
