import type { JsonObject } from '../json-object.js'
import type { Meanings } from './errcodes.js'
import { type Dialect, readResponse, WECHAT_DIALECT } from './response.js'
import { withRetries } from './retries.js'
import type { WechatRequest, WechatTransport } from './transport.js'

/** The default deadline of a call, in milliseconds. */
export const DEFAULT_TIMEOUT_MS = 5000

export interface WechatCall extends Omit<WechatRequest, 'signal'> {
  /** Ends the call. Default: the deadline of all calls. */
  readonly signal?: AbortSignal
}

/** The API of WeChat, or of a platform that has copied it. */
export interface WechatApi {
  /**
   * Returns the fields of a successful response. The deadline holds for all attempts together. Throws what
   * the errcode means, by `meanings` or else by those that all APIs share, and `ERR_WECHAT_…`.
   */
  call(request: WechatCall, meanings: Meanings): Promise<JsonObject>
}

interface WechatApiParts {
  readonly transport: WechatTransport
  /** The deadline of each call with its retries, in milliseconds. Default {@link DEFAULT_TIMEOUT_MS}. */
  readonly timeoutMs?: number
  readonly dialect?: Dialect
}

export function createWechatApi({
  transport,
  timeoutMs = DEFAULT_TIMEOUT_MS,
  dialect = WECHAT_DIALECT,
}: WechatApiParts): WechatApi {
  return {
    async call(request, meanings) {
      const { signal = AbortSignal.timeout(timeoutMs) } = request
      return withRetries(signal, async () =>
        readResponse(await transport.send({ ...request, signal }), meanings, dialect),
      )
    },
  }
}
