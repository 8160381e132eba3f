import { isJsonObject, type JsonObject } from './json-object.js'

/** A name may be written in escapes. */
const MAY_NAME_PROTO = /__proto__|\\u/
const QUOTE = 0x22
const COLON = 0x3a
const BACKSLASH = 0x5c

/**
 * Parses a JSON object. Returns undefined for anything else, and for one that names a field twice or has a
 * field `__proto__`, at any depth.
 */
export function parseStrictObject(text: string): JsonObject | undefined {
  try {
    const value: unknown = MAY_NAME_PROTO.test(text) ? JSON.parse(text, refuseProto) : JSON.parse(text)
    return isJsonObject(value) && !namesTwice(text, value) ? value : undefined
  } catch {
    return undefined
  }
}

function refuseProto(name: string, value: unknown): unknown {
  if (name === '__proto__') throw new SyntaxError('a field is called __proto__')
  return value
}

/**
 * Whether an object in a JSON text names a field twice: only a forger, to overwrite a field, would do that.
 */
export function namesTwice(text: string, parsed: unknown): boolean {
  return countOfNames(text) !== countOfFields(parsed)
}

/** Outside its strings, JSON has a colon after each name and nowhere else, and no backslash. */
function countOfNames(text: string): number {
  let count = 0
  let isString = false
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at)
    if (unit === QUOTE) isString = !isString
    else if (unit === BACKSLASH) at += 1
    else if (unit === COLON && !isString) count += 1
  }
  return count
}

/** Iterative, because a text may be nested deeper than the call stack. */
function countOfFields(parsed: unknown): number {
  let count = 0
  const left = [parsed]
  while (left.length > 0) {
    const value = left.pop()
    if (typeof value !== 'object' || value === null) continue
    const inner = Object.values(value)
    if (!Array.isArray(value)) count += inner.length
    for (const one of inner) left.push(one)
  }
  return count
}
