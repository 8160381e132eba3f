import { type Answer, jsonAnswer } from './answer.js'
import { groupIdOf } from './identifiers.js'
import { parseFields, type ReceivedRequest, RefusedBody } from './request-body.js'
import { stepInfoList } from './we-run.js'
import { type AppUser, MAX_NAME_LENGTH, type WeChat } from './wechat.js'

const DEFAULT_USER = 'default-user'

/** The group chat of those who do not name one. */
export const DEFAULT_GROUP = 'default-group'

type Fields = Record<string, unknown>
type PhoneEndpoint = (wechat: WeChat, whose: AppUser, fields: Fields) => Fields

/** The line between a phone and WeChat: what the WeChat app on a phone asks its own servers. */
const ENDPOINTS: ReadonlyMap<string, PhoneEndpoint> = new Map([
  ['/sandbox/login', login],
  ['/sandbox/check-session', checkSession],
  ['/sandbox/user-info', userInfo],
  ['/sandbox/user-profile', userProfile],
  ['/sandbox/we-run-data', weRunData],
  ['/sandbox/group-enter-info', groupEnterInfo],
  ['/sandbox/share-info', shareInfo],
  ['/sandbox/phone-number', phoneNumber],
  ['/sandbox/tt-login', ttLogin],
])

export function isPhonePath(path: string): boolean {
  return path === '/sandbox' || path.startsWith('/sandbox/')
}

export function answerPhone(wechat: WeChat, { method, path, body }: ReceivedRequest): Answer {
  const endpoint = ENDPOINTS.get(path)
  if (!endpoint) return refusal(404, `There is no ${path}; there are ${[...ENDPOINTS.keys()].join(', ')}.`)
  if (method !== 'POST') return { ...refusal(405, 'Use POST.'), headers: { allow: 'POST' } }
  try {
    const fields = parseFields(body)
    return jsonAnswer(200, endpoint(wechat, whoseIs(fields, wechat), fields))
  } catch (error) {
    if (error instanceof RefusedBody) return refusal(error.status, error.message)
    throw error
  }
}

function login(wechat: WeChat, whose: AppUser, fields: Fields): Fields {
  allowOnly(fields, ['appid', 'user'])
  return { code: wechat.login(whose), ...whose }
}

function checkSession(wechat: WeChat, whose: AppUser, fields: Fields): Fields {
  allowOnly(fields, ['appid', 'user', 'code'])
  if (typeof fields.code !== 'string') throw new RefusedBody(400, '"code" must be a string.')
  return { valid: wechat.isSessionOf(whose, fields.code) }
}

function userInfo(wechat: WeChat, whose: AppUser, fields: Fields): Fields {
  allowOnly(fields, ['appid', 'user'])
  return { ...wechat.userInfo(whose) }
}

function userProfile(wechat: WeChat, whose: AppUser, fields: Fields): Fields {
  allowOnly(fields, ['appid', 'user'])
  return { ...wechat.userProfile(whose) }
}

function weRunData(wechat: WeChat, whose: AppUser, fields: Fields): Fields {
  allowOnly(fields, ['appid', 'user'])
  return { ...wechat.sealFor(whose, { stepInfoList: stepInfoList(whose.user, wechat.clock()) }) }
}

function groupEnterInfo(wechat: WeChat, whose: AppUser, fields: Fields): Fields {
  allowOnly(fields, ['appid', 'user', 'group'])
  const { group = DEFAULT_GROUP } = fields
  return { ...wechat.sealFor(whose, { opengid: groupIdOf(named('group', group), whose.appid) }) }
}

function shareInfo(wechat: WeChat, whose: AppUser, fields: Fields): Fields {
  allowOnly(fields, ['appid', 'user', 'shareTicket'])
  const group = named('shareTicket', fields.shareTicket)
  return { ...wechat.sealFor(whose, { openGId: groupIdOf(group, whose.appid) }) }
}

function phoneNumber(wechat: WeChat, whose: AppUser, fields: Fields): Fields {
  allowOnly(fields, ['appid', 'user'])
  const sealed = wechat.sealFor(whose, wechat.phoneNumbers.of(whose.user))
  return { code: wechat.phoneCodes.issue(whose), ...sealed }
}

function ttLogin(wechat: WeChat, whose: AppUser, fields: Fields): Fields {
  allowOnly(fields, ['appid', 'user', 'force'])
  const { force = true } = fields
  if (typeof force !== 'boolean') throw new RefusedBody(400, '"force" must be true or false.')
  const anonymousCode = wechat.anonymousCodes.issue(whose)
  return { anonymousCode, isLogin: force, ...(force && { code: wechat.login(whose) }) }
}

function whoseIs(fields: Fields, wechat: WeChat): AppUser {
  const { appid = wechat.apps[0]?.appid, user = DEFAULT_USER } = fields
  if (typeof appid !== 'string' || !wechat.appWith(appid)) {
    const known = wechat.apps.map((app) => app.appid).join(', ')
    throw new RefusedBody(400, `"appid" must be an app of this sandbox: ${known}.`)
  }
  return { appid, user: named('user', user) }
}

function named(field: string, value: unknown): string {
  if (typeof value === 'string' && value !== '' && value.length <= MAX_NAME_LENGTH) return value
  throw new RefusedBody(400, `"${field}" must be a string of 1 to ${MAX_NAME_LENGTH} characters.`)
}

function allowOnly(fields: Fields, allowed: readonly string[]): void {
  const unknown = Object.keys(fields).find((name) => !allowed.includes(name))
  if (unknown === undefined) return
  throw new RefusedBody(
    400,
    `Unknown field ${JSON.stringify(unknown)}; the fields are ${allowed.join(', ')}.`,
  )
}

function refusal(status: number, error: string): Answer {
  return jsonAnswer(status, { error })
}
