import { describe, it } from 'mocha'
import { type StoreContractOptions, storeContract } from '../../store-contract/index.js'
import { anyCallsContract } from './any-calls.js'

/** Runs `weapp-session/store-contract` on a store of this package, and what needs fast-check. */
export function ownStoreContract(options: StoreContractOptions): void {
  describe('as a SessionStore', () => {
    for (const { name, run } of storeContract(options)) it(name, run)
    anyCallsContract(options)
  })
}
