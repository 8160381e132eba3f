import { setTimeout as pause } from 'node:timers/promises'
import { WeappError } from '../errors.js'

const BUSY_PAUSES_MS = [100, 300] as const
const CONNECT_PAUSES_MS = [50] as const

/**
 * Retries only what certainly had no effect: twice when WeChat was busy, once when no connection could be
 * made. All attempts end by `signal`.
 */
export async function withRetries<T>(signal: AbortSignal, attempt: () => Promise<T>): Promise<T> {
  const pausesMs: Partial<Record<string, number[]>> = {
    ERR_WECHAT_BUSY: [...BUSY_PAUSES_MS],
    ERR_WECHAT_UNREACHABLE: [...CONNECT_PAUSES_MS],
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
