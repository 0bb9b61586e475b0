/** What the caches of a process count, for whoever reads Effect's metrics. */
import { describe, expect, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Metric from "effect/Metric"
import * as MetricState from "effect/MetricState"
import * as TestClock from "effect/TestClock"
import * as CacheMetrics from "effect-prisma-cache/CacheMetrics"
import * as MemoryLock from "effect-prisma-cache/DistributedLock/Memory"
import { around, counted, makeCache, memoryStore, outOfOrder, read, settle } from "../QueryCache/support.js"

const counters = {
  freshHits: CacheMetrics.freshHits,
  staleHits: CacheMetrics.staleHits,
  misses: CacheMetrics.misses,
  joined: CacheMetrics.joined,
  fills: CacheMetrics.fills,
  invalidations: CacheMetrics.invalidations,
  errors: CacheMetrics.errors,
  bytesStored: CacheMetrics.bytesStored,
  bytesRead: CacheMetrics.bytesRead,
  databaseTimeSaved: CacheMetrics.databaseTimeSaved
}

const counts = Effect.forEach(Object.entries(counters), ([name, metric]) =>
  Effect.map(Metric.value(metric), ({ count }) => [name, count] as const))

/** By how much each has grown, those that have. */
const growth = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function*() {
    const before = new Map(yield* counts)
    yield* effect
    const after = yield* counts
    return Object.fromEntries(after.flatMap(([name, count]) => {
      const grown = count - (before.get(name) ?? 0)
      return grown === 0 ? [] : [[name, grown]]
    }))
  })

describe("the metrics", () => {
  it.scoped("count a miss and what it stored, then hits and what they saved", () =>
    Effect.gen(function*() {
      const { cache } = yield* makeCache()
      const slow = Effect.as(Effect.sleep(40), "x".repeat(50))
      const ask = settle(cache, cache.fetch(read<string>("a", { tags: ["t"] }), slow))
      const first = yield* growth(Effect.gen(function*() {
        const fiber = yield* Effect.fork(ask)
        yield* TestClock.adjust(40)
        yield* Fiber.join(fiber)
      }))
      expect(first).toEqual({ misses: 1, fills: 1, bytesStored: expect.any(Number) })
      expect(first["bytesStored"]).toBeGreaterThan(50)
      expect(yield* growth(Effect.repeatN(ask, 2))).toEqual({
        freshHits: 3,
        bytesRead: 3 * Number(first["bytesStored"]),
        databaseTimeSaved: 3 * 40
      })
      expect(yield* growth(cache.invalidate({ tags: ["t"] }))).toEqual({ invalidations: 1 })
      expect(yield* growth(cache.invalidateAll())).toEqual({ invalidations: 1 })
      const write = cache.write({ label: "write", touches: { tags: ["t"] } }, Effect.void)
      expect(yield* growth(write)).toEqual({ invalidations: 1 })
    }))

  it.scoped("count those who joined, and answers that were served expired", () =>
    Effect.gen(function*() {
      const { cache } = yield* makeCache()
      const { query } = counted()
      const request = read("a", { ttl: "1 second", swr: "1 minute" })
      const ask = cache.fetch(request, Effect.zipRight(Effect.yieldNow(), query))
      const crowd = settle(cache, Effect.all(Array.from({ length: 10 }, () => ask), { concurrency: "unbounded" }))
      expect(yield* growth(crowd)).toMatchObject({ misses: 1, joined: 9, fills: 1 })
      yield* TestClock.adjust("1 second")
      expect(yield* growth(settle(cache, ask))).toMatchObject({ staleHits: 1, fills: 1 })
    }))

  it.scoped("count what the store did not do", () =>
    Effect.gen(function*() {
      const store = around(memoryStore(), ({ primitive, run }) =>
        primitive === "invalidate" ? Effect.fail(outOfOrder("invalidate")) : run)
      const { cache } = yield* makeCache({ store })
      expect(yield* growth(Effect.ignore(cache.invalidate({ tags: ["t"] })))).toEqual({ errors: 1 })
    }))

  it.scoped("measure how long queries wait for those of others", () =>
    Effect.gen(function*() {
      const [store, lock] = [memoryStore(), MemoryLock.make()]
      const [one, two] = [yield* makeCache({ store, lock }), yield* makeCache({ store, lock })]
      const gate = yield* Deferred.make<void>()
      const { query } = counted()
      const before = yield* Metric.value(CacheMetrics.lockWaits)
      const leader = yield* Effect.fork(one.cache.fetch(read("a"), Effect.zipRight(Deferred.await(gate), query)))
      while ((yield* one.cache.activity).flights === 0) yield* Effect.yieldNow()
      const waiter = yield* Effect.fork(two.cache.fetch(read("a"), query))
      yield* TestClock.adjust(20)
      yield* Deferred.succeed(gate, undefined)
      expect([yield* Fiber.join(leader), yield* Fiber.join(waiter)]).toEqual([1, 1])
      const after = yield* Metric.value(CacheMetrics.lockWaits)
      expect(after.count - before.count).toBe(1)
      expect(after.sum - before.sum).toBeGreaterThanOrEqual(20)
    }))

  it.effect("are in the snapshot under the library's names, hits by kind", () =>
    Effect.gen(function*() {
      const pairs = yield* Metric.snapshot
      const found = pairs.filter(({ metricKey }) => metricKey.name.startsWith("effect_prisma_cache_"))
      const names = found.map(({ metricKey }) => metricKey.name)
      expect([...new Set(names)].sort()).toEqual([
        "effect_prisma_cache_bytes_read",
        "effect_prisma_cache_bytes_stored",
        "effect_prisma_cache_database_milliseconds_saved",
        "effect_prisma_cache_errors",
        "effect_prisma_cache_fills",
        "effect_prisma_cache_hits",
        "effect_prisma_cache_invalidations",
        "effect_prisma_cache_joined",
        "effect_prisma_cache_lock_wait_milliseconds",
        "effect_prisma_cache_misses"
      ])
      const kinds = found
        .filter(({ metricKey }) => metricKey.name === "effect_prisma_cache_hits")
        .map(({ metricKey }) => metricKey.tags.map(({ key, value }) => `${key}=${value}`).join())
      expect(kinds.sort()).toEqual(["kind=fresh", "kind=stale"])
      expect(found.every(({ metricState }) =>
        MetricState.isCounterState(metricState) || MetricState.isHistogramState(metricState))).toBe(true)
    }))
})
