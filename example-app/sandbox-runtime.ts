import { createSessions, type SessionStore, type SessionsOptions } from 'weapp-session'
import { type AppRuntime, readKeys, readPort } from './app-runtime.js'
import { type Lifetimes, openShowcase, type Showcase, type ShowcaseOptions } from './showcase/showcase.js'
import { tracedStore } from './showcase/traced-store.js'

/** The two clocks differ, so that the page can show both. */
const SHOWN_LIFETIMES: Lifetimes = { loginDurationDays: 30, sessionDurationSeconds: 7 * 86_400 }

/** What the app on the fake WeChat is given. */
export interface SandboxParts extends ShowcaseOptions {
  /** What the application does at a login and when a profile changes. */
  readonly hooks: Pick<SessionsOptions, 'onLogin' | 'onUserInfo'>
  readonly store: Showcase['store']
  openStore(clock: () => number): SessionStore
}

/** Starts the fake WeChat and makes the sessions of its users. Throws a `TypeError` for a variable that is wrong. */
export async function openSandboxRuntime(
  env: NodeJS.ProcessEnv,
  { hooks, store, openStore, ...options }: SandboxParts,
): Promise<AppRuntime & { readonly showcase: Showcase }> {
  const port = readPort(env)
  const showcase = await openShowcase({ ...SHOWN_LIFETIMES, ...readLifetimes(env) }, store, options)
  const { app, clock, sandbox } = showcase
  const sessions = createSessions({
    apps: [app],
    ...hooks,
    clock,
    store: tracedStore(openStore(clock)),
    // The avatars of these users have addresses of this machine.
    allowPrivateAddresses: true,
    ...readKeys(env),
    wechat: { baseUrl: sandbox.url },
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

function readLifetimes(env: NodeJS.ProcessEnv): Partial<Lifetimes> {
  return {
    ...(env.WEAPP_LOGIN_DURATION_DAYS && { loginDurationDays: Number(env.WEAPP_LOGIN_DURATION_DAYS) }),
    ...(env.WEAPP_SESSION_DURATION_SECONDS && {
      sessionDurationSeconds: Number(env.WEAPP_SESSION_DURATION_SECONDS),
    }),
  }
}
