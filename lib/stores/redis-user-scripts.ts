import { digits, QUESTION, type RedisScript, script } from './redis-script.js'

/** A script about a user, in two versions: for one server that has all keys, and for several. */
export interface UserScript {
  /** KEYS: user, mark of all. */
  readonly together: RedisScript
  /** KEYS: user. ARGV: mark of all. */
  readonly apart: RedisScript
  /** Whether it may change the user, so that the mark of all has to be known before. */
  readonly isChange: boolean
}

function reading(...parts: readonly string[]): UserScript {
  return {
    together: script(QUESTION, MARK_UNDER_KEY, USER, ...parts),
    apart: script(QUESTION, MARK_AS_WORD, USER, ...parts),
    isChange: false,
  }
}

function changing(body: string): UserScript {
  return { ...reading(SESSIONS, body), isChange: true }
}

/** The mark of all, where the script may reach its key. */
const MARK_UNDER_KEY = `
local all = redis.call('GET', KEYS[2])
if all and not string.find(all, '^${digits(16)}$') then return reply('unreadable', '2') end
all = tonumber(all or 0)
`

/** The mark of all, where it lies on another server. */
const MARK_AS_WORD = `
local all = tonumber(ARGV[4])
`

/** The user, and how a line is read. */
const USER = `
local text = redis.call('GET', KEYS[1]) or '1${'0'.repeat(29)}'
local mark, profileEnd, profile = string.match(text, '^1(${digits(16)})(${digits(13)})([^\\n]*)')
if not mark then return reply('unreadable', '1') end
mark, profileEnd = tonumber(mark), tonumber(profileEnd)
local wasHere = profileEnd > now
if not wasHere then profile = '' end

local function idOf(line) return string.sub(line, 1, 24) end
local function beganOf(line) return tonumber(string.sub(line, 25, 40)) end
local function endOf(line) return tonumber(string.sub(line, 54, 66)) end
local function recordOf(line) return string.sub(line, 67) end
local function isSound(line) return string.find(line, '^${digits(42)}', 25) end
local function isLive(line) return endOf(line) > now and beganOf(line) > all end
`

/** How long the mark of a user is kept, in milliseconds: longer than any login takes. */
const MARK_MS = 600_000

/** The live sessions of the user, and how the user is written. What is over is left out, and a user of whom nothing is left is deleted. */
const SESSIONS = `
local live = {}
for line in string.gmatch(text, '\\n([^\\n]*)') do
  if not isSound(line) then return reply('unreadable', '1') end
  if isLive(line) then live[#live + 1] = line end
end

local function save(sessions)
  local kept = { '1' .. micros(mark) .. millis(profileEnd) .. profile }
  local ends = math.max(profileEnd, mark > 0 and math.floor(mark / 1000) + ${MARK_MS} or 0)
  for _, line in ipairs(sessions) do
    if isLive(line) then
      kept[#kept + 1] = line
      ends = math.max(ends, endOf(line))
    end
  end
  if ends > now then
    redis.call('SET', KEYS[1], table.concat(kept, '\\n'), 'PX', string.format('%d', ends - now))
  else
    redis.call('DEL', KEYS[1])
  end
end
`

/** ARGV: session id. Replies the session and the profile, or `none`. An unknown session costs as little as an unknown user. */
export const READ: UserScript = reading(
  `
local at = string.find(text, '\\n' .. ARGV[5], 1, true)
if not at then return reply('none') end
local line = string.match(text, '^[^\\n]*', at + 1)
if not isSound(line) then return reply('unreadable', '1') end
if not isLive(line) then return reply('none') end
return reply('ok', line, profile)
`,
)

/** Replies whether the user was here, the profile, and the live sessions. */
export const READ_USER: UserScript = reading(
  SESSIONS,
  `
local known = reply('ok', wasHere and '1' or '0', profile)
for _, line in ipairs(live) do known[#known + 1] = line end
return known
`,
)

/**
 * ARGV: session id, record, begin of the login or '', login duration, session duration, cap, onLimit, session id to end, profile,
 * duration of the profile. A client may send it again after a lost connection: the session that it wrote the first time is not counted.
 */
export const ISSUE: UserScript = changing(
  `
local began = tonumber(ARGV[7])
if began and began <= math.max(mark, all) then return reply('revoked') end
began = began or moment

local staying = {}
for _, line in ipairs(live) do
  local id = idOf(line)
  if id ~= ARGV[5] and id ~= ARGV[12] then staying[#staying + 1] = line end
end
local excess = math.max(0, #staying + 1 - tonumber(ARGV[10]))
if excess > 0 and ARGV[11] == 'refuse' then return reply('refused') end

local created = math.floor(began / 1000)
local ends = math.max(0, math.floor(math.min(now + ARGV[9], created + ARGV[8])))
local sessions = {}
for place = excess + 1, #staying do sessions[#sessions + 1] = staying[place] end
sessions[#sessions + 1] = ARGV[5] .. micros(began) .. millis(now) .. millis(ends) .. ARGV[6]
if ARGV[13] ~= '' then profile = ARGV[13] end
profileEnd = math.max(0, math.floor(now + ARGV[14]))
save(sessions)
return reply('issued', millis(created), millis(now), millis(ends), wasHere and '1' or '0', profile)
`,
)

/** ARGV: session id, session duration, latest end. Replies visit and end, or `none`. */
export const TOUCH: UserScript = changing(
  `
for place, line in ipairs(live) do
  if idOf(line) == ARGV[5] then
    local ends = math.max(0, math.floor(math.min(now + ARGV[6], tonumber(ARGV[7]))))
    live[place] = string.sub(line, 1, 40) .. millis(now) .. millis(ends) .. recordOf(line)
    save(live)
    return reply('ok', millis(now), millis(ends))
  end
end
return reply('none')
`,
)

/** ARGV: session id. Replies how many sessions ended. */
export const REMOVE: UserScript = changing(
  `
for place, line in ipairs(live) do
  if idOf(line) == ARGV[5] then
    table.remove(live, place)
    save(live)
    return reply('ok', '1')
  end
end
return reply('ok', '0')
`,
)

/** ARGV: session id to spare, or ''. Sets the own mark. Replies how many sessions ended. */
export const REMOVE_USER: UserScript = changing(
  `
local spared = {}
for _, line in ipairs(live) do
  if idOf(line) == ARGV[5] then spared[1] = line end
end
mark = math.max(mark, moment)
save(spared)
return reply('ok', string.format('%d', #live - #spared))
`,
)

/**
 * ARGV: mark of all, the one before it, by how many microseconds the clocks of several servers may differ. Clears away what the mark has
 * ended; replies how many that were. What seems to have begun in the future began before the clock was set back, and so before the mark.
 */
export const CLEAR: UserScript = changing(
  `
local kept, ended, found = {}, 0, 0
for line in string.gmatch(text, '\\n([^\\n]*)') do
  found = found + 1
  local began = beganOf(line)
  if endOf(line) > now and began > tonumber(ARGV[6]) then
    if began > tonumber(ARGV[5]) and began <= moment + ARGV[7] then kept[#kept + 1] = line else ended = ended + 1 end
  end
end
if #kept < found then save(kept) end
return reply('ok', string.format('%d', ended))
`,
)

/** ARGV: three a change: session id, record as it was read, new record. Replies how many were replaced. */
export const REWRITE: UserScript = changing(
  `
local replaced = 0
for place, line in ipairs(live) do
  for change = 5, #ARGV, 3 do
    if idOf(line) == ARGV[change] and recordOf(line) == ARGV[change + 1] then
      live[place] = string.sub(line, 1, 66) .. ARGV[change + 2]
      replaced = replaced + 1
    end
  end
end
if replaced > 0 then save(live) end
return reply('ok', string.format('%d', replaced))
`,
)

/** ARGV: profile or '', its duration. */
export const WRITE_USER_INFO: UserScript = changing(
  `
profile, profileEnd = ARGV[5], math.max(0, math.floor(now + ARGV[6]))
if profileEnd <= now then profile, profileEnd = '', 0 end
save(live)
return reply('ok')
`,
)
