import { WeappError } from '../errors.js'

/**
 * The session_keys that may fit, asked for one group after the other: the likely one first, the rest only if that fails.
 * Any wx.login may have replaced a key since the data was made.
 */
export type KeyGroups = readonly (() => Promise<readonly string[]> | readonly string[])[]

/** What `use` makes of the first group that fits. Throws `ERR_SESSION_KEY_STALE` when none does. */
export async function withFittingKeys<T>(
  keys: KeyGroups,
  use: (group: readonly string[]) => T | undefined,
): Promise<T> {
  for (const group of keys) {
    const result = use(await group())
    if (result !== undefined) return result
  }
  throw new WeappError(
    'ERR_SESSION_KEY_STALE',
    'The session_key of this data is out of date. Call wx.login, get the data again, and send the code and the data together.',
  )
}
