import type { SessionAddress } from './token.js'

/**
 * A session in a store, which does not look into `record`. Moments are by the clock of the store, in
 * milliseconds since 1970.
 */
export interface StoredSession {
  readonly sessionId: string
  /** Opaque text of one line, written at login and by {@link SessionStore.rewrite}. */
  readonly record: string
  /** The time of login. */
  readonly createdAt: number
  /** The last recorded visit. */
  readonly lastVisitAt: number
  /** The end, unless a touch moves it. */
  readonly endsAt: number
  /** When this was read. */
  readonly readAt: number
}

/** A session together with the profile of its user. */
export interface StoredVisit extends StoredSession {
  /** The user's profile as opaque text of one line, or null when there is none. */
  readonly userInfo: string | null
}

/** All that a store knows of a user. */
export interface StoredUser {
  /** The live sessions, in the order in which they were issued. */
  readonly sessions: readonly StoredSession[]
  readonly userInfo: string | null
  /** Whether the user has logged in before, as long as that is remembered. */
  readonly wasHere: boolean
}

/** What a login writes, in one atomic step. */
export interface SessionEntry {
  readonly address: SessionAddress
  readonly record: string
  /**
   * When the login began, in microseconds: {@link StoredValue.writtenAt} of the claim of its code. A login
   * that began at the moment at which the sessions of its user, or of everybody, were ended, or before, is
   * not issued. Undefined: now.
   */
  readonly beganAt?: number | undefined
  /** From the login to the end that no touch can move. All durations are in milliseconds. */
  readonly loginDurationMs: number
  /** From this call to the end unless a touch comes first. What is kept for zero or less is over at once. */
  readonly sessionDurationMs: number
  /** How many sessions the user may have, this one included. */
  readonly maxSessions: number
  /** What happens to one more: the one that was issued first ends, or the new one is refused. */
  readonly onLimit: 'end-oldest' | 'refuse'
  /** A session of the same user that ends with this login. */
  readonly replaces?: string | undefined
  /** A new profile, never empty; undefined keeps the one there is. */
  readonly userInfo?: string | undefined
  /** How long the profile is kept from now on, and that the user was here. */
  readonly userInfoDurationMs: number
}

/**
 * What became of a login: a session; nothing, because the sessions of the user, or of everybody, were ended
 * since it began (`revoked`); or nothing, because the user had too many sessions (`refused`).
 */
export type IssueResult =
  | {
      readonly state: 'issued'
      readonly createdAt: number
      readonly lastVisitAt: number
      readonly endsAt: number
      /** Whether the user had logged in before, as long as that is remembered. */
      readonly seenBefore: boolean
      /** The user's profile after the login. */
      readonly userInfo: string | null
    }
  | { readonly state: 'refused' }
  | { readonly state: 'revoked' }

/** How far a visit moves the end of a session. */
export interface TouchWindow {
  /** From this visit to the next end, in milliseconds. */
  readonly sessionDurationMs: number
  /** The end that no touch may move the session beyond, by the clock of the store. */
  readonly endsBy: number
}

/** A visit as it was recorded, by the clock of the store. */
export interface RecordedVisit {
  readonly lastVisitAt: number
  readonly endsAt: number
}

/** A record that is to be replaced, if it is still the one that was read. */
export interface RecordChange {
  readonly sessionId: string
  /** The record as it was read. */
  readonly from: string
  readonly to: string
}

/** A value that all processes share. */
export interface StoredValue {
  readonly text: string
  /** When it was written, in microseconds since 1970. What is written later gets a later moment. */
  readonly writtenAt: number
  /** How long it is still kept, in milliseconds. */
  readonly leftMs: number
}

/** A shared value that is to be replaced, if it is still the one that was read. */
export interface ValueChange {
  readonly id: string
  /** The text as it was read; null: there was none. */
  readonly from: string | null
  /** The new text, never empty; null deletes the value. */
  readonly to: string | null
  /**
   * How long it is kept from now on, in milliseconds. Undefined: as long as the value that it replaces; a
   * value where there was none needs it, otherwise the store throws a `TypeError`.
   */
  readonly keepMs?: number | undefined
}

/** What became of a {@link ValueChange}. */
export interface ValueOutcome {
  readonly isReplaced: boolean
  /** The value that is there now: the new one, the one that was not `from`, or null. */
  readonly value: StoredValue | null
}

/** One step of {@link SessionStore.revokeBatch}. */
export interface RevokedBatch {
  readonly revoked: number
  /** Where to go on; undefined when all is done. */
  readonly next: string | undefined
}

/**
 * Where sessions live. The store has the clock: durations go in, and moments by that clock come out, so that
 * the clocks of the processes do not matter. The only moments that go in are ones that came out before. Every
 * method is atomic for one user. It throws when it cannot do its work: an error is never reported as "not
 * there".
 *
 * Whoever calls waits only so long. Each method that changes something is told by `withinMs` for how many
 * milliseconds from the call on the change is wanted: a change that could only be made later is not made, and
 * the method throws {@link tooLate}. Left out: it is always wanted.
 *
 * `storeContract` of `weapp-session/store-contract` tests an implementation in any test runner.
 *
 * @example
 * class MyStore implements SessionStore { … }
 * createSessions({ apps, store: new MyStore() })
 */
export interface SessionStore {
  /** Reads a session and its user's profile; null when there is none or it has ended. One round trip. */
  read(address: SessionAddress): Promise<StoredVisit | null>
  /** Reads all that is known of a user. */
  readUser(handle: string): Promise<StoredUser>
  /** Writes a login: session, profile, that the user was here; keeps to the cap. */
  issue(entry: SessionEntry, withinMs?: number): Promise<IssueResult>
  /** Records a visit in this moment and moves the end, only if the session is still there; otherwise null. */
  touch(address: SessionAddress, window: TouchWindow, withinMs?: number): Promise<RecordedVisit | null>
  /** Ends a session; returns whether there was one. */
  revoke(address: SessionAddress, withinMs?: number): Promise<boolean>
  /**
   * Ends all sessions of a user, except one if named; returns how many. For {@link USER_MARK_MS} no login
   * that began before is issued. The profile stays.
   */
  revokeUser(handle: string, exceptSessionId?: string, withinMs?: number): Promise<number>
  /**
   * Sets (never to an empty text) or deletes (null) the profile that all sessions of the user share, and
   * keeps it for `keepMs`.
   */
  writeUserInfo(handle: string, userInfo: string | null, keepMs: number, withinMs?: number): Promise<void>
  /**
   * Replaces records of a user, each only if it is still as it was read; visits and ends stay. Returns how
   * many were replaced. All in one step: nobody reads one of them new and another one old.
   */
  rewrite(handle: string, changes: readonly RecordChange[], withinMs?: number): Promise<number>
  /** Reads a value that all processes share, such as an access token; null when there is none. */
  readValue(id: string): Promise<StoredValue | null>
  /**
   * Replaces a shared value if it is still the one that was read. Of many who have read the same one, exactly
   * one replaces it. One round trip.
   */
  replaceValue(change: ValueChange, withinMs?: number): Promise<ValueOutcome>
  /**
   * Ends every session of all users. The first call, without a cursor, ends all that are there, and no login
   * that began before is issued from then on. Called again with `next` until that is undefined, it clears
   * them away; returns how many. A store that does all at once returns no `next`. Profiles stay.
   */
  revokeBatch(cursor?: string, withinMs?: number): Promise<RevokedBatch>
  /**
   * Resolves when the store can do its work: when a login could be written now. It may be asked every second,
   * by many.
   */
  ping(): Promise<void>
  /** Gives back what the store itself has opened. */
  close?(): Promise<void>
}

/**
 * How long it is remembered that all sessions of a user were ended, in milliseconds: longer than any login
 * takes.
 */
export const USER_MARK_MS = 600_000

/**
 * A failure of a store whose message is fit for the operator's log: it holds no secret. Of other errors the
 * log names the kind alone.
 *
 * @example
 * throw new StoreFailure('the table "sessions" does not exist')
 */
export class StoreFailure extends Error {
  override readonly name = 'StoreFailure'
}

/**
 * What a store throws when a change came too late to be wanted.
 *
 * @example
 * if (withinMs !== undefined && withinMs <= 0) throw tooLate()
 */
export function tooLate(): StoreFailure {
  return new StoreFailure('a change came too late, and was not made')
}

/** Throws {@link tooLate} when no time is left; undefined is no limit. */
export function checkInTime(leftMs: number | undefined): void {
  if (leftMs !== undefined && leftMs <= 0) throw tooLate()
}
