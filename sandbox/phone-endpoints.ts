import { groupIdOf } from './identifiers.js'
import { nameCheck } from './option-checks.js'
import { jsonReply, type Reply } from './reply.js'
import { HttpError, parseFields, type ReceivedRequest } from './request-body.js'
import { stepInfoList } from './we-run.js'
import type { AppUser, WeChat } from './wechat.js'

const DEFAULT_USER = 'default-user'

/** The group chat from which a mini-program was opened by default. */
export const DEFAULT_GROUP = 'default-group'

type Fields = Record<string, unknown>
type Endpoint = readonly [
  reply: (wechat: WeChat, appUser: AppUser, fields: Fields) => Fields,
  /** Besides `appid` and `user`. */
  ...fieldNames: string[],
]

/** What the WeChat app on a phone asks its own servers. */
const ENDPOINTS: ReadonlyMap<string, Endpoint> = new Map<string, Endpoint>([
  ['/sandbox/login', [(wechat, appUser) => ({ code: wechat.login(appUser), ...appUser })]],
  ['/sandbox/check-session', [checkSession, 'code']],
  ['/sandbox/user-info', [(wechat, appUser) => ({ ...wechat.userInfo(appUser) })]],
  ['/sandbox/user-profile', [(wechat, appUser) => ({ ...wechat.userProfile(appUser) })]],
  ['/sandbox/we-run-data', [weRunData]],
  ['/sandbox/group-enter-info', [groupEnterInfo, 'group']],
  ['/sandbox/share-info', [shareInfo, 'shareTicket']],
  ['/sandbox/phone-number', [phoneNumber]],
  ['/sandbox/tt-login', [ttLogin, 'force']],
])

export function isPhonePath(path: string): boolean {
  return path === '/sandbox' || path.startsWith('/sandbox/')
}

export function replyToPhone(wechat: WeChat, { method, path, body }: ReceivedRequest): Reply {
  const endpoint = ENDPOINTS.get(path)
  if (!endpoint) return refusal(404, `unknown endpoint ${path}; known: ${[...ENDPOINTS.keys()].join(', ')}`)
  if (method !== 'POST') return { ...refusal(405, 'use POST'), headers: { allow: 'POST' } }
  const [reply, ...fieldNames] = endpoint
  try {
    const fields = parseFields(body)
    const appUser = appUserIn(fields, wechat)
    allowOnly(fields, ['appid', 'user', ...fieldNames])
    return jsonReply(200, reply(wechat, appUser, fields))
  } catch (error) {
    if (error instanceof HttpError) return refusal(error.status, error.message)
    throw error
  }
}

function checkSession(wechat: WeChat, appUser: AppUser, fields: Fields): Fields {
  if (typeof fields.code !== 'string') throw new HttpError(400, '"code" must be a string')
  return { valid: wechat.isCurrentSession(appUser, fields.code) }
}

function weRunData(wechat: WeChat, appUser: AppUser): Fields {
  return { ...wechat.encryptFor(appUser, { stepInfoList: stepInfoList(appUser.user, wechat.clock()) }) }
}

function groupEnterInfo(wechat: WeChat, appUser: AppUser, fields: Fields): Fields {
  const { group = DEFAULT_GROUP } = fields
  return { ...wechat.encryptFor(appUser, { opengid: groupIdOf(checkedName('group', group), appUser.appid) }) }
}

function shareInfo(wechat: WeChat, appUser: AppUser, fields: Fields): Fields {
  const group = checkedName('shareTicket', fields.shareTicket)
  return { ...wechat.encryptFor(appUser, { openGId: groupIdOf(group, appUser.appid) }) }
}

function phoneNumber(wechat: WeChat, appUser: AppUser): Fields {
  const sealed = wechat.encryptFor(appUser, wechat.phoneNumbers.of(appUser.user))
  return { code: wechat.phoneCodes.issue(appUser), ...sealed }
}

function ttLogin(wechat: WeChat, appUser: AppUser, fields: Fields): Fields {
  const { force = true } = fields
  if (typeof force !== 'boolean') throw new HttpError(400, '"force" must be true or false')
  const anonymousCode = wechat.anonymousCodes.issue(appUser)
  return { anonymousCode, isLogin: force, ...(force && { code: wechat.login(appUser) }) }
}

function appUserIn(fields: Fields, wechat: WeChat): AppUser {
  const { appid = wechat.apps[0]?.appid, user = DEFAULT_USER } = fields
  if (typeof appid !== 'string' || !wechat.appWith(appid)) {
    const known = wechat.apps.map((app) => app.appid).join(', ')
    throw new HttpError(400, `"appid" must be an app of this sandbox: ${known}`)
  }
  return { appid, user: checkedName('user', user) }
}

function checkedName(field: string, value: unknown): string {
  const [mustBe, holds] = nameCheck
  if (holds(value)) return String(value)
  throw new HttpError(400, `"${field}" must be ${mustBe}`)
}

function allowOnly(fields: Fields, allowed: readonly string[]): void {
  const unknown = Object.keys(fields).find((name) => !allowed.includes(name))
  if (unknown === undefined) return
  throw new HttpError(400, `unknown field ${JSON.stringify(unknown)}; known: ${allowed.join(', ')}`)
}

function refusal(status: number, error: string): Reply {
  return jsonReply(status, { error })
}
