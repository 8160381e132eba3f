import { setTimeout as pause } from 'node:timers/promises'
import type { Breaker } from '../breaker.js'
import { type ErrorCode, WeappError } from '../errors.js'
import { jittered } from '../jitter.js'
import type { JsonObject } from '../json-object.js'
import { CallSlots } from './call-slots.js'
import type { Meanings } from './errcodes.js'
import { type Dialect, parseResponse, refusalIn, WECHAT_DIALECT } from './response.js'
import type { WechatRequest, WechatTransport } from './transport.js'
import { createWechatBreaker } from './wechat-breaker.js'

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
  /** Where calls wait for others. Default: slots of its own. */
  readonly slots?: CallSlots
  /** Refuses calls while WeChat fails. Default: one of its own. */
  readonly breaker?: Breaker
}

/** A response that WeChat gave: an errcode is one, too, unless it says that WeChat is busy. */
interface Answer {
  readonly fields: JsonObject
  readonly refusal: WeappError | undefined
}

export function createWechatApi({
  transport,
  timeoutMs = DEFAULT_TIMEOUT_MS,
  dialect = WECHAT_DIALECT,
  slots = new CallSlots(),
  breaker = createWechatBreaker(),
}: WechatApiParts): WechatApi {
  const isWorthTrying = () => !breaker.isOpen

  return {
    async call(request, meanings) {
      // Before it waits for a slot: those may be taken by calls that hang.
      breaker.check()
      const { signal = AbortSignal.timeout(timeoutMs) } = request
      const attempt = async (): Promise<Answer> => {
        const fields = parseResponse(await transport.send({ ...request, signal }))
        const refusal = refusalIn(fields, meanings, dialect)
        if (refusal?.code === 'ERR_WECHAT_BUSY') throw refusal
        return { fields, refusal }
      }
      const { fields, refusal } = await slots.inSlot(signal, () =>
        breaker.run(() => withRetries(signal, attempt, isWorthTrying)),
      )
      if (refusal) throw refusal
      return fields
    },
  }
}

/**
 * Retries only what certainly had no effect: twice when WeChat was busy, once when no connection was made;
 * and only as long as `isWorthTrying`.
 */
export async function withRetries<T>(
  signal: AbortSignal,
  attempt: () => Promise<T>,
  isWorthTrying: () => boolean = () => true,
): Promise<T> {
  const pausesMs: Partial<Record<ErrorCode, number[]>> = {
    ERR_WECHAT_BUSY: [100, 300],
    ERR_WECHAT_UNREACHABLE: [50],
  }
  for (;;) {
    try {
      return await attempt()
    } catch (error) {
      const pauseMs = error instanceof WeappError ? pausesMs[error.code]?.shift() : undefined
      if (pauseMs === undefined || !isWorthTrying()) throw error
      await pause(jittered(pauseMs), undefined, { signal }).catch(() => {
        throw error
      })
      if (!isWorthTrying()) throw error
    }
  }
}
