import { digits, type RedisScript, SCRIPT_HEAD, script } from './redis-script.js'

/** A text with its end in front. */
const VALUE = `
local stored = redis.call('GET', KEYS[1])
if stored and not string.find(stored, '^${digits(13)}') then return reply('unreadable', '1') end
local left = stored and tonumber(string.sub(stored, 1, 13)) - now or 0
local found = left > 0 and string.sub(stored, 14) or nil

local function write(text, left)
  left = math.floor(left)
  if left > 0 then
    redis.call('SET', KEYS[1], millis(now + left) .. text, 'PX', count(left))
  else
    redis.call('DEL', KEYS[1])
  end
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

/** KEYS: mark of all. ARGV: the latest moment in any of the masters of a cluster. Sets it; replies the one before, and the new one. */
export const END_ALL: RedisScript = script(
  SCRIPT_HEAD,
  MARK,
  `
local mark = micros(math.max(moment, tonumber(before), tonumber(ARGV[4])))
redis.call('SET', KEYS[1], mark)
return reply('ok', before, mark)
`,
)

/** KEYS: mark of all. Writes it as it is, to show that it can be written; where there is none, it is gone in a moment. */
export const PING: RedisScript = script(
  SCRIPT_HEAD,
  MARK,
  `
if before == micros(0) then
  redis.call('SET', KEYS[1], before, 'PX', '1')
else
  redis.call('SET', KEYS[1], before)
end
return reply('ok')
`,
)

/** KEYS: claim. ARGV: claimant, duration. Replies `claimed`, or `found` and what is there. */
export const CLAIM: RedisScript = script(
  SCRIPT_HEAD,
  VALUE,
  `
local claimant, keep = ARGV[4], tonumber(ARGV[5])
if found and string.sub(found, 1, -17) ~= claimant then return reply('found', found) end
local first = found and string.sub(found, -16) or micros(moment)
write(claimant .. first, keep)
return reply('claimed', first)
`,
)

/** KEYS: claim. ARGV: answer, duration. */
export const SETTLE: RedisScript = script(
  SCRIPT_HEAD,
  VALUE,
  `
write(ARGV[4], tonumber(ARGV[5]))
return reply('ok')
`,
)

/** KEYS: claim. ARGV: claimant. */
export const RELEASE: RedisScript = script(
  SCRIPT_HEAD,
  VALUE,
  `
if found and string.sub(found, 1, -17) == ARGV[4] then write('', 0) end
return reply('ok')
`,
)

/** KEYS: value. Replies how long it is kept, and the value, or `none`. */
export const READ_VALUE: RedisScript = script(
  SCRIPT_HEAD,
  VALUE,
  `
if not found then return reply('none') end
return reply('ok', millis(left), found)
`,
)

/** KEYS: value. ARGV: value as it was read, new value, duration or ''; '' stands for no value. Replies how many were replaced. */
export const REPLACE_VALUE: RedisScript = script(
  SCRIPT_HEAD,
  VALUE,
  `
if (found or '') ~= ARGV[4] then return reply('ok', '0') end
write(ARGV[5], ARGV[5] == '' and 0 or tonumber(ARGV[6]) or left)
return reply('ok', '1')
`,
)
