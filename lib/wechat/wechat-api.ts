import type { JsonObject } from '../json-object.js'
import { type Dialect, readAnswer, WECHAT_DIALECT } from './answer.js'
import type { Meanings } from './errcodes.js'
import { withRetries } from './retries.js'
import type { WechatRequest, WechatTransport } from './transport.js'

/** The deadline of a call, in milliseconds, unless another one is chosen. */
export const DEFAULT_TIMEOUT_MS = 5000

/** A call of an API. */
export interface WechatCall extends Omit<WechatRequest, 'signal'> {
  /** Ends the call, for a caller that already has a deadline. Default: the deadline of all calls. */
  readonly signal?: AbortSignal
}

/** The API of WeChat, or of a platform that has copied it. */
export interface WechatApi {
  /**
   * Returns the fields of a successful answer. The deadline holds for all attempts together. Throws what the
   * errcode means, by `meanings` or else by those that all APIs share, and `ERR_WECHAT_…`.
   */
  call(request: WechatCall, meanings: Meanings): Promise<JsonObject>
}

interface WechatApiParts {
  readonly transport: WechatTransport
  /** The deadline of each call with its retries, in milliseconds. Default {@link DEFAULT_TIMEOUT_MS}. */
  readonly timeoutMs?: number
  /** Default: WeChat's. */
  readonly dialect?: Dialect
}

/** Makes the one place where deadline, retries and reading of all calls are decided. */
export function createWechatApi({
  transport,
  timeoutMs = DEFAULT_TIMEOUT_MS,
  dialect = WECHAT_DIALECT,
}: WechatApiParts): WechatApi {
  return {
    async call(request, meanings) {
      const { signal = AbortSignal.timeout(timeoutMs) } = request
      return withRetries(signal, async () =>
        readAnswer(await transport.send({ ...request, signal }), meanings, dialect),
      )
    },
  }
}
