import { digits, type RedisScript, SCRIPT_HEAD, script } from './redis-script.js'

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

const MARK = `
local before = redis.call('GET', KEYS[1]) or micros(0)
if not string.find(before, '^${digits(16)}$') then return reply('unreadable', '1') end
`

/** KEYS: mark of all. Replies with it. */
export const READ_ALL: RedisScript = script(`${SCRIPT_HEAD}${MARK}
return reply('ok', before)
`)

/** KEYS: mark of all. ARGV: the earliest new mark. Sets it to now; replies with the old and the new mark. */
export const END_ALL: RedisScript = script(`${SCRIPT_HEAD}${MARK}
local atLeast = tonumber(ARGV[4])

local mark = micros(math.max(moment, tonumber(before), atLeast))
redis.call('SET', KEYS[1], mark)
return reply('ok', before, mark)
`)

/** KEYS: mark of all. Writes it unchanged, or for a millisecond if there is none, to show that it can. */
export const PING: RedisScript = script(`${SCRIPT_HEAD}${MARK}
if before == micros(0) then
  redis.call('SET', KEYS[1], before, 'PX', count(1))
else
  redis.call('SET', KEYS[1], before)
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
