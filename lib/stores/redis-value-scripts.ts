import { digits, type RedisScript, SCRIPT_HEAD, script } from './redis-script.js'

/** How many shared values one script changes at most. */
export const MOST_VALUES = 8
/** How many texts `CHANGE_VALUES` replies with for each change. */
export const TEXTS_OF_A_CHANGE = 4

const PLACES = Array.from({ length: MOST_VALUES }, (_, index) => index + 1)

/**
 * Reads a value: its end, when it was written, its text, which is nil when there is none. Returns nil for
 * what cannot be read, and for a key that was not given.
 */
const VALUE = `
local function valueIn(stored)
  if stored == nil or (stored and not string.find(stored, '^${digits(29)}')) then return nil end
  local left = stored and tonumber(string.sub(stored, 1, 13)) - now or 0
  if left <= 0 then return { left = 0 } end
  return { left = left, writtenAt = string.sub(stored, 14, 29), text = string.sub(stored, 30) }
end
`

/** KEYS: value. Replies `ok` and, if there is a value, its text, when it was written, how long it is kept. */
export const READ_VALUE: RedisScript = script(`${SCRIPT_HEAD}${VALUE}
local value = valueIn(redis.call('GET', KEYS[1]))
if not value then return reply('unreadable', '1') end
if not value.text then return reply('ok') end
return reply('ok', value.text, value.writtenAt, millis(value.left))
`)

/**
 * KEYS: one to eight values. ARGV, for each change in order: the place of its value in KEYS, what to do, and
 * three arguments. `replace`: text that was read, new text, duration or ''; the text '' is no value. `add`:
 * number to add, duration where there is no value, highest number. Replies `ok` and for each change four
 * texts, '' where there are fewer: `replaced` and how long the new value is kept; `other` and the value as in
 * `READ_VALUE`; `added`, the new number and how long it is kept; or `unreadable`.
 */
export const CHANGE_VALUES: RedisScript = script(`${SCRIPT_HEAD}${VALUE}
local values = {
${PLACES.map((place) => `  valueIn(KEYS[${place}] and redis.call('GET', KEYS[${place}])) or false,`).join('\n')}
}

local function put(value, text, keep)
  value.isChanged, value.left, value.writtenAt = true, keep, micros(moment)
  value.text = keep > 0 and text or nil
end

local change = {}

function change.replace(value, from, to, duration)
  if (value.text or '') ~= from then
    if not value.text then return 'other', '', '', '' end
    return 'other', value.text, value.writtenAt, millis(value.left)
  end
  local keep = to == '' and 0 or math.floor(tonumber(duration) or value.left)
  put(value, to, keep)
  return 'replaced', count(keep), '', ''
end

function change.add(value, add, duration, most)
  local isNumber = value.text and #value.text <= 15 and string.find(value.text, '^%d+$')
  local number = math.max(0, (isNumber and tonumber(value.text) or 0) + tonumber(add))
  number = math.min(number, tonumber(most))
  local keep = math.max(0, math.floor(tonumber(duration)))
  -- What would last longer than what begins now began before the clock was set back.
  if value.text then keep = keep > 0 and math.min(keep, value.left) or value.left end
  if number == 0 then keep = 0 end
  put(value, count(number), keep)
  return 'added', count(number), count(keep), ''
end

local replies = reply('ok')
local function tell(...)
  for _, text in ipairs({ ... }) do replies[#replies + 1] = text end
end
for at = 4, #ARGV, 5 do
  local value = values[tonumber(ARGV[at])]
  if value then
    tell(change[ARGV[at + 1]](value, ARGV[at + 2], ARGV[at + 3], ARGV[at + 4]))
  else
    tell('unreadable', '', '', '')
  end
end

local function isGone(place) return values[place] and values[place].isChanged and not values[place].text end
local function isNew(place) return values[place] and values[place].isChanged and values[place].text end
local function stored(place) return millis(now + values[place].left) .. micros(moment) .. values[place].text end
local function kept(place) return count(values[place].left) end
local _
${PLACES.map(
  (place) => `_ = isGone(${place}) and KEYS[${place}] and redis.call('DEL', KEYS[${place}])
_ = isNew(${place}) and KEYS[${place}] and redis.call('SET', KEYS[${place}], stored(${place}), 'PX', kept(${place}))`,
).join('\n')}
return replies
`)
