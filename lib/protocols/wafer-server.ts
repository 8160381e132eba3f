import type { WeappError } from '../errors.js'
import type { LoginResult } from '../flows/log-in.js'
import type { Sessions } from '../flows/sessions.js'
import type { Session } from '../sessions/session.js'
import { idOf, tokenFromPair } from './id-skey.js'
import { durationOf, legacyUserInfo } from './legacy-user-info.js'
import { type Protocol, route, type WireReply, type WireRequest } from './protocol.js'
import { outcomeOf } from './wafer-server-outcomes.js'
import { type Interface, readInterface } from './wafer-server-request.js'

interface Done {
  readonly returnMessage: string
  readonly returnData: unknown
}

/**
 * The protocol of the Wafer session server, which the Wafer server SDKs of five languages call: one route,
 * JSON under any content type, `{ interface: { interfaceName, para } }` in and
 * `{ returnCode, returnMessage, returnData }` out, always HTTP 200. Supports `qcloud.cam.id_skey`,
 * `qcloud.cam.auth` and `qcloud.cam.decrypt`; `qcloud.cam.initdata` is refused, because apps are configured
 * on the server.
 *
 * With several apps, name the one of each mount: `loginRouter({ sessions, protocol, appid })`.
 *
 * @example
 * app.use('/mina_auth', loginRouter({ sessions, protocol: waferServerProtocol() }))
 */
export function waferServerProtocol(): Protocol {
  return {
    readToken: tokenInBody,
    writeError,
    routes: [
      route({
        method: 'all',
        path: '/',
        body: 'json',
        login: (request) =>
          readInterface(request).name === 'qcloud.cam.id_skey' ? { isFromBackEnd: true } : undefined,
        read: readInterface,
        run: call,
        write: writeDone,
      }),
    ],
  }
}

async function call(sessions: Sessions, asked: Interface): Promise<Done> {
  if (asked.name === 'qcloud.cam.id_skey') return loggedIn(await sessions.login(asked.login))
  const session = await sessions.authenticate(tokenFromPair(asked.id, asked.skey))
  if (asked.name === 'qcloud.cam.auth')
    return { returnMessage: 'AUTH_SUCCESS', returnData: profileOf(session) }
  const { ivIsKey, ...data } = asked.data
  const decrypted = await sessions.decrypt(session, data, { ivIsKey })
  return { returnMessage: 'DECRYPT_SUCCESS', returnData: JSON.stringify(decrypted) }
}

function loggedIn({ token, session, seenBefore }: LoginResult): Done {
  return {
    returnMessage: seenBefore ? 'UPDATE_SESSION_SUCCESS' : 'NEW_SESSION_SUCCESS',
    returnData: { id: idOf(token), skey: token, ...profileOf(session), duration: durationOf(session) },
  }
}

/** The SDKs read one name or the other. */
function profileOf(session: Session) {
  const userInfo = legacyUserInfo(session)
  return { user_info: userInfo, userInfo }
}

/**
 * For `requireSession`: reads what a body parser of the application left. Anything but a call carries no
 * token.
 */
function tokenInBody(request: WireRequest): string | undefined {
  let asked: Interface
  try {
    asked = readInterface(request)
  } catch {
    return undefined
  }
  return 'skey' in asked ? tokenFromPair(asked.id, asked.skey) : undefined
}

function writeDone(done: Done): WireReply {
  return envelope(0, done)
}

function writeError(error: WeappError): WireReply {
  const [returnCode, returnMessage] = outcomeOf(error)
  return envelope(returnCode, { returnMessage, returnData: '' })
}

function envelope(returnCode: number, { returnMessage, returnData }: Done): WireReply {
  return { status: 200, body: { returnCode, returnMessage, returnData, version: 1, componentName: 'MA' } }
}
