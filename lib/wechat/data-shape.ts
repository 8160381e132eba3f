import type { JsonObject } from '../json-object.js'

/** The fields that data may have, each with its check. */
export type DataShape = Readonly<Record<string, (value: unknown) => boolean>>

const ASCII = /^[\x20-\x7e]*$/

/**
 * Whether data has these fields and no others, each passing its check. With `'some'`, fields may be missing.
 */
export function hasShape(data: JsonObject, shape: DataShape, howMany: 'all' | 'some' = 'all'): boolean {
  const names = Object.keys(data)
  if (howMany === 'all' && names.length !== Object.keys(shape).length) return false
  return names.every((name) => isKnown(shape, [name, data[name]]))
}

/** Divides data into the fields that the shape has and that pass their check, and all others. */
export function dividedBy(shape: DataShape, data: JsonObject): { known: JsonObject; others: JsonObject } {
  const known: [string, unknown][] = []
  const others: [string, unknown][] = []
  for (const field of Object.entries(data)) (isKnown(shape, field) ? known : others).push(field)
  return { known: Object.fromEntries(known), others: Object.fromEntries(others) }
}

function isKnown(shape: DataShape, [name, value]: [name: string, value: unknown]): boolean {
  return Object.hasOwn(shape, name) && shape[name]?.(value) === true
}

/** Whether a value is an integer from 0. */
export function isWholeNumber(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

/** Whether a value is a string of printable ASCII, which may be empty. */
export function isAscii(value: unknown): value is string {
  return typeof value === 'string' && ASCII.test(value)
}
