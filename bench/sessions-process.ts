import { setImmediate as nextTurn } from 'node:timers/promises'
import { WeappError } from '../lib/index.js'
import { LOCAL_CACHE, openWeappSession } from './peers/weapp-session.js'
import { replyToParent } from './replies.js'
import { APP, type SampleUser, sampleUsers } from './sample-users.js'
import { median } from './statistics.js'

/** Microseconds of wall-clock time, medians. */
export interface Latencies {
  readonly authenticate: number
  readonly list: number
  readonly revokeUser: number
}

let opened: ReturnType<typeof openWeappSession>
let users: SampleUser[] = []
let tokens: string[] = []
let calls = 0

replyToParent({
  open({ redisUrl, localCache }: { readonly redisUrl: string; readonly localCache: boolean }): void {
    opened = openWeappSession(redisUrl, localCache ? { store: LOCAL_CACHE } : {})
  },
  async logIn(count: number): Promise<string[]> {
    users = sampleUsers(count)
    tokens = await opened.logIn(users)
    return tokens
  },
  /** Calls that often, one after the other, each with another user. */
  async latencies(count: number): Promise<Latencies> {
    const { sessions } = opened
    const leaving = sampleUsers(count)
    await opened.logIn(leaving)
    const revokes = leaving.map((user) => () => sessions.revokeUser(refOf(user)))
    const asked = Array.from({ length: count }, () => {
      calls += 1
      return calls % users.length
    })
    const authenticates = asked.map((at) => () => sessions.authenticate(tokens[at]))
    const lists = asked.map((at) => () => sessions.list(refOf(users[at] as SampleUser)))
    return {
      authenticate: await medianMicros(authenticates),
      list: await medianMicros(lists),
      revokeUser: await medianMicros(revokes),
    }
  },
  isAlive,
  /** Asks again and again, and returns when the session was no longer alive, in milliseconds since 1970. */
  async refusedAt(token: string): Promise<number> {
    while (await isAlive(token)) await nextTurn()
    return now()
  },
  /** Ends a session, and returns when that was acknowledged. */
  async logOut(token: string): Promise<number> {
    await opened.sessions.logout(token)
    return now()
  },
})

function refOf({ openid }: SampleUser) {
  return { appid: APP.appid, openid }
}

async function medianMicros(calls: readonly (() => Promise<unknown>)[]): Promise<number> {
  const micros: number[] = []
  for (const call of calls) {
    const from = process.hrtime.bigint()
    await call()
    micros.push(Number(process.hrtime.bigint() - from) / 1000)
  }
  return median(micros)
}

async function isAlive(token: string): Promise<boolean> {
  try {
    await opened.sessions.authenticate(token)
    return true
  } catch (error) {
    if (!(error instanceof WeappError && error.code === 'ERR_SESSION_UNKNOWN')) throw error
    return false
  }
}

function now(): number {
  return performance.timeOrigin + performance.now()
}
