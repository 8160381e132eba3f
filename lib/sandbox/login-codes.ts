import { newCode } from './identifiers.js'

const CODE_LIFETIME_MS = 5 * 60 * 1000
const REMEMBERED_CODES = 100_000

/** What a code stands for. The session_key is the one of the login, even if a newer one has replaced it since. */
export interface Login {
  appid: string
  user: string
  sessionKey: string
}

interface IssuedCode extends Login {
  issuedAt: number
  used: boolean
}

/** The codes of `wx.login`: each lives five minutes and can be redeemed once, by the app it was made for. */
export class LoginCodes {
  readonly #clock: () => number
  readonly #issued = new Map<string, IssuedCode>()

  constructor(clock: () => number) {
    this.#clock = clock
  }

  issue(login: Login): string {
    const code = newCode()
    this.#issued.set(code, { ...login, issuedAt: this.#clock(), used: false })
    this.#forgetTheOldest()
    return code
  }

  redeem(code: string, appid: string): Login | 'invalid' | 'used' {
    const issued = this.#issued.get(code)
    if (!issued || issued.appid !== appid || this.#hasExpired(issued)) return 'invalid'
    if (issued.used) return 'used'
    issued.used = true
    return issued
  }

  /** The login behind a code, also when the code is used or expired. */
  loginOf(code: string): Login | undefined {
    return this.#issued.get(code)
  }

  #hasExpired(issued: IssuedCode): boolean {
    return this.#clock() - issued.issuedAt >= CODE_LIFETIME_MS
  }

  #forgetTheOldest(): void {
    for (const code of this.#issued.keys()) {
      if (this.#issued.size <= REMEMBERED_CODES) return
      this.#issued.delete(code)
    }
  }
}
