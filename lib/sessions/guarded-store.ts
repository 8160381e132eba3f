import { withinDeadline } from '../deadline.js'
import { WeappError } from '../errors.js'
import type { Logger } from '../logger.js'
import type { SessionStore } from './store.js'

/**
 * A store each of whose calls ends in time: a failure, or no answer within `timeoutMs`, is `ERR_STORE_UNAVAILABLE`. The log hears
 * when a kind of call begins to fail and when it works again, not of each request in between.
 */
export function guardStore(store: SessionStore, timeoutMs: number, logger: Logger): Required<SessionStore> {
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
    read: (address) => guarded('read', () => store.read(address)),
    hasSeen: (handle) => guarded('hasSeen', () => store.hasSeen(handle)),
    issue: (entry) => guarded('issue', () => store.issue(entry)),
    touch: (address, lastVisitAt, dropAt) =>
      guarded('touch', () => store.touch(address, lastVisitAt, dropAt)),
    remove: (address) => guarded('remove', () => store.remove(address)),
    removeUser: (handle, except) => guarded('removeUser', () => store.removeUser(handle, except)),
    list: (handle) => guarded('list', () => store.list(handle)),
    writeUserInfo: (handle, userInfo, dropAt) =>
      guarded('writeUserInfo', () => store.writeUserInfo(handle, userInfo, dropAt)),
    rewrite: (handle, changes) => guarded('rewrite', () => store.rewrite(handle, changes)),
    claim: (id, claimant, dropAt) => guarded('claim', () => store.claim(id, claimant, dropAt)),
    settle: (id, answer, dropAt) => guarded('settle', () => store.settle(id, answer, dropAt)),
    release: (id, claimant) => guarded('release', () => store.release(id, claimant)),
    readValue: (id) => guarded('readValue', () => store.readValue(id)),
    replaceValue: (id, from, to, dropAt) =>
      guarded('replaceValue', () => store.replaceValue(id, from, to, dropAt)),
    removeBatch: (cursor) => guarded('removeBatch', () => store.removeBatch(cursor)),
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
  if (!(error instanceof Error)) return 'unknown reason'
  const { code } = error as NodeJS.ErrnoException
  const word = error.name === 'ReplyError' ? /^[A-Z]+\b/.exec(error.message)?.[0] : code
  return typeof word === 'string' ? `${error.name} (${word})` : error.name
}
