/** The token that a login brings along, if any. One that is damaged must not keep anybody from logging in. */
export function presentedToken(read: () => string | undefined): string | undefined {
  try {
    return read()
  } catch {
    return undefined
  }
}
