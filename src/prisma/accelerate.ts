/**
 * Prisma Accelerate's words for what the cache does: `.withAccelerateInfo()` and `$accelerate`.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { CacheInfo, CacheStatus } from "../CacheInfo.js"
import type * as QueryCache from "../QueryCache.js"
import { knownError } from "./client.js"
import type { PrismaInternals } from "./client.js"
import { tagProblems } from "./queryOptions.js"
import type { Settings } from "./settings.js"
import type { SharedCache } from "./sharedCache.js"
import type { AccelerateClient, AccelerateInvalidation } from "./types/client.js"
import type { AccelerateInfo } from "./types/promise.js"

const statuses: { readonly [Status in CacheStatus]: AccelerateInfo["cacheStatus"] } = {
  hit: "ttl",
  stale: "swr",
  miss: "miss",
  joined: "miss",
  refreshed: "miss",
  bypass: "none",
  off: "none"
}

/** @internal */
export const toAccelerateInfo = ({ createdAt, status }: CacheInfo, signature: string | undefined, region: string): AccelerateInfo => ({
  // A read that names an entry and had to leave it alone has been to the database all the same.
  cacheStatus: status === "bypass" && signature !== undefined ? "miss" : statuses[status],
  lastModified: new Date(createdAt ?? Date.now()),
  region,
  requestId: globalThis.crypto.randomUUID(),
  signature: signature ?? ""
})

const minute = 60_000

/** Takes note of each call, and answers whether there were no more than so many in the last minute. */
const makeRate = (perMinute: number | undefined): Effect.Effect<boolean> => {
  const calls: Array<number> = []
  if (perMinute === undefined) return Effect.succeed(true)
  return Effect.map(Clock.currentTimeMillis, (now) => {
    while (calls[0] !== undefined && calls[0] <= now - minute) calls.shift()
    if (calls.length >= perMinute) return false
    calls.push(now)
    return true
  })
}

/** @internal */
export const makeAccelerate = (client: PrismaInternals, shared: SharedCache, { limits }: Settings): AccelerateClient => {
  const mayInvalidate = makeRate(limits.invalidationsPerMinute)

  const carryOut = async (
    body: (cache: QueryCache.QueryCache) => Effect.Effect<void, unknown>
  ): Promise<AccelerateInvalidation> => {
    const outcome = await shared.run(client, (cache) =>
      Effect.flatMap(mayInvalidate, (may): Effect.Effect<"done" | "refused" | "failed"> =>
        !may
          ? Effect.succeed("refused")
          : cache === undefined
          ? Effect.succeed("failed")
          : Effect.match(body(cache), { onFailure: () => "failed", onSuccess: () => "done" })))
    if (outcome === "refused") {
      throw knownError(client, "P6003", `More than ${limits.invalidationsPerMinute} invalidations in a minute: the limit of this client is reached`)
    }
    if (outcome === "failed") {
      throw knownError(client, "P6008", "The cache could not be reached: the invalidation is carried out as soon as it can be")
    }
    return { requestId: globalThis.crypto.randomUUID() }
  }

  return {
    invalidate: async (input) => {
      const tags: unknown = (input as { readonly tags?: unknown } | undefined)?.tags
      const problems = tagProblems(tags, limits)
      if (problems.length > 0) throw knownError(client, "P6005", `$accelerate.invalidate: tags: ${problems.join("; ")}`)
      return carryOut((cache) => cache.invalidate({ tags: tags as ReadonlyArray<string> }))
    },
    invalidateAll: () => carryOut((cache) => cache.invalidateAll())
  }
}
