import type { SessionStore, ValueChange } from 'weapp-session'
import { currentTrace } from './trace.js'

/** What each call of the store does. The page has these words in Chinese, too. */
export const STORE_WORDS: Readonly<Record<keyof SessionStore, string>> = {
  read: 'read the session',
  readUser: 'look up the user',
  issue: 'write the session',
  touch: 'note the visit',
  revoke: 'delete the session',
  revokeUser: "delete the user's other sessions",
  writeUserInfo: 'write the profile',
  rewrite: 'replace the session_key',
  readValue: 'read what all processes share',
  replaceValue: 'write what all processes share',
  addToValue: 'count what all processes count',
  revokeBatch: 'delete sessions',
  ping: 'ping',
  close: 'close',
}

/** What a change of a shared value does, where the value is a claim: docs/storage.md says how its text begins. */
export const CLAIM_WORDS = {
  claim: 'claim it: one request only, in all processes',
  settle: 'note that the code is used',
  release: 'give the claim back',
} as const

/** What a call carries, where its words do not say so. */
const CARRIED: Readonly<Partial<Record<keyof SessionStore, string>>> = {
  issue: 'digest of the token, openid, times, session_key (encrypted)',
}

/** The same store, whose calls are added to the trace of the request that makes them. */
export function tracedStore(store: SessionStore): SessionStore {
  const names = Object.keys(STORE_WORDS) as (keyof SessionStore)[]
  const traced = names.map((name) => [name, tracedMethod(store, name)])
  return Object.fromEntries(traced) as SessionStore
}

function tracedMethod(store: SessionStore, name: keyof SessionStore) {
  const method = (store[name] ?? (async () => undefined)) as (...args: unknown[]) => Promise<unknown>
  return async (...args: unknown[]) => {
    const claim = name === 'replaceValue' ? claimWordsFor(args[0] as ValueChange) : undefined
    const text = claim ?? STORE_WORDS[name]
    const step = { from: 'app', to: 'store', text, source: `store.${name}` } as const
    try {
      const result = await method.apply(store, args)
      currentTrace()?.add({ ...step, ok: true, detail: CARRIED[name] ?? outcomeOf(result) })
      return result
    } catch (error) {
      currentTrace()?.add({ ...step, ok: false })
      throw error
    }
  }
}

function claimWordsFor({ from, to }: ValueChange): string | undefined {
  if (to?.startsWith('?')) return CLAIM_WORDS.claim
  if (to?.startsWith('!')) return CLAIM_WORDS.settle
  return to === null && from?.startsWith('?') ? CLAIM_WORDS.release : undefined
}

/** What may be shown of a result: whether there was something, and how much; never what it was. */
function outcomeOf(result: unknown): string | undefined {
  if (result === null) return 'nothing there'
  if (typeof result === 'boolean') return result ? 'yes' : 'no'
  if (typeof result === 'number') return String(result)
  if (typeof result !== 'object') return undefined
  if ('isReplaced' in result) return result.isReplaced ? 'yes' : 'no'
  return 'record' in result || 'text' in result ? 'found' : undefined
}
