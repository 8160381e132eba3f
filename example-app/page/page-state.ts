import { ask } from './showcase-server.js'

/** A session of the user, as the app's device list has it. Moments are ISO 8601. */
export interface UserSession {
  id: string
  key: string
  createdAt: string
  expiresAt: string
  idleExpiresAt: string
}

/** The world outside of the phones, which the server keeps. */
export interface WorldState {
  now: string
  /** How far the clock has been set forward. */
  aheadSeconds: number
  store: 'memory' | 'redis'
  /** Whether the store can be reached. */
  storeUp: boolean
  wechatUp: boolean
  sessionDurationSeconds: number
  sessions: UserSession[]
}

/** The world as the page last heard of it, and its levers. */
export interface World {
  readonly user: string
  /** Undefined until the server has told it for the first time. */
  state(): WorldState | undefined
  /** The app's clock, in milliseconds; it runs on between two responses. */
  now(): number
  isReachable(): boolean
  refresh(): Promise<void>
  /** Pulls a lever. Rejects when the server cannot be reached, or refuses. */
  move(lever: 'time' | 'rotate' | 'switch' | 'reset', fields?: object): Promise<void>
  onChange(listener: () => void): void
}

const POLL_MS = 5_000
const POLL_AWAY_MS = 10_000

export function createWorld(user: string): World {
  const listeners: (() => void)[] = []
  let state: WorldState | undefined
  let heardAt = 0
  let isReachable = true
  let asked = 0
  let newest = 0

  /** A response that comes late must not replace a newer one. */
  async function hear(question: () => Promise<WorldState>): Promise<void> {
    asked += 1
    const turn = asked
    try {
      const answer = await question()
      isReachable = true
      if (turn < newest) return
      newest = turn
      state = answer
      heardAt = performance.now()
    } catch (error) {
      isReachable = false
      throw error
    } finally {
      for (const listener of listeners) listener()
    }
  }

  async function refresh(): Promise<void> {
    await hear(() => ask(`/showcase/state?user=${encodeURIComponent(user)}`)).catch(() => undefined)
  }

  function pollLater(): void {
    setTimeout(
      async () => {
        if (document.visibilityState === 'visible') await refresh()
        pollLater()
      },
      isReachable ? POLL_MS : POLL_AWAY_MS,
    )
  }
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'visible') void refresh()
  })
  pollLater()

  return {
    user,
    state: () => state,
    now: () => (state ? Date.parse(state.now) + performance.now() - heardAt : Date.now()),
    isReachable: () => isReachable,
    refresh,
    move: (lever, fields) => hear(() => ask(`/showcase/${lever}`, { user, ...fields })),
    onChange: (listener) => void listeners.push(listener),
  }
}
