import { hash, timingSafeEqual } from 'node:crypto'

const REDACTED = '[redacted]'
/** `inspect.custom` of `node:util`. */
const INSPECT = Symbol.for('nodejs.util.inspect.custom')

/**
 * A text that must not be seen: an AppSecret, a session_key, a login code, an access token. However it is
 * printed, by `util.inspect` (also with `showHidden`), `JSON.stringify`, `String` or in a template, it shows
 * `[redacted]`. Only {@link reveal} returns the text.
 */
export class Secret {
  readonly #text: string

  constructor(text: string) {
    this.#text = text
  }

  /** Returns the text, for the one place that needs it. */
  reveal(): string {
    return this.#text
  }

  /** Whether both are the same text, compared in constant time. */
  equals(other: Secret | string): boolean {
    const text = typeof other === 'string' ? other : other.#text
    // Digests are of one length, so the time does not tell that of the texts either.
    return timingSafeEqual(digestOf(this.#text), digestOf(text))
  }

  toString(): string {
    return REDACTED
  }

  toJSON(): string {
    return REDACTED
  }

  [INSPECT](): string {
    return REDACTED
  }
}

/** Returns a record with the text in place of each secret, for what leaves the process. */
export function revealed(record: Readonly<Record<string, string | Secret>>): Record<string, string>
export function revealed(record: Readonly<Record<string, unknown>>): Record<string, unknown>
export function revealed(record: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(record).map(([name, value]) => [name, value instanceof Secret ? value.reveal() : value]),
  )
}

function digestOf(text: string): Buffer {
  return hash('sha256', text, 'buffer')
}
