import { type ErrorCode, WeappError } from '../errors.js'
import { deriveKey, open, seal } from './envelope.js'
import type { LoginOrigin } from './login-origin.js'
import type { SessionStore } from './store.js'
import { codeIdOf, valueIdOf } from './token.js'

/** How long a login can be repeated after its response was lost, in milliseconds. */
export const REPLAY_MS = 60_000

export interface LoginCode {
  readonly appid: string
  readonly code: string
  /** By which the store knows it. The code cannot be found from it. */
  readonly id: string
}

/** A session that a login code was exchanged for. */
export interface LoginGrant {
  readonly token: string
  readonly seenBefore: boolean
  /** Who may have it once more. */
  readonly origin: LoginOrigin
}

/** What a login code was used for. */
export interface CodeGrant {
  /** The handle of the user whose code it was. Its session_key is in a session of that user. */
  readonly handle: string
  /** The session, if the code was brought to a login that may be repeated. */
  readonly login?: LoginGrant | undefined
}

/** Why a code gave nothing, as far as anybody who brings it may know. */
export interface CodeRefusal {
  readonly error: ErrorCode
  readonly message: string
}

export function loginCodeOf(appid: string, code: string): LoginCode {
  return { appid, code, id: codeIdOf(appid, code) }
}

/**
 * What became of used login codes, kept for a minute, sealed under a key derived from the code: only who
 * holds the code can read it.
 */
export class CodeOutcomes {
  readonly #store: Required<SessionStore>

  constructor(store: Required<SessionStore>) {
    this.#store = store
  }

  /** Stores the outcome of a code. Throws `ERR_STORE_UNAVAILABLE`. */
  async keep(code: LoginCode, outcome: CodeGrant | CodeRefusal): Promise<void> {
    const sealed = seal(sealingKeyOf(code), JSON.stringify(outcome), code.id)
    await this.#store.replaceValue({ id: outcomeIdOf(code), from: null, to: sealed, keepMs: REPLAY_MS })
  }

  /**
   * Returns what the code was good for. Throws the refusal that was kept, `ERR_CODE_INVALID` when there is no
   * outcome, and `ERR_STORE_UNAVAILABLE`.
   */
  async find(code: LoginCode): Promise<CodeGrant> {
    const kept = await this.#store.readValue(outcomeIdOf(code))
    if (!kept || kept.leftMs <= 0) throw codeUsedUp()
    const text = open(sealingKeyOf(code), kept.text, code.id)
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
  return deriveKey(code, appid, 'code-answer')
}
