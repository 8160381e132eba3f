import type { Sandbox, SandboxApp } from '../../sandbox/index.js'
import { type Answered, postJson } from './ask.js'

export const STABLE_TOKEN = '/cgi-bin/stable_token'

/** What an app's server posts for its access token; `changes` replaces fields, and `undefined` leaves one out. */
export function askForToken({ url, app }: Sandbox, changes: Record<string, unknown> = {}): Promise<Answered> {
  return postJson(`${url}${STABLE_TOKEN}`, { grant_type: 'client_credential', ...app, ...changes })
}

/** The access token of an app, by default the first. */
export async function accessToken(sandbox: Sandbox, app: SandboxApp = sandbox.app): Promise<string> {
  const { json } = await askForToken(sandbox, { ...app })
  return String(json.access_token)
}

/** The errcode that a call with an access token meets; 40097, for its missing parameters, when the token is good. */
export async function errcodeWith({ url }: Sandbox, token: string | undefined): Promise<unknown> {
  const query = token === undefined ? '' : `?${new URLSearchParams({ access_token: token })}`
  const { json } = await postJson(`${url}/wxa/checksession${query}`, {})
  return json.errcode
}
