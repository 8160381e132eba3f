import { expect } from 'chai'
import express from 'express'
import { Redis } from 'ioredis'
import supertest from 'supertest'
import {
  type AuditEvent,
  adminRouter,
  createSessions,
  loginRouter,
  problemHandler,
  RedisStore,
  requireSession,
  type Sessions,
  type SessionsOptions,
} from '../../lib/index.js'
import type { Phone } from '../../sandbox/index.js'
import { keptLog } from './log-lines.js'
import { freshPrefix } from './redis-client.js'
import { dumpOf } from './redis-dump.js'
import { sharedRedis } from './shared-redis.js'
import { openTestBed, type TestBed } from './test-bed.js'

/** One of the processes of a back end, with all that is mounted by default and the routes of the operators. */
export interface Process {
  readonly sessions: Sessions
  readonly http: ReturnType<typeof supertest>
  readonly audited: AuditEvent[]
}

/** Two processes of one back end on one Redis, by the clock of the test. */
export interface TwoProcesses extends Omit<TestBed, 'sessions' | 'app' | 'http' | 'me' | 'logIn'> {
  readonly here: Process
  readonly elsewhere: Process
  /** All that Redis holds. */
  dump(): Promise<string>
  /** Starts a further process with other options. */
  start(options?: Partial<SessionsOptions>): Process
  /** Logs a phone in, and returns the token. A token of before may come along. */
  logIn(phone?: Phone, presented?: string): Promise<string>
  /** Asks for `/me`, and returns the status. */
  statusOf(process: Process, token: string): Promise<number>
  /** Expects that no process takes a token. */
  expectDead(...tokens: string[]): Promise<void>
  /** Expects that each process takes a token. */
  expectAlive(...tokens: string[]): Promise<void>
}

export const OWN_HEADER = 'x-3rd-session'

export async function openTwoProcesses(): Promise<TwoProcesses> {
  const bed = await openTestBed()
  const { sandbox, clock } = bed
  const redis = new Redis((await sharedRedis()).url)
  const prefix = freshPrefix()
  const started: Process[] = []

  function start(own: Partial<SessionsOptions> = {}): Process {
    const sessions = createSessions({
      apps: sandbox.apps,
      store: new RedisStore(redis, { prefix, clock }),
      wechat: { baseUrl: sandbox.url },
      logger: keptLog(),
      clock,
      ...own,
    })
    const audited: AuditEvent[] = []
    const app = express().use(loginRouter({ sessions }))
    app.get('/me', requireSession({ sessions }), (req, res) => res.json({ openid: req.openid }))
    app.put('/phone-number', requireSession({ sessions, maxAgeSeconds: 60 }), (_req, res) => res.json({}))
    app.post('/payment', requireSession({ sessions, confirmedWithinSeconds: 60 }), (_req, res) =>
      res.json({}),
    )
    const authorize = (req: express.Request) => req.get('x-operator')
    app.use('/admin', adminRouter({ sessions, authorize, onAudit: (event) => void audited.push(event) }))
    app.use(problemHandler())
    const process = { sessions, http: supertest(app), audited }
    started.push(process)
    return process
  }

  const [here, elsewhere] = [start(), start()]

  async function statusOf({ http }: Process, token: string): Promise<number> {
    return (await http.get('/me').set(OWN_HEADER, token)).status
  }
  async function expectEach(status: number, tokens: readonly string[]): Promise<void> {
    for (const token of tokens)
      expect([await statusOf(elsewhere, token), await statusOf(here, token)]).to.deep.equal([status, status])
  }

  return {
    ...bed,
    here,
    elsewhere,
    start,
    statusOf,
    dump: () => dumpOf(redis, `${prefix}*`),
    async logIn(phone = bed.phone, presented) {
      const { code } = await phone.wx.login()
      const request = here.http.post('/login').send({ code })
      if (presented !== undefined) request.set(OWN_HEADER, presented)
      return (await request.expect(200)).body.token
    },
    expectDead: (...tokens) => expectEach(401, tokens),
    expectAlive: (...tokens) => expectEach(200, tokens),
    async close() {
      await Promise.all(started.map(({ sessions }) => sessions.close()))
      redis.disconnect()
      await bed.close()
    },
  }
}
