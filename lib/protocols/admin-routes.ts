import { WeappError } from '../errors.js'
import type { AdminActions, NamedByOperator } from '../flows/administration.js'
import type { AdminAction } from '../flows/audit.js'
import type { Session, SessionSummary } from '../sessions/session.js'
import { jsonObject, textField } from './json-fields.js'
import type { ProtocolRoute, WireReply, WireRequest } from './protocol.js'

/** A route of the operators. */
export interface AdminRoute extends Pick<ProtocolRoute, 'method' | 'path' | 'body'> {
  readonly action: AdminAction
  handle(actions: AdminActions, request: WireRequest): Promise<WireReply>
}

/** Openids are in bodies only: a path or a query string ends up in logs. The id of a session may. */
export const ADMIN_ROUTES: readonly AdminRoute[] = [
  {
    ...{ method: 'post', path: '/users/sessions', body: 'json', action: 'list' },
    handle: async (actions, request) => {
      const listed = await actions.list(userIn(request))
      return ok({ sessions: listed.map(shownSummary) })
    },
  },
  {
    ...{ method: 'post', path: '/users/revoke', body: 'json', action: 'revokeUser' },
    handle: async (actions, request) => ok({ revoked: await actions.revokeUser(userIn(request)) }),
  },
  {
    ...{ method: 'post', path: '/users/forget', body: 'json', action: 'forgetUser' },
    handle: async (actions, request) => {
      await actions.forgetUser(userIn(request))
      return { status: 204 }
    },
  },
  {
    ...{ method: 'get', path: '/sessions/:id', body: 'none', action: 'find' },
    handle: async (actions, { params }) => {
      const session = await actions.find(params.id ?? '')
      if (session) return ok(shownSession(session))
      throw notFound()
    },
  },
  {
    ...{ method: 'delete', path: '/sessions/:id', body: 'none', action: 'revoke' },
    handle: async (actions, { params }) => {
      if (await actions.revoke(params.id ?? '')) return { status: 204 }
      throw notFound()
    },
  },
  {
    ...{ method: 'post', path: '/apps/revoke', body: 'json', action: 'revokeApp' },
    handle: async (actions, request) => {
      const fields = fieldsIn(request, ['appid'])
      return ok({ revoked: await actions.revokeApp(textField(fields, 'appid')) })
    },
  },
  {
    ...{ method: 'post', path: '/everybody/revoke', body: 'json', action: 'revokeAll' },
    handle: async (actions, request) => {
      if (fieldsIn(request, ['everybody']).everybody === true)
        return ok({ revoked: await actions.revokeAll() })
      throw new WeappError(
        'ERR_REQUEST_INVALID',
        'To end all sessions of all apps, send { "everybody": true }.',
      )
    },
  },
]

function userIn(request: WireRequest): NamedByOperator {
  const fields = fieldsIn(request, ['appid', 'openid'])
  return { appid: textField(fields, 'appid'), openid: textField(fields, 'openid') }
}

/** A misspelled field must not widen what is done. */
function fieldsIn(request: WireRequest, known: readonly string[]) {
  const fields = jsonObject(request)
  if (Object.keys(fields).every((name) => known.includes(name))) return fields
  throw new WeappError('ERR_REQUEST_INVALID', `The body may only have ${known.join(' and ')}.`)
}

/** In JSON what is unknown is null. */
function shownSummary({ sessionId: id, device, ...times }: SessionSummary) {
  return { id, device: device ?? null, ...times }
}

function shownSession({ sessionId: id, unionid, device, ...rest }: Session) {
  return { id, unionid: unionid ?? null, device: device ?? null, ...rest }
}

function notFound(): WeappError {
  return new WeappError('ERR_SESSION_NOT_FOUND', 'There is no such session, or it has already ended.')
}

function ok(body: unknown): WireReply {
  return { status: 200, body }
}
