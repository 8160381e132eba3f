import { createSessions, type SessionStore, type SessionsOptions } from 'weapp-session'
import { type AppRuntime, readPort } from './app-runtime.js'
import { openShowcase, type Showcase, type ShowcaseOptions } from './showcase/showcase.js'
import { tracedStore } from './showcase/traced-store.js'

/** What the app on the fake WeChat is given. */
export interface SandboxParts extends ShowcaseOptions {
  /** What the application does at a login and when a profile changes. */
  readonly hooks: Pick<SessionsOptions, 'onLogin' | 'onUserInfo'>
  readonly store: Showcase['store']
  openStore(clock: () => number): SessionStore
}

/** Starts the fake WeChat and creates the sessions of its users. Throws a `TypeError` for a variable that is wrong. */
export async function openSandboxRuntime(
  env: NodeJS.ProcessEnv,
  { hooks, store, openStore, ...options }: SandboxParts,
): Promise<AppRuntime & { readonly showcase: Showcase }> {
  const port = readPort(env)
  const showcase = await openShowcase(env, store, options)
  const { clock } = showcase
  const sessions = createSessions({
    ...showcase.settings,
    ...hooks,
    clock,
    store: tracedStore(openStore(clock)),
    // The avatars of these users have addresses of this machine.
    allowPrivateAddresses: true,
  })
  return {
    sessions,
    port,
    // The controls of the page are for people at this machine.
    host: env.HOST || '127.0.0.1',
    showcase,
    async close() {
      await sessions.close()
      await showcase.close()
    },
  }
}
