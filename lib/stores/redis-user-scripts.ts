import { USER_MARK_MS } from '../sessions/store.js'
import { digits, marksUnder, NO_USER, type RedisScript, SCRIPT_HEAD, script } from './redis-script.js'

/** A script about a user, in two versions: for a single server, and for several. */
export interface UserScript {
  /** KEYS: user, marks. ARGV: group of the user. */
  readonly together: RedisScript
  /** KEYS: user. ARGV: the latest mark for the group of the user. */
  readonly apart: RedisScript
  /** Whether it may change the user: then it needs the marks beforehand. */
  readonly isChange: boolean
  /** Whether its caller is told of the change, so that replicas must have it where they are awaited. */
  readonly isAwaited: boolean
}

function reading(body: string): UserScript {
  return {
    together: script(`${SCRIPT_HEAD}${MARKS_UNDER_KEY}${USER}${body}`),
    apart: script(`${SCRIPT_HEAD}${MARK_AS_ARGUMENT}${USER}${body}`),
    isChange: false,
    isAwaited: false,
  }
}

function changing(body: string, isAwaited = true): UserScript {
  return { ...reading(`${SESSIONS}${body}`), isChange: true, isAwaited }
}

const MARKS_UNDER_KEY = marksUnder(2, 'ARGV[4]')

const MARK_AS_ARGUMENT = `
local latest = tonumber(ARGV[4])
`

/** The user, and how to read a line. */
const USER = `
local text = redis.call('GET', KEYS[1]) or '${NO_USER}'
local mark, profileEnd, profile = string.match(text, '^1(${digits(16)})(${digits(13)})([^\\n]*)')
if not mark then mark, profileEnd, profile = 0, string.match(text, '^1%-(${digits(13)})([^\\n]*)') end
if not profileEnd then return reply('unreadable', '1') end
mark, profileEnd = tonumber(mark), tonumber(profileEnd)
local wasHere = profileEnd > now
if not wasHere then profile = '' end

local function idOf(line) return string.sub(line, 1, 24) end
local function beganOf(line) return tonumber(string.sub(line, 25, 40)) end
local function endOf(line) return tonumber(string.sub(line, 54, 66)) end
local function recordOf(line) return string.sub(line, 67) end
local function isSound(line) return string.find(line, '^${digits(42)}', 25) end
local function isLive(line) return endOf(line) > now and beganOf(line) > latest end
`

/**
 * The live sessions, and how to write the user: without ended sessions, and not at all if nothing is left.
 * Damaged lines are not sessions, and stay until all sessions of the user are ended.
 */
const SESSIONS = `
local live, odd = {}, {}
for line in string.gmatch(text, '\\n([^\\n]*)') do
  if not isSound(line) then
    odd[#odd + 1] = line
  elseif isLive(line) then
    live[#live + 1] = line
  end
end

local function save(sessions)
  local kept = { '1' .. (mark > 0 and micros(mark) or '-') .. millis(profileEnd) .. profile }
  local ends = math.max(profileEnd, mark > 0 and math.floor(mark / 1000) + ${USER_MARK_MS} or 0)
  for _, line in ipairs(odd) do kept[#kept + 1] = line end
  for _, line in ipairs(sessions) do
    if isLive(line) then
      kept[#kept + 1] = line
      ends = math.max(ends, endOf(line))
    end
  end
  local left = math.floor(ends - now)
  if left > 0 then
    redis.call('SET', KEYS[1], table.concat(kept, '\\n'), 'PX', count(left))
  else
    redis.call('DEL', KEYS[1])
  end
end
`

/** ARGV: session id. The line of the session, or the reply `none`. */
const LIVE_LINE = `
local id = ARGV[5]

local at = string.find(text, '\\n' .. id, 1, true)
if not at then return reply('none') end
local line = string.match(text, '^[^\\n]*', at + 1)
if not isSound(line) then return reply('unreadable', '1') end
if not isLive(line) then return reply('none') end`

/** ARGV: session id. Replies with the session and the profile, or `none`. */
export const READ: UserScript = reading(`${LIVE_LINE}
return reply('ok', line, profile)
`)

/**
 * ARGV: session id. Replies as `READ`, but with all that is stored of the user, and the marks: empty where
 * they are apart.
 */
export const READ_STATE: UserScript = {
  ...reading(`${LIVE_LINE}
return reply('ok', text, marks)
`),
  apart: reading(`${LIVE_LINE}
return reply('ok', text, '')
`).apart,
}

/** Replies with whether the user has logged in before, the profile, and the live sessions. */
export const READ_USER: UserScript = reading(`${SESSIONS}
local known = reply('ok', wasHere and '1' or '0', profile)
for _, line in ipairs(live) do known[#known + 1] = line end
return known
`)

/**
 * ARGV: session id, record, begin of the login or '', login duration, session duration, cap, onLimit, session
 * id to replace, profile, duration of the profile, = and the record that is to be replaced or ''. Does not
 * count its own session, as a client may send it again after a lost connection.
 */
export const ISSUE: UserScript = changing(`
local id, record, began = ARGV[5], ARGV[6], tonumber(ARGV[7])
local loginDuration, sessionDuration = tonumber(ARGV[8]), tonumber(ARGV[9])
local cap, mayRefuse, replaces = tonumber(ARGV[10]), ARGV[11] == 'refuse', ARGV[12]
local newProfile, profileDuration, expected = ARGV[13], tonumber(ARGV[14]), ARGV[15]

if began and began <= math.max(mark, latest) then return reply('revoked') end
began = began or moment

local staying, isMatched = {}, expected == ''
for _, line in ipairs(live) do
  if idOf(line) == id then
    isMatched = true
  elseif idOf(line) == replaces then
    isMatched = isMatched or '=' .. recordOf(line) == expected
  else
    staying[#staying + 1] = line
  end
end
if not isMatched then return reply('unmatched') end
local excess = math.max(0, #staying + 1 - cap)
if excess > 0 and mayRefuse then return reply('refused') end

local sessions = {}
for place = excess + 1, #staying do sessions[#sessions + 1] = staying[place] end
local created = math.floor(began / 1000)
local ends = millis(math.min(now + sessionDuration, created + loginDuration))
sessions[#sessions + 1] = id .. micros(began) .. millis(now) .. ends .. record
if newProfile ~= '' then profile = newProfile end
profileEnd = now + profileDuration
save(sessions)
return reply('issued', millis(created), millis(now), ends, wasHere and '1' or '0', profile)
`)

/** ARGV: session id, session duration, latest end. Replies with visit and end, or `none`. */
export const TOUCH: UserScript = changing(
  `
local id, sessionDuration, latestEnd = ARGV[5], tonumber(ARGV[6]), tonumber(ARGV[7])

for place, line in ipairs(live) do
  if idOf(line) == id then
    local ends = millis(math.min(now + sessionDuration, latestEnd))
    live[place] = string.sub(line, 1, 40) .. millis(now) .. ends .. recordOf(line)
    save(live)
    return reply('ok', millis(now), ends)
  end
end
return reply('none')
`,
  false,
)

/** ARGV: session id. Replies with the number of ended sessions. */
export const REVOKE: UserScript = changing(`
local id = ARGV[5]

for place, line in ipairs(live) do
  if idOf(line) == id then
    table.remove(live, place)
    save(live)
    return reply('ok', count(1))
  end
end
return reply('ok', count(0))
`)

/** ARGV: session id to spare, or ''. Sets the own mark. Replies with the number of ended sessions. */
export const REVOKE_USER: UserScript = changing(`
local sparedId = ARGV[5]

local spared = {}
for _, line in ipairs(live) do
  if idOf(line) == sparedId then spared[1] = line end
end
mark = math.max(mark, moment)
odd = {}
save(spared)
return reply('ok', count(#live - #spared))
`)

/**
 * ARGV: mark of everybody or of the group, the one before it, by how many microseconds the clocks of several
 * servers may differ. Deletes the sessions that the mark has ended; replies with their number. A session that
 * seems to begin in the future began before the clock was set back, and so before the mark.
 */
export const CLEAR: UserScript = changing(
  `
local newMark, oldMark, tolerance = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])

local kept, ended, found = {}, 0, 0
for line in string.gmatch(text, '\\n([^\\n]*)') do
  if isSound(line) then
    found = found + 1
    local began = beganOf(line)
    if endOf(line) > now and began > oldMark then
      if began > newMark and began <= moment + tolerance then
        kept[#kept + 1] = line
      else
        ended = ended + 1
      end
    end
  end
end
if #kept < found then save(kept) end
return reply('ok', count(ended))
`,
  false,
)

/**
 * ARGV: for each change session id, record that was read, new record, new session id or the same. Replies
 * with how many were replaced, those included that have their new id already.
 */
export const REWRITE: UserScript = changing(`
local changes, made = {}, {}
for at = 5, #ARGV, 4 do
  local id, from, to, newId = ARGV[at], ARGV[at + 1], ARGV[at + 2], ARGV[at + 3]
  changes[id] = { from = from, to = to, id = newId }
  if newId ~= id then made[newId] = to end
end

local replaced, madeBefore = 0, 0
for place, line in ipairs(live) do
  local change = changes[idOf(line)]
  if change and recordOf(line) == change.from then
    live[place] = change.id .. string.sub(line, 25, 66) .. change.to
    replaced = replaced + 1
  elseif made[idOf(line)] == recordOf(line) then
    madeBefore = madeBefore + 1
  end
end
if replaced > 0 then save(live) end
return reply('ok', count(replaced + madeBefore))
`)

/** ARGV: profile or '', its duration. */
export const WRITE_USER_INFO: UserScript = changing(`
local newProfile, duration = ARGV[5], tonumber(ARGV[6])

profile, profileEnd = newProfile, now + duration
if duration <= 0 then profile, profileEnd = '', 0 end
save(live)
return reply('ok')
`)
