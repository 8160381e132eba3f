import { type Lifecycle, sessionsClosed } from './lifecycle.js'
import type { Sessions } from './sessions.js'

/** Under a symbol of all copies of this package, so that `{ ...sessions }` takes it along. */
const LIFECYCLE = Symbol.for('weapp-session.lifecycle')

/** These are no calls that `close` waits for: they say how it stands, make further sessions, or end them. */
const UNCOUNTED: readonly string[] = ['health', 'with', 'ofApp', 'close']

/** What a server that stops needs of its sessions. `Sessions` that are not made here have none. */
type EndingWithServers = Pick<Lifecycle, 'whileEnding'>

/** Has `close` wait for all calls of sessions, and refuses calls once they are closed. */
export function whileOpen(sessions: Sessions, lifecycle: Lifecycle): Sessions {
  const calls = Object.entries(sessions).filter(
    ([name, member]) => typeof member === 'function' && !UNCOUNTED.includes(name),
  ) as [string, (...args: unknown[]) => Promise<unknown>][]
  const counted = calls.map(([name, call]) => [
    name,
    (...args: unknown[]) => lifecycle.run(() => call(...args)),
  ])
  return Object.assign({}, sessions, Object.fromEntries(counted) as Partial<Sessions>, {
    // A health check has to fail before the end, not after it.
    ping: () => (lifecycle.isClosing ? Promise.reject(sessionsClosed()) : lifecycle.run(sessions.ping)),
    [LIFECYCLE]: lifecycle satisfies EndingWithServers,
  })
}

/** Tells the health checks of sessions that a server with them ends, and has `close` wait until it has. */
export function whileEnding(sessions: Sessions, server: () => Promise<void>): Promise<void> {
  const lifecycle = (sessions as { readonly [LIFECYCLE]?: EndingWithServers })[LIFECYCLE]
  return lifecycle ? lifecycle.whileEnding(server) : server()
}
