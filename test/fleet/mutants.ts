import * as Effect from "effect/Effect"
import type { Redis } from "iovalkey"
import type { CacheStore, TagState } from "effect-prisma-cache/CacheStore"

/** `ARGV` by how much: a tag's counter, which begins at zero where there is none. */
const countOn = `
  local count = tonumber(string.match(redis.call('GET', KEYS[1]) or 's:0.0', '^s:(%d+)')) + ARGV[1]
  redis.call('SET', KEYS[1], 's:' .. string.format('%.0f', count) .. '!any.0')
  return redis.call('GET', KEYS[1])
`

/** Tags hold counters that invalidations count on, in the server that all processes share. */
export const countersOnServer = (store: CacheStore, server: Redis): CacheStore => {
  const count = (tags: ReadonlyArray<string>, by: number) =>
    Effect.promise(() => Promise.all(tags.map((tag) => server.eval(countOn, 1, tag, by) as Promise<TagState>)))
  const countAll = (steps: ReadonlyArray<{ readonly tag: string }>) =>
    Effect.as(count(steps.map(({ tag }) => tag), 1), steps.map(() => false))
  return {
    ...store,
    obtain: (tags) => count(tags, 0),
    begin: () => Effect.void,
    invalidate: countAll,
    end: countAll
  }
}
