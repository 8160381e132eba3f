import type { CodeExchange } from '../exchange.js'
import {
  checkOptionNames,
  type OptionNames,
  optionalFunction,
  positiveInteger,
  positiveNumber,
  share,
  textOption,
} from '../options.js'
import { Secret } from '../secret.js'
import { type Lifetimes, lifetimesFrom, withSessionDuration } from './lifetimes.js'
import { groupOf } from './token.js'

/** The highest `maxSessionsPerUser`: a login reads every session of its user. */
export const MOST_SESSIONS = 1000
const MOST_DAYS = 3650
const MOST_JITTER = 0.5
/** Seven days. Why, is in docs/production.md, under Lifetimes. */
const DEFAULT_SESSION_DURATION_SECONDS = 604_800
export const MOST_SECONDS = MOST_DAYS * 24 * 60 * 60
/** Blanks, invisible characters, quotes and list separators: signs of a careless copy. */
const NOT_IN_AN_APPID = /[\s\p{C}"'`‘’“”,;，；]/u
/** An AppSecret may be anything, but not with quotes or blanks around it, or with a line end. */
const AROUND_A_SECRET = /^[\s"'`]|[\s"'`]$|[\r\n]/

/** A mini-program whose users may log in. */
export interface AppInfo {
  /** The AppID of the mini-program: for WeChat, `wx` and 16 hex digits. */
  appid: string
  /** Its AppSecret. Only sent to WeChat; never logged. */
  secret: string
  /** The number by which old clients name the app. Default: its position in `apps`, from 1. */
  id?: number
  /** The display name. Default: the appid. */
  title?: string
  /** The absolute lifetime of a session from login, in days, fractions allowed. Default 30. */
  loginDurationDays?: number
  /**
   * The idle lifetime of a session from the last visit, in seconds, fractions allowed. Default 604800 (7
   * days); after a login through an old protocol 2592000 (30 days).
   */
  sessionDurationSeconds?: number
  /**
   * By which share the lifetimes of a session may be shorter, at random: 0.1 for up to a tenth. Then those
   * who log in at the same moment do not have to log in again at the same moment. From 0 to 0.5. Default 0.
   */
  lifetimeJitter?: number
  /** How many sessions a user may have at once. Default: `maxSessionsPerUser` of `createSessions`. */
  maxSessionsPerUser?: number
  /** How long a user's `userInfo` is kept after the last login or change, in days. Default 365. */
  userInfoDurationDays?: number
  /** Exchanges its login codes. Default: WeChat's code2Session. */
  exchange?: CodeExchange
}

/** An app by its appid, or by the `id` of its {@link AppInfo}. */
export type AppSelector = string | number

/** A checked {@link AppInfo}, with the defaults. */
export interface App {
  readonly appid: string
  readonly secret: Secret
  readonly id: number
  readonly title: string
  /** With which the handles of its users begin. */
  readonly group: string
  readonly lifetimes: Lifetimes
  /** Whether the app sets `sessionDurationSeconds`; then no session has an idle lifetime of its own. */
  readonly isSessionDurationSet: boolean
  /** By which share lifetimes may be shorter. */
  readonly lifetimeJitter: number
  readonly userInfoDurationMs: number
  readonly maxSessionsPerUser: number | undefined
  /** Undefined: WeChat's code2Session. */
  readonly exchange: CodeExchange | undefined
}

const NAMES: OptionNames<AppInfo> = {
  appid: true,
  secret: true,
  id: true,
  title: true,
  loginDurationDays: true,
  sessionDurationSeconds: true,
  lifetimeJitter: true,
  userInfoDurationDays: true,
  maxSessionsPerUser: true,
  exchange: true,
}

/** Returns an AppID. */
export function appidOption(where: string, value: unknown): string {
  const appid = textOption(where, value)
  if (!NOT_IN_AN_APPID.test(appid)) return appid
  throw new TypeError(`${where} must be an AppID, without blanks, quotes, commas or line ends`)
}

/** Returns an AppSecret, which the error never shows. */
export function secretOption(where: string, value: unknown): string {
  const secret = textOption(where, value)
  if (!AROUND_A_SECRET.test(secret)) return secret
  throw new TypeError(
    `${where} must be an AppSecret, without blanks or quotes around it and without line ends`,
  )
}

/** Checks one of `apps`. `position` counts from 1. */
export function readApp(where: string, info: AppInfo, position: number, touchShare: number): App {
  checkOptionNames<AppInfo>(where, info, NAMES)
  const appid = appidOption(`${where}.appid`, info.appid)
  const days = positiveNumber(`${where}.loginDurationDays`, info.loginDurationDays ?? 30, MOST_DAYS)
  const idleSeconds = info.sessionDurationSeconds ?? DEFAULT_SESSION_DURATION_SECONDS
  const seconds = positiveNumber(`${where}.sessionDurationSeconds`, idleSeconds, MOST_SECONDS)
  const keptDays = info.userInfoDurationDays ?? 365
  const userInfoDays = positiveNumber(`${where}.userInfoDurationDays`, keptDays, MOST_DAYS)
  const cap = info.maxSessionsPerUser
  return {
    appid,
    secret: new Secret(secretOption(`${where}.secret`, info.secret)),
    id: positiveInteger(`${where}.id`, info.id ?? position),
    title: textOption(`${where}.title`, info.title ?? appid),
    group: groupOf(appid),
    lifetimes: lifetimesFrom(days, seconds, touchShare),
    isSessionDurationSet: info.sessionDurationSeconds !== undefined,
    lifetimeJitter: share(`${where}.lifetimeJitter`, info.lifetimeJitter ?? 0, MOST_JITTER),
    maxSessionsPerUser:
      cap === undefined ? cap : positiveInteger(`${where}.maxSessionsPerUser`, cap, MOST_SESSIONS),
    exchange: optionalFunction(`${where}.exchange`, info.exchange),
    userInfoDurationMs: Math.round(userInfoDays * 86_400_000),
  }
}

/**
 * Returns the lifetimes of a session. `sessionDurationMs` is an idle lifetime of its own, which counts as
 * long as the app sets none.
 */
export function lifetimesOf(app: App, sessionDurationMs: number | undefined): Lifetimes {
  if (sessionDurationMs === undefined || app.isSessionDurationSet) return app.lifetimes
  return withSessionDuration(app.lifetimes, sessionDurationMs)
}
