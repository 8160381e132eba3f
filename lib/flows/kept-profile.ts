import type { UserRef } from '../sessions/session.js'
import { isPlaceholder, type UserInfo } from '../sessions/user-info.js'
import type { UserProfiles } from '../sessions/user-profiles.js'

/** The profile of the user that stays, since the given one is WeChat's placeholder; undefined when the given one is to be written. */
export async function keptProfile(
  profiles: UserProfiles,
  user: UserRef,
  given: UserInfo | null | undefined,
): Promise<UserInfo | undefined> {
  if (!given || !isPlaceholder(given)) return undefined
  const stored = await profiles.find(user)
  return stored && !isPlaceholder(stored) ? stored : undefined
}
