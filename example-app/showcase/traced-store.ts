import type { SessionStore } from 'weapp-session'
import { currentTrace } from './trace.js'

/** What each call of the store is about. The page has them in Chinese, too. */
export const STORE_WORDS: Readonly<Record<keyof SessionStore, string>> = {
  read: 'read the session',
  readUser: 'look up the user',
  issue: 'write the session',
  touch: 'note the visit',
  revoke: 'delete the session',
  revokeUser: "delete the user's other sessions",
  writeUserInfo: 'write the profile',
  rewrite: 'replace the session_key',
  readValue: 'read what all processes share, such as a used code',
  replaceValue: 'write what all processes share, such as a used code',
  revokeBatch: 'delete sessions',
  ping: 'ping',
  close: 'close',
}

/** What a call carries, where its words do not tell. */
const CARRIED: Readonly<Partial<Record<keyof SessionStore, string>>> = {
  issue: 'digest of the token, openid, times, session_key (encrypted)',
}

/** The same store, whose calls stand in the trace of the request that makes them. */
export function tracedStore(store: SessionStore): SessionStore {
  const names = Object.keys(STORE_WORDS) as (keyof SessionStore)[]
  const traced = names.map((name) => [name, tracedMethod(store, name)])
  return Object.fromEntries(traced) as SessionStore
}

function tracedMethod(store: SessionStore, name: keyof SessionStore) {
  const method = (store[name] ?? (async () => undefined)) as (...args: unknown[]) => Promise<unknown>
  return async (...args: unknown[]) => {
    const step = { from: 'app', to: 'store', text: STORE_WORDS[name] } as const
    try {
      const answer = await method.apply(store, args)
      currentTrace()?.add({ ...step, ok: true, detail: CARRIED[name] ?? outcomeOf(answer) })
      return answer
    } catch (error) {
      currentTrace()?.add({ ...step, ok: false })
      throw error
    }
  }
}

/** What may be told of an answer: whether there was something, and how much; never what it was. */
function outcomeOf(answer: unknown): string | undefined {
  if (answer === null) return 'nothing there'
  if (typeof answer === 'boolean') return answer ? 'yes' : 'no'
  if (typeof answer === 'number') return String(answer)
  if (Array.isArray(answer)) return String(answer.length)
  if (typeof answer === 'string') return 'found'
  if (typeof answer !== 'object') return undefined
  if ('isReplaced' in answer) return answer.isReplaced ? 'yes' : 'no'
  return 'record' in answer || 'text' in answer ? 'found' : undefined
}
