import { type AppInfo, type EnvironmentOptions, optionsFromEnvironment } from 'weapp-session'
import { createSandbox, type Sandbox } from 'weapp-session/sandbox'
import { createShowcaseClock, type ShowcaseClock } from './clock.js'
import type { PageFiles } from './page-files.js'
import type { Sources } from './sources.js'
import { traceWechat } from './trace.js'
import { createWechatSwitch, type WechatSwitch } from './wechat-switch.js'

/** Seven days, the default, written down for the page, which shows how much of it is left. */
const SESSION_DURATION_SECONDS = 7 * 86_400

/** A fake WeChat, a clock that can be set forward, and the page that shows and moves them. */
export interface Showcase {
  readonly sandbox: Sandbox
  readonly wechat: WechatSwitch
  readonly app: AppInfo
  /** For `createSessions`: what the environment says, on the fake WeChat. */
  readonly settings: EnvironmentOptions
  readonly clock: ShowcaseClock
  readonly files: PageFiles
  /** What the steps of the log link to. */
  readonly sources: Sources
  /** Where the sessions are. */
  readonly store: 'memory' | 'redis'
  close(): Promise<void>
}

/** The page, which the repository builds when it starts and the package has built. */
export interface ShowcaseOptions {
  readonly files: PageFiles
  /** What the steps of the log link to. */
  readonly sources: Sources
}

/** Starts the sandbox. */
export async function openShowcase(
  env: NodeJS.ProcessEnv,
  store: Showcase['store'],
  { files, sources }: ShowcaseOptions,
): Promise<Showcase> {
  const clock = createShowcaseClock()
  const sandbox = await createSandbox({ clock })
  const settings = optionsFromEnvironment({
    ...env,
    WEAPP_APPID: sandbox.app.appid,
    WEAPP_SECRET: sandbox.app.secret,
    WEAPP_API_BASE: sandbox.url,
    WEAPP_SESSION_DURATION_SECONDS: env.WEAPP_SESSION_DURATION_SECONDS || String(SESSION_DURATION_SECONDS),
  })
  const [app = sandbox.app] = settings.apps
  const stopTracing = traceWechat(sandbox.url)
  return {
    sandbox,
    wechat: createWechatSwitch(sandbox),
    app,
    settings,
    clock,
    files,
    sources,
    store,
    async close() {
      stopTracing()
      await sandbox.close()
    },
  }
}
