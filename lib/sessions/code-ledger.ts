import { type ErrorCode, kindOf, WeappError } from '../errors.js'
import { Claims } from './claims.js'
import { deriveKey, open, seal } from './envelope.js'
import type { LoginOrigin } from './login-origin.js'
import type { SessionStore } from './store.js'
import { codeIdOf, valueIdOf } from './token.js'

/** WeChat forgets a code after five minutes; until then this remembers that it was sent. */
const CODE_LIFETIME_MS = 5 * 60_000
/** How long a retry of a login whose answer was lost still gets that answer, in milliseconds. */
export const REPLAY_MS = 60_000
/** What the store knows of a code that was used, when its answer has gone. */
const USED = 'used'

/** A login code of an app. */
export interface LoginCode {
  readonly appid: string
  readonly code: string
}

/** A session that a login code was exchanged for. */
export interface LoginGrant {
  readonly token: string
  /** Whether the user had logged in before. */
  readonly seenBefore: boolean
  /** Who may have it once more. */
  readonly origin: LoginOrigin
}

/** What a login code was good for. */
export interface CodeGrant {
  /** The handle of the user whose code it was. Its session_key is in a session of that user. */
  readonly handle: string
  /** The session, if the code was brought to a login that may be repeated. */
  readonly login?: LoginGrant | undefined
}

/** Whose a code is that was claimed: the caller's to use, or somebody else's, who used it for this. */
export type CodeClaim =
  | {
      /** The moment of the claim by the clock of the store, in microseconds since 1970. */
      readonly beganAt: number
    }
  | { readonly grant: CodeGrant }

type CodeAnswer = CodeGrant | { readonly error: ErrorCode; readonly message: string }

interface CodeLedgerParts {
  readonly store: Required<SessionStore>
  /** How long somebody else's use of the same code is waited for, in milliseconds. */
  readonly patienceMs: number
}

/**
 * Sees to it that a login code is used once, however many requests and processes bring it, and remembers what became of it.
 *
 * The answer lies in the store for a minute, sealed under a key derived from the code, so only who holds the code can read it.
 */
export class CodeLedger {
  readonly #store: Required<SessionStore>
  readonly #patienceMs: number
  readonly #claims: Claims
  /** By which the store knows this ledger's claims again, by code id. */
  readonly #claimants = new Map<string, string>()

  constructor(parts: CodeLedgerParts) {
    this.#store = parts.store
    this.#patienceMs = parts.patienceMs
    this.#claims = new Claims(parts.store)
  }

  /** Claims the code, or waits for what somebody else's use of it gives. Throws why there is nothing to be had for it. */
  async claim(login: LoginCode): Promise<CodeClaim> {
    const id = codeIdOf(login.appid, login.code)
    const patienceMs = this.#patienceMs
    const claim = await this.#claims.claim({ id, lifetimeMs: CODE_LIFETIME_MS, patienceMs })
    if (claim.state === 'settled') return { grant: await this.#grantOf(login) }
    if (claim.state === 'pending') throw codeUsedUp()
    this.#claimants.set(id, claim.claimant)
    return { beganAt: claim.at }
  }

  /** Tells the others what the code gave. Does not wait: it is good already. */
  settle(login: LoginCode, grant: CodeGrant): void {
    this.#write(login, grant)
  }

  /** Tells the others why there is no token, or gives the code back when its exchange failed and WeChat did not use it up. */
  fail(login: LoginCode, error: unknown, isExchanged = false): void {
    if (!isExchanged && error instanceof WeappError && kindOf(error.code).codeStillGood) {
      const codeId = codeIdOf(login.appid, login.code)
      this.#claims.release(codeId, this.#takeClaimant(codeId))
    } else {
      const final = error instanceof WeappError && error.status < 500 ? error : codeUsedUp()
      this.#write(login, { error: final.code, message: final.message })
    }
  }

  /** Resolves when everything told has been written. */
  async idle(): Promise<void> {
    await this.#claims.idle()
  }

  #write(login: LoginCode, answer: CodeAnswer): void {
    const codeId = codeIdOf(login.appid, login.code)
    this.#takeClaimant(codeId)
    this.#claims.inBackground(this.#keep(login, codeId, answer))
  }

  /** The answer first: who waits for the code looks for it as soon as the code is settled. */
  async #keep(login: LoginCode, codeId: string, answer: CodeAnswer): Promise<void> {
    const sealed = seal(keyFrom(login), JSON.stringify(answer), codeId)
    try {
      await this.#store.replaceValue({ id: answerIdOf(login), from: null, to: sealed, keepMs: REPLAY_MS })
    } finally {
      await this.#store.settle(codeId, USED, CODE_LIFETIME_MS)
    }
  }

  #takeClaimant(codeId: string): string {
    const claimant = this.#claimants.get(codeId) ?? ''
    this.#claimants.delete(codeId)
    return claimant
  }

  async #grantOf(login: LoginCode): Promise<CodeGrant> {
    const kept = await this.#store.readValue(answerIdOf(login))
    if (!kept || kept.leftMs <= 0) throw codeUsedUp()
    const text = open(keyFrom(login), kept.text, codeIdOf(login.appid, login.code))
    if (text === undefined) throw codeUsedUp()
    const answer = JSON.parse(text) as CodeAnswer
    if ('error' in answer) throw new WeappError(answer.error, answer.message)
    return answer
  }
}

function answerIdOf({ appid, code }: LoginCode): string {
  return valueIdOf({ purpose: `code_answer ${codeIdOf(appid, code)}`, appid })
}

function keyFrom({ appid, code }: LoginCode): Buffer {
  return deriveKey(code, appid, 'code-answer')
}

/** What there is to say of a code that cannot be used again. */
export function codeUsedUp(): WeappError {
  return new WeappError('ERR_CODE_INVALID', 'This code has been used. Call wx.login for a new one.')
}
