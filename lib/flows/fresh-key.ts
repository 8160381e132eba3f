import { WeappError } from '../errors.js'
import type { Secret } from '../secret.js'
import type { Apps } from '../sessions/apps.js'
import { type CodeGrant, codeUsedUp } from '../sessions/code-outcomes.js'
import type { KeyRing } from '../sessions/key-ring.js'
import type { UserRef } from '../sessions/session.js'
import type { SessionKeys } from '../sessions/session-keys.js'
import { isHandleOf } from '../sessions/token.js'
import { checkCode } from '../wechat/code2session.js'
import type { LoginCodes } from './login-codes.js'

interface FreshKeyParts {
  readonly apps: Apps
  readonly sessionKeys: SessionKeys
  readonly keyRing: KeyRing
  readonly loginCodes: LoginCodes
}

/** The session whose session_key is to be replaced; without an id, all sessions of the user. */
export interface KeyOwner extends UserRef {
  readonly sessionId?: string
}

/**
 * The use case "here is a new code with my data": exchanges the code once, stores its session_key in the
 * session (or, without one, in all sessions of the user) and returns it. Returns none for a code that has
 * given its session_key already: a session of the user has it. Throws `ERR_CODE_INVALID`, `ERR_WECHAT_…`, and
 * `ERR_USER_CHANGED` for a code of somebody else.
 */
export type FreshKey = (owner: KeyOwner, code: string) => Promise<Secret[]>

export function createFreshKey({ apps, sessionKeys, keyRing, loginCodes }: FreshKeyParts): FreshKey {
  return async (owner, code) => {
    const app = apps.choose(owner.appid)
    const handles = keyRing.handlesOf(owner)
    return loginCodes.redeem(app, checkCode(code), {
      name: 'the exchange of a code',
      async use({ identity: { openid, sessionKey } }) {
        if (openid !== owner.openid) throw ofAnotherUser()
        await keepSessionKey(owner, sessionKey)
        return { result: [sessionKey], grant: { handle: handles[0] ?? '' } }
      },
      async reuse(grant) {
        if (isOf(handles, grant)) return []
        throw codeUsedUp()
      },
    })
  }

  /** The code is used up, so its session_key is returned even if it cannot be stored. */
  async function keepSessionKey(owner: KeyOwner, sessionKey: Secret): Promise<void> {
    await sessionKeys.keep(owner, sessionKey, owner.sessionId).catch(() => undefined)
  }
}

function isOf(handles: readonly string[], grant: CodeGrant): boolean {
  return handles.some((handle) => isHandleOf(handle, grant.handle))
}

export function ofAnotherUser(): WeappError {
  return new WeappError(
    'ERR_USER_CHANGED',
    'The code belongs to a different user than the session. Log in again.',
  )
}
