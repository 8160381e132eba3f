/** A value as a later request finds it: after its way through JSON. What JSON cannot carry, such as a bigint, throws a `TypeError`. */
export function throughJson(value: unknown): unknown {
  return value === undefined ? undefined : JSON.parse(JSON.stringify(value) ?? 'null')
}

/** The same value, frozen through and through: a write to a copy that nobody keeps would be lost without a word. */
export function frozen<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value
  for (const inner of Object.values(value)) frozen(inner)
  return Object.freeze(value)
}
