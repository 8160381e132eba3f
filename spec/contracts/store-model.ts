import assert from 'node:assert/strict'
import type {
  CountedValue,
  IssueResult,
  RecordChange,
  RecordedVisit,
  SessionEntry,
  StoredSession,
  TouchWindow,
} from 'weapp-session'
import { MOST_COUNTED } from '../../lib/sessions/store.js'
import { newGroup, newHandle } from '../../store-contract/store-under-test.js'

export interface KnownUser {
  readonly handle: string
  /** The one first that was issued first. Its times are those that the store told. */
  sessions: Omit<StoredSession, 'readAt'>[]
  userInfo: string | null
  wasHere: boolean
  /** The shared value whose id is the handle. */
  value: string | null
  /** Which event ended the user last, alone or with everybody. */
  endedBy: number
}

/** A login that has begun. */
export interface Beginning {
  readonly at: number
  readonly event: number
}

/** What a store must look like from outside: one plain list a user. */
export interface Model {
  readonly users: readonly KnownUser[]
  readonly beginnings: Beginning[]
  /** How many logins have begun and users been ended: of two events the later has the higher number. */
  events: number
}

export function newModel(userCount: number): Model {
  const groups = [newGroup(), newGroup()] as const
  const users = Array.from({ length: userCount }, (_, index) => ({
    handle: newHandle(groups[index % 2 ? 1 : 0]),
    sessions: [],
    userInfo: null,
    wasHere: false,
    value: null,
    endedBy: 0,
  }))
  return { users, beginnings: [], events: 0 }
}

interface Issued {
  readonly known: KnownUser
  readonly given: SessionEntry
  readonly began: Beginning | undefined
  readonly result: IssueResult
}

/** Checks what became of a login, and records it. */
export function predictIssue({ known, given, began, result }: Issued): void {
  const isRevoked = began !== undefined && began.event < known.endedBy
  const staying = known.sessions.filter(({ sessionId }) => sessionId !== given.replaces)
  const excess = staying.length + 1 - given.maxSessions
  const isRefused = excess > 0 && given.onLimit === 'refuse'
  assert.equal(result.state, isRevoked ? 'revoked' : isRefused ? 'refused' : 'issued')
  if (result.state !== 'issued') return

  const { createdAt, lastVisitAt, endsAt, ...rest } = result
  known.userInfo = given.userInfo ?? known.userInfo
  assert.deepEqual(rest, { state: 'issued', seenBefore: known.wasHere, userInfo: known.userInfo })
  known.wasHere = true
  assert.equal(createdAt, began ? Math.floor(began.at / 1000) : lastVisitAt)
  assert.ok(createdAt <= lastVisitAt)
  const { sessionDurationMs, loginDurationMs, record, address } = given
  assert.equal(endsAt, Math.min(lastVisitAt + sessionDurationMs, createdAt + loginDurationMs))
  known.sessions = staying.slice(Math.max(0, excess))
  const { sessionId } = address
  if (sessionDurationMs > 0) known.sessions.push({ sessionId, record, createdAt, lastVisitAt, endsAt })
}

interface Touched {
  readonly known: KnownUser
  readonly sessionId: string
  readonly window: TouchWindow
  readonly visit: RecordedVisit | null
}

/** Checks what a touch has recorded, and records it. */
export function predictTouch({ known, sessionId, window, visit }: Touched): void {
  const found = known.sessions.find((each) => each.sessionId === sessionId)
  assert.equal(visit !== null, found !== undefined)
  if (!found || !visit) return
  assert.ok(visit.lastVisitAt >= found.lastVisitAt)
  assert.equal(visit.endsAt, Math.min(visit.lastVisitAt + window.sessionDurationMs, window.endsBy))
  const touched = window.sessionDurationMs > 0 ? [{ ...found, ...visit }] : []
  known.sessions = known.sessions.flatMap((each) => (each === found ? touched : [each]))
}

interface Added {
  readonly known: KnownUser
  readonly add: number
  readonly keepMs: number
  readonly counted: CountedValue
}

/** Checks what a value has become by an addition, and records it. */
export function predictAddition({ known, add, keepMs, counted }: Added): void {
  const before = /^\d{1,15}$/.test(known.value ?? '') ? Number(known.value) : 0
  const number = Math.min(Math.max(0, before + add), MOST_COUNTED)
  assert.equal(counted.number, number)
  // What is there keeps its end.
  known.value = number > 0 && (known.value !== null || keepMs > 0) ? String(number) : null
  assert.equal(counted.leftMs > 0, known.value !== null)
}

/** How many records are replaced, and records it. */
export function predictRewrite(known: KnownUser, changes: readonly RecordChange[]): number {
  let replaced = 0
  for (const { sessionId, from, to } of changes) {
    const index = known.sessions.findIndex((each) => each.sessionId === sessionId)
    const found = known.sessions[index]
    if (found?.record !== from) continue
    known.sessions[index] = { ...found, record: to }
    replaced += 1
  }
  return replaced
}
