import { errorFromResponse, errorFromWx } from './client-error.js'
import { deviceOf } from './device.js'
import type { Settings } from './options.js'
import { type HttpResponse, problemIn } from './response.js'
import { createRetries, type WithRetries } from './retry-after.js'
import type { TokenStore } from './token.js'
import { callWx } from './wx.js'

/** The result of a login. It leaves the token out, which only the client needs to know. */
export interface LoginResult {
  /** When the session ends at the latest, ISO 8601 in UTC. */
  expiresAt: string
  /** When it ends if no request comes before, ISO 8601 in UTC. */
  idleExpiresAt: string
  /** The user's profile as the server has it, or null. */
  userInfo: Record<string, unknown> | null
}

/** At most one login at a time, shared by all callers. */
export interface SharedLogin {
  /** Logs in, or joins the login that is in flight. */
  logIn(): Promise<LoginResult>
  /** Renews the session, or logs in if there is none; joins whatever is in flight. */
  renew(): Promise<LoginResult>
  isPending(): boolean
  /** Resolves when no login is in flight, whether it succeeded or failed. */
  settled(): Promise<void>
}

const LOGIN = '/login'

export function createSharedLogin(settings: Settings, token: TokenStore): SharedLogin {
  const { wx, baseUrl, header, appid, timeoutMs } = settings
  let pending: Promise<LoginResult> | undefined

  async function getCode(): Promise<string> {
    try {
      const result = await callWx<{ code: string }>(wx, 'login', { timeout: timeoutMs })
      if (!result.code) throw result
      return result.code
    } catch (reason) {
      throw errorFromWx('ERR_WX_LOGIN', reason)
    }
  }

  async function send(
    path: string,
    code: string,
    nonce: string,
    withRetries: WithRetries,
  ): Promise<HttpResponse> {
    const replaced = token.lastKnown()
    const option = {
      url: baseUrl + path,
      method: 'POST',
      header: replaced ? { [header]: replaced } : {},
      data: { code, nonce, device: deviceOf(wx), ...(appid && { appid }) },
      timeout: timeoutMs,
    }
    try {
      return await withRetries(() => callWx<HttpResponse>(wx, 'request', option))
    } catch (reason) {
      throw errorFromWx('ERR_NETWORK', reason)
    }
  }

  async function start(path: string): Promise<LoginResult> {
    const withRetries = createRetries(settings)
    const code = await getCode()
    const nonce = newNonce()
    // If the server has used the code and only its response was lost, repeating both gets the same token.
    let response = await send(path, code, nonce, withRetries).catch(() =>
      send(path, code, nonce, withRetries),
    )
    if (problemIn(response)?.code === 'ERR_CODE_INVALID')
      response = await send(path, await getCode(), newNonce(), withRetries)
    // The session has ended, so there is nothing to renew.
    if (path !== LOGIN && response.statusCode === 401) return start(LOGIN)
    const { token: issued, ...result } = Object(response.data)
    if (response.statusCode !== 200 || typeof issued !== 'string') throw errorFromResponse(response)
    token.set(issued)
    return result
  }

  // Not finally(): the Promise that WeChat brings on iPhones lacks it.
  const clearPending = () => {
    pending = undefined
  }

  function join(path: string): Promise<LoginResult> {
    if (pending) return pending
    pending = start(path)
    pending.then(clearPending, clearPending)
    return pending
  }

  return {
    isPending: () => pending !== undefined,
    logIn: () => join(LOGIN),
    renew: () => join(token.get() ? '/session/renewal' : LOGIN),
    async settled() {
      await Promise.resolve(pending).catch(() => undefined)
    },
  }
}

/** Proves that a repeated code comes from the same client. Not every phone has better random numbers. */
function newNonce(): string {
  return [1, 2, 3].map(() => Math.random().toString(36).slice(2).padEnd(8, '0')).join('')
}
