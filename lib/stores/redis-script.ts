import { hash } from 'node:crypto'

/** A Lua script and the SHA-1 by which Redis knows it once it has been loaded. */
export interface RedisScript {
  readonly source: string
  readonly sha1: string
}

export function script(source: string): RedisScript {
  return { source, sha1: hash('sha1', source) }
}

/*
 * What is stored in Redis. Times are decimal digits by the clock of Redis: 16 for microseconds, 13 for
 * milliseconds. Fields have no separator.
 *
 * <prefix>{<handle>}     a user, in one value: what is changed of a user is changed by one SET or DEL
 *   line 1               1 <own mark: 16> <end of the profile: 13> <profile, or nothing>
 *   other lines, in      <session id: 24> <begin of the login: 16> <last visit: 13> <end: 13> <record>
 *   order of issue
 * <prefix>all            <mark: 16>
 * <prefix>value:<id>     <end: 13> <moment of its writing: 16> <text>
 *
 * The leading 1 is the version of this layout. A mark is a time: logins that began by then are revoked. The
 * own mark is set when all sessions of the user are ended. <prefix>all is set when those of all users are, and
 * also ends the sessions that began by then. The end of the profile is also how long it is kept that the user
 * has logged in before.
 *
 * Every script reads first and writes last, once. At `wantedUntil` or later it changes nothing. It uses only
 * KEYS[1] and KEYS[2], literally in each call, as strict proxies require. It replies with a list of texts:
 * the nonce, the time, an outcome, and its values.
 */

/** Returns a Lua pattern for this many digits. */
export function digits(count: number): string {
  return '%d'.repeat(count)
}

/** The head of every script. ARGV: nonce, time of a test clock or '', time by which to change or ''. */
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
