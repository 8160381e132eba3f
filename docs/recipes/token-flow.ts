import {
  type ErrorCode,
  nativeProtocol,
  type Protocol,
  route,
  WeappError,
  type WireReply,
  type WireRequest,
} from 'weapp-session'

// What can be wrong with a code, in the three ways in which `sessions.login` says it.
const BAD_CODE: readonly ErrorCode[] = ['ERR_CODE_INVALID', 'ERR_CODE_MOCK', 'ERR_REQUEST_INVALID']

// The header `token`. Sent twice it is refused: somebody else may have added one.
const { readToken } = nativeProtocol('token', { bearer: false })

/** The token flow: `POST login/` with `{ code }` gives `{ status, msg, data: { token } }`; the token comes back in the header `token`. */
export const tokenFlow: Protocol = {
  readToken,
  writeError,
  routes: [
    route({
      method: 'post',
      path: '/login', // answers /login/ as well
      body: 'json',
      login: () => ({}), // limited by address and app
      // Nothing that a phone sends can be trusted to have a type. `sessions.login` refuses a text that cannot be a code.
      read(request) {
        const { code } = Object(request.body) as { code?: unknown }
        if (code === undefined || code === null || code === '')
          throw new WeappError('ERR_BODY_INVALID', 'There is no code.')
        if (typeof code !== 'string') throw new WeappError('ERR_CODE_INVALID', 'The code is not a text.')
        const { mount, peer } = request
        // `origin`: who asks again within a minute from there gets the same token. `presentedToken`: that session ends with this login.
        return { code, origin: { mount, peer }, presentedToken: oldToken(request) }
      },
      run: (sessions, login) => sessions.login(login),
      write: ({ token }) => ({ status: 200, body: { status: 0, msg: 'ok', data: { token } } }),
      writeError: writeLoginError,
    }),
  ],
}

/** An old token that is damaged keeps nobody from logging in. */
function oldToken({ headers: { token = [] } }: WireRequest): string | undefined {
  return token.length === 1 ? token[0] || undefined : undefined
}

/** The two failures that this client has always known come as HTTP 200; all others as they do everywhere. */
function writeLoginError(error: WeappError): WireReply {
  if (error.code === 'ERR_BODY_INVALID') return { status: 200, body: { status: 1, msg: '缺少参数' } }
  if (BAD_CODE.includes(error.code)) return { status: 200, body: { status: 2, msg: '无效的 code' } }
  return writeError(error)
}

/** Only 401 means "log in again". A Redis or a WeChat that is down comes back, and a new login would not help. */
function writeError({ status, headers }: WeappError): WireReply {
  if (status === 401) return { status, headers, body: { status: 3, msg: '请重新登录' } }
  const isTrouble = status === 429 || status >= 500
  const body = isTrouble ? { status: 4, msg: '服务繁忙，请稍后再试' } : { status: 5, msg: '请求被拒绝' }
  return { status, headers, body }
}
