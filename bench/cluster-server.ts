import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import express from 'express'
import { loginRouter, requireSession } from '../lib/index.js'
import type { Load } from './load.js'
import { type ClusterNode, openWeappSession } from './peers/weapp-session.js'
import { replyToParent } from './replies.js'
import { APP, sampleUsers } from './sample-users.js'

const MOST_LOGINS = 1_000_000
const AT_ONCE = 1_000
/** So small a share of the idle lifetime that each visit is due to be written down. */
const NEXT_TO_NOTHING = 1e-9

let opened: ReturnType<typeof openWeappSession>
let url: string

replyToParent({
  /** Opens a server with three routes: a login, a request, and one whose visit is written down. */
  async open(nodes: readonly ClusterNode[]): Promise<void> {
    opened = openWeappSession(nodes)
    const eager = openWeappSession(nodes, { touchShare: NEXT_TO_NOTHING })
    const app = express()
    // All logins come from one address.
    app.use(
      loginRouter({ sessions: opened.sessions, limit: { perAddress: MOST_LOGINS, perApp: MOST_LOGINS } }),
    )
    for (const [path, { sessions }] of [['/me', opened] as const, ['/visit', eager] as const]) {
      app.get(path, requireSession({ sessions }), (req, res) => {
        res.json({ openid: req.openid })
      })
    }
    const server = createServer(app).listen(0, '127.0.0.1')
    await once(server, 'listening')
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  },
  /** Begins sessions, and returns the requests that they send. */
  async requests(count: number): Promise<Load[]> {
    const tokens = await opened.logIn(sampleUsers(count))
    const shots = tokens.map((token) => ({ method: 'GET' as const, headers: { 'x-3rd-session': token } }))
    return ['me', 'visit'].map((name) => ({ name, url: `${url}/${name}`, shots }))
  },
  /** Ends the sessions of users who have none, a thousand at once. */
  async revokeUsers(count: number): Promise<void> {
    const users = sampleUsers(count)
    for (let from = 0; from < count; from += AT_ONCE) {
      const some = users.slice(from, from + AT_ONCE)
      await Promise.all(some.map(({ openid }) => opened.sessions.revokeUser({ appid: APP.appid, openid })))
    }
  },
  /** Returns logins of further users. */
  logins(count: number): Load {
    const headers = { 'content-type': 'application/json' }
    const shots = sampleUsers(count).map((user) => ({
      method: 'POST' as const,
      headers,
      body: JSON.stringify(opened.loginOf(user)),
    }))
    return { name: 'login', url: `${url}/login`, shots }
  },
})
