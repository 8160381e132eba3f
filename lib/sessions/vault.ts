import type { KeyBinding, KeyRing } from './key-ring.js'
import type { SessionStore } from './store.js'
import { valueIdOf } from './token.js'

/** What a kept secret belongs to. */
export interface VaultBinding extends KeyBinding {
  readonly purpose: 'access_token' | 'phone_number'
}

/** A kept secret. `value` is undefined when no key of the ring opens it. */
export interface KeptSecret {
  readonly value: unknown
  /** The stored text, by which a replacement names it. */
  readonly sealed: string
  /** How long it is still kept, in milliseconds. */
  readonly leftMs: number
}

/** Secrets that all processes share, sealed with the key ring: the store sees neither value nor owner. */
export class Vault {
  readonly #store: Required<SessionStore>
  readonly #keyRing: KeyRing

  constructor(store: Required<SessionStore>, keyRing: KeyRing) {
    this.#store = store
    this.#keyRing = keyRing
  }

  async read(binding: VaultBinding): Promise<KeptSecret | undefined> {
    const kept = await this.#store.readValue(valueIdOf(binding))
    if (!kept) return undefined
    const { text: sealed, leftMs } = kept
    const text = this.#keyRing.open(sealed, binding)
    return { sealed, leftMs, value: text === undefined ? undefined : JSON.parse(text) }
  }

  /**
   * Replaces the secret that was read (undefined: none) for `keepMs`, unless it has changed since. The value
   * undefined deletes. Returns whether it was replaced.
   */
  async replace(
    binding: VaultBinding,
    found: KeptSecret | undefined,
    value: unknown,
    keepMs: number,
  ): Promise<boolean> {
    const to = value === undefined ? null : this.#keyRing.seal(JSON.stringify(value), binding)
    // What a user wants to be deleted must not come back.
    const change = { id: valueIdOf(binding), from: found?.sealed ?? null, to, keepMs, mustLast: to === null }
    return (await this.#store.replaceValue(change)).isReplaced
  }
}
