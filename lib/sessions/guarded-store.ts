import type { Clock } from '../clock.js'
import { withinDeadline } from '../deadline.js'
import { WeappError } from '../errors.js'
import type { Logger } from '../logger.js'
import { reasonOf } from '../reason.js'
import { type SessionStore, StoreFailure } from './store.js'

/** Of so many kinds of failure the log hears until a method works again. */
const MOST_KINDS = 5
const MOST_CLOCK_DIFFERENCE_MS = 60_000

interface GuardParts {
  readonly store: SessionStore
  /** How long a call may take, in milliseconds. */
  readonly timeoutMs: number
  /** Of this process, which the store's is compared with. */
  readonly clock: Clock
  readonly logger: Logger
}

/**
 * A store each of whose calls ends in time: a failure, or no answer within `timeoutMs`, is
 * `ERR_STORE_UNAVAILABLE`, and a change that has not been made by then is not made. Logs each kind of failure
 * of a method once, and when the method works again, not each request in between.
 */
export function guardStore({ store, timeoutMs, clock, logger }: GuardParts): Required<SessionStore> {
  /** What the log has heard of the methods that fail. */
  const told = new Map<keyof SessionStore, Set<string>>()

  function tell(name: keyof SessionStore, reason: string): void {
    const reasons = told.get(name) ?? new Set()
    told.set(name, reasons)
    if (reasons.has(reason) || reasons.size >= MOST_KINDS) return
    reasons.add(reason)
    logger.error(`the session store fails (${name}): ${reason}`)
  }

  let isDifferenceTold = false

  /** Tells the log once when the clocks are more than a minute apart. */
  function compareClocks(storeTimeMs: number): void {
    if (isDifferenceTold) return
    const aheadMs = clock() - storeTimeMs
    if (Math.abs(aheadMs) <= MOST_CLOCK_DIFFERENCE_MS) return
    isDifferenceTold = true
    const way = aheadMs > 0 ? 'ahead of' : 'behind'
    logger.warn(
      `the clock of this process is ${Math.round(Math.abs(aheadMs) / 1000)} s ${way} that of the session store, by which sessions live`,
    )
  }

  async function guarded<T>(name: keyof SessionStore, call: () => Promise<T>): Promise<T> {
    try {
      const result = await withinDeadline(call(), timeoutMs, () => noAnswer(timeoutMs))
      if (told.delete(name)) logger.warn(`the session store works again (${name})`)
      return result
    } catch (error) {
      const reason = error instanceof StoreFailure ? error.message : reasonOf(error)
      tell(name, reason)
      throw new WeappError(
        'ERR_STORE_UNAVAILABLE',
        'Sessions cannot be reached at the moment. Please try again.',
        {
          cause: new Error(reason),
        },
      )
    }
  }

  return {
    async read(address) {
      const visit = await guarded('read', () => store.read(address))
      if (visit) compareClocks(visit.readAt)
      return visit
    },
    readUser: (handle) => guarded('readUser', () => store.readUser(handle)),
    issue: (entry) => guarded('issue', () => store.issue(entry, timeoutMs)),
    touch: (address, window) => guarded('touch', () => store.touch(address, window, timeoutMs)),
    revoke: (address) => guarded('revoke', () => store.revoke(address, timeoutMs)),
    revokeUser: (handle, except) => guarded('revokeUser', () => store.revokeUser(handle, except, timeoutMs)),
    writeUserInfo: (handle, userInfo, keepMs) =>
      guarded('writeUserInfo', () => store.writeUserInfo(handle, userInfo, keepMs, timeoutMs)),
    rewrite: (handle, changes) => guarded('rewrite', () => store.rewrite(handle, changes, timeoutMs)),
    readValue: (id) => guarded('readValue', () => store.readValue(id)),
    async replaceValue(change) {
      const outcome = await guarded('replaceValue', () => store.replaceValue(change, timeoutMs))
      if (outcome.isReplaced && outcome.value) compareClocks(outcome.value.writtenAt / 1000)
      return outcome
    },
    revokeBatch: (cursor) => guarded('revokeBatch', () => store.revokeBatch(cursor, timeoutMs)),
    ping: () => guarded('ping', () => store.ping()),
    close: () => guarded('close', async () => store.close?.()),
  }
}

function noAnswer(timeoutMs: number): StoreFailure {
  return new StoreFailure(`no answer within ${timeoutMs} ms`)
}
