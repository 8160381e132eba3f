import { CODE2SESSION_PATH } from './code2session.js'
import { checkOptions, isObject } from './option-checks.js'

// biome-ignore format: a list of words
const NAMED_MISBEHAVIOURS = [
  'hang', 'drop', 'truncated', 'badJson', 'html', 'html502', 'empty', 'redirect', 'http500', 'extraFields',
  'missingOpenid', 'missingSessionKey', 'wrongTypes',
] as const

/**
 * How an endpoint can misbehave. In these cases WeChat has done its work, so that a code counts as used, and
 * only the response goes wrong:
 *
 * - `hang`: no response ever comes
 * - `drop`: the connection is closed after the request has been read
 * - `truncated`: half of the announced body arrives, then the connection breaks
 * - `badJson`: the body ends in the middle of its JSON
 * - `empty`: HTTP 200 without a body
 * - `extraFields`: the proper response (Douyin's `data`) plus errcode 0, errmsg, expires_in and `unheard_of`
 * - `missingOpenid`, `missingSessionKey`: the proper response without that field
 * - `wrongTypes`: openid and access_token are numbers, session_key null, expires_in and phone_info text
 * - `{ slowMs }`: the proper response, delayed by that many milliseconds
 *
 * In these a gateway, or WeChat itself, turns the request away, and a code stays unused:
 *
 * - `html`: HTTP 200 with an HTML page
 * - `html502`: HTTP 502 with an HTML page
 * - `http500`: HTTP 500 with plain text
 * - `redirect`: HTTP 302 to `/redirected` (`calls('/redirected')` tells whether it was followed)
 * - `{ errcode }`: this WeChat error, with its usual errmsg or yours; Douyin calls them err_no and err_tips
 */
export type Misbehaviour =
  | (typeof NAMED_MISBEHAVIOURS)[number]
  | { errcode: number; errmsg?: string }
  | { slowMs: number }

/** Where and how often an endpoint misbehaves. */
export interface MisbehaveOptions {
  /** The endpoint's path. Default `/sns/jscode2session`; those under `/sandbox/` affect the phones. */
  path?: string
  /** For how many requests. Default: until restored. */
  times?: number
}

interface Rule {
  how: Misbehaviour
  remaining: number
}

/** The rules of one path queue up: the first one decides. */
export class Misbehaviours {
  readonly #rules = new Map<string, Rule[]>()

  /** Adds a rule and returns a function that removes it. */
  add(how: Misbehaviour, options: MisbehaveOptions = {}): () => void {
    checkMisbehaviour(how)
    checkOptions('misbehave', options, {
      path: ['a path such as "/sns/jscode2session"', (path) => String(path).startsWith('/')],
      times: ['a positive integer', isPositiveCount],
    })
    const { path = CODE2SESSION_PATH, times = Number.POSITIVE_INFINITY } = options
    const rule = { how, remaining: times }
    this.#rules.set(path, [...this.#rulesOf(path), rule])
    return () => this.#remove(path, rule)
  }

  clear(): void {
    this.#rules.clear()
  }

  /** Returns the misbehaviour for a request, and counts it. */
  take(path: string): Misbehaviour | undefined {
    const [rule] = this.#rulesOf(path)
    if (!rule) return undefined
    rule.remaining -= 1
    if (rule.remaining === 0) this.#remove(path, rule)
    return rule.how
  }

  #rulesOf(path: string): Rule[] {
    return this.#rules.get(path) ?? []
  }

  #remove(path: string, gone: Rule): void {
    const others = this.#rulesOf(path).filter((rule) => rule !== gone)
    this.#rules.set(path, others)
  }
}

function isPositiveCount(times: unknown): boolean {
  return times === Number.POSITIVE_INFINITY || (Number.isInteger(times) && Number(times) > 0)
}

function checkMisbehaviour(how: Misbehaviour): void {
  if (isObject(how) && 'errcode' in how) {
    checkOptions('misbehave', how, {
      errcode: ['an integer', Number.isInteger],
      errmsg: ['a string', (errmsg) => typeof errmsg === 'string'],
    })
  } else if (isObject(how) && 'slowMs' in how) {
    checkOptions('misbehave', how, {
      slowMs: ['a number of milliseconds from 0', (ms) => Number.isFinite(ms) && Number(ms) >= 0],
    })
  } else if (typeof how !== 'string' || !NAMED_MISBEHAVIOURS.includes(how)) {
    const names = NAMED_MISBEHAVIOURS.map((name) => `"${name}"`).join(', ')
    throw new TypeError(`misbehave: the misbehaviour must be one of ${names}, { errcode } or { slowMs }`)
  }
}
