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
 *   line 1               1 <own mark: 16, or -> <end of the profile: 13> <profile, or nothing>
 *   other lines, in      <session id: 24> <begin of the login: 16> <last visit: 13> <end: 13> <record>
 *   order of issue
 * <prefix>all            when sessions of many users were ended
 *   line 1               <mark of everybody: 16>
 *   other lines          <group: 4> <mark of the users of this group: 16>
 * <prefix>value:<id>     <end: 13> <moment of its writing: 16> <text>
 *
 * The leading 1 is the version of this layout. A mark is a time: logins that began by then are revoked. The
 * own mark is set when all sessions of the user are ended. The marks in <prefix>all are set when those of
 * everybody, or of a group, are; they also end the sessions that began by then. A group is the users of an
 * app, whose handles begin with it. The end of the profile is also how long it is kept that the user
 * has logged in before.
 *
 * Every script reads first and writes last, once. At `wantedUntil` or later it changes nothing. It uses only
 * KEYS[1] and KEYS[2], literally in each call, as strict proxies require. It replies with a list of texts:
 * the nonce, the time, an outcome, and its values.
 */

/** The value of each kind of key that says nothing. */
export const NO_USER = `1-${'0'.repeat(13)}`
export const NO_MARKS = '0'.repeat(16)
export const NO_VALUE = '0'.repeat(29)

/** Returns a Lua pattern for this many digits. */
export function digits(count: number): string {
  return '%d'.repeat(count)
}

/** A Lua pattern for the mark of a group: the group, the mark. */
export const GROUP_MARK = `\\n(${'[%w_-]'.repeat(4)})(${digits(16)})`

/** Reads the key of the marks. Leaves them, and which is the latest for the users of a group. */
export function marksUnder(place: 1 | 2, group: string): string {
  return `
local marks = redis.call('GET', KEYS[${place}]) or micros(0)
local latest, length = tonumber(string.match(marks, '^${digits(16)}')), 16
for owner, mark in string.gmatch(marks, '${GROUP_MARK}') do
  if latest and owner == ${group} then latest = math.max(latest, tonumber(mark)) end
  length = length + 21
end
if not latest or length ~= #marks then return reply('unreadable', '${place}') end
`
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
