import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { PEERS, type PeerName } from './peers/all.js'
import type { OpenPeer } from './peers/peer.js'
import { profiling } from './profiling.js'
import { replyToParent } from './replies.js'
import { type SampleUser, sampleUsers } from './sample-users.js'

let peer: OpenPeer
const users: SampleUser[] = []

replyToParent({
  ...profiling,
  /** Opens the peer, and returns the address of its route. */
  async open(request: { readonly name: PeerName; readonly redisUrl: string }): Promise<string> {
    peer = await PEERS[request.name].open(request.redisUrl)
    const server = createServer(peer.listener).listen(0, '127.0.0.1')
    await once(server, 'listening')
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}/me`
  },
  /** Begins sessions of further users, and returns what the requests of each bring. */
  async logIn(count: number): Promise<IncomingHttpHeaders[]> {
    const further = sampleUsers(count)
    users.push(...further)
    return peer.logIn(further)
  },
  /** Begins one more session of users that have one. */
  async logInAgain({ from, count }: { readonly from: number; readonly count: number }): Promise<void> {
    await peer.logIn(users.slice(from, from + count))
  },
})
