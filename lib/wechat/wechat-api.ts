import { setTimeout as pause } from 'node:timers/promises'
import { countdown } from '../deadline.js'
import { type ErrorCode, WeappError } from '../errors.js'
import { jittered } from '../jitter.js'
import type { JsonObject } from '../json-object.js'
import { CallSlots } from './call-slots.js'
import type { Meanings } from './errcodes.js'
import { type Dialect, parseResponse, refusalIn, WECHAT_DIALECT } from './response.js'
import type { WechatRequest, WechatTransport } from './transport.js'
import { WechatBreakers } from './wechat-breaker.js'

/** The default deadline of a call, in milliseconds. */
export const DEFAULT_TIMEOUT_MS = 5000

export interface WechatCall extends Omit<WechatRequest, 'signal'> {
  /** The app that calls. Of one app the calls of a path fail together. */
  readonly appid: string
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
  /** Refuse calls while WeChat fails. Default: breakers of its own. */
  readonly breakers?: WechatBreakers
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
  breakers = new WechatBreakers(),
}: WechatApiParts): WechatApi {
  return {
    async call({ appid, signal = AbortSignal.timeout(timeoutMs), ...request }, meanings) {
      const part = { appid, path: request.path }
      // Before it waits for a slot: those may be taken by calls that hang.
      breakers.check(part)
      const attempt = async (): Promise<Answer> => {
        const fields = parseResponse(await transport.send({ ...request, signal }))
        const refusal = refusalIn(fields, meanings, dialect)
        if (refusal?.code === 'ERR_WECHAT_BUSY') throw refusal
        return { fields, refusal }
      }
      const isWorthTrying = () => !breakers.isOpen(part)
      const slot = { part: `${appid} ${request.path}`, signal, leftMs: countdown(timeoutMs) }
      const { fields, refusal } = await slots.inSlot(slot, () =>
        breakers.run(part, () => withRetries(signal, attempt, isWorthTrying)),
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
