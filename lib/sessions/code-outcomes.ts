import { type ErrorCode, WeappError } from '../errors.js'
import { Secret } from '../secret.js'
import { deriveKey, open, seal } from './envelope.js'
import type { LoginOrigin } from './login-origin.js'
import type { SessionStore } from './store.js'
import { codeIdOf, valueIdOf } from './token.js'

/** How long a retried login gets the outcome of the first try, in milliseconds. */
export const REPLAY_MS = 60_000

/** A login code of an app. */
export interface LoginCode {
  readonly appid: string
  readonly code: Secret
  /** Names it in the store, and does not reveal it. */
  readonly id: string
}

/** A session that a login code was exchanged for. */
export interface LoginGrant {
  readonly token: string
  /** Whether the user had logged in before. */
  readonly seenBefore: boolean
  /** The client that may have it again. */
  readonly origin: LoginOrigin
}

/** What a login code was exchanged for. */
export interface CodeGrant {
  /** The handle of the user, whose sessions hold the session_key. */
  readonly handle: string
  /** Set for a login that may be repeated. */
  readonly login?: LoginGrant | undefined
}

/** Why a login code was refused, as anybody who has the code may know. */
export interface CodeRefusal {
  readonly error: ErrorCode
  readonly message: string
}

export function loginCodeOf(appid: string, code: string): LoginCode {
  return { appid, code: new Secret(code), id: codeIdOf(appid, code) }
}

/** The outcomes of used login codes, kept for a minute and sealed under a key derived from the code. */
export class CodeOutcomes {
  readonly #store: Required<SessionStore>

  constructor(store: Required<SessionStore>) {
    this.#store = store
  }

  /** Keeps the outcome of a code that has none yet. Throws `ERR_STORE_UNAVAILABLE`. */
  async keep(code: LoginCode, outcome: CodeGrant | CodeRefusal): Promise<void> {
    const sealed = seal(sealingKeyOf(code), JSON.stringify(outcome), code.id)
    await this.#store.replaceValue({ id: outcomeIdOf(code), from: null, to: sealed, keepMs: REPLAY_MS })
  }

  /**
   * Returns what the code was exchanged for. Throws the error of its refusal, `ERR_CODE_INVALID` when no
   * outcome is kept, and `ERR_STORE_UNAVAILABLE`.
   */
  async find(code: LoginCode): Promise<CodeGrant> {
    const kept = await this.#store.readValue(outcomeIdOf(code))
    const text = kept && kept.leftMs > 0 ? open(sealingKeyOf(code), kept.text, code.id) : undefined
    if (text === undefined) throw codeUsedUp()
    const outcome = JSON.parse(text) as CodeGrant | CodeRefusal
    if ('error' in outcome) throw new WeappError(outcome.error, outcome.message)
    return outcome
  }
}

export function codeUsedUp(): WeappError {
  return new WeappError('ERR_CODE_INVALID', 'This code has been used. Call wx.login for a new one.')
}

function outcomeIdOf({ appid, id }: LoginCode): string {
  return valueIdOf({ purpose: `code_answer ${id}`, appid })
}

function sealingKeyOf({ appid, code }: LoginCode): Buffer {
  return deriveKey(code.reveal(), appid, 'code-answer')
}
