import type { CheckedIdentity } from '../exchange.js'
import { MOST_SESSIONS } from './app-info.js'
import type { Apps } from './apps.js'
import { changedAllTheTime } from './contention.js'
import { addressOwned, type KeyRing } from './key-ring.js'
import { drawDuration, drawLifetimes } from './lifetimes.js'
import { liveRecord } from './live-record.js'
import { encodeRecord, type SessionRecord } from './record.js'
import { type Session, type SessionRef, sessionFrom, type UserRef } from './session.js'
import type { IssueResult, SessionEntry, SessionStore, StoredVisit } from './store.js'
import { addressOf, newToken, publicIdOf, type SessionAddress } from './token.js'
import { decodeUserInfo } from './user-info.js'
import type { UserProfiles } from './user-profiles.js'

/** Each further try means that another process has changed the record in between. */
const MOST_TRIES = 10

/** A session under a new token; the one before is dead. */
export interface RotatedSession {
  readonly token: string
  readonly session: Session
}

/** What a fresh code has proved, and when its exchange began: by the clock of the store, in microseconds. */
export interface FreshLogin {
  readonly identity: CheckedIdentity
  readonly beganAt: number
}

type Live = NonNullable<ReturnType<typeof liveRecord>> & { readonly stored: StoredVisit }

interface SessionRotationParts {
  readonly apps: Apps
  readonly store: Required<SessionStore>
  readonly keyRing: KeyRing
  readonly profiles: UserProfiles
}

/**
 * Gives live sessions a new token. Of several that try so at once, one succeeds; the others find no session.
 */
export class SessionRotation {
  readonly #parts: SessionRotationParts

  constructor(parts: SessionRotationParts) {
    this.#parts = parts
  }

  /**
   * Begins the login of a session anew. Undefined when it has ended meanwhile. Two round trips to the store,
   * and three more for a session under an older ring key.
   */
  async renew(old: SessionAddress, fresh: FreshLogin): Promise<RotatedSession | undefined> {
    for (let tries = 0; tries < MOST_TRIES; tries += 1) {
      const live = await this.#find(old)
      if (!live) return undefined
      const [handle = ''] = this.#parts.keyRing.handlesOf(live.record)
      const renewed =
        handle === old.handle ? this.#renewAt(old, live, fresh) : this.#moveTo(handle, old, live, fresh)
      const result = await renewed
      if (result !== 'unmatched') return result
    }
    throw changedAllTheTime()
  }

  /**
   * Gives a session a new token, and new data where that is given; the login stays the same. Undefined when
   * the session has ended. Two round trips.
   */
  async rotate(ref: SessionRef, data?: { readonly to: unknown }): Promise<RotatedSession | undefined> {
    const old = addressOwned(this.#parts.keyRing, ref)
    if (!old) return undefined
    const { handle, sessionId } = old
    const { token, address } = newSession(handle)
    for (let tries = 0; tries < MOST_TRIES; tries += 1) {
      const live = await this.#find(old)
      if (!live) return undefined
      const { sealedSessionKey, sealedPreviousKey } = live.record
      const reseal = (sealed: string) => this.#resealed(sealed, live.record, sessionId, address.sessionId)
      const record: SessionRecord = {
        ...live.record,
        // Without its key the session_key would not open under the old id either.
        sealedSessionKey: reseal(sealedSessionKey) ?? '',
        sealedPreviousKey: sealedPreviousKey && reseal(sealedPreviousKey),
        ...(data && { data: data.to }),
      }
      const { record: from, userInfo } = live.stored
      const change = { sessionId, from, to: encodeRecord(record), newSessionId: address.sessionId }
      if ((await this.#parts.store.rewrite(handle, [change])) === 1)
        return {
          token,
          session: sessionFrom(publicIdOf(address), record, live.moments, decodeUserInfo(userInfo)),
        }
    }
    throw changedAllTheTime()
  }

  async #renewAt(
    old: SessionAddress,
    live: Live,
    fresh: FreshLogin,
  ): Promise<RotatedSession | 'unmatched' | undefined> {
    const { token, address } = newSession(old.handle)
    const record = this.#renewedRecord(live, old.sessionId, address.sessionId, fresh.identity)
    const replaced = { replaces: old.sessionId, replacesRecord: live.stored.record }
    const result = await this.#parts.store.issue(this.#entryOf(live, address, record, fresh, replaced))
    return result.state === 'unmatched' ? 'unmatched' : issuedAt(address, record, token, result)
  }

  /** Not in one step, as the keys may be on different servers: whoever ends the old session has won. */
  async #moveTo(
    handle: string,
    old: SessionAddress,
    live: Live,
    fresh: FreshLogin,
  ): Promise<RotatedSession | 'unmatched' | undefined> {
    const { store, profiles } = this.#parts
    const { token, address } = newSession(handle)
    const record = this.#renewedRecord(live, old.sessionId, address.sessionId, fresh.identity)
    const earlier = await profiles.underOlderKeys(live.record)
    const entry = this.#entryOf(live, address, record, fresh, { userInfo: earlier?.userInfo })
    const result = await store.issue(entry)
    if (result.state !== 'issued') return undefined
    const isOldEnded = await this.#endUnchanged(old, live.stored.record).catch(async (error: unknown) => {
      await store.revoke(address)
      throw error
    })
    if (isOldEnded) return issuedAt(address, record, token, result)
    await store.revoke(address)
    return 'unmatched'
  }

  /** Ends a session if nobody has changed its record; returns whether it was there and has ended. */
  async #endUnchanged({ handle, sessionId }: SessionAddress, record: string): Promise<boolean> {
    const { store } = this.#parts
    // Under a new id nobody has its token, and only then is it deleted: a deletion looks at no record.
    const { address: ended } = newSession(handle)
    const change = { sessionId, from: record, to: record, newSessionId: ended.sessionId }
    try {
      return (await store.rewrite(handle, [change])) === 1
    } finally {
      await store.revoke(ended).catch(() => undefined)
    }
  }

  /** As after a login: no confirmation, and the session_key of the code. */
  #renewedRecord(live: Live, oldId: string, newId: string, identity: CheckedIdentity): SessionRecord {
    const { record, app } = live
    const binding = { appid: record.appid, openid: record.openid, sessionId: newId }
    return {
      ...record,
      unionid: identity.unionid ?? record.unionid,
      loginDurationMs: drawLifetimes(app.lifetimes, app.lifetimeJitter).loginDurationMs,
      sealedSessionKey: this.#parts.keyRing.seal(identity.sessionKey.reveal(), binding),
      sealedPreviousKey: this.#resealed(record.sealedSessionKey, record, oldId, newId),
      confirmedAt: undefined,
    }
  }

  /** No cap: there are no more sessions afterwards than before. */
  #entryOf(
    { app, lifetimes }: Live,
    address: SessionAddress,
    record: SessionRecord,
    { beganAt }: FreshLogin,
    more: Partial<SessionEntry>,
  ): SessionEntry {
    return {
      address,
      record: encodeRecord(record),
      beganAt,
      loginDurationMs: record.loginDurationMs,
      sessionDurationMs: drawDuration(lifetimes.sessionDurationMs, app.lifetimeJitter),
      maxSessions: MOST_SESSIONS,
      onLimit: 'end-oldest',
      userInfoDurationMs: app.userInfoDurationMs,
      ...more,
    }
  }

  #resealed(sealed: string, { appid, openid }: UserRef, oldId: string, newId: string): string | undefined {
    const { keyRing } = this.#parts
    const secret = keyRing.open(sealed, { appid, openid, sessionId: oldId })
    return secret === undefined ? undefined : keyRing.seal(secret, { appid, openid, sessionId: newId })
  }

  async #find(address: SessionAddress): Promise<Live | undefined> {
    const stored = await this.#parts.store.read(address)
    const live = stored && liveRecord(stored, this.#parts.apps.ofToken(address.handle))
    return live ? { ...live, stored } : undefined
  }
}

function newSession(handle: string): { token: string; address: SessionAddress } {
  const token = newToken(handle)
  return { token, address: addressOf(token) as SessionAddress }
}

/** Undefined when the sessions of the user were ended since the renewal began. */
function issuedAt(
  address: SessionAddress,
  record: SessionRecord,
  token: string,
  result: IssueResult,
): RotatedSession | undefined {
  if (result.state !== 'issued') return undefined
  const { createdAt, lastVisitAt, endsAt, userInfo } = result
  const moments = {
    createdAt,
    lastVisitAt,
    expiresAt: createdAt + record.loginDurationMs,
    idleExpiresAt: endsAt,
  }
  return { token, session: sessionFrom(publicIdOf(address), record, moments, decodeUserInfo(userInfo)) }
}
