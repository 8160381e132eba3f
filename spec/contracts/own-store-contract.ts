import { describe, it } from 'mocha'
import { type StoreContractOptions, storeContract } from '../../store-contract/index.js'
import { anyCallsContract } from './any-calls.js'

/** Runs what is published as `weapp-session/store-contract`, and what needs fast-check, on a store of this package. */
export function ownStoreContract(options: StoreContractOptions): void {
  describe('as a SessionStore', () => {
    for (const { name, run } of storeContract(options)) it(name, run)
    anyCallsContract(options)
  })
}
