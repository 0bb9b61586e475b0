/**
 * The scripts. Each has one key, so that it works on a cluster, and each may be sent again after it was carried out.
 *
 * A tag's place holds nothing, a stamp `s:<hard>.<soft>`, or an intent `w:<prev>:<solo>:<token@expiry,…>`: a write
 * under way. An intent is never removed or prolonged here; an invalidation clears `prev`, so that nobody puts the
 * stamp back that it would have taken away, and `solo`, so that no write takes itself for the only one.
 *
 * `allow-oom` is for what makes the cache forget: it has to work when the server's memory is full.
 */
import { createHash } from "node:crypto"

/** A script, and the hash that the server knows it by. */
export interface Script {
  readonly lua: string
  readonly sha: string
}

const script = (lua: string): Script => ({ lua, sha: createHash("sha1").update(lua).digest("hex") })

/** `ARGV` new stamp, ttl. Answers what the place holds then. Fails with OOM only where a stamp would have to be made. */
export const obtain = script(`
local v = redis.call('GET', KEYS[1])
if not v then
  v = ARGV[1]
  redis.call('SET', KEYS[1], v, 'PX', ARGV[2])
elseif string.sub(v, 1, 2) == 's:' and redis.call('PTTL', KEYS[1]) < tonumber(ARGV[2]) then
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
end
return v
`)

/** `ARGV` bytes, ttl, what is to be there ('': nothing). Answers 1 if the bytes are in place. */
export const replace = script(`
local seen = ARGV[3]
local length = redis.call('STRLEN', KEYS[1])
if length == 0 then
  if seen ~= '' then return 0 end
elseif seen == '' or redis.call('GETRANGE', KEYS[1], 0, #seen - 1) ~= seen then
  if length == #ARGV[1] and redis.call('GET', KEYS[1]) == ARGV[1] then return 1 end
  return 0
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
`)

/** `ARGV` what is to be there. */
export const remove = script(`#!lua flags=allow-oom
if redis.call('GETRANGE', KEYS[1], 0, #ARGV[1] - 1) ~= ARGV[1] then return 0 end
return redis.call('UNLINK', KEYS[1])
`)

/** `ARGV` 'kill' | 'expire', new soft part | 'swap', expected, next, ttl. Answers 1 if `next` is in place. */
export const invalidate = script(`#!lua flags=allow-oom
local v = redis.call('GET', KEYS[1])
if not v then return 0 end
if string.sub(v, 1, 2) == 'w:' then
  redis.call('SET', KEYS[1], 'w:-:-:' .. (string.match(v, '^w:[^:]*:[^:]*:(.*)$') or ''), 'KEEPTTL')
  return 0
end
if ARGV[1] == 'expire' then
  local hard = string.match(v, '^s:[^.]*')
  if hard then
    redis.call('SET', KEYS[1], hard .. '.' .. ARGV[2], 'KEEPTTL')
    return 0
  end
elseif ARGV[1] == 'swap' then
  if v == ARGV[3] then return 1 end
  if v == ARGV[2] then
    redis.call('SET', KEYS[1], ARGV[3], 'PX', ARGV[4])
    return 1
  end
end
redis.call('UNLINK', KEYS[1])
return 0
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
