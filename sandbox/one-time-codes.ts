const CODE_LIFETIME_MS = 5 * 60 * 1000
const REMEMBERED_CODES = 100_000

/** Why a code cannot be redeemed. A foreign one was issued to another app. */
export type CodeRefusal = 'invalid' | 'foreign' | 'used'

type IssuedCode<Grant> = Grant & { issuedAt: number; used: boolean }

/** The codes of one kind: each lives five minutes and can be redeemed once, by the app it was issued to. */
export class OneTimeCodes<Grant extends { appid: string }> {
  readonly #clock: () => number
  readonly #newCode: () => string
  readonly #issued = new Map<string, IssuedCode<Grant>>()

  constructor(clock: () => number, newCode: () => string) {
    this.#clock = clock
    this.#newCode = newCode
  }

  issue(grant: Grant): string {
    const code = this.#newCode()
    this.#issued.set(code, { ...grant, issuedAt: this.#clock(), used: false })
    const [oldest = ''] = this.#issued.keys()
    if (this.#issued.size > REMEMBERED_CODES) this.#issued.delete(oldest)
    return code
  }

  /** Returns what {@link redeem} would, without using the code. */
  peek(code: string, appid: string): IssuedCode<Grant> | CodeRefusal {
    const issued = this.#issued.get(code)
    if (!issued) return 'invalid'
    if (issued.appid !== appid) return 'foreign'
    if (this.#clock() - issued.issuedAt >= CODE_LIFETIME_MS) return 'invalid'
    return issued.used ? 'used' : issued
  }

  redeem(code: string, appid: string): IssuedCode<Grant> | CodeRefusal {
    const issued = this.peek(code, appid)
    if (typeof issued !== 'string') issued.used = true
    return issued
  }

  /** Returns what a code was issued for, even if it is used or expired. */
  grantOf(code: string): Grant | undefined {
    return this.#issued.get(code)
  }
}
