import { WeappError } from '../errors.js'
import type { App } from '../sessions/app-info.js'
import type { Apps } from '../sessions/apps.js'
import { type CodeGrant, type CodeLedger, codeUsedUp } from '../sessions/code-ledger.js'
import type { KeyRing } from '../sessions/key-ring.js'
import type { UserRef } from '../sessions/session.js'
import type { SessionKeys } from '../sessions/session-keys.js'
import { isHandleOf } from '../sessions/token.js'
import { checkCode } from '../wechat/code2session.js'
import type { ExchangeCode } from './log-in.js'
import type { ReportFailure } from './report-failure.js'

interface FreshKeyParts {
  readonly apps: Apps
  readonly sessionKeys: SessionKeys
  readonly keyRing: KeyRing
  readonly ledger: CodeLedger
  readonly exchange: ExchangeCode
  readonly report: ReportFailure
}

/** A user, or better the session whose key is to be replaced. */
export interface KeyOwner extends UserRef {
  readonly sessionId?: string
}

/**
 * The use case "here is a new code with my data": exchanges the code once, stores its session_key in the session (without one: in
 * all of the user's), and answers the key. A code that has given its key already answers none: a session of the user has it.
 */
export type FreshKey = (owner: KeyOwner, code: string) => Promise<string[]>

/**
 * Makes that use case. Throws `ERR_CODE_INVALID`, `ERR_USER_CHANGED` when the code is of somebody else, `ERR_WECHAT_…`.
 */
export function createFreshKey(parts: FreshKeyParts): FreshKey {
  const { apps, sessionKeys, keyRing, ledger, exchange, report } = parts

  return async (owner, code) => {
    const app = apps.choose(owner.appid)
    const login = { appid: app.appid, code: checkCode(code) }
    const claim = await ledger.claim(login)
    if ('grant' in claim) {
      if (isOf(owner, claim.grant)) return []
      throw codeUsedUp()
    }
    try {
      const sessionKey = await keyFor(app, owner, login.code)
      await keepKey(owner, sessionKey)
      ledger.settle(login, { handle: keyRing.handlesOf(owner)[0] ?? '' })
      return [sessionKey]
    } catch (error) {
      // Whose code it was is nobody's business who brings it later.
      ledger.fail(login, isOfAnother(error) ? codeUsedUp() : error)
      report('the exchange of a code', error)
      throw error
    }
  }

  /** The code is used up, so its key is not thrown away because it cannot be stored. The guard around the store has told the log. */
  async function keepKey(owner: KeyOwner, sessionKey: string): Promise<void> {
    await sessionKeys.keep(owner, sessionKey, owner.sessionId).catch(() => undefined)
  }

  function isOf(user: UserRef, grant: CodeGrant): boolean {
    return keyRing.handlesOf(user).some((handle) => isHandleOf(handle, grant.handle))
  }

  async function keyFor(app: App, owner: UserRef, code: string): Promise<string> {
    const { openid, sessionKey } = await exchange(app, code)
    if (openid === owner.openid) return sessionKey
    throw new WeappError('ERR_USER_CHANGED', 'The code is of another user than the session. Log in again.')
  }
}

function isOfAnother(error: unknown): boolean {
  return error instanceof WeappError && error.code === 'ERR_USER_CHANGED'
}
