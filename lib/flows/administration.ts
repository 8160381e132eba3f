import { WeappError } from '../errors.js'
import { isOpenid } from '../exchange.js'
import type { Session, SessionSummary, UserRef } from '../sessions/session.js'
import type { AdminAction, Audit, AuditedWhom } from './audit.js'
import type { Sessions } from './sessions.js'

/** A user as an operator names them. */
export interface NamedByOperator {
  /** May be left out when there is only one app. */
  readonly appid: string | undefined
  readonly openid: string | undefined
}

/** What an operator can do; each is audited. Wrong names throw before anything is told or done. */
export interface AdminActions {
  list(user: NamedByOperator): Promise<SessionSummary[]>
  find(sessionId: string): Promise<Session | null>
  /** Ends a session by its id; returns whether there was one. */
  revoke(sessionId: string): Promise<boolean>
  revokeUser(user: NamedByOperator): Promise<number>
  revokeApp(appid: string | undefined): Promise<number>
  revokeAll(): Promise<number>
  forgetUser(user: NamedByOperator): Promise<void>
}

/** Makes the use cases of operators: those of `sessions`, told to the audit as what `who` does. */
export function adminActionsOf(who: string, sessions: Sessions, audit: Audit): AdminActions {
  const { appids } = sessions.apps

  function run<T>(
    action: AdminAction,
    whom: AuditedWhom,
    work: () => Promise<T>,
    countOf: (result: T) => number | undefined,
  ): Promise<T> {
    return audit.run({ who, action, whom }, work, countOf)
  }

  function appNamed(given: string | undefined): string {
    const appid = given ?? (appids.length === 1 ? appids[0] : undefined)
    if (appid !== undefined && appids.includes(appid)) return appid
    throw new WeappError('ERR_APP_UNKNOWN', 'Say with "appid" which of the apps here is meant.')
  }

  function userNamed({ appid, openid }: NamedByOperator): UserRef {
    if (!isOpenid(openid))
      throw new WeappError('ERR_REQUEST_INVALID', '"openid" must be the openid of a user.')
    return { appid: appNamed(appid), openid }
  }

  return {
    async list(named) {
      const user = userNamed(named)
      return run(
        'list',
        user,
        () => sessions.list(user),
        (list) => list.length,
      )
    },
    async find(sessionId) {
      const session = await sessions.find({ sessionId })
      return run(
        'find',
        whomOf(sessionId, session),
        async () => session,
        (found) => Number(found !== null),
      )
    },
    async revoke(sessionId) {
      const session = await sessions.find({ sessionId })
      return run(
        'revoke',
        whomOf(sessionId, session),
        async () => session !== null && sessions.revoke(session),
        Number,
      )
    },
    async revokeUser(named) {
      const user = userNamed(named)
      return run('revokeUser', user, () => sessions.revokeUser(user), Number)
    },
    async revokeApp(given) {
      if (given === undefined) throw new WeappError('ERR_REQUEST_INVALID', '"appid" is missing.')
      const appid = appNamed(given)
      return run('revokeApp', { appid }, () => sessions.with({ appid }).revokeAll(), Number)
    },
    revokeAll: () => run('revokeAll', 'everybody', () => sessions.revokeAll(), Number),
    async forgetUser(named) {
      const user = userNamed(named)
      await run(
        'forgetUser',
        user,
        () => sessions.forgetUser(user),
        () => undefined,
      )
    },
  }
}

function whomOf(sessionId: string, session: Session | null): AuditedWhom {
  return session ? { appid: session.appid, openid: session.openid, sessionId } : { sessionId }
}
