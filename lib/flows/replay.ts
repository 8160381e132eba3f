import type { Clock } from '../clock.js'
import { WeappError } from '../errors.js'
import type { Logger } from '../logger.js'
import { type CodeGrant, codeUsedUp, type LoginCode, REPLAY_MS } from '../sessions/code-ledger.js'
import { isSameOrigin, type LoginOrigin } from '../sessions/login-origin.js'
import type { Session } from '../sessions/session.js'
import type { SessionBook } from '../sessions/session-book.js'
import type { SessionStore } from '../sessions/store.js'
import { addressOf, codeIdOf } from '../sessions/token.js'
import { Tries } from '../sessions/tries.js'

/** How often a used code may come again and still be looked at. A client asks again once or twice. */
const MOST_REPLAYS = 5

/** The session of a used code, for who brings the code again. */
export interface ReplayedLogin {
  readonly token: string
  readonly session: Session
  readonly seenBefore: boolean
}

/** The use case "the answer to my login was lost". */
export type Replay = (
  code: LoginCode,
  grant: CodeGrant,
  origin: LoginOrigin | undefined,
) => Promise<ReplayedLogin>

interface ReplayParts {
  readonly book: SessionBook
  readonly store: Required<SessionStore>
  readonly clock: Clock
  readonly logger: Logger
}

/**
 * Makes that use case. A code may have been read by others on its way, so only who is known to be the one that used it gets its session
 * again, and the log hears of it. Throws `ERR_CODE_INVALID`.
 */
export function createReplay({ book, store, clock, logger }: ReplayParts): Replay {
  const tries = new Tries({ store, clock, purpose: 'replay', most: MOST_REPLAYS, lifetimeMs: REPLAY_MS })

  return async function replay({ appid, code }, { login }, origin) {
    if (!(await tries.take({ appid, about: codeIdOf(appid, code) }))) throw codeUsedUp()
    if (!login || !isSameOrigin(login.origin, origin)) {
      logger.warn(`a login code of ${appid} came again, and not from where it was used: it got nothing`)
      throw codeUsedUp()
    }
    const address = addressOf(login.token)
    const session = address && (await book.visit(address))
    if (!session) {
      throw new WeappError(
        'ERR_CODE_INVALID',
        'The session of this code has ended. Call wx.login for a new one.',
      )
    }
    const { token, seenBefore } = login
    const where = login.origin.peer === origin?.peer ? 'the same address' : 'another address'
    logger.warn(`a login code came again from ${where} and got session ${session.sessionId} once more`)
    return { token, seenBefore, session }
  }
}
