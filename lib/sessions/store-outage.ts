const outages = new WeakSet<Error>()

/**
 * Marks an error, and returns it: the store cannot be reached, or does not answer. Any other failure is an
 * answer, such as that of a full store, and no reason to ask less.
 */
export function outage<E extends Error>(error: E): E {
  outages.add(error)
  return error
}

export function isOutage(error: unknown): boolean {
  return error instanceof Error && outages.has(error)
}
