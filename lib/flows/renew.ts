import type { Apps } from '../sessions/apps.js'
import type { CodeGrant } from '../sessions/code-outcomes.js'
import { checkOrigin, type LoginOrigin } from '../sessions/login-origin.js'
import type { SessionRegistry } from '../sessions/session-registry.js'
import type { RotatedSession, SessionRotation } from '../sessions/session-rotation.js'
import { handleIn } from '../sessions/token.js'
import { checkCode } from '../wechat/code2session.js'
import { addressIn, unknownSession } from './authenticate.js'
import { ofAnotherUser } from './fresh-key.js'
import type { LoginCodes } from './login-codes.js'
import { requireFields } from './received-data.js'
import type { Replay } from './replay.js'

/** A renewal: the token of a live session, and a fresh code of its user. */
export interface RenewalRequest {
  /** The token of the session, which is dead after the renewal. */
  readonly token: string | undefined
  /** The one-time code of `wx.login`. */
  readonly code: string
  /**
   * Where the code came from. A client that sends code and token again within a minute from the same origin
   * gets the same session. Default: unknown, so the code works once.
   */
  readonly origin?: LoginOrigin | undefined
}

interface RenewParts {
  readonly apps: Apps
  readonly registry: SessionRegistry
  readonly rotation: SessionRotation
  readonly loginCodes: LoginCodes
  readonly replay: Replay
}

export type Renew = (request: RenewalRequest) => Promise<RotatedSession>

/**
 * Makes the use case "renew": one call to WeChat, and four round trips to the store. The code is given back
 * when the session has ended before its exchange.
 */
export function createRenew({ apps, registry, rotation, loginCodes, replay }: RenewParts): Renew {
  return async function renew(request) {
    const { token, code, origin } = requireFields(request)
    const address = addressIn(token)
    const app = apps.ofToken(address.handle)
    if (!app) throw unknownSession()
    checkCode(code)
    checkOrigin(origin)
    const visit = await registry.visit(address)
    // Whoever repeats a renewal has to know the token that it ended, too.
    const from = origin && { ...origin, mount: `${origin.mount} ${address.sessionId}` }
    return loginCodes.redeem(app, code, {
      name: 'a renewal',
      async check() {
        if (!visit) throw unknownSession()
      },
      async use({ identity, beganAt }) {
        if (identity.openid !== visit?.session.openid) throw ofAnotherUser()
        const result = await rotation.renew(address, { identity, beganAt })
        if (!result) throw unknownSession()
        const login = from && { token: result.token, seenBefore: true, origin: from }
        return { result, grant: { handle: handleIn(result.token), login } satisfies CodeGrant }
      },
      async reuse(grant, usedCode) {
        const { token: renewed, session } = await replay(usedCode, grant, from)
        return { token: renewed, session }
      },
    })
  }
}
