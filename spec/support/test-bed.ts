import express, { type ErrorRequestHandler, type Express } from 'express'
import supertest from 'supertest'
import {
  type AppInfo,
  createSessions,
  type LoginRouterOptions,
  loginRouter,
  MemoryStore,
  problemHandler,
  requireSession,
  type Sessions,
  type SessionsOptions,
} from '../../lib/index.js'
import { createSandbox, type Phone, type Sandbox } from '../../sandbox/index.js'
import { type TestClock, testClock } from './clock.js'

export const EXCHANGE = '/sns/jscode2session'

export interface TestBedOptions extends Partial<Omit<SessionsOptions, 'apps' | 'clock' | 'logger'>> {
  /** What all apps have besides appid and secret. */
  app?: Partial<AppInfo>
  /** How many apps WeChat knows. Default 1. */
  apps?: number
  /** The limits of the mount. Default: those of `loginRouter`. */
  limit?: LoginRouterOptions['limit']
  /** Default: one that stands still. A store that is given should go by the same. */
  clock?: TestClock
}

/** A whole back end on a fake WeChat, with a clock that the test moves. */
export interface TestBed {
  readonly sandbox: Sandbox
  readonly clock: TestClock
  readonly sessions: Sessions
  readonly app: Express
  readonly http: ReturnType<typeof supertest>
  /** What was written to the log. */
  readonly log: string[]
  /** What reached the application's own error handler: bugs. */
  readonly bugs: unknown[]
  readonly phone: Phone
  /** Logs a phone in over HTTP and answers the token. */
  logIn(phone?: Phone): Promise<string>
  /** Asks for `/me` with a token. */
  me(token: string): supertest.Test
  close(): Promise<void>
}

export async function openTestBed(options: TestBedOptions = {}): Promise<TestBed> {
  const { app: appInfo, apps: appCount = 1, clock = testClock(), limit, ...rest } = options
  const credentials = Array.from({ length: appCount }, (_, index) => ({
    appid: `wx${String(index + 1).repeat(16)}`,
    secret: `${index + 1}`.repeat(32),
  }))
  const sandbox = await createSandbox({ apps: credentials })
  const log: string[] = []
  const bugs: unknown[] = []
  const write = (line: string) => void log.push(line)
  const sessions = createSessions({
    store: new MemoryStore({ clock }),
    ...rest,
    apps: credentials.map((app) => ({ ...app, ...appInfo })),
    wechat: { baseUrl: sandbox.url, ...rest.wechat },
    clock,
    logger: { warn: write, error: write },
  })
  const app = createTestApp(sessions, limit, bugs)
  const http = supertest(app)
  const phone = sandbox.phone()

  return {
    sandbox,
    clock,
    sessions,
    app,
    http,
    log,
    bugs,
    phone,
    async logIn(who = phone) {
      const { code } = await who.wx.login()
      const { body } = await http.post('/login').send({ code, appid: who.appid }).expect(200)
      return (body as { token: string }).token
    },
    me: (token) => http.get('/me').set('x-3rd-session', token),
    async close() {
      await sessions.close()
      await sandbox.close()
    },
  }
}

function createTestApp(sessions: Sessions, limit: LoginRouterOptions['limit'], bugs: unknown[]): Express {
  const app = express()
  app.use(loginRouter({ sessions, ...(limit !== undefined && { limit }) }))
  app.get('/me', requireSession({ sessions }), (req, res) => {
    res.json({ openid: req.openid, userInfo: req.userInfo, weapp: { ...req.weapp } })
  })
  app.use(problemHandler())
  const keepBug: ErrorRequestHandler = (error, _req, res, _next) => {
    bugs.push(error)
    res.status(500).end()
  }
  app.use(keepBug)
  return app
}
