import type { SessionStore } from 'weapp-session'
import { concurrencyContract } from './store-contract-concurrency.js'
import { everybodyContract } from './store-contract-everybody.js'
import { lateContract } from './store-contract-late.js'
import { marksContract } from './store-contract-marks.js'
import { modelContract } from './store-contract-model.js'
import { momentsContract } from './store-contract-moments.js'
import { profilesContract } from './store-contract-profiles.js'
import { revocationContract } from './store-contract-revocation.js'
import { rewriteContract } from './store-contract-rewrite.js'
import { rewriteRacesContract } from './store-contract-rewrite-races.js'
import { sessionsContract } from './store-contract-sessions.js'
import { touchContract } from './store-contract-touch.js'
import { usersContract } from './store-contract-users.js'
import { valueEndsContract } from './store-contract-value-ends.js'
import { valueOutcomesContract } from './store-contract-value-outcomes.js'
import { valuesContract } from './store-contract-values.js'
import { storeUnderTest, type TestRunner } from './store-under-test.js'

export interface StoreContractOptions {
  /** The functions of your test runner. */
  readonly runner: TestRunner
  /** Makes the store of one test. It has to be empty: give each its own prefix, table or directory. */
  readonly createStore: () => SessionStore | Promise<SessionStore>
  /**
   * Tells the time about as the store does, whose clock has to go on by itself. Default: the machine's clock.
   */
  readonly now?: () => number
}

/**
 * Registers a test for every sentence of the `SessionStore` interface. It knows nothing of any store or
 * runner: it needs `node:assert`, fast-check and the package's types. A store that passes may be given to
 * `createSessions`.
 *
 * @example
 * import { storeContract } from './contracts/store-contract.js'
 *
 * describe('MyStore', () => {
 *   storeContract({
 *     runner: { describe, it, beforeEach, afterEach },
 *     createStore: () => new MyStore({ table: `test_${randomUUID()}` }),
 *   })
 * })
 */
export function storeContract({ runner, createStore, now = Date.now }: StoreContractOptions): void {
  let current: SessionStore | undefined
  const subject = storeUnderTest(runner, now, () => {
    if (!current) throw new Error('a test of the contract asks for its store before it runs')
    return current
  })

  runner.describe('as a SessionStore', () => {
    runner.beforeEach(async () => {
      current = await createStore()
    })

    runner.afterEach(async () => {
      await current?.close?.()
      current = undefined
    })

    sessionsContract(subject)
    momentsContract(subject)
    touchContract(subject)
    usersContract(subject)
    profilesContract(subject)
    rewriteContract(subject)
    rewriteRacesContract(subject)
    valuesContract(subject)
    valueEndsContract(subject)
    valueOutcomesContract(subject)
    revocationContract(subject)
    marksContract(subject)
    everybodyContract(subject)
    lateContract(subject)
    concurrencyContract(subject)
    modelContract(subject)
  })
}
