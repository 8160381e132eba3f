/**
 * Returns the policy by which Redis evicts keys when its memory is full, from the reply to `INFO memory`;
 * undefined where it evicts none, has no limit, or does not say so.
 */
export function evictionPolicyIn(info: unknown): string | undefined {
  if (typeof info !== 'string' || !/^maxmemory:[1-9]/m.test(info)) return undefined
  const policy = /^maxmemory_policy:([a-z-]{1,30})\r?$/m.exec(info)?.[1]
  return policy === 'noeviction' ? undefined : policy
}
