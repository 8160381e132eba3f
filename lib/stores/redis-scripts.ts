import { hash } from 'node:crypto'

/** A Lua script and the SHA-1 by which Redis knows it once it has been loaded. */
export interface RedisScript {
  readonly source: string
  readonly sha1: string
}

function script(source: string): RedisScript {
  return { source, sha1: hash('sha1', source) }
}

/*
 * The index of a user is a sorted set of session ids by time of login. Records lie at `<index>:<session id>`; the braces
 * around the handle put them, the index and the profile in one hash slot, so a script that is given the index may reach every
 * session of the user. A record is 13 digits, the last visit in milliseconds, then the text.
 */

/**
 * KEYS: index, record, profile.
 * ARGV: session id, record with visit, createdAt, dropAt, expiresAt, cap, onLimit, session id to end, profile, profile dropAt.
 * A client may send it again after a lost connection: the session it wrote the first time is not counted.
 * The profile is '' for a user who has none: it tells that the user was here. Answers issued, profile before, profile after.
 * The index must outlive its longest member; PTTL counts by the clock of Redis, so TIME is asked as well.
 */
export const ISSUE: RedisScript = script(`
local index = KEYS[1]
local function drop(id)
  redis.call('DEL', index .. ':' .. id)
  redis.call('ZREM', index, id)
end

local staying = {}
for _, id in ipairs(redis.call('ZRANGE', index, 0, -1)) do
  if redis.call('EXISTS', index .. ':' .. id) == 0 then
    redis.call('ZREM', index, id)
  elseif id ~= ARGV[1] and id ~= ARGV[8] then
    staying[#staying + 1] = id
  end
end

local excess = #staying + 1 - tonumber(ARGV[6])
if excess > 0 and ARGV[7] == 'refuse' then return { 0 } end
for place = 1, excess do drop(staying[place]) end
if ARGV[8] ~= '' then drop(ARGV[8]) end

redis.call('SET', KEYS[2], ARGV[2], 'PXAT', ARGV[4])
redis.call('ZADD', index, ARGV[3], ARGV[1])
local left = redis.call('PTTL', index)
local time = redis.call('TIME')
local dropsAt = time[1] * 1000 + math.floor(time[2] / 1000) + left
if left < 0 or dropsAt < tonumber(ARGV[5]) then redis.call('PEXPIREAT', index, ARGV[5]) end

local before = redis.call('GET', KEYS[3])
local profile = ARGV[9]
if profile == '' and before then profile = before end
redis.call('SET', KEYS[3], profile, 'PXAT', ARGV[10])
return { 1, before, profile }
`)

/** KEYS: record. ARGV: last visit as 13 digits, dropAt. Answers 1 if the session is there. */
export const TOUCH: RedisScript = script(`
local recorded = redis.call('GETRANGE', KEYS[1], 0, 12)
if recorded == '' then return 0 end
if recorded < ARGV[1] then
  redis.call('SETRANGE', KEYS[1], 0, ARGV[1])
  redis.call('PEXPIREAT', KEYS[1], ARGV[2])
end
return 1
`)

/** KEYS: index, record. ARGV: session id. Answers how many sessions ended. */
export const REMOVE: RedisScript = script(`
redis.call('ZREM', KEYS[1], ARGV[1])
return redis.call('DEL', KEYS[2])
`)

/** KEYS: index. ARGV: session id to spare, or ''. Answers how many sessions ended. */
export const REMOVE_USER: RedisScript = script(`
local ended = 0
for _, id in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
  if id ~= ARGV[1] then
    ended = ended + redis.call('DEL', KEYS[1] .. ':' .. id)
    redis.call('ZREM', KEYS[1], id)
  end
end
return ended
`)

/** KEYS: index. Answers pairs of session id and record, and forgets ids whose record has been dropped. */
export const LIST: RedisScript = script(`
local found = {}
for _, id in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
  local record = redis.call('GET', KEYS[1] .. ':' .. id)
  if record then
    found[#found + 1] = { id, record }
  else
    redis.call('ZREM', KEYS[1], id)
  end
end
return found
`)

/**
 * KEYS: index. ARGV: three words a change: session id, text as it was read, new text. Answers how many were replaced.
 * MGET takes a key of another kind for no session, where GET would fail and leave half of the changes done.
 */
export const REWRITE: RedisScript = script(`
local replaced = 0
for place = 1, #ARGV, 3 do
  local record = KEYS[1] .. ':' .. ARGV[place]
  local found = redis.call('MGET', record)[1]
  if found and string.sub(found, 14) == ARGV[place + 1] then
    redis.call('SET', record, string.sub(found, 1, 13) .. ARGV[place + 2], 'KEEPTTL')
    replaced = replaced + 1
  end
end
return replaced
`)

/**
 * KEYS: claim. ARGV: claimant, dropAt. Claims and answers nil, or answers what is there: somebody else's claim, or an answer.
 * Claimants and answers come with a mark in front, by which they are told apart.
 */
export const CLAIM: RedisScript = script(`
local found = redis.call('GET', KEYS[1])
if found and found ~= ARGV[1] then return found end
redis.call('SET', KEYS[1], ARGV[1], 'PXAT', ARGV[2])
return nil
`)

/** KEYS: claim. ARGV: claimant. */
export const RELEASE: RedisScript = script(`
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0
`)

/** KEYS: value. ARGV: value as it was read, new value, dropAt; '' stands for none. Answers 1 if it was replaced. */
export const REPLACE_VALUE: RedisScript = script(`
if (redis.call('GET', KEYS[1]) or '') ~= ARGV[1] then return 0 end
if ARGV[2] == '' then
  redis.call('DEL', KEYS[1])
else
  redis.call('SET', KEYS[1], ARGV[2], 'PXAT', ARGV[3])
end
return 1
`)
