import type { IncomingHttpHeaders, RequestListener } from 'node:http'
import type { SampleUser } from '../sample-users.js'

/** One way to know the user of a request, behind `GET /me`. */
export interface Peer {
  /** What is installed for it, besides Express. */
  readonly packages: readonly string[]
  readonly express: 'express' | 'express4'
  open(redisUrl: string): Promise<OpenPeer>
}

export interface OpenPeer {
  readonly listener: RequestListener
  /** Begins a session for each user, and returns what their requests bring. */
  logIn(users: readonly SampleUser[]): Promise<IncomingHttpHeaders[]>
  /** Ends a session. */
  logOut?(headers: IncomingHttpHeaders): Promise<void>
}

/** What a session holds that is kept by others: the same as ours, their openid and profile included. */
export function sessionContent({ openid, unionid, sessionKey, data, userInfo }: SampleUser) {
  return { openid, unionid, sessionKey, userInfo: { ...userInfo, verified: true }, data }
}
