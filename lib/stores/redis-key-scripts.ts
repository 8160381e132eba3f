import { GROUP_MARK, marksUnder, type RedisScript, SCRIPT_HEAD, script } from './redis-script.js'

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
 * value for a millisecond if there is none: what was done to it by anybody is older than this on each
 * replica.
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
