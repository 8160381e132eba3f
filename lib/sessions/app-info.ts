import type { CodeExchange } from '../exchange.js'
import {
  checkOptionNames,
  type OptionNames,
  optionalFunction,
  positiveInteger,
  positiveNumber,
  textOption,
} from '../options.js'
import { type Lifetimes, lifetimesFrom } from './lifetimes.js'

/** The highest cap of sessions a user may be given: a login looks at each of them. */
export const MOST_SESSIONS = 1000
const MOST_DAYS = 3650
/** Slips in from files and variables: blanks, invisible characters, quotes, separators of lists. */
const NOT_IN_AN_APPID = /[\s\p{C}"'`‘’“”,;，；]/u
/** An AppSecret may be anything, but it has no quotes around it, nor a blank or a line end. */
const AROUND_A_SECRET = /^[\s"'`]|[\s"'`]$|[\r\n]/
const MOST_SECONDS = MOST_DAYS * 24 * 60 * 60

/** One mini-program that may log in here. */
export interface AppInfo {
  /** The AppID of the mini-program, such as `wx` and 16 hex digits. */
  appid: string
  /** Its AppSecret. Sent to WeChat alone; never logged. */
  secret: string
  /** A number by which old clients name the app. Default: its place in `apps`, from 1. */
  id?: number
  /** A name for people. Default: the appid. */
  title?: string
  /** The absolute lifetime in days, fractions allowed: from login, never extended. Default 30. */
  loginDurationDays?: number
  /** The idle lifetime in seconds, fractions allowed: from the last visit. Default 2592000 (30 days). */
  sessionDurationSeconds?: number
  /** How many sessions a user of this app may have at once. Default: that of `createSessions`. */
  maxSessionsPerUser?: number
  /** How long a user's `userInfo` is kept after the last login or change, in days. Default 365. */
  userInfoDurationDays?: number
  /** How its login codes are exchanged. Default: by WeChat's code2Session. */
  exchange?: CodeExchange
}

/** Names an app: by its appid, or by the `id` of its {@link AppInfo}. */
export type AppSelector = string | number

/** An {@link AppInfo} with every default filled in. */
export interface App {
  readonly appid: string
  readonly secret: string
  readonly id: number
  readonly title: string
  readonly lifetimes: Lifetimes
  readonly userInfoDurationMs: number
  readonly maxSessionsPerUser: number | undefined
  /** Undefined: WeChat's. */
  readonly exchange: CodeExchange | undefined
}

const NAMES: OptionNames<AppInfo> = {
  appid: true,
  secret: true,
  id: true,
  title: true,
  loginDurationDays: true,
  sessionDurationSeconds: true,
  userInfoDurationDays: true,
  maxSessionsPerUser: true,
  exchange: true,
}

/** An AppID. */
export function appidOption(where: string, value: unknown): string {
  const appid = textOption(where, value)
  if (!NOT_IN_AN_APPID.test(appid)) return appid
  throw new TypeError(`${where} must be an AppID, without blanks, quotes, commas or line ends`)
}

/** An AppSecret, which is never shown. */
export function secretOption(where: string, value: unknown): string {
  const secret = textOption(where, value)
  if (!AROUND_A_SECRET.test(secret)) return secret
  throw new TypeError(
    `${where} must be an AppSecret, without blanks or quotes around it and without line ends`,
  )
}

/** Checks one of `apps` and fills in the defaults. `position` is its place, from 1. */
export function readApp(where: string, info: AppInfo, position: number, touchShare: number): App {
  checkOptionNames<AppInfo>(where, info, NAMES)
  const appid = appidOption(`${where}.appid`, info.appid)
  const days = positiveNumber(`${where}.loginDurationDays`, info.loginDurationDays ?? 30, MOST_DAYS)
  const seconds = positiveNumber(
    `${where}.sessionDurationSeconds`,
    info.sessionDurationSeconds ?? 2592000,
    MOST_SECONDS,
  )
  return {
    appid,
    secret: secretOption(`${where}.secret`, info.secret),
    id: positiveInteger(`${where}.id`, info.id ?? position),
    title: textOption(`${where}.title`, info.title ?? appid),
    lifetimes: lifetimesFrom(days, seconds, touchShare),
    maxSessionsPerUser:
      info.maxSessionsPerUser === undefined
        ? undefined
        : positiveInteger(`${where}.maxSessionsPerUser`, info.maxSessionsPerUser, MOST_SESSIONS),
    exchange: optionalFunction(`${where}.exchange`, info.exchange),
    userInfoDurationMs: Math.round(
      positiveNumber(`${where}.userInfoDurationDays`, info.userInfoDurationDays ?? 365, MOST_DAYS) *
        86_400_000,
    ),
  }
}
