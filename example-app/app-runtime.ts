import type { Sessions } from 'weapp-session'
import type { Showcase } from './showcase/showcase.js'

/** What the app runs on. */
export interface AppRuntime {
  readonly sessions: Sessions
  readonly port: number
  /** The address to listen on; undefined: all addresses. */
  readonly host: string | undefined
  /** The fake WeChat and its page; undefined with real credentials. */
  readonly showcase: Showcase | undefined
  close(): Promise<void>
}

/** Reads `PORT`. Throws a `TypeError` if it is invalid. */
export function readPort({ PORT }: NodeJS.ProcessEnv): number {
  const port = Number(PORT || 3000)
  if (Number.isInteger(port) && port >= 0 && port < 65536) return port
  throw new TypeError('PORT must be a whole number from 0 to 65535')
}
