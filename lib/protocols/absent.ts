/**
 * Whether an old client has nothing to send: it sends null, or the word that its language makes of nothing where only texts go, such as in a
 * header.
 */
export function isAbsent(value: unknown): value is undefined | null | 'undefined' | 'null' {
  return value === undefined || value === null || value === 'undefined' || value === 'null'
}
