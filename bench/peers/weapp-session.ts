import { randomBytes } from 'node:crypto'
import express from 'express'
import { Cluster, Redis } from 'ioredis'
import {
  createSessions,
  type Identity,
  RedisStore,
  type RedisStoreOptions,
  redisSettings,
  requireSession,
} from '../../lib/index.js'
import { APP, type SampleUser, signedProfile } from '../sample-users.js'
import type { Peer } from './peer.js'

const AT_ONCE = 200

/** Not typed as options: a release without a local cache is measured without it. */
export const LOCAL_CACHE: object = { localCache: { seconds: 5 } }

export interface WeappSessionSettings {
  /** Default: false, as ioredis has it. */
  readonly enableAutoPipelining?: boolean
  readonly touchShare?: number
  readonly store?: RedisStoreOptions
}

/** Where a node of a Redis Cluster listens. */
export interface ClusterNode {
  readonly host: string
  readonly port: number
}

/** This package over one Redis, or over the Cluster of these nodes, with an exchange that knows the sample users. */
export function openWeappSession(
  redisUrl: string | readonly ClusterNode[],
  settings: WeappSessionSettings = {},
) {
  const { enableAutoPipelining = false, touchShare = 0.02, store } = settings
  const redisOptions = { ...redisSettings(), enableAutoPipelining }
  const redis =
    typeof redisUrl === 'string'
      ? new Redis(redisUrl, redisOptions)
      : new Cluster([...redisUrl], { redisOptions })
  const dataOf = new Map<string, SampleUser['data']>()
  const identities = new Map<string, Identity>()
  const sessions = createSessions({
    apps: [{ ...APP, exchange: async (_app, code) => identities.get(code) as Identity }],
    store: new RedisStore(redis, store),
    onLogin: ({ openid }) => dataOf.get(openid),
    touchShare,
    // A login of a crowd is no part of what is measured.
    storeTimeoutMs: 30_000,
  })

  /** Returns the request of the login of a user, which the exchange then knows. */
  function loginOf(user: SampleUser) {
    const code = randomBytes(16).toString('hex')
    identities.set(code, user)
    dataOf.set(user.openid, user.data)
    return { code, ...signedProfile(user) }
  }

  /** Logs users in, and returns their tokens. */
  async function logIn(users: readonly SampleUser[]): Promise<string[]> {
    const tokens: string[] = []
    for (let from = 0; from < users.length; from += AT_ONCE) {
      const some = users.slice(from, from + AT_ONCE)
      const logins = some.map(async (user) => (await sessions.login(loginOf(user))).token)
      tokens.push(...(await Promise.all(logins)))
      identities.clear()
      dataOf.clear()
    }
    return tokens
  }
  return { redis, sessions, loginOf, logIn }
}

/** `requireSession()` in front of the route, as in the README. */
export function weappSession(settings: WeappSessionSettings = {}): Peer {
  return {
    packages: ['ioredis'],
    express: 'express',
    async open(redisUrl) {
      const { sessions, logIn } = openWeappSession(redisUrl, settings)
      const app = express()
      app.get('/me', requireSession({ sessions }), (req, res) => {
        res.json({ openid: req.openid })
      })
      return {
        listener: app,
        logIn: async (users) => (await logIn(users)).map((token) => ({ 'x-3rd-session': token })),
        logOut: async (headers) => sessions.logout(String(headers['x-3rd-session'])),
      }
    },
  }
}
