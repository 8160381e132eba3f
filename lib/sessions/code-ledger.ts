import { randomBytes } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import type { Clock } from '../clock.js'
import { type ErrorCode, WeappError } from '../errors.js'
import { deriveKey, open, seal } from './envelope.js'
import type { CodeClaim, SessionStore } from './store.js'
import { codeIdOf } from './token.js'

/** WeChat forgets a code after five minutes; until then this remembers that it was sent. */
const CODE_LIFETIME_MS = 5 * 60_000
/** How long a retry of a login whose answer was lost still gets that answer. */
const REPLAY_MS = 60_000
const CLAIMANT_BYTES = 12
const FIRST_POLL_MS = 20
const SLOWEST_POLL_MS = 250

/** Nothing of the code was used up when a login failed with one of these: it may be sent again. */
const CODE_STILL_GOOD: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'ERR_SERVER_MISCONFIGURED',
  'ERR_WECHAT_BUSY',
  'ERR_WECHAT_QUOTA',
  'ERR_WECHAT_RATE_LIMITED',
  'ERR_WECHAT_UNREACHABLE',
])

/** A login code of an app. */
export interface LoginCode {
  readonly appid: string
  readonly code: string
}

/** What a login code was good for. */
export interface CodeGrant {
  readonly token: string
  /** Whether the user had logged in before. */
  readonly seenBefore: boolean
}

type CodeAnswer = CodeGrant | { readonly error: ErrorCode; readonly message: string }

interface CodeLedgerParts {
  readonly store: Required<SessionStore>
  readonly clock: Clock
  /** How long somebody else's use of the same code is waited for, in milliseconds. */
  readonly patienceMs: number
}

/**
 * Sees to it that a login code is used once, however many requests and processes bring it, and that all of them get one answer.
 *
 * The answer lies in the store sealed under a key derived from the code, so only who holds the code can read it.
 */
export class CodeLedger {
  readonly #store: Required<SessionStore>
  readonly #clock: Clock
  readonly #patienceMs: number
  readonly #writing = new Set<Promise<void>>()
  /** By which the store knows this ledger's claims again, by code id. */
  readonly #claimants = new Map<string, string>()

  constructor(parts: CodeLedgerParts) {
    this.#store = parts.store
    this.#clock = parts.clock
    this.#patienceMs = parts.patienceMs
  }

  /** Claims the code. Answers nothing when it is the caller's to use, or what somebody else's use of it gave. */
  async claim(login: LoginCode): Promise<CodeGrant | undefined> {
    const codeId = codeIdOf(login.appid, login.code)
    const claimant = randomBytes(CLAIMANT_BYTES).toString('base64url')
    const patience = AbortSignal.timeout(this.#patienceMs)
    for (let pollMs = FIRST_POLL_MS; ; pollMs = Math.min(pollMs * 1.5, SLOWEST_POLL_MS)) {
      const claim = await this.#ask(codeId, claimant)
      if (claim.state === 'claimed') {
        this.#claimants.set(codeId, claimant)
        return undefined
      }
      if (claim.state === 'settled') return this.#grantIn(claim.answer, login)
      if (patience.aborted) throw usedUp()
      await pause(pollMs)
    }
  }

  /** A question that was not answered in time may still be carried out: what it claimed then is given back. */
  async #ask(codeId: string, claimant: string): Promise<CodeClaim> {
    try {
      return await this.#store.claimCode(codeId, claimant, this.#clock() + CODE_LIFETIME_MS)
    } catch (error) {
      this.#inBackground(this.#store.releaseCode(codeId, claimant))
      throw error
    }
  }

  /** Tells the others what the login gave. Does not wait: the token is good already. */
  settle(login: LoginCode, { token, seenBefore }: CodeGrant): void {
    this.#write(login, { token, seenBefore })
  }

  /** Tells the others why there is no token, or gives the code back when WeChat did not use it up. */
  fail(login: LoginCode, error: unknown): void {
    if (error instanceof WeappError && CODE_STILL_GOOD.has(error.code)) {
      const codeId = codeIdOf(login.appid, login.code)
      this.#inBackground(this.#store.releaseCode(codeId, this.#takeClaimant(codeId)))
    } else {
      const final = error instanceof WeappError && error.status < 500 ? error : usedUp()
      this.#write(login, { error: final.code, message: final.message })
    }
  }

  /** Resolves when everything told has been written. */
  async idle(): Promise<void> {
    await Promise.all(this.#writing)
  }

  #write(login: LoginCode, answer: CodeAnswer): void {
    const now = this.#clock()
    const codeId = codeIdOf(login.appid, login.code)
    this.#takeClaimant(codeId)
    const sealed = seal(keyFrom(login), JSON.stringify({ ...answer, until: now + REPLAY_MS }), codeId)
    this.#inBackground(this.#store.settleCode(codeId, sealed, now + CODE_LIFETIME_MS))
  }

  #takeClaimant(codeId: string): string {
    const claimant = this.#claimants.get(codeId) ?? ''
    this.#claimants.delete(codeId)
    return claimant
  }

  #grantIn(sealed: string, login: LoginCode): CodeGrant {
    const text = open(keyFrom(login), sealed, codeIdOf(login.appid, login.code))
    const answer = text === undefined ? undefined : (JSON.parse(text) as CodeAnswer & { until: number })
    if (!answer || this.#clock() >= answer.until) throw usedUp()
    if ('error' in answer) throw new WeappError(answer.error, answer.message)
    return { token: answer.token, seenBefore: answer.seenBefore }
  }

  #inBackground(work: Promise<void>): void {
    // The guard around the store has told the log.
    const writing = work.catch(() => undefined).finally(() => this.#writing.delete(writing))
    this.#writing.add(writing)
  }
}

function keyFrom({ appid, code }: LoginCode): Buffer {
  return deriveKey(code, appid, 'code-answer')
}

function usedUp(): WeappError {
  return new WeappError('ERR_CODE_INVALID', 'This code has been used. Call wx.login for a new one.')
}
