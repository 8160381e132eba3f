import { setTimeout as pause } from 'node:timers/promises'
import { type ErrorCode, WeappError } from '../errors.js'

/**
 * Retries only what certainly had no effect: twice when WeChat was busy, once when no connection was made.
 */
export async function withRetries<T>(signal: AbortSignal, attempt: () => Promise<T>): Promise<T> {
  const pausesMs: Partial<Record<ErrorCode, number[]>> = {
    ERR_WECHAT_BUSY: [100, 300],
    ERR_WECHAT_UNREACHABLE: [50],
  }
  for (;;) {
    try {
      return await attempt()
    } catch (error) {
      const pauseMs = error instanceof WeappError ? pausesMs[error.code]?.shift() : undefined
      if (pauseMs === undefined) throw error
      await pause(pauseMs, undefined, { signal }).catch(() => {
        throw error
      })
    }
  }
}
