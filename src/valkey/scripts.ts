/**
 * The scripts. Each has one key, so that it works on a cluster, and each may be sent again after it was carried out.
 *
 * A tag's place holds nothing, a stamp `s:<hard>.<soft>`, or an intent `w:<prev>:<solo>:<token@expiry,…>`: writes
 * under way. `begin` and `end` change an intent; an invalidation clears its `prev`, so that nobody puts the stamp back
 * that it would have taken away, and its `solo`, so that no write takes itself for the only one. What they do stands
 * as functions in `internal/intent.ts`.
 *
 * What makes the cache forget says so in a channel, inside the script and after the change: whoever has heard nothing
 * has missed nothing. A user who may not publish has made it forget all the same.
 *
 * `allow-oom` is for what makes the cache forget: it has to work when the server's memory is full.
 */
import { sha1 } from "@noble/hashes/legacy.js"
import { bytesToHex } from "@noble/hashes/utils.js"

/** A script, and the hash that the server knows it by. */
export interface Script {
  readonly lua: string
  readonly sha: string
}

/** A script from its text. */
export const script = (lua: string): Script => ({ lua, sha: bytesToHex(sha1(new TextEncoder().encode(lua))) })

/**
 * `ARGV` new stamp, ttl, probation | 0, the server's life | 'any' | ''. Answers what the place holds then. Fails with OOM only
 * where a stamp would have to be made. A stamp on probation, `s:<hard>~<until>.<soft>`, gives way to a new one when that
 * time has come; one that was made in another life, `s:<random>!<life>…`, at once.
 */
export const obtain = script(`
local v = redis.call('GET', KEYS[1])
if v and ARGV[4] ~= '' and ARGV[4] ~= 'any' and string.sub(v, 1, 2) == 's:' then
  local life = string.match(v, '^s:[^.~!]*!([^.~]*)')
  if life ~= ARGV[4] and life ~= 'any' then v = false end
end
local until_ = v and string.match(v, '^s:[^.]*~(%d+)%.')
local now = 0
if until_ or (not v and ARGV[3] ~= '0') then
  local T = redis.call('TIME')
  now = T[1] * 1000 + math.floor(T[2] / 1000)
end
if not v then
  v = ARGV[1]
  if ARGV[3] ~= '0' then
    v = string.gsub(v, '%.', '~' .. string.format('%.0f', now + tonumber(ARGV[3])) .. '.', 1)
  end
  redis.call('SET', KEYS[1], v, 'PX', ARGV[2])
elseif until_ and tonumber(until_) <= now then
  v = ARGV[1]
  redis.call('SET', KEYS[1], v, 'PX', ARGV[2])
elseif string.sub(v, 1, 2) == 's:' and redis.call('PTTL', KEYS[1]) < tonumber(ARGV[2]) then
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
end
return v
`)

/**
 * `ARGV` bytes, ttl, what is to be there ('': nothing), the time it lives until at most | 0. Answers 1 if the bytes are in
 * place.
 */
export const replace = script(`
local seen, ttl = ARGV[3], ARGV[2]
if ARGV[4] ~= '0' then
  local T = redis.call('TIME')
  local left = tonumber(ARGV[4]) - (T[1] * 1000 + math.floor(T[2] / 1000))
  if left <= 0 then return 0 end
  if left < tonumber(ttl) then ttl = string.format('%.0f', left) end
end
local length = redis.call('STRLEN', KEYS[1])
if length == 0 then
  if seen ~= '' then return 0 end
elseif seen == '' or redis.call('GETRANGE', KEYS[1], 0, #seen - 1) ~= seen then
  if length == #ARGV[1] and redis.call('GET', KEYS[1]) == ARGV[1] then return 1 end
  return 0
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ttl)
return 1
`)

/** `ARGV` what is to be there. */
export const remove = script(`#!lua flags=allow-oom
if redis.call('GETRANGE', KEYS[1], 0, #ARGV[1] - 1) ~= ARGV[1] then return 0 end
return redis.call('UNLINK', KEYS[1])
`)

/** `ARGV` channel, message, 'kill' | 'expire', new soft part | 'swap', expected, next, ttl. Answers 1 if `next` is in place. */
export const invalidate = script(`#!lua flags=allow-oom
local v, how, result = redis.call('GET', KEYS[1]), ARGV[3], 0
local hard = v and how == 'expire' and string.match(v, '^s:[^.]*')
if v and string.sub(v, 1, 2) == 'w:' then
  redis.call('SET', KEYS[1], 'w:-:-:' .. (string.match(v, '^w:[^:]*:[^:]*:(.*)$') or ''), 'KEEPTTL')
elseif hard then
  redis.call('SET', KEYS[1], hard .. '.' .. ARGV[4], 'KEEPTTL')
elseif v and how == 'swap' and v == ARGV[5] then
  result = 1
elseif v and how == 'swap' and v == ARGV[4] then
  redis.call('SET', KEYS[1], ARGV[5], 'PX', ARGV[6])
  result = 1
elseif v then
  redis.call('UNLINK', KEYS[1])
end
redis.pcall('PUBLISH', ARGV[1], ARGV[2])
return result
`)

/** `ARGV` token, ttl, channel, message. The intent lasts as long as the token that lasts longest. */
export const begin = script(`#!lua flags=allow-oom
local T = redis.call('TIME')
local now = T[1] * 1000 + math.floor(T[2] / 1000)
local v, token, ttl = redis.call('GET', KEYS[1]), ARGV[1], tonumber(ARGV[2])
local prev, solo, list, max = '-', token, {}, now + ttl
if v and string.sub(v, 1, 2) == 's:' then
  prev = string.sub(v, 3)
elseif v then
  local p, o, tokens = string.match(v, '^w:([^:]*):([^:]*):(.*)$')
  if tokens then
    prev, solo = p, '-'
    for k, e in string.gmatch(tokens, '([^,@]+)@(%d+)') do
      e = tonumber(e)
      if k == token then
        solo = o
      elseif e <= now then
        prev = '-'
      else
        list[#list + 1] = k .. '@' .. string.format('%.0f', e)
        if e > max then max = e end
      end
    end
  end
end
list[#list + 1] = token .. '@' .. string.format('%.0f', now + ttl)
redis.call('SET', KEYS[1], 'w:' .. prev .. ':' .. solo .. ':' .. table.concat(list, ','), 'PX', string.format('%.0f', max - now))
redis.pcall('PUBLISH', ARGV[3], ARGV[4])
return 1
`)

/**
 * `ARGV` token, '1' committed or unknown | '0' certainly rolled back, next | '', ttl, channel, message. Answers 1 if `next` is
 * in place.
 */
export const end = script(`#!lua flags=allow-oom
local v, token, committed, nxt, result = redis.call('GET', KEYS[1]), ARGV[1], ARGV[2] == '1', ARGV[3], 0
if v and string.sub(v, 1, 2) == 's:' then
  if committed and nxt ~= '' and v == nxt then
    result = 1
  elseif committed then
    redis.call('UNLINK', KEYS[1])
  end
elseif v then
  local T = redis.call('TIME')
  local now = T[1] * 1000 + math.floor(T[2] / 1000)
  local prev, solo, tokens = string.match(v, '^w:([^:]*):([^:]*):(.*)$')
  local had, list, max = false, {}, now
  for k, e in string.gmatch(tokens or '', '([^,@]+)@(%d+)') do
    e = tonumber(e)
    if k == token then
      had = true
    elseif e <= now then
      prev = '-'
    else
      list[#list + 1] = k .. '@' .. string.format('%.0f', e)
      if e > max then max = e end
    end
  end
  if not committed and not had then return 0 end
  if committed then prev = '-' end
  if #list > 0 then
    if committed then solo = '-' end
    redis.call('SET', KEYS[1], 'w:' .. prev .. ':' .. solo .. ':' .. table.concat(list, ','), 'PX', string.format('%.0f', max - now))
  elseif committed and solo == token and nxt ~= '' and had then
    redis.call('SET', KEYS[1], nxt, 'PX', ARGV[4])
    result = 1
  elseif not committed and prev ~= '-' then
    redis.call('SET', KEYS[1], 's:' .. prev, 'PX', ARGV[4])
  else
    redis.call('UNLINK', KEYS[1])
  end
end
if committed then redis.pcall('PUBLISH', ARGV[5], ARGV[6]) end
return result
`)

/** `ARGV` token, ttl: for servers before 7.0, whose `SET` does not take NX and GET together. */
export const acquire = script(`
local v = redis.call('GET', KEYS[1])
if v then return v end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return false
`)

/** `ARGV` token, ttl. Answers 1 if the token holds the lock. */
export const extend = script(`
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
`)

/**
 * `ARGV` token, channel, message. Answers 1 if the token held the lock. Those who wait are told after it is free; a
 * user who may not publish has released it all the same.
 */
export const release = script(`#!lua flags=allow-oom
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('UNLINK', KEYS[1])
redis.pcall('PUBLISH', ARGV[2], ARGV[3])
return 1
`)
