/** Returns the token that a login brings along, if any. A malformed one does not prevent the login. */
export function presentedToken(read: () => string | undefined): string | undefined {
  try {
    return read()
  } catch {
    return undefined
  }
}
