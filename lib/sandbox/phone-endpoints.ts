import { type Answer, jsonAnswer } from './answer.js'
import { parseFields, RefusedBody } from './request-body.js'
import { type AppUser, MAX_USER_LENGTH, type WeChat } from './wechat.js'

const DEFAULT_USER = 'default-user'

type Fields = Record<string, unknown>
type PhoneEndpoint = (wechat: WeChat, whose: AppUser, fields: Fields) => Fields

/** The line between a phone and WeChat: what the WeChat app on a phone asks its own servers. */
const ENDPOINTS: ReadonlyMap<string, PhoneEndpoint> = new Map([
  ['/sandbox/login', login],
  ['/sandbox/check-session', checkSession],
  ['/sandbox/user-info', userInfo],
  ['/sandbox/user-profile', userProfile],
])

export function isPhonePath(path: string): boolean {
  return path === '/sandbox' || path.startsWith('/sandbox/')
}

export function answerPhone(wechat: WeChat, method: string, path: string, body: Buffer | undefined): Answer {
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

function whoseIs(fields: Fields, wechat: WeChat): AppUser {
  const { appid = wechat.apps[0]?.appid, user = DEFAULT_USER } = fields
  if (typeof appid !== 'string' || !wechat.appWith(appid)) {
    const known = wechat.apps.map((app) => app.appid).join(', ')
    throw new RefusedBody(400, `"appid" must be an app of this sandbox: ${known}.`)
  }
  if (typeof user !== 'string' || user === '' || user.length > MAX_USER_LENGTH) {
    throw new RefusedBody(400, `"user" must be a string of 1 to ${MAX_USER_LENGTH} characters.`)
  }
  return { appid, user }
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
