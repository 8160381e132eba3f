import { AsyncLocalStorage } from 'node:async_hooks'
import type { SessionStore } from 'weapp-session'
import { concurrencyRules } from './concurrency.js'
import { countsRules } from './counts.js'
import { everybodyRules } from './everybody.js'
import { groupsRules } from './groups.js'
import { lateRules } from './late.js'
import { marksRules } from './marks.js'
import { momentsRules } from './moments.js'
import { profilesRules } from './profiles.js'
import { replacementsRules } from './replacements.js'
import { revocationRules } from './revocation.js'
import { rewriteRules } from './rewrite.js'
import { rewriteRacesRules } from './rewrite-races.js'
import { type RuleBook, readRules, type WrittenRule } from './rule-book.js'
import { sessionsRules } from './sessions.js'
import { type StoreUnderTest, storeUnderTest } from './store-under-test.js'
import { touchRules } from './touch.js'
import { usersRules } from './users.js'
import { valueEndsRules } from './value-ends.js'
import { valueOutcomesRules } from './value-outcomes.js'
import { valuesRules } from './values.js'

/** Options of {@link storeContract}. */
export interface StoreContractOptions {
  /**
   * Makes the store for one rule. It must be empty and share nothing with other stores: give each its own
   * prefix, table or directory. When the rule has been checked, its `close()` is called, if it has one.
   */
  readonly createStore: () => SessionStore | Promise<SessionStore>
  /**
   * Tells the time of the store to within ten minutes, in milliseconds since 1970. The clock of the store
   * must run by itself. Default: `Date.now`.
   */
  readonly now?: (() => number) | undefined
}

/** A rule of `SessionStore`. */
export interface StoreRule {
  /** What a store does, as the name of a test. */
  readonly name: string
  /**
   * Checks the rule on a store of its own. Rejects with an `Error` that names the rule and says what was
   * found; its `cause` is the `AssertionError`, or what the store has thrown.
   */
  readonly run: () => Promise<void>
}

const PARTS: readonly ((book: RuleBook, subject: StoreUnderTest) => void)[] = [
  sessionsRules,
  momentsRules,
  touchRules,
  usersRules,
  profilesRules,
  rewriteRules,
  rewriteRacesRules,
  replacementsRules,
  valuesRules,
  valueEndsRules,
  valueOutcomesRules,
  countsRules,
  revocationRules,
  marksRules,
  everybodyRules,
  groupsRules,
  lateRules,
  concurrencyRules,
]

/**
 * Returns the rules that every `SessionStore` must keep, for a test runner of your choice: `node:test`,
 * mocha, Jest and Vitest all have the two functions of the example. A store that keeps all of the rules may
 * be given to `createSessions`. Rules may run at the same time. On a slow store one may take some seconds:
 * set the timeout of the runner to 20 seconds.
 *
 * Throws a `TypeError` for an option that is unknown or not a function.
 *
 * @example
 * import { randomUUID } from 'node:crypto'
 * import { describe, it } from 'node:test'
 * import { storeContract } from 'weapp-session/store-contract'
 *
 * describe('MyStore', () => {
 *   const createStore = () => new MyStore({ table: `test_${randomUUID()}` })
 *   for (const { name, run } of storeContract({ createStore })) it(name, run)
 * })
 */
export function storeContract(options: StoreContractOptions): StoreRule[] {
  checkOptions(options)
  const { createStore, now = Date.now } = options
  // Each rule finds its own store, also where a runner checks several at once.
  const stores = new AsyncLocalStorage<SessionStore>()
  const subject = storeUnderTest(now, () => {
    const store = stores.getStore()
    if (!store) throw new Error('a rule asks for its store before it is checked')
    return store
  })

  async function checkOnNewStore(check: WrittenRule['check']): Promise<void> {
    const store = await createStore()
    try {
      await stores.run(store, check)
    } finally {
      await store.close?.()
    }
  }

  const rules = readRules((book) => {
    for (const part of PARTS) part(book, subject)
  })
  return rules.map(({ name, check }) => ({
    name,
    async run() {
      await checkOnNewStore(check).catch((cause: unknown) => {
        throw new Error(`the store breaks the rule "${name}": ${String(cause)}`, { cause })
      })
    },
  }))
}

function checkOptions(options: StoreContractOptions): void {
  if (typeof options !== 'object' || options === null) {
    throw new TypeError('storeContract: the options must be an object')
  }
  const known = ['createStore', 'now']
  for (const name of Object.keys(options)) {
    if (known.includes(name)) continue
    throw new TypeError(`storeContract: unknown option "${name}"; known: ${known.join(', ')}`)
  }
  const { createStore, now } = options
  if (typeof createStore !== 'function')
    throw new TypeError('storeContract: "createStore" must be a function')
  if (now !== undefined && typeof now !== 'function') {
    throw new TypeError('storeContract: "now" must be a function')
  }
}
