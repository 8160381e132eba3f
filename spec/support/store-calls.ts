import type { SessionEntry, SessionStore, ValueChange } from '../../lib/index.js'
import { HOUR } from '../../store-contract/store-under-test.js'

/** The session ids of the users below. */
export const FIRST = 'a'.repeat(24)
export const SECOND = 'b'.repeat(24)
export const NEW = 'c'.repeat(24)
export const SESSION_IDS = [FIRST, SECOND, NEW]

/** A login of the user, good for an hour. */
export function loginOf(
  handle: string,
  sessionId: string,
  differences: Partial<SessionEntry> = {},
): SessionEntry {
  return {
    address: { handle, sessionId },
    record: 'old',
    loginDurationMs: 2 * HOUR,
    sessionDurationMs: HOUR,
    maxSessions: 10,
    onLimit: 'end-oldest',
    userInfoDurationMs: HOUR,
    ...differences,
  }
}

/** What there may be of a user. */
export const userStates: Readonly<Record<string, (store: SessionStore, handle: string) => Promise<unknown>>> =
  {
    'who was never seen': async () => {},
    'with nothing but a profile': (store, handle) => store.writeUserInfo(handle, 'profile', HOUR),
    'with nothing but a session': (store, handle) =>
      store.issue(loginOf(handle, FIRST, { userInfoDurationMs: 0 })),
    'with two sessions and a profile': async (store, handle) => {
      await store.issue(loginOf(handle, FIRST))
      await store.issue(loginOf(handle, SECOND, { userInfo: 'profile' }))
    },
  }

type UserCall = (store: SessionStore, handle: string, withinMs?: number) => Promise<unknown>

/** Every method that is asked about a user, in every way that ends differently. */
export const userCalls: Readonly<Record<string, UserCall>> = {
  'read a session': (store, handle) => store.read({ handle, sessionId: FIRST }),
  'read no session': (store, handle) => store.read({ handle, sessionId: NEW }),
  readUser: (store, handle) => store.readUser(handle),
  issue: (store, handle, withinMs) => store.issue(loginOf(handle, NEW), withinMs),
  'issue at the cap': (store, handle, withinMs) =>
    store.issue(loginOf(handle, NEW, { maxSessions: 2, userInfo: 'new' }), withinMs),
  'issue at a cap that refuses': (store, handle, withinMs) =>
    store.issue(loginOf(handle, NEW, { maxSessions: 2, onLimit: 'refuse' }), withinMs),
  'issue in place of another': (store, handle, withinMs) =>
    store.issue(loginOf(handle, NEW, { replaces: FIRST, userInfo: 'new' }), withinMs),
  'issue what began long ago': (store, handle, withinMs) =>
    store.issue(loginOf(handle, NEW, { beganAt: 1 }), withinMs),
  touch: (store, handle, withinMs) =>
    store.touch(
      { handle, sessionId: FIRST },
      { sessionDurationMs: 2 * HOUR, endsBy: 9_999_999_999_999 },
      withinMs,
    ),
  'touch that ends a session': (store, handle, withinMs) =>
    store.touch({ handle, sessionId: FIRST }, { sessionDurationMs: 0, endsBy: 9_999_999_999_999 }, withinMs),
  'touch no session': (store, handle, withinMs) =>
    store.touch({ handle, sessionId: NEW }, { sessionDurationMs: HOUR, endsBy: 9_999_999_999_999 }, withinMs),
  revoke: (store, handle, withinMs) => store.revoke({ handle, sessionId: FIRST }, withinMs),
  'revoke no session': (store, handle, withinMs) => store.revoke({ handle, sessionId: NEW }, withinMs),
  revokeUser: (store, handle, withinMs) => store.revokeUser(handle, undefined, withinMs),
  'revokeUser but for a session': (store, handle, withinMs) => store.revokeUser(handle, FIRST, withinMs),
  writeUserInfo: (store, handle, withinMs) => store.writeUserInfo(handle, 'new', HOUR, withinMs),
  'writeUserInfo with null': (store, handle, withinMs) => store.writeUserInfo(handle, null, HOUR, withinMs),
  'writeUserInfo for no time': (store, handle, withinMs) => store.writeUserInfo(handle, 'new', 0, withinMs),
  rewrite: (store, handle, withinMs) =>
    store.rewrite(handle, [{ sessionId: FIRST, from: 'old', to: 'new' }], withinMs),
  'rewrite what has changed': (store, handle, withinMs) =>
    store.rewrite(handle, [{ sessionId: FIRST, from: 'other', to: 'new' }], withinMs),
}

/** A call about a shared value, and what has to be there before. */
export interface ValueCall {
  prepare(store: SessionStore, id: string): Promise<unknown>
  call: UserCall
}

const nothing = async () => {}
const kept = (store: SessionStore, id: string) =>
  store.replaceValue({ id, from: null, to: 'text', keepMs: HOUR })

const counted = (store: SessionStore, id: string) =>
  store.replaceValue({ id, from: null, to: '7', keepMs: HOUR })

/** Every other method, but for `revokeBatch` and `ping`. */
export const valueCalls: Readonly<Record<string, ValueCall>> = {
  readValue: { prepare: kept, call: (store, id) => store.readValue(id) },
  'readValue of none': { prepare: nothing, call: (store, id) => store.readValue(id) },
  'replaceValue of none': replacing(nothing, { from: null, to: 'new', keepMs: HOUR }),
  'replaceValue of none, for no time': replacing(nothing, { from: null, to: 'new', keepMs: 0 }),
  'replaceValue that comes second': replacing(kept, { from: null, to: 'new', keepMs: HOUR }),
  replaceValue: replacing(kept, { from: 'text', to: 'new' }),
  'replaceValue by none': replacing(kept, { from: 'text', to: null }),
  'replaceValue of what has changed': replacing(kept, { from: 'other', to: 'new', keepMs: HOUR }),
  'addToValue of none': adding(nothing, 1),
  'addToValue of none, to take back': adding(nothing, -1),
  addToValue: adding(counted, 2),
  'addToValue that takes all back': adding(counted, -7),
}

function adding(prepare: ValueCall['prepare'], add: number): ValueCall {
  return { prepare, call: (store, id, withinMs) => store.addToValue({ id, add, keepMs: HOUR }, withinMs) }
}

function replacing(prepare: ValueCall['prepare'], change: Omit<ValueChange, 'id'>): ValueCall {
  return { prepare, call: (store, id, withinMs) => store.replaceValue({ id, ...change }, withinMs) }
}
