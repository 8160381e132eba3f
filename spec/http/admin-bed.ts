import express, { type ErrorRequestHandler } from 'express'
import supertest from 'supertest'
import { type AdminRouterOptions, type AuditEvent, adminRouter, type Sessions } from '../../lib/index.js'
import { openTestBed, type TestBed, type TestBedOptions } from '../support/test-bed.js'

export const OPERATOR = 'x-operator'

/** A back end with the routes of the operators at `/admin`. */
export interface AdminBed extends TestBed {
  /** What the audit was told. */
  readonly audited: AuditEvent[]
  /** The same in short: phase, who, action, whom and count. */
  told(): unknown[]
  /** Sends a request as an operator. */
  ask(method: 'get' | 'post' | 'delete', path: string, body?: object, who?: string): supertest.Test
  /** The user of the bed's phone. */
  user(): { appid: string; openid: string }
}

/** By default who the header of the operator names may do everything. */
export async function openAdminBed(
  options: TestBedOptions & {
    admin?: Partial<AdminRouterOptions>
    narrow?: (sessions: Sessions) => Sessions
  } = {},
): Promise<AdminBed> {
  const { admin, narrow = (sessions: Sessions) => sessions, ...rest } = options
  const bed = await openTestBed(rest)
  const audited: AuditEvent[] = []
  const bugs: unknown[] = []
  const write = (line: string) => void bed.log.push(line)
  const app = express()
  app.use(
    '/admin',
    adminRouter({
      sessions: narrow(bed.sessions),
      authorize: (req) => req.get(OPERATOR),
      onAudit: (event) => void audited.push(event),
      logger: { warn: write, error: write },
      clock: bed.clock,
      ...admin,
    }),
  )
  app.use(bed.app)
  const keepBug: ErrorRequestHandler = (error, _req, res, _next) => {
    bugs.push(error)
    res.status(500).end()
  }
  app.use(keepBug)
  const http = supertest(app)

  return {
    ...bed,
    app,
    bugs,
    http,
    audited,
    told: () => audited.map(({ phase, who, action, whom, count }) => [phase, who, action, whom, count]),
    ask(method, path, body, who = 'ada') {
      const test = http[method](`/admin${path}`).set(OPERATOR, who)
      return body === undefined ? test : test.send(body)
    },
    user: () => ({ appid: bed.phone.appid, openid: bed.phone.openid }),
  }
}
