import { WeappError } from '../errors.js'
import type { LoginRequest } from '../flows/log-in.js'
import { isAbsent, LEGACY_SESSION_DURATION_SECONDS, legacyOrigin } from './legacy-request.js'
import { type Protocol, presentedToken, type WireRequest } from './protocol.js'
import { deviceIn } from './user-agent.js'

type HeaderName = 'code' | 'encrypted-data' | 'iv' | 'id' | 'skey'

/** Returns a header of the Wafer clients, or undefined. Throws `ERR_TOKEN_MALFORMED` for a repeated one. */
export function wxHeader(request: WireRequest, name: HeaderName): string | undefined {
  const [value, another] = request.headers[`x-wx-${name}`] ?? []
  if (another === undefined) return isAbsent(value) ? undefined : value || undefined
  throw new WeappError('ERR_TOKEN_MALFORMED', `The header X-WX-${name} was sent more than once.`)
}

/**
 * Returns the login that Wafer clients send in headers: the code and, if the user allowed it, the encrypted
 * user info. `readToken` finds the session that ends with it.
 */
export function loginInHeaders(request: WireRequest, readToken: Protocol['readToken']): LoginRequest {
  const code = wxHeader(request, 'code')
  if (code === undefined) throw new WeappError('ERR_REQUEST_INVALID', '请求头里没有找到 X-WX-Code')
  const encryptedData = wxHeader(request, 'encrypted-data')
  return {
    code,
    encryptedData,
    iv: wxHeader(request, 'iv'),
    device: deviceIn(request),
    origin: legacyOrigin(request, encryptedData),
    defaultSessionDurationSeconds: LEGACY_SESSION_DURATION_SECONDS,
    presentedToken: presentedToken(() => readToken(request)),
  }
}
