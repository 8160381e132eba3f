const HANDLE_LENGTH = 20
const ID_BYTES = 18

/** Whether this browser can digest anything here: it does so at https: and localhost only. */
export const canDigest: boolean = globalThis.crypto?.subtle !== undefined

/**
 * The id of the session that a token opens: what the token begins with, then a digest of it, which is all that the server
 * keeps. Undefined where the browser cannot digest.
 */
export async function sessionIdOf(token: string): Promise<string | undefined> {
  if (!token || !canDigest) return undefined
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(`session\0${token}`))
  const bytes = new Uint8Array(digest).subarray(0, ID_BYTES)
  const id = btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
  return token.slice(0, HANDLE_LENGTH) + id
}
