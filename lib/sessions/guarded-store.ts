import { Breaker } from '../breaker.js'
import type { Clock } from '../clock.js'
import { withinDeadline } from '../deadline.js'
import { WeappError } from '../errors.js'
import type { Logger } from '../logger.js'
import { reasonOf } from '../reason.js'
import { type SessionStore, type StoredVisit, StoreFailure } from './store.js'
import { StoreLog } from './store-log.js'
import { isOutage, outage } from './store-outage.js'

const MOST_CLOCK_DIFFERENCE_MS = 60_000
/** So many calls in a row without an answer are an outage. */
const OUTAGES_IN_A_ROW = 5
/**
 * Short, so that all works again within a second: a store that is asked four times a second is not hammered.
 */
const [FIRST_PAUSE_MS, LONGEST_PAUSE_MS] = [50, 250]
/** A step of `revokeBatch` is so many commands one after the other, each of which may take its time. */
const COMMANDS_OF_A_STEP = 4

interface GuardParts {
  readonly store: SessionStore
  /** How long a call may take, in milliseconds. */
  readonly timeoutMs: number
  /** The clock of this process, to compare with that of the store. */
  readonly clock: Clock
  readonly logger: Logger
}

/**
 * Puts a time limit on each call of a store: a failure or a timeout is `ERR_STORE_UNAVAILABLE`, and a change
 * that is late is not made. While a store does not answer, one call at a time asks it, and the others fail at
 * once: reads and changes by themselves, as a store may be read that cannot be written.
 */
export function guardStore({ store, timeoutMs, clock, logger }: GuardParts): Required<SessionStore> {
  const log = new StoreLog(logger, clock)
  const [reads, changes] = [newBreaker(clock), newBreaker(clock)]
  const others: Partial<Record<keyof SessionStore, Breaker>> = {
    read: reads,
    readUser: reads,
    readValue: reads,
    close: newBreaker(clock),
  }
  let isDifferenceLogged = false

  /** Warns once when the clocks are more than a minute apart. */
  function compareClocks(storeTimeMs: number): void {
    if (isDifferenceLogged) return
    const aheadMs = clock() - storeTimeMs
    if (Math.abs(aheadMs) <= MOST_CLOCK_DIFFERENCE_MS) return
    isDifferenceLogged = true
    const seconds = Math.round(Math.abs(aheadMs) / 1000)
    const difference = `${seconds} s ${aheadMs > 0 ? 'ahead of' : 'behind'}`
    logger.warn(
      `the clock of this process is ${difference} that of the session store, by which sessions live`,
    )
  }

  const lookAt = (visit: StoredVisit | null) => visit && compareClocks(visit.readAt)
  const timedOut = (afterMs: number) => () => outage(new StoreFailure(`no answer within ${afterMs} ms`))

  async function guarded<T>(
    name: keyof SessionStore,
    call: () => Promise<T>,
    look?: (result: T) => void,
    deadlineMs: number = timeoutMs,
  ): Promise<T> {
    const breaker = others[name] ?? changes
    try {
      const result = await breaker.run(() => withinDeadline(call(), deadlineMs, timedOut(deadlineMs)))
      log.worked(name)
      look?.(result)
      return result
    } catch (error) {
      const reason = error instanceof StoreFailure ? error.message : reasonOf(error)
      log.failed(name, reason)
      const message = 'Sessions cannot be reached at the moment. Please try again.'
      throw new WeappError('ERR_STORE_UNAVAILABLE', message, { cause: new Error(reason) })
    }
  }

  return {
    read: (address) => guarded('read', () => store.read(address), lookAt),
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
    addToValue: (addition) => guarded('addToValue', () => store.addToValue(addition, timeoutMs)),
    revokeBatch: (step) => {
      const stepMs = COMMANDS_OF_A_STEP * timeoutMs
      return guarded('revokeBatch', () => store.revokeBatch(step, stepMs), undefined, stepMs)
    },
    ping: () => guarded('ping', () => store.ping()),
    close: () => guarded('close', async () => store.close?.()),
  }
}

function newBreaker(clock: Clock): Breaker {
  return new Breaker({
    failuresInARow: OUTAGES_IN_A_ROW,
    firstPauseMs: FIRST_PAUSE_MS,
    longestPauseMs: LONGEST_PAUSE_MS,
    isFailure: isOutage,
    refusal: () => new StoreFailure('not asked, as the last calls had no answer'),
    clock,
  })
}
