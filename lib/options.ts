import { isJsonObject } from './json-object.js'

const MOST = Number.MAX_SAFE_INTEGER

/** The names of all options of `T`: a record, so that the compiler finds a missing one. */
export type OptionNames<T> = Readonly<Record<keyof Required<T>, true>>

/** Throws a `TypeError` for anything but an object, and for an unknown option. */
export function checkOptionNames<T extends object>(
  where: string,
  given: unknown,
  names: OptionNames<T>,
): void {
  if (!isJsonObject(given)) {
    throw new TypeError(`${where}: the options must be an object, not ${describe(given)}`)
  }
  for (const name of Object.keys(given)) {
    if (!Object.hasOwn(names, name)) {
      throw new TypeError(`${where}: unknown option "${name}"; known: ${Object.keys(names).join(', ')}`)
    }
  }
}

export function positiveNumber(where: string, value: unknown, most: number = MOST): number {
  if (typeof value !== 'number' || !(value > 0 && value <= most)) {
    throw new TypeError(`${where} must be a positive number up to ${most}, not ${describe(value)}`)
  }
  return value
}

export function share(where: string, value: unknown, most: number): number {
  if (typeof value !== 'number' || !(value >= 0 && value <= most)) {
    throw new TypeError(`${where} must be a number from 0 to ${most}, not ${describe(value)}`)
  }
  return value
}

export function positiveInteger(where: string, value: unknown, most: number = MOST): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 1 || value > most) {
    throw new TypeError(`${where} must be an integer from 1 to ${most}, not ${describe(value)}`)
  }
  return value
}

export function wholeNumber(where: string, value: unknown, most: number): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 0 || value > most) {
    throw new TypeError(`${where} must be an integer from 0 to ${most}, not ${describe(value)}`)
  }
  return value
}

/** Returns a string of at least `least` characters. The error never shows it: it may be a secret. */
export function textOption(where: string, value: unknown, least = 1): string {
  if (typeof value !== 'string' || value.length < least) {
    const size = least === 1 ? 'a non-empty string' : `a string of at least ${least} characters`
    throw new TypeError(`${where} must be ${size}, not ${describe(value)}`)
  }
  return value
}

export function httpAddress(where: string, value: unknown): URL {
  const text = textOption(where, value)
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url && /^https?:$/.test(url.protocol)) return url
  throw new TypeError(`${where} must be an http or https URL, such as https://api.weixin.qq.com`)
}

export function oneOf<T extends string>(where: string, value: unknown, allowed: readonly T[]): T {
  if (!allowed.includes(value as T)) {
    const words = allowed.map((word) => `'${word}'`).join(', ')
    throw new TypeError(`${where} must be one of ${words}, not ${describe(value)}`)
  }
  return value as T
}

export function booleanOption(where: string, value: unknown): boolean {
  if (typeof value === 'boolean') return value
  throw new TypeError(`${where} must be true or false, not ${describe(value)}`)
}

export function optionalFunction<T>(where: string, value: T): T {
  if (value === undefined || typeof value === 'function') return value
  throw new TypeError(`${where} must be a function, not ${describe(value)}`)
}

/** Returns a function that has no default. */
export function neededFunction<T>(where: string, value: T): T {
  if (typeof value === 'function') return value
  throw new TypeError(`${where} must be a function, not ${describe(value)}`)
}

/** Returns an object that has all of `methods`; `what` names it in the error. */
export function objectWithMethods<T>(where: string, value: T, methods: readonly string[], what: string): T {
  for (const method of methods) {
    if (typeof (value as Record<string, unknown> | null | undefined)?.[method] !== 'function') {
      throw new TypeError(`${where} must be ${what}; it has no method "${method}"`)
    }
  }
  return value
}

/** Describes a value without giving away what a string holds. */
function describe(value: unknown): string {
  if (value === '') return 'an empty string'
  if (typeof value === 'string') return `a string of ${value.length} characters`
  if (value === null || ['undefined', 'number', 'boolean'].includes(typeof value)) return String(value)
  if (Array.isArray(value)) return 'an array'
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`
}
