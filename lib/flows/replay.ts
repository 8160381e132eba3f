import type { Clock } from '../clock.js'
import { WeappError } from '../errors.js'
import type { Logger } from '../logger.js'
import { type CodeGrant, codeUsedUp, type LoginCode, REPLAY_MS } from '../sessions/code-outcomes.js'
import { Counter } from '../sessions/counter.js'
import { isSameOrigin, type LoginOrigin } from '../sessions/login-origin.js'
import type { Session } from '../sessions/session.js'
import type { SessionRegistry } from '../sessions/session-registry.js'
import type { SessionStore } from '../sessions/store.js'
import { addressOf } from '../sessions/token.js'

/** How often a used code gives its session again. A client retries once or twice. */
const MOST_REPLAYS = 5

export interface ReplayedLogin {
  readonly token: string
  readonly session: Session
  readonly seenBefore: boolean
}

export type Replay = (
  code: LoginCode,
  grant: CodeGrant,
  origin: LoginOrigin | undefined,
) => Promise<ReplayedLogin>

interface ReplayParts {
  readonly registry: SessionRegistry
  readonly store: Required<SessionStore>
  readonly clock: Clock
  readonly logger: Logger
}

/**
 * Makes the use case "the response to my login was lost". Others may have read a code on its way, so only the
 * client that is known to have used it gets its session again, and the log is told. Throws
 * `ERR_CODE_INVALID`.
 */
export function createReplay({ registry, store, clock, logger }: ReplayParts): Replay {
  const replays = new Counter({ store, clock, purpose: 'replay', windowMs: REPLAY_MS })

  /**
   * Counted apart, so that a thief takes nothing from the owner; and what comes too often is no longer told.
   */
  async function isOften({ appid, id }: LoginCode, who: 'owner' | 'somebody else'): Promise<boolean> {
    return (await replays.add({ appid, about: `${id} ${who}` })) > MOST_REPLAYS
  }

  return async function replay(code, { login }, origin) {
    const { appid } = code
    if (!login || !isSameOrigin(login.origin, origin)) {
      if (!(await isOften(code, 'somebody else')))
        logger.warn(`a used login code of ${appid} came again, not from where it was used: it got nothing`)
      throw codeUsedUp()
    }
    if (await isOften(code, 'owner')) throw codeUsedUp()
    const address = addressOf(login.token)
    const visit = address && (await registry.visit(address))
    if (!visit) {
      throw new WeappError(
        'ERR_CODE_INVALID',
        'The session of this code has ended. Call wx.login for a new one.',
      )
    }
    const { session } = visit
    const where = login.origin.peer === origin?.peer ? 'the same address' : 'another address'
    logger.warn(
      `a used login code of ${appid} came again, from ${where}: it got session ${session.sessionId} once more`,
    )
    return { token: login.token, seenBefore: login.seenBefore, session }
  }
}
