import { WeappError } from '../errors.js'

/**
 * The session_keys that may fit, in groups: the likely one first, the rest only if that fails. Any wx.login may have
 * replaced a key since the data was made. It may be asked more than once.
 */
export type CandidateKeys = () => AsyncIterable<readonly string[]>

/** Returns what `use` makes of the first group that fits. Throws `ERR_SESSION_KEY_STALE` when none does. */
export async function withFittingKeys<T>(
  candidates: CandidateKeys,
  use: (sessionKeys: readonly string[]) => T | undefined,
): Promise<T> {
  for await (const sessionKeys of candidates()) {
    const result = use(sessionKeys)
    if (result !== undefined) return result
  }
  throw new WeappError(
    'ERR_SESSION_KEY_STALE',
    'The session_key of this data is out of date. Call wx.login, get the data again, and send the code and the data together.',
  )
}
