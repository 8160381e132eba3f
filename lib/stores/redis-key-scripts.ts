import { digits, type RedisScript, SCRIPT_HEAD, script } from './redis-script.js'

/** The value that is found: its end, the moment of its writing, its text. */
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

/** The mark of all as it is. */
const MARK = `
local before = redis.call('GET', KEYS[1]) or micros(0)
if not string.find(before, '^${digits(16)}$') then return reply('unreadable', '1') end
`

/** KEYS: mark of all. Replies it. */
export const READ_ALL: RedisScript = script(
  SCRIPT_HEAD,
  MARK,
  `
return reply('ok', before)
`,
)

/**
 * KEYS: mark of all. ARGV: the latest moment in any of the masters of a cluster. Sets it; replies the one
 * before, and the new one.
 */
export const END_ALL: RedisScript = script(
  SCRIPT_HEAD,
  MARK,
  `
local atLeast = tonumber(ARGV[4])

local mark = micros(math.max(moment, tonumber(before), atLeast))
redis.call('SET', KEYS[1], mark)
return reply('ok', before, mark)
`,
)

/**
 * KEYS: mark of all. Writes it as it is, to show that it can be written; where there is none, it is gone in a
 * moment.
 */
export const PING: RedisScript = script(
  SCRIPT_HEAD,
  MARK,
  `
if before == micros(0) then
  redis.call('SET', KEYS[1], before, 'PX', count(1))
else
  redis.call('SET', KEYS[1], before)
end
return reply('ok')
`,
)

/**
 * KEYS: value. Replies `ok`, then, where there is a value, its text, when it was written, and how long it is
 * kept.
 */
export const READ_VALUE: RedisScript = script(
  SCRIPT_HEAD,
  VALUE,
  `
return known('ok')
`,
)

/**
 * KEYS: value. ARGV: text as it was read, new text, duration or ''; '' stands for no value. Replies
 * `replaced` and how long the new value is kept, or `other` and what `READ_VALUE` replies of the value that
 * was found.
 */
export const REPLACE_VALUE: RedisScript = script(
  SCRIPT_HEAD,
  VALUE,
  `
local from, to, duration = ARGV[4], ARGV[5], tonumber(ARGV[6])

if (found or '') ~= from then return known('other') end
local keep = to == '' and 0 or math.floor(duration or left)
if keep > 0 then
  redis.call('SET', KEYS[1], millis(now + keep) .. micros(moment) .. to, 'PX', count(keep))
else
  redis.call('DEL', KEYS[1])
end
return reply('replaced', count(keep))
`,
)
