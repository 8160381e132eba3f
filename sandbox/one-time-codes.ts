const CODE_LIFETIME_MS = 5 * 60 * 1000
const REMEMBERED_CODES = 100_000

/** Why a code cannot be redeemed. A foreign one was made for another app. */
export type CodeRefusal = 'invalid' | 'foreign' | 'used'

type IssuedCode<Grant> = Grant & {
  issuedAt: number
  used: boolean
}

/** The codes of one kind: each lives five minutes and can be redeemed once, by the app it was made for. */
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
    this.#forgetTheOldest()
    return code
  }

  /** What a code would be redeemed for, without using it. */
  look(code: string, appid: string): Readonly<IssuedCode<Grant>> | CodeRefusal {
    return this.#redeemable(code, appid)
  }

  redeem(code: string, appid: string): Readonly<IssuedCode<Grant>> | CodeRefusal {
    const issued = this.#redeemable(code, appid)
    if (typeof issued !== 'string') issued.used = true
    return issued
  }

  /** What is behind a code, also when the code is used or expired. */
  grantOf(code: string): Grant | undefined {
    return this.#issued.get(code)
  }

  #redeemable(code: string, appid: string): IssuedCode<Grant> | CodeRefusal {
    const issued = this.#issued.get(code)
    if (!issued) return 'invalid'
    if (issued.appid !== appid) return 'foreign'
    if (this.#clock() - issued.issuedAt >= CODE_LIFETIME_MS) return 'invalid'
    return issued.used ? 'used' : issued
  }

  #forgetTheOldest(): void {
    for (const code of this.#issued.keys()) {
      if (this.#issued.size <= REMEMBERED_CODES) return
      this.#issued.delete(code)
    }
  }
}
