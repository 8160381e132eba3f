import { WeappError } from '../errors.js'
import { type App, type AppInfo, type AppSelector, readApp } from './app-info.js'
import { groupIn } from './token.js'

/** The configured apps, or those of them that a scope is limited to. */
export interface Apps {
  readonly all: readonly App[]
  /** Whether a scope is limited to an app; the sessions of others are not ended either. */
  readonly isNarrowed: boolean
  find(appid: string): App | undefined
  /**
   * Returns the app that a token or a handle begins with the group of: a hint, which proves nothing, unless
   * the handle is that of the user of the session.
   */
  ofToken(token: string): App | undefined
  /** Returns the selected app; without a selector, the only app. Throws `ERR_APP_UNKNOWN`. */
  choose(selector: AppSelector | undefined): App
  /** Returns the same app, and undefined where `choose` throws. */
  chosen(selector: AppSelector | undefined): App | undefined
  /** Narrows the apps to one. Throws a `TypeError` that starts with `where` when it is unknown. */
  only(where: string, selector: AppSelector): Apps
}

/** Checks the `apps` option and fills in the defaults. */
export function createApps(where: string, infos: unknown, touchShare: number): Apps {
  if (!Array.isArray(infos) || infos.length === 0) {
    throw new TypeError(`${where} must be an array of one or more apps: [{ appid, secret }]`)
  }
  const all = infos.map((info: AppInfo, index) => readApp(`${where}[${index}]`, info, index + 1, touchShare))
  refuseDuplicates(where, all, 'appid')
  refuseDuplicates(where, all, 'id')
  refuseSameGroup(where, all)
  return appsOf(all, false)
}

function appsOf(all: readonly App[], isNarrowed: boolean): Apps {
  const byAppid = new Map(all.map((app) => [app.appid, app]))
  const byId = new Map(all.map((app) => [app.id, app]))
  const byGroup = new Map(all.map((app) => [app.group, app]))
  const only = all.length === 1 ? all[0] : undefined
  const named = (selector: AppSelector) =>
    typeof selector === 'number' ? byId.get(selector) : byAppid.get(selector)
  const chosen = (selector: AppSelector | undefined) => (selector === undefined ? only : named(selector))

  return {
    all,
    isNarrowed,
    find: (appid) => byAppid.get(appid),
    ofToken: (token) => byGroup.get(groupIn(token)),
    chosen,
    choose(selector) {
      const app = chosen(selector)
      if (app) return app
      throw new WeappError(
        'ERR_APP_UNKNOWN',
        selector === undefined
          ? 'Several apps log in here: say which one with "appid".'
          : 'This app does not log in here.',
      )
    },
    only(where, selector) {
      const app = named(selector)
      if (app) return appsOf([app], true)
      const known = all.map(({ appid }) => appid).join(', ')
      throw new TypeError(`${where} must name one of the apps that log in here: ${known}`)
    },
  }
}

function refuseDuplicates(where: string, apps: readonly App[], name: 'appid' | 'id'): void {
  const seen = new Set<string | number>()
  for (const app of apps) {
    if (seen.has(app[name])) {
      throw new TypeError(`${where} names the ${name} ${app[name]} twice; each app needs its own`)
    }
    seen.add(app[name])
  }
}

/** Of 16 million groups no two apps share one but by chance; `revokeAll` of one app would end both. */
function refuseSameGroup(where: string, apps: readonly App[]): void {
  const byGroup = new Map<string, App>()
  for (const app of apps) {
    const other = byGroup.get(app.group)
    if (other) {
      throw new TypeError(
        `${where} must not have both ${other.appid} and ${app.appid}: their digests are the same. ` +
          'Give one of them to a createSessions of its own, whose store has another prefix',
      )
    }
    byGroup.set(app.group, app)
  }
}
