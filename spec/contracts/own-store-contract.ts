import { afterEach, describe, it } from 'mocha'
import { type StoreContractOptions, storeContract } from '../../store-contract/index.js'
import { anyCallsContract } from './any-calls.js'

const SEQUENCES = 60
/** Enough where the scripts and what the store makes of them are those of another run, and the way there differs. */
const FEW_SEQUENCES = 10

export interface OwnStoreContractOptions extends StoreContractOptions {
  /** Whether another run has the same store on another client. Default false. */
  readonly onlyTheWayDiffers?: boolean
  /** Empties the server after each rule: the end of all sessions looks at each key that is there. */
  readonly clear?: () => Promise<unknown>
}

/** Runs `weapp-session/store-contract` on a store of this package, and what needs fast-check. */
export function ownStoreContract({ onlyTheWayDiffers, clear, ...options }: OwnStoreContractOptions): void {
  describe('as a SessionStore', () => {
    if (clear) afterEach(clear)
    for (const { name, run } of storeContract(options)) it(name, run)
    anyCallsContract(options, onlyTheWayDiffers ? FEW_SEQUENCES : SEQUENCES)
  })
}
