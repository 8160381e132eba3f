import { WeappError } from '../errors.js'

const MOST_DEPTH = 8

/** A value of JSON, with the comma before the next one. */
const LEAST_BYTES_OF_A_VALUE = 2

/**
 * Checks a parsed body, which a parser of the application may have left. Throws `ERR_BODY_INVALID` for
 * strings and bytes, for nesting deeper than 8 levels, for a key `__proto__` and for what JSON cannot hold,
 * and `ERR_BODY_TOO_LARGE` for more values than `mostBytes` of JSON can hold.
 */
export function checkShape(body: unknown, mostBytes: number): void {
  if (typeof body === 'string') throw notParsed()
  let valuesLeft = mostBytes / LEAST_BYTES_OF_A_VALUE

  function check(value: unknown, depthLeft: number): void {
    if (valuesLeft === 0) throw new WeappError('ERR_BODY_TOO_LARGE', 'The body has too many values.')
    valuesLeft -= 1
    if (typeof value !== 'object' || value === null) return
    if (ArrayBuffer.isView(value)) throw notParsed()
    if (depthLeft === 0 || Object.hasOwn(value, '__proto__')) throw badShape()
    for (const inner of valuesIn(value)) check(inner, depthLeft - 1)
  }

  check(body, MOST_DEPTH)
}

/** A generator, as a list of all values may be long. */
function* valuesIn(value: object): Generator<unknown> {
  if (Array.isArray(value)) {
    yield* value
    return
  }
  for (const name in value) {
    const property = Object.getOwnPropertyDescriptor(value, name)
    if (property?.get) throw badShape()
    if (property) yield property.value
  }
}

function notParsed(): WeappError {
  return new WeappError('ERR_BODY_INVALID', 'The body is not valid JSON.')
}

function badShape(): WeappError {
  return new WeappError('ERR_BODY_INVALID', 'The body has an unsupported structure.')
}
