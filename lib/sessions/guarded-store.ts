import { withinDeadline } from '../deadline.js'
import { WeappError } from '../errors.js'
import type { Logger } from '../logger.js'
import type { ClockWatch } from './clock-watch.js'
import { type SessionStore, StoreFailure } from './store.js'

interface GuardParts {
  readonly store: SessionStore
  /** How long a call may take, in milliseconds. */
  readonly timeoutMs: number
  readonly clocks: ClockWatch
  readonly logger: Logger
}

/**
 * A store each of whose calls ends in time: a failure, or no answer within `timeoutMs`, is `ERR_STORE_UNAVAILABLE`, and a change that has
 * not been made by then is not made. Logs when a kind of call begins to fail and when it works again, not each request in between.
 */
export function guardStore({ store, timeoutMs, clocks, logger }: GuardParts): Required<SessionStore> {
  const failing = new Set<keyof SessionStore>()

  async function guarded<T>(name: keyof SessionStore, call: () => Promise<T>): Promise<T> {
    try {
      const result = await withinDeadline(call(), timeoutMs, () => new TimeoutError())
      if (failing.delete(name)) logger.warn(`the session store works again (${name})`)
      return result
    } catch (error) {
      const reason = reasonOf(error)
      if (!failing.has(name)) logger.error(`the session store fails (${name}): ${reason}`)
      failing.add(name)
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
      if (visit) clocks.compare(visit.readAt)
      return visit
    },
    readUser: (handle) => guarded('readUser', () => store.readUser(handle)),
    issue: (entry) => guarded('issue', () => store.issue(entry, timeoutMs)),
    touch: (address, window) => guarded('touch', () => store.touch(address, window, timeoutMs)),
    remove: (address) => guarded('remove', () => store.remove(address, timeoutMs)),
    removeUser: (handle, except) => guarded('removeUser', () => store.removeUser(handle, except, timeoutMs)),
    writeUserInfo: (handle, userInfo, keepMs) =>
      guarded('writeUserInfo', () => store.writeUserInfo(handle, userInfo, keepMs, timeoutMs)),
    rewrite: (handle, changes) => guarded('rewrite', () => store.rewrite(handle, changes, timeoutMs)),
    async claim(id, claimant, keepMs) {
      const claim = await guarded('claim', () => store.claim(id, claimant, keepMs, timeoutMs))
      if (claim.state === 'claimed') clocks.compare(claim.at / 1000)
      return claim
    },
    settle: (id, answer, keepMs) => guarded('settle', () => store.settle(id, answer, keepMs, timeoutMs)),
    release: (id, claimant) => guarded('release', () => store.release(id, claimant, timeoutMs)),
    readValue: (id) => guarded('readValue', () => store.readValue(id)),
    replaceValue: (change) => guarded('replaceValue', () => store.replaceValue(change, timeoutMs)),
    removeBatch: (cursor) => guarded('removeBatch', () => store.removeBatch(cursor, timeoutMs)),
    ping: () => guarded('ping', () => store.ping()),
    close: () => guarded('close', async () => store.close?.()),
  }
}

class TimeoutError extends Error {
  override readonly name = 'TimeoutError'
}

/**
 * The kind of failure and no more: the error of a client may hold an address with a password in it, or the command that failed. The
 * first word of what Redis answers, such as READONLY or OOM, gives nothing away.
 */
function reasonOf(error: unknown): string {
  if (error instanceof StoreFailure) return error.message
  if (!(error instanceof Error)) return 'unknown reason'
  const { code } = error as NodeJS.ErrnoException
  const word = error.name === 'ReplyError' ? /^[A-Z]+\b/.exec(error.message)?.[0] : code
  return typeof word === 'string' ? `${error.name} (${word})` : error.name
}
