import type { SessionAddress } from './token.js'

/** A stored session. All times are by the clock of the store, in milliseconds since 1970. */
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

/** A session with the profile of its user. */
export interface StoredVisit extends StoredSession {
  /** Opaque text of one line; null when there is none. */
  readonly userInfo: string | null
}

/** Everything that a store keeps of a user. */
export interface StoredUser {
  /** The live sessions in order of issue. */
  readonly sessions: readonly StoredSession[]
  readonly userInfo: string | null
  /** Whether the user has logged in before, as long as that is kept. */
  readonly wasHere: boolean
}

/** What a login writes, atomically. */
export interface SessionEntry {
  readonly address: SessionAddress
  readonly record: string
  /**
   * When the login began, in microseconds: `writtenAt` of a {@link StoredValue}. The login is revoked if the
   * sessions of its user, of the group of the user, or of all users have been ended at that time or later.
   * Default: now.
   */
  readonly beganAt?: number | undefined
  /** The absolute lifetime from the beginning of the login, in milliseconds. */
  readonly loginDurationMs: number
  /** The idle lifetime from this call, in milliseconds. With zero or less, the session is over at once. */
  readonly sessionDurationMs: number
  /** How many sessions the user may have, this one included. */
  readonly maxSessions: number
  /** What happens to one more: the session that was issued first ends, or the new one is refused. */
  readonly onLimit: 'end-oldest' | 'refuse'
  /** A session of the same user that ends with this login. */
  readonly replaces?: string | undefined
  /**
   * The record that the session `replaces` must still have, or else nothing is written. Sent again after a
   * lost connection, the login finds its own session, and is issued. Default: it need not be there.
   */
  readonly replacesRecord?: string | undefined
  /** A new profile, never empty; undefined keeps the present one. */
  readonly userInfo?: string | undefined
  /** How long to keep the profile, and that the user has logged in, in milliseconds. */
  readonly userInfoDurationMs: number
}

/**
 * The result of a login: `issued`; `revoked`, because the sessions of the user, of the group or of all users
 * were ended since it began; `unmatched`, because the session it must replace has ended or has another
 * record; or `refused`, because the user has too many sessions.
 */
export type IssueResult =
  | {
      readonly state: 'issued'
      readonly createdAt: number
      readonly lastVisitAt: number
      readonly endsAt: number
      /** Whether the user had logged in before, as long as that is kept. */
      readonly seenBefore: boolean
      /** The user's profile after the login. */
      readonly userInfo: string | null
    }
  | { readonly state: 'refused' }
  | { readonly state: 'revoked' }
  | { readonly state: 'unmatched' }

/** How far a visit moves the end of a session. */
export interface TouchWindow {
  /** The idle lifetime from this visit, in milliseconds. */
  readonly sessionDurationMs: number
  /** The absolute end, by the clock of the store. */
  readonly endsBy: number
}

/** A recorded visit, by the clock of the store. */
export interface RecordedVisit {
  readonly lastVisitAt: number
  readonly endsAt: number
}

/** Replaces a record if it is still the one that was read. */
export interface RecordChange {
  readonly sessionId: string
  /** The record that was read. */
  readonly from: string
  readonly to: string
  /**
   * A new id for the session, which no longer has the old one then. A session that has this id and the record
   * `to` already counts as replaced, as a client may send the change again. Default: it keeps its id.
   */
  readonly newSessionId?: string | undefined
}

/** A value that all processes share. */
export interface StoredValue {
  readonly text: string
  /** In microseconds since 1970. A later write always has a later time. */
  readonly writtenAt: number
  /** How long it is still kept, in milliseconds. */
  readonly leftMs: number
}

/** Replaces a shared value if it is still the one that was read. */
export interface ValueChange {
  readonly id: string
  /** The text that was read; null: there was none. */
  readonly from: string | null
  /** The new text, never empty; null deletes the value. */
  readonly to: string | null
  /**
   * How long to keep it, in milliseconds. Default: until the end of the value that it replaces. Required
   * where there was none: otherwise the store throws a `TypeError`.
   */
  readonly keepMs?: number | undefined
  /** Whether it must outlive the loss of a server, where the store can see to that. Default false. */
  readonly mustLast?: boolean | undefined
}

/** The result of a {@link ValueChange}. */
export interface ValueOutcome {
  readonly isReplaced: boolean
  /** The present value: the new one, or the one found in place of `from`; null when there is none. */
  readonly value: StoredValue | null
}

/** Adds to a shared value that counts. */
export interface ValueAddition {
  readonly id: string
  /** A whole number; negative to take back. */
  readonly add: number
  /**
   * How long to keep the value where there was none, in milliseconds. Otherwise its end stays; but where more
   * than this is left, as after the clock was set back, it is kept for this long.
   */
  readonly keepMs: number
}

/** A shared value that counts, after a {@link ValueAddition}. */
export interface CountedValue {
  readonly number: number
  /** How long it is still kept, in milliseconds; 0 with the number 0, which is not kept. */
  readonly leftMs: number
}

/** The highest number of a {@link CountedValue}: it goes no further. */
export const MOST_COUNTED = 999_999_999_999_999

/** Whose sessions {@link SessionStore.revokeBatch} ends, and where it goes on. */
export interface RevocationStep {
  /** The group whose sessions end, the first 4 characters of the handles of its users; null: everybody. */
  readonly group: string | null
  /**
   * `next` of the step before, for the same group. Undefined in the first step. Empty to resume where the
   * cursor was lost: this step ends nothing, and the following ones delete what has already ended.
   */
  readonly cursor?: string | undefined
}

/** What one step of {@link SessionStore.revokeBatch} has done. */
export interface RevokedBatch {
  readonly revoked: number
  /** The cursor of the next step; undefined after the last one. */
  readonly next: string | undefined
}

/**
 * Keeps sessions. Every method is atomic for one user, and throws when it fails: a failure is never reported
 * as "not found". Times are by the clock of the store, so that the clocks of the processes do not matter:
 * callers pass durations, and times only if the store has returned them before.
 *
 * `withinMs` limits how late a change may be made, in milliseconds from the call. After that the store does
 * not make it and throws {@link tooLate}. Default: no limit.
 *
 * `storeContract` of `weapp-session/store-contract` tests an implementation, in any test runner.
 *
 * @example
 * class MyStore implements SessionStore { … }
 * createSessions({ apps, store: new MyStore() })
 */
export interface SessionStore {
  /** Reads a session and its user's profile; null when there is no live session. One round trip. */
  read(address: SessionAddress): Promise<StoredVisit | null>
  /** Reads a user. An unknown one has no sessions and no profile. */
  readUser(handle: string): Promise<StoredUser>
  /** Writes a login, within the cap. */
  issue(entry: SessionEntry, withinMs?: number): Promise<IssueResult>
  /** Records a visit now and moves the end; null when there is no live session. */
  touch(address: SessionAddress, window: TouchWindow, withinMs?: number): Promise<RecordedVisit | null>
  /** Ends a session; returns whether there was one. */
  revoke(address: SessionAddress, withinMs?: number): Promise<boolean>
  /**
   * Ends all sessions of a user, except one if named; returns how many. Logins that began before are revoked
   * for {@link USER_MARK_MS}. The profile stays.
   */
  revokeUser(handle: string, exceptSessionId?: string, withinMs?: number): Promise<number>
  /** Sets the profile of a user (never an empty text) for `keepMs`; null deletes it. */
  writeUserInfo(handle: string, userInfo: string | null, keepMs: number, withinMs?: number): Promise<void>
  /**
   * Replaces records of a user, atomically, and ids where that is asked for; visits, ends and order stay.
   * Returns how many were replaced.
   */
  rewrite(handle: string, changes: readonly RecordChange[], withinMs?: number): Promise<number>
  /** Reads a shared value, such as an access token; null when there is none. */
  readValue(id: string): Promise<StoredValue | null>
  /**
   * Replaces a shared value. Of many callers that have read the same one, exactly one does. One round trip.
   */
  replaceValue(change: ValueChange, withinMs?: number): Promise<ValueOutcome>
  /**
   * Adds to the number that the text of a shared value is, in decimal digits, and returns the new one. No
   * value and any other text count as 0. It goes from 0, which is not kept, to {@link MOST_COUNTED}. Of many
   * callers at the same time none is lost. One round trip.
   */
  addToValue(addition: ValueAddition, withinMs?: number): Promise<CountedValue>
  /**
   * Ends every session of all users, or of those of a group: the users of an app. The first step, without a
   * cursor, ends them at once; logins that began before it are revoked. Further steps with `next`, until that
   * is undefined, delete what has ended; each returns how many. Profiles stay.
   */
  revokeBatch(step: RevocationStep, withinMs?: number): Promise<RevokedBatch>
  /** Resolves if a login could be written now. It may be called every second by many processes. */
  ping(): Promise<void>
  /** Releases what the store itself has opened. */
  close?(): Promise<void>
}

/**
 * For how long the end of a user's sessions revokes logins that began before it, in milliseconds: 10 minutes.
 */
export const USER_MARK_MS = 600_000

/**
 * A store failure whose message may be logged: it holds no secret. Of other errors only the kind is logged.
 *
 * @example
 * throw new StoreFailure('the table "sessions" does not exist')
 */
export class StoreFailure extends Error {
  override readonly name = 'StoreFailure'
}

/**
 * Returns the error for a change that would be made after its `withinMs`.
 *
 * @example
 * if (withinMs !== undefined && withinMs <= 0) throw tooLate()
 */
export function tooLate(): StoreFailure {
  return new StoreFailure('a change came too late, and was not made')
}

/** Throws {@link tooLate} when no time is left. Undefined: no limit. */
export function checkInTime(leftMs: number | undefined): void {
  if (leftMs !== undefined && leftMs <= 0) throw tooLate()
}
