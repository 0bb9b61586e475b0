import { describe, expect, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/TestClock"
import type { CacheEvent } from "effect-prisma-cache/CacheEvent"
import * as QueryCache from "effect-prisma-cache/QueryCache"
import { layerExact } from "effect-prisma-cache/Serializer"
import { EventLog, Faults, TestCache } from "effect-prisma-cache/testing"
import { counted, read } from "../QueryCache/support.js"

/** Asks and waits until the answer is stored, or it is known that it will not be. */
const settle = <A>(cache: QueryCache.QueryCache, ask: Effect.Effect<A>) =>
  Effect.provideService(Effect.zipLeft(ask, TestCache.settled), QueryCache.QueryCache, cache)

describe("a test cache", () => {
  it.scoped("keeps an entry until its ttl is over by the test's clock", () =>
    Effect.gen(function*() {
      const cache = yield* QueryCache.QueryCache
      const { query } = counted()
      const ask = settle(cache, cache.fetch(read("a", { ttl: "1 minute", swr: "1 minute" }), query))
      expect([yield* ask, yield* ask]).toEqual([1, 1])
      yield* TestClock.adjust("59999 millis")
      expect(yield* ask).toBe(1)
      yield* TestClock.adjust("1 millis")
      // Expired: served once more, and queried anew in the background.
      expect([yield* ask, yield* ask]).toEqual([1, 2])
      yield* TestClock.adjust("1 day")
      expect(yield* ask).toBe(3)
    }).pipe(Effect.provide(TestCache.layer())))

  it.scoped("logs what happens, and tells the caller's own listener too", () => {
    const told: Array<CacheEvent> = []
    return Effect.gen(function*() {
      const [cache, log] = yield* Effect.all([QueryCache.QueryCache, EventLog.EventLog])
      const ask = settle(cache, cache.fetch(read("a"), Effect.succeed(1)))
      yield* ask
      yield* TestClock.adjust(5)
      yield* ask
      expect((yield* log.all).map(({ _tag }) => _tag).sort()).toEqual(["Filled", "Hit", "Miss"])
      const [hit] = yield* log.of("Hit")
      expect(hit?.ageMillis).toBe(5)
      expect(yield* log.take).toEqual(told)
      expect(yield* log.all).toEqual([])
      yield* cache.invalidate({ tags: ["t"] })
      expect(yield* log.take).toEqual([{ _tag: "Invalidated", tags: 1, all: false }])
    }).pipe(Effect.provide(TestCache.layer({ namespace: "shop", maxEntries: 10, onEvent: (event) => told.push(event) })))
  })

  it.scoped("is empty each time it is built, and without faults", () => {
    const layer = TestCache.layer()
    const program = Effect.gen(function*() {
      const [cache, faults] = yield* Effect.all([QueryCache.QueryCache, Faults.Faults])
      const { query, runs } = counted()
      yield* settle(cache, cache.fetch(read("a"), query))
      yield* settle(cache, cache.fetch(read("a"), query))
      expect(runs()).toBe(1)
      yield* faults.every("lookup", Faults.fail())
      yield* settle(cache, cache.fetch(read("a"), query))
      expect(runs()).toBe(2)
    })
    return Effect.zipRight(Effect.provide(program, layer), Effect.provide(program, layer))
  })

  it.scoped("tells of a store that is left alone for its faults, and of its recovery by the test's clock", () =>
    Effect.gen(function*() {
      const [cache, faults, log] = yield* Effect.all([QueryCache.QueryCache, Faults.Faults, EventLog.EventLog])
      const { query, runs } = counted()
      const ask = settle(cache, cache.fetch(read("a"), query))
      yield* faults.every(Faults.operations, Faults.fail())
      yield* Effect.replicateEffect(ask, 20)
      expect(runs()).toBe(20)
      expect(yield* log.of("BreakerOpened")).toHaveLength(1)
      expect(yield* faults.struck("lookup")).toBeLessThan(20)
      yield* TestClock.adjust("1 minute")
      expect(yield* log.of("BreakerClosed")).toEqual([])
      yield* faults.heal()
      yield* TestClock.adjust("1 second")
      expect(yield* log.of("BreakerClosed")).toHaveLength(1)
      expect([yield* ask, yield* ask]).toEqual([21, 21])
    }).pipe(Effect.provide(TestCache.layer())))

  it.scoped("waits for a store that hangs no longer than its budget, by the test's clock", () =>
    Effect.gen(function*() {
      const [cache, faults] = yield* Effect.all([QueryCache.QueryCache, Faults.Faults])
      yield* faults.every(Faults.operations, Faults.stall())
      const fiber = yield* Effect.fork(cache.fetch(read("a"), Effect.succeed(1)))
      yield* TestClock.adjust("99 millis")
      expect(Option.isNone(yield* Fiber.poll(fiber))).toBe(true)
      yield* TestClock.adjust("1 millis")
      expect(yield* Fiber.join(fiber)).toBe(1)
    }).pipe(Effect.provide(TestCache.layer({ budget: 100 }))))

  it.scoped("can be closed while something is stalled", () =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      const context = yield* Layer.buildWithScope(TestCache.layer(), scope)
      yield* Effect.provide(
        Effect.gen(function*() {
          const [cache, faults] = yield* Effect.all([QueryCache.QueryCache, Faults.Faults])
          const struck = (operation: Faults.Operation) =>
            Effect.repeat(Effect.yieldNow(), { until: () => Effect.map(faults.struck(operation), (times) => times > 0) })
          yield* faults.every(["replace", "release"], Faults.stall())
          yield* Effect.fork(cache.fetch(read("a"), Effect.succeed(1)))
          yield* struck("replace")
          yield* Effect.fork(cache.fetch(read("b"), Effect.fail("no answer, which lets go of the lock")))
          yield* struck("release")
          yield* faults.every("obtain", Faults.loseAnswer())
          yield* Effect.fork(cache.fetch(read("c", { tags: ["t"] }), Effect.succeed(1)))
          yield* struck("obtain")
        }),
        context
      )
      yield* Scope.close(scope, Exit.void)
    }))
})

describe("a cache that never caches", () => {
  it.scoped("runs every read, also those at the same time", () =>
    Effect.gen(function*() {
      const cache = yield* QueryCache.QueryCache
      const { query, runs } = counted()
      for (const strategy of [{ ttl: "1 day" }, { ttl: "1 day", swr: "1 day" }, { ttl: 1, staleIfError: "1 day" }] as const) {
        yield* cache.fetch(read("a", strategy), query)
        yield* cache.fetch(read("a", strategy), query)
      }
      expect(runs()).toBe(6)
      const slow = Effect.zipRight(Effect.yieldNow(), query)
      yield* Effect.all(Array.from({ length: 10 }, () => cache.fetch(read("a"), slow)), { concurrency: "unbounded" })
      expect(runs()).toBe(16)
      expect(yield* cache.answer(read("a"), query)).toMatchObject({ value: 17, info: { status: "bypass" } })
      expect(yield* Effect.flip(cache.fetch(read<never>("a"), Effect.fail("the query's own")))).toBe("the query's own")
    }).pipe(Effect.provide(TestCache.layerNever())))

  it.scoped("runs writes, and has nothing against invalidations", () =>
    Effect.gen(function*() {
      const cache = yield* QueryCache.QueryCache
      const { query } = counted()
      expect(yield* cache.write({ label: "write", touches: { tags: ["t"] } }, query)).toBe(1)
      const open = cache.openWrite()
      yield* open.touch({ all: true })
      yield* open.settle("committed")
      yield* cache.invalidate({ tags: ["t"], keys: [{ key: "k" }] })
      yield* cache.invalidateAll()
      expect(yield* cache.stats).toMatchObject({ hits: 0, fills: 0, errors: 0 })
    }).pipe(Effect.provide(TestCache.layerNever({ consistency: "strict" }))))

  it.scoped("is a store that keeps nothing to those who bring a policy of their own", () =>
    Effect.gen(function*() {
      const cache = yield* QueryCache.QueryCache
      const { query, runs } = counted()
      const ask = settle(cache, cache.fetch(read("a"), query))
      expect([yield* ask, yield* ask, yield* ask]).toEqual([1, 2, 3])
      yield* cache.write({ label: "write", touches: { tags: ["t"] } }, Effect.void)
      yield* cache.invalidateAll()
      expect(yield* settle(cache, cache.fetch(read("a"), query))).toBe(4)
      const gate = yield* Deferred.make<void>()
      const fibers = yield* Effect.replicateEffect(
        Effect.fork(cache.fetch(read("a"), Effect.zipRight(Deferred.await(gate), query))),
        10
      )
      yield* Deferred.succeed(gate, undefined)
      yield* Effect.forEach(fibers, Fiber.join)
      yield* TestCache.settled
      expect(runs()).toBeLessThanOrEqual(6)
      expect(yield* cache.stats).toMatchObject({ hits: 0, fills: 0, errors: 0 })
    }).pipe(Effect.provide(
      QueryCache.layer({ consistency: "strict" }).pipe(
        Layer.provide(Layer.merge(TestCache.layerServicesNever, layerExact))
      )
    )))
})
