import { nativeProtocol, type Protocol, route, WeappError, type WireRequest } from 'weapp-session'

/** The user-state flow: `GET login?code=…&userInfo=…` gives `{ user_uuid }`, which comes back in the header `user-uuid`. */
export const userStateFlow: Protocol = {
  // Only the header is read. A token in the query would lie in every log on the way.
  readToken: nativeProtocol('user-uuid', { bearer: false }).readToken,
  // The status tells the client what to do: 401 log in again, 429 and 5xx try later. `headers` holds Retry-After.
  writeError: ({ status, headers, code }) => ({ status, headers, body: { error: code } }),
  routes: [
    route({
      method: 'get',
      path: '/login',
      login: () => ({}), // limited by address and app
      read: readLogin,
      run: (sessions, login) => sessions.login(login),
      write: ({ token }) => ({ status: 200, body: { user_uuid: token } }),
    }),
  ],
}

/**
 * This client sends its code in the query, where logs keep it. So there is no `origin` here: a code that was used gives nothing to who
 * brings it again. Nobody signed this userInfo, so it is kept with `verified: false`.
 */
function readLogin(request: WireRequest) {
  const { 'user-uuid': old = [] } = request.headers
  return {
    code: textIn(request, 'code') ?? '',
    userInfo: fromJson(textIn(request, 'userInfo')),
    // The session that this phone had ends with the login. A damaged token keeps nobody from logging in.
    presentedToken: old.length === 1 ? old[0] || undefined : undefined,
  }
}

/** A parameter that comes twice, or with brackets, is a list or an object. */
function textIn({ query }: WireRequest, name: string): string | undefined {
  const value = query[name]
  if (value === undefined || typeof value === 'string') return value || undefined
  throw new WeappError('ERR_REQUEST_INVALID', `${name} must come once, as a text.`)
}

function fromJson(text: string | undefined): unknown {
  try {
    return text && JSON.parse(text)
  } catch {
    throw new WeappError('ERR_DATA_MALFORMED', 'userInfo is not JSON.')
  }
}
