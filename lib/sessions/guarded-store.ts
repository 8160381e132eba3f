import { withinDeadline } from '../deadline.js'
import { WeappError } from '../errors.js'
import type { Logger } from '../logger.js'
import type { SessionStore } from './store.js'

/**
 * A store each of whose calls ends in time: a failure, or no answer within `timeoutMs`, is `ERR_STORE_UNAVAILABLE`. The log hears
 * of the first failure and of the first answer after it, not of each request in between.
 */
export function guardStore(store: SessionStore, timeoutMs: number, logger: Logger): Required<SessionStore> {
  let isFailing = false

  async function guarded<T>(call: () => Promise<T>): Promise<T> {
    try {
      const result = await withinDeadline(call(), timeoutMs, () => new TimeoutError())
      if (isFailing) logger.warn('the session store answers again')
      isFailing = false
      return result
    } catch (cause) {
      if (!isFailing) logger.error(`the session store fails: ${reasonOf(cause)}`)
      isFailing = true
      throw new WeappError(
        'ERR_STORE_UNAVAILABLE',
        'Sessions cannot be reached at the moment. Please try again.',
        {
          cause,
          hint: `the session store failed: ${reasonOf(cause)}`,
        },
      )
    }
  }

  return {
    read: (address) => guarded(() => store.read(address)),
    hasSeen: (handle) => guarded(() => store.hasSeen(handle)),
    issue: (entry) => guarded(() => store.issue(entry)),
    touch: (address, lastVisitAt, dropAt) => guarded(() => store.touch(address, lastVisitAt, dropAt)),
    remove: (address) => guarded(() => store.remove(address)),
    removeUser: (handle, except) => guarded(() => store.removeUser(handle, except)),
    list: (handle) => guarded(() => store.list(handle)),
    writeUserInfo: (handle, userInfo, dropAt) => guarded(() => store.writeUserInfo(handle, userInfo, dropAt)),
    claimCode: (codeId, dropAt) => guarded(() => store.claimCode(codeId, dropAt)),
    settleCode: (codeId, answer, dropAt) => guarded(() => store.settleCode(codeId, answer, dropAt)),
    releaseCode: (codeId) => guarded(() => store.releaseCode(codeId)),
    removeBatch: (cursor) => guarded(() => store.removeBatch(cursor)),
    ping: () => guarded(() => store.ping()),
    close: () => guarded(async () => store.close?.()),
  }
}

class TimeoutError extends Error {
  override readonly name = 'TimeoutError'
  override readonly message = 'the store did not answer in time'
}

/** The kind of failure; a client's own message may hold an address with a password in it, so it is left out. */
function reasonOf(cause: unknown): string {
  if (!(cause instanceof Error)) return 'unknown reason'
  const code = (cause as NodeJS.ErrnoException).code
  return typeof code === 'string' ? `${cause.name} (${code})` : cause.name
}
