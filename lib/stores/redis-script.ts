import { hash } from 'node:crypto'

/** A Lua script and the SHA-1 by which Redis knows it once it has been loaded. */
export interface RedisScript {
  readonly source: string
  readonly sha1: string
}

export function script(...parts: readonly string[]): RedisScript {
  const source = parts.join('')
  return { source, sha1: hash('sha1', source) }
}

/*
 * What lies in Redis. Moments are decimal digits: 16 for microseconds, 13 for milliseconds, by the clock of
 * Redis. Nothing stands between the fields.
 *
 * <prefix>{<handle>}     a user, in one value: what is changed of a user is changed by one SET or DEL
 *   line 1               1 <own mark: 16> <end of the profile: 13> <profile, or nothing>
 *   other lines, in      <session id: 24> <begin of the login: 16> <last visit: 13> <end: 13> <record>
 *   order of issue
 * <prefix>all            <mark: 16>
 * <prefix>value:<id>     <end: 13> <moment of its writing: 16> <text>
 *
 * The leading 1 is the version of this layout. A mark is a moment: no login that began by then is issued. The
 * own mark is set when all sessions of the user are ended, the mark at <prefix>all when those of everybody
 * are; sessions that began by then are over as well. The end of the profile also says how long it is
 * remembered that the user was here.
 *
 * Every script reads first, writes last, and writes once. At `wantedUntil` or later it changes nothing. It
 * reaches no key but KEYS[1] and, where it is given, KEYS[2], which it names as such in each call: there a
 * strict proxy looks for them. Its reply is a list of texts: the nonce, the moment, an outcome, and what
 * belongs to it.
 */

export function digits(count: number): string {
  return '%d'.repeat(count)
}

/**
 * The head of every script. ARGV: nonce, moment in place of that of Redis or '', last moment at which a
 * change is wanted or ''.
 */
export const SCRIPT_HEAD = `
local nonce, moment, wantedUntil = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])

if not moment then
  local time = redis.call('TIME')
  moment = time[1] * 1000000 + time[2]
end
local now = math.floor(moment / 1000)

local function micros(number) return string.format('%016d', number) end
local function millis(number) return string.format('%013d', math.max(0, math.floor(number))) end
local function count(number) return string.format('%d', number) end
local function reply(...) return { nonce, micros(moment), ... } end

if wantedUntil and moment >= wantedUntil then return reply('late') end
`
