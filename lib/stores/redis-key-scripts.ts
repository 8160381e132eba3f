import { digits, GROUP_MARK, marksUnder, type RedisScript, SCRIPT_HEAD, script } from './redis-script.js'

/** The value: its end, when it was written, its text. */
const VALUE = `
local stored = redis.call('GET', KEYS[1])
if stored and not string.find(stored, '^${digits(29)}') then return reply('unreadable', '1') end
local left = stored and tonumber(string.sub(stored, 1, 13)) - now or 0
local found = left > 0 and string.sub(stored, 30) or nil

local function known(outcome)
  if not found then return reply(outcome) end
  return reply(outcome, found, string.sub(stored, 14, 29), millis(left))
end
`

/** KEYS: marks. Replies with them. */
export const READ_ALL: RedisScript = script(`${SCRIPT_HEAD}${marksUnder(1, "''")}
return reply('ok', marks)
`)

/**
 * KEYS: marks. ARGV: the earliest new mark, a group or '' for everybody. Sets its mark to now, and drops the
 * marks of groups that the one of everybody makes superfluous. Replies with the new mark, and all from
 * before.
 */
export const END_ALL: RedisScript = script(`${SCRIPT_HEAD}
local atLeast, group = tonumber(ARGV[4]), ARGV[5]
${marksUnder(1, 'group')}
local ofEverybody, ofGroup = string.sub(marks, 1, 16), micros(math.max(moment, latest, atLeast))
if group == '' then ofEverybody = ofGroup end
local kept = { ofEverybody }
for owner, mark in string.gmatch(marks, '${GROUP_MARK}') do
  if owner ~= group and tonumber(mark) > tonumber(ofEverybody) then kept[#kept + 1] = owner .. mark end
end
if group ~= '' then kept[#kept + 1] = group .. ofGroup end
redis.call('SET', KEYS[1], table.concat(kept, '\\n'))
return reply('ok', ofGroup, marks)
`)

/** KEYS: marks. Writes them unchanged, or for a millisecond if there are none, to show that it can. */
export const PING: RedisScript = script(`${SCRIPT_HEAD}${marksUnder(1, "''")}
if marks == micros(0) then
  redis.call('SET', KEYS[1], marks, 'PX', count(1))
else
  redis.call('SET', KEYS[1], marks)
end
return reply('ok')
`)

/**
 * KEYS: a key of any kind. ARGV: a value of its kind that says nothing. Writes the key unchanged, or that
 * value for a millisecond if there is none: what was done to it by anybody is older than this on each replica.
 */
export const CONFIRM: RedisScript = script(`${SCRIPT_HEAD}
local nothing = ARGV[4]

local stored = redis.call('GET', KEYS[1])
if stored then
  redis.call('SET', KEYS[1], stored, 'KEEPTTL')
else
  redis.call('SET', KEYS[1], nothing, 'PX', count(1))
end
return reply('ok')
`)

/** KEYS: value. Replies `ok` and, if there is a value, its text, when it was written, how long it is kept. */
export const READ_VALUE: RedisScript = script(`${SCRIPT_HEAD}${VALUE}
return known('ok')
`)

/**
 * KEYS: value. ARGV: text that was read, new text, duration or ''; the text '' is no value. Replies
 * `replaced` and how long the new value is kept, or `other` and the value as in `READ_VALUE`.
 */
export const REPLACE_VALUE: RedisScript = script(`${SCRIPT_HEAD}${VALUE}
local from, to, duration = ARGV[4], ARGV[5], tonumber(ARGV[6])

if (found or '') ~= from then return known('other') end
local keep = to == '' and 0 or math.floor(duration or left)
if keep > 0 then
  redis.call('SET', KEYS[1], millis(now + keep) .. micros(moment) .. to, 'PX', count(keep))
else
  redis.call('DEL', KEYS[1])
end
return reply('replaced', count(keep))
`)

/**
 * KEYS: value. ARGV: number to add, duration where there is no value, highest number. Replies with the new
 * number and how long it is kept.
 */
export const ADD_TO_VALUE: RedisScript = script(`${SCRIPT_HEAD}${VALUE}
local add, duration, most = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])

local isNumber = found and #found <= 15 and string.find(found, '^%d+$')
local number = math.min(math.max(0, (isNumber and tonumber(found) or 0) + add), most)
local keep = number == 0 and 0 or math.max(0, math.floor(found and left or duration))
if keep > 0 then
  redis.call('SET', KEYS[1], millis(now + keep) .. micros(moment) .. count(number), 'PX', count(keep))
else
  redis.call('DEL', KEYS[1])
end
return reply('ok', count(number), count(keep))
`)
