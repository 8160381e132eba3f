import { WeappError } from '../errors.js'
import type { AppSelector, Apps } from '../sessions/app-info.js'
import { unknownSession } from './authenticate.js'
import type { Sessions } from './sessions.js'

/** Names an app, or a user or session of one, or nothing. */
type Naming = { readonly appid?: AppSelector | undefined }

/** The sessions of one app: users, sessions and apps that a call names are of this one, and whatever is of another is not there. */
export function ofApp(sessions: Sessions, apps: Apps, selector: AppSelector): Sessions {
  const app = typeof selector === 'number' ? apps.all.find(({ id }) => id === selector) : apps.find(selector)
  if (!app) throw new TypeError('ofApp: no such app; name one of those given to createSessions')
  const isOther = (named: AppSelector | undefined) =>
    named !== undefined && named !== app.id && named !== app.appid

  /** What a call names, with this app. Throws `ERR_APP_UNKNOWN` for another one. */
  function own<Named extends Naming>(named: Named): Named & { readonly appid: string } {
    if (isOther(Object(named).appid)) {
      throw new WeappError('ERR_APP_UNKNOWN', 'This app does not log in here.')
    }
    return { ...named, appid: app?.appid ?? '' }
  }

  const ofThisApp: Sessions = {
    ...sessions,
    login: async (request) => sessions.login(own(request)),
    async authenticate(token, options = {}) {
      if (isOther(options.appid)) throw unknownSession()
      return sessions.authenticate(token, own(options))
    },
    async logout(token) {
      const isOwn = await ofThisApp.authenticate(token).then(() => true, ignoreUnknown)
      if (isOwn) await sessions.logout(token)
    },
    list: async (user) => sessions.list(own(user)),
    revoke: async (session) => sessions.revoke(own(session)),
    revokeUser: async (user, options) => sessions.revokeUser(own(user), options),
    forgetUser: async (user) => sessions.forgetUser(own(user)),
    setData: async (session, data) => sessions.setData(own(session), data),
    async revokeAll() {
      throw new TypeError('revokeAll ends the sessions of all apps: call it on what createSessions returned')
    },
    setUserInfo: async (user, data) => sessions.setUserInfo(own(user), data),
    decrypt: async (session, data, options) => sessions.decrypt(own(session), data, options),
    verifySignature: async (session, data) => sessions.verifySignature(own(session), data),
    phoneNumber: async (request) => sessions.phoneNumber(own(request)),
    phoneNumberOf: async (user) => sessions.phoneNumberOf(own(user)),
    forgetPhoneNumber: async (user) => sessions.forgetPhoneNumber(own(user)),
    accessToken: async (request = {}) => sessions.accessToken(own(request)),
    checkSessionKey: async (session) => sessions.checkSessionKey(own(session)),
    resetUserSessionKey: async (user) => sessions.resetUserSessionKey(own(user)),
    ofApp(other) {
      if (isOther(other)) throw new TypeError('ofApp: these sessions are of another app already')
      return ofThisApp
    },
  }
  return ofThisApp
}

/** False for a session that is not there; any other failure goes on. */
function ignoreUnknown(error: unknown): false {
  if (error instanceof WeappError && error.code === 'ERR_SESSION_UNKNOWN') return false
  throw error
}
