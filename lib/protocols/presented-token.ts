/**
 * Returns the token that a login brings along, if any. A damaged one must not keep anybody from logging in.
 */
export function presentedToken(read: () => string | undefined): string | undefined {
  try {
    return read()
  } catch {
    return undefined
  }
}
