import { type Answer, failureIn, failureOf, problemIn } from './failure.js'
import type { Settings } from './options.js'
import { createPatience, type Patience } from './patience.js'
import type { TokenKeeper } from './token.js'
import { call } from './wx.js'

/** What a login answers. The token is not in it: only the client needs to know it. */
export interface LoginAnswer {
  /** The absolute end of the session, ISO 8601 in UTC. */
  expiresAt: string
  /** When it ends unless a request comes first, ISO 8601 in UTC. */
  idleExpiresAt: string
  /** The profile that the server has of the user, or null. */
  userInfo: Record<string, unknown> | null
}

/** One login at a time, for all who need one. */
export interface SharedLogin {
  /** Logs in. Whoever asks while a login is under way gets that one. */
  logIn(): Promise<LoginAnswer>
  isUnderWay(): boolean
  /** Resolves when no login is under way any more, however it ended. */
  idle(): Promise<void>
}

/** By it the server knows this client again, should the code be read by others on its way. Not every phone has better random numbers. */
function newNonce(): string {
  return [1, 2, 3].map(() => Math.random().toString(36).slice(2).padEnd(8, '0')).join('')
}

export function createSharedLogin(settings: Settings, token: TokenKeeper): SharedLogin {
  const { wx, baseUrl, header, appid, timeoutMs } = settings
  let underWay: Promise<LoginAnswer> | undefined

  async function newCode(): Promise<string> {
    try {
      const answer = await call<{ code: string }>(wx, 'login', { timeout: timeoutMs })
      if (!answer.code) throw answer
      return answer.code
    } catch (reason) {
      throw failureOf('ERR_WX_LOGIN', reason)
    }
  }

  async function send(code: string, nonce: string, patiently: Patience): Promise<Answer> {
    const replaced = token.toReplace()
    const option = {
      url: `${baseUrl}/login`,
      method: 'POST',
      header: replaced ? { [header]: replaced } : {},
      data: { code, nonce, ...(appid && { appid }) },
      timeout: timeoutMs,
    }
    try {
      return await patiently(() => call<Answer>(wx, 'request', option))
    } catch (reason) {
      throw failureOf('ERR_NETWORK', reason)
    }
  }

  async function logIn(): Promise<LoginAnswer> {
    const patiently = createPatience(settings)
    const code = await newCode()
    // The server may have taken the code, and its answer was lost: the same code and nonce get the same token.
    const nonce = newNonce()
    let answer = await send(code, nonce, patiently).catch(() => send(code, nonce, patiently))
    if (problemIn(answer)?.code === 'ERR_CODE_INVALID')
      answer = await send(await newCode(), newNonce(), patiently)
    const { token: issued, ...rest } = Object(answer.data)
    if (answer.statusCode !== 200 || typeof issued !== 'string') throw failureIn(answer)
    token.keep(issued)
    return rest
  }

  // No finally: on iPhones WeChat has a Promise of its own, which lacks it.
  const over = () => {
    underWay = undefined
  }

  return {
    isUnderWay: () => underWay !== undefined,
    logIn() {
      if (underWay) return underWay
      underWay = logIn()
      underWay.then(over, over)
      return underWay
    },
    async idle() {
      await Promise.resolve(underWay).catch(() => undefined)
    },
  }
}
