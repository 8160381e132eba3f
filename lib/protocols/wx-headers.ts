import { WeappError } from '../errors.js'
import type { LoginRequest } from '../flows/log-in.js'
import { isAbsent, legacyOrigin } from './legacy-request.js'
import { presentedToken } from './presented-token.js'
import type { WireRequest } from './protocol.js'

/**
 * Returns the value of a header of the Wafer clients; an empty one, `undefined` and `null` count as absent. A
 * repeated header is `ERR_TOKEN_MALFORMED`.
 */
export function wxHeader(
  request: WireRequest,
  name: 'code' | 'encrypted-data' | 'iv' | 'id' | 'skey',
): string | undefined {
  const values = request.headers[`x-wx-${name}`] ?? []
  if (values.length > 1)
    throw new WeappError('ERR_TOKEN_MALFORMED', `The header X-WX-${name} was sent more than once.`)
  const [value] = values
  return isAbsent(value) ? undefined : value || undefined
}

/**
 * Returns the login that Wafer clients send in headers: the code and, if the user allowed it, the encrypted
 * user info. `readToken` finds the token of the session that ends with it.
 */
export function loginInHeaders(
  request: WireRequest,
  readToken: (request: WireRequest) => string | undefined,
): LoginRequest {
  const code = wxHeader(request, 'code')
  if (code === undefined) throw new WeappError('ERR_REQUEST_INVALID', '请求头里没有找到 X-WX-Code')
  const encryptedData = wxHeader(request, 'encrypted-data')
  return {
    code,
    encryptedData,
    iv: wxHeader(request, 'iv'),
    origin: legacyOrigin(request, encryptedData),
    presentedToken: presentedToken(() => readToken(request)),
  }
}
