import type { JsonObject } from '../json-object.js'

/** The fields that data may have, and what each of them has to be. */
export type DataShape = Readonly<Record<string, (value: unknown) => boolean>>

const ASCII = /^[\x20-\x7e]*$/

/** Whether data has these fields, each as it has to be, and no others. With `'some'` not all of them have to be there. */
export function hasShape(data: JsonObject, shape: DataShape, howMany: 'all' | 'some' = 'all'): boolean {
  const names = Object.keys(data)
  if (howMany === 'all' && names.length !== Object.keys(shape).length) return false
  return names.every((name) => isKnown(shape, [name, data[name]]))
}

/** Whether a field is one of the shape, and as it has to be. */
export function isKnown(shape: DataShape, [name, value]: [name: string, value: unknown]): boolean {
  return Object.hasOwn(shape, name) && shape[name]?.(value) === true
}

/** Whether a value is a whole number from 0. */
export function isWholeNumber(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

/** Whether a value is a text of printable ASCII; it may be empty. */
export function isAscii(value: unknown): value is string {
  return typeof value === 'string' && ASCII.test(value)
}
