/** A list of texts or nulls, of this length if one is given. */
export function asTexts(reply: unknown, length?: number): (string | null)[] {
  if (!Array.isArray(reply) || (length !== undefined && reply.length !== length)) throw unexpected(reply)
  return reply.map(asText)
}

/** A text or null. */
export function asText(reply: unknown): string | null {
  if (reply !== null && typeof reply !== 'string') throw unexpected(reply)
  return reply
}

/** Nothing, or nothing but the fact that the user was here. */
export function asProfile(reply: unknown): string | null {
  return asText(reply) || null
}

/** Whether a reply is a text. */
export function isText(reply: unknown): reply is string {
  return typeof reply === 'string'
}

/** A number. */
export function asCount(reply: unknown): number {
  if (typeof reply !== 'number') throw unexpected(reply)
  return reply
}

/** Redis, or the client in between, did not do what it was asked. What it said goes nowhere. */
export function unexpected(reply: unknown): Error {
  return new Error(`Redis answered something else than was asked for (${typeof reply})`)
}
