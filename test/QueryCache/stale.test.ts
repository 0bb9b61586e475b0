import { describe, expect, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import type { CacheStrategy } from "effect-prisma-cache/CacheStrategy"
import * as MemoryLock from "effect-prisma-cache/DistributedLock/Memory"
import { counted, makeCache, memoryStore, read, settled } from "./support.js"

const failure = new Error("the database is down")

/**
 * What a read each second is told under a strategy, and how many queries there have been by then. The query of the
 * second `failsAt` and all later ones fail.
 */
const timeline = (strategy: Partial<CacheStrategy>, seconds: number, failsFrom = Infinity) =>
  Effect.gen(function*() {
    const { cache } = yield* makeCache()
    let queries = 0
    let now = 0
    const query = Effect.suspend(() => {
      queries++
      return now >= failsFrom ? Effect.fail(failure) : Effect.succeed(queries)
    })
    const told: Array<string> = []
    for (now = 0; now <= seconds; now++) {
      const exit = yield* Effect.either(cache.answer(read("a", strategy), query))
      yield* settled(cache)
      told.push(exit._tag === "Left" ? `error ${queries}` : `${exit.right.info.status} ${exit.right.value} ${queries}`)
      yield* TestClock.adjust("1 second")
    }
    return told
  })

describe("second by second: how a read is answered, which query's answer it gets, how many queries there were", () => {
  const timelines: ReadonlyArray<readonly [what: string, strategy: Partial<CacheStrategy>, failsFrom: number, told: ReadonlyArray<string>]> = [
    ["ttl 2 s", { ttl: 2_000 }, Infinity, ["miss 1 1", "hit 1 1", "miss 2 2", "hit 2 2", "miss 3 3"]],
    ["ttl 2 s, swr 2 s", { ttl: 2_000, swr: 2_000 }, Infinity, ["miss 1 1", "hit 1 1", "stale 1 2", "hit 2 2", "stale 2 3", "hit 3 3"]],
    ["swr 2 s alone", { ttl: 0, swr: 2_000 }, Infinity, ["miss 1 1", "stale 1 2", "stale 2 3", "stale 3 4"]],
    ["both 0", { ttl: 0, swr: 0 }, Infinity, ["bypass 1 1", "bypass 2 2", "bypass 3 3"]],
    ["a year", { ttl: "365 days", swr: "365 days" }, Infinity, ["miss 1 1", "hit 1 1", "hit 1 1"]],
    [
      "ttl 1 s, swr 3 s, and the database down from 1 s on: one try, then a pause",
      { ttl: 1_000, swr: 3_000 },
      1,
      ["miss 1 1", "stale 1 2"]
    ],
    [
      "ttl 1 s, staleIfError 3 s, and the database down from 2 s on",
      { ttl: 1_000, staleIfError: 3_000 },
      2,
      ["miss 1 1", "miss 2 2", "stale 2 3"]
    ],
    ["ttl 1 s, and the database down from 1 s on", { ttl: 1_000 }, 1, ["miss 1 1", "error 2", "error 3"]]
  ]

  for (const [what, strategy, failsFrom, told] of timelines) {
    it.scoped(what, () =>
      Effect.gen(function*() {
        expect(yield* timeline(strategy, told.length - 1, failsFrom)).toEqual(told)
      }))
  }

  it.scoped("what is expired is served no longer than it may be, however often it could not be queried anew", () =>
    Effect.gen(function*() {
      for (const strategy of [{ ttl: 2_000, swr: 4_000 }, { ttl: 2_000, staleIfError: 4_000 }]) {
        const told = yield* timeline(strategy, 8, 1)
        expect(told.slice(0, 2)).toEqual(["miss 1 1", "hit 1 1"])
        expect(told.slice(2, 6).every((one) => one.startsWith("stale 1"))).toBe(true)
        expect(told.slice(6).every((one) => one.startsWith("error"))).toBe(true)
      }
    }))

  it.scoped("failed refreshes pause, longer each time and for a minute at the most", () =>
    Effect.gen(function*() {
      const told = yield* timeline({ ttl: 1_000, swr: "10 minutes" }, 590, 1)
      const queries = Number(told.at(-1)?.split(" ")[2])
      // 0.5 to 1 s, 1 to 2, 2 to 4, … 30 to 60: in ten minutes some 15 to 30 instead of 590.
      expect(queries).toBeGreaterThan(10)
      expect(queries).toBeLessThan(35)
    }))
})

describe("an expired answer", () => {
  it.scoped("is served at once, while one query is under way for all who come", () =>
    Effect.gen(function*() {
      const { cache } = yield* makeCache()
      const { query, runs } = counted()
      const gate = yield* Deferred.make<void>()
      const strategy = { ttl: 1_000, swr: 10_000 }
      yield* cache.fetch(read("a", strategy), query)
      yield* settled(cache)
      yield* TestClock.adjust("2 seconds")
      const slow = Effect.zipRight(Deferred.await(gate), query)
      const answers = yield* Effect.all(Array.from({ length: 100 }, () => cache.answer(read("a", strategy), slow)), { concurrency: "unbounded" })
      expect(new Set(answers.map(({ info, value }) => `${info.status} ${value}`))).toEqual(new Set(["stale 1"]))
      yield* Deferred.succeed(gate, undefined)
      yield* settled(cache)
      expect(runs()).toBe(2)
      expect((yield* cache.answer(read("a", strategy), query)).info.status).toBe("hit")
    }))

  it.scoped("is queried anew by one cache of those that share a store", () =>
    Effect.gen(function*() {
      const shared = { store: memoryStore(), lock: MemoryLock.make() }
      const caches = yield* Effect.all(Array.from({ length: 4 }, () => makeCache(shared)))
      const { query, runs } = counted()
      const strategy = { ttl: 1_000, swr: 10_000 }
      yield* caches[0]!.cache.fetch(read("a", strategy), query)
      yield* settled(caches[0]!.cache)
      yield* TestClock.adjust("2 seconds")
      const ask = Effect.forEach(caches, ({ cache }) => cache.answer(read("a", strategy), Effect.delay(query, "100 millis")), { concurrency: "unbounded" })
      const answers = yield* ask
      expect(answers.map(({ info }) => info.status)).toEqual(["stale", "stale", "stale", "stale"])
      yield* TestClock.adjust("100 millis")
      yield* Effect.forEach(caches, ({ cache }) => settled(cache))
      expect(runs()).toBe(2)
      expect((yield* ask).map(({ info }) => info.status)).toEqual(["hit", "hit", "hit", "hit"])
    }))

  it.scoped("is not served once it is invalidated, nor is what was being queried meanwhile stored", () =>
    Effect.gen(function*() {
      const { cache } = yield* makeCache()
      const strategy = { ttl: 1_000, swr: 60_000, staleIfError: 60_000, tags: ["t"] }
      let value = 0
      const query = Effect.sync(() => value)
      yield* cache.fetch(read("a", strategy), query)
      yield* settled(cache)
      yield* TestClock.adjust("2 seconds")
      const gate = yield* Deferred.make<void>()
      // The refresh has read the old value and is slow to come back with it.
      const slow = Effect.flatMap(query, (seen) => Effect.as(Deferred.await(gate), seen))
      expect((yield* cache.answer(read("a", strategy), slow)).info.status).toBe("stale")
      yield* Effect.yieldNow()
      value = 1
      yield* cache.invalidate({ tags: ["t"] })
      const asked = yield* Effect.fork(cache.answer(read("a", strategy), query))
      yield* Deferred.succeed(gate, undefined)
      const { info, value: seen } = yield* Fiber.join(asked)
      expect([info.status, seen]).toEqual(["miss", 1])
      yield* settled(cache)
      expect(yield* cache.fetch(read("a", strategy), query)).toBe(1)
      yield* cache.invalidate({ tags: ["t"] })
      const failed = yield* Effect.either(cache.fetch(read("a", strategy), Effect.fail(failure)))
      expect(failed).toMatchObject({ _tag: "Left", left: failure })
    }))

  it.scoped("is served when an invalidation only let it expire", () =>
    Effect.gen(function*() {
      const { cache } = yield* makeCache()
      const { query } = counted()
      const strategy = { ttl: 60_000, swr: 60_000, tags: ["t"] }
      yield* cache.fetch(read("a", strategy), query)
      yield* settled(cache)
      yield* cache.invalidate({ tags: ["t"], mode: "expire" })
      expect((yield* cache.answer(read("a", strategy), query))).toMatchObject({ value: 1, info: { status: "stale" } })
      yield* settled(cache)
      expect((yield* cache.answer(read("a", strategy), query))).toMatchObject({ value: 2, info: { status: "hit" } })
    }))

  it.scoped("expires by what it depends on, and by its key", () =>
    Effect.gen(function*() {
      for (const targets of [{ dependencies: ["m:User"] }, { keys: [{ key: "k" }] }]) {
        const { cache } = yield* makeCache()
        const { query } = counted()
        const request = read("a", { ttl: 60_000, swr: 60_000 }, { dependencies: ["m:User"], keys: [{ key: "k" }] })
        yield* cache.fetch(request, query)
        yield* settled(cache)
        yield* cache.invalidate({ ...targets, mode: "expire" })
        expect(yield* cache.answer(request, query)).toMatchObject({ value: 1, info: { status: "stale", ttl: 0 } })
      }
    }))

  it.scoped("is served to all whose query failed, which counts as one failure", () =>
    Effect.gen(function*() {
      const { cache, events } = yield* makeCache()
      const request = read("a", { ttl: 1_000, staleIfError: "1 hour" })
      yield* cache.fetch(request, Effect.succeed(1))
      yield* settled(cache)
      yield* TestClock.adjust("2 seconds")
      const gate = yield* Deferred.make<never, Error>()
      const callers = yield* Effect.forEach(Array.from({ length: 1_000 }), () =>
        Effect.fork(cache.answer(request, Deferred.await(gate))))
      yield* Deferred.fail(gate, failure)
      const answers = yield* Effect.forEach(callers, Fiber.join)
      expect(new Set(answers.map(({ info, value }) => `${info.status} ${value}`))).toEqual(new Set(["stale 1"]))
      const pauses = events.flatMap((event) => event._tag === "RefreshFailed" ? [event.retryMillis] : [])
      expect(pauses).toHaveLength(1)
      expect(pauses[0]).toBeLessThanOrEqual(1_000)
      // A query that succeeds ends the pause, and the next failure is a first one.
      yield* TestClock.adjust("1 second")
      yield* cache.fetch(request, Effect.succeed(2))
      yield* settled(cache)
      yield* TestClock.adjust("2 seconds")
      yield* cache.fetch(request, Effect.fail(failure))
      expect(events.flatMap((event) => event._tag === "RefreshFailed" ? [event.retryMillis] : []).at(-1)).toBeLessThanOrEqual(1_000)
    }))

  it.scoped("is served when the query takes too long, which then goes on in the background", () =>
    Effect.gen(function*() {
      const { cache, events } = yield* makeCache()
      const request = read("a", { ttl: 1_000, staleIfError: "1 hour", softTimeout: 100 })
      yield* cache.fetch(request, Effect.succeed(1))
      yield* settled(cache)
      yield* TestClock.adjust("2 seconds")
      const answer = yield* Effect.fork(cache.answer(request, Effect.delay(Effect.succeed(2), "300 millis")))
      yield* TestClock.adjust("99 millis")
      expect(yield* Fiber.poll(answer)).toEqual(Option.none())
      yield* TestClock.adjust("1 millis")
      expect(yield* Fiber.join(answer)).toMatchObject({ value: 1, info: { status: "stale" } })
      expect(events).toContainEqual(expect.objectContaining({ _tag: "Stale", ageMillis: 2_100, why: "slow" }))
      yield* TestClock.adjust("200 millis")
      yield* settled(cache)
      expect(yield* cache.answer(request, Effect.succeed(3))).toMatchObject({ value: 2, info: { status: "hit" } })
    }))

  it.scoped("is served once to each caller whose query is slow first and fails then", () =>
    Effect.gen(function*() {
      const { cache, events } = yield* makeCache()
      const request = read("a", { ttl: 1_000, staleIfError: "1 hour", softTimeout: 100 })
      yield* cache.fetch(request, Effect.succeed(1))
      yield* settled(cache)
      yield* TestClock.adjust("2 seconds")
      const answer = yield* Effect.fork(cache.answer(request, Effect.delay(Effect.fail("down"), "300 millis")))
      yield* TestClock.adjust("100 millis")
      expect(yield* Fiber.join(answer)).toMatchObject({ value: 1, info: { status: "stale" } })
      yield* TestClock.adjust("200 millis")
      yield* settled(cache)
      expect(events.flatMap((event) => event._tag === "Stale" ? [event.why] : [])).toEqual(["slow"])
      expect((yield* cache.stats).stale).toBe(1)
      expect(events.filter(({ _tag }) => _tag === "RefreshFailed")).toHaveLength(1)
    }))

  it.scoped("is not served to those who do not want it", () =>
    Effect.gen(function*() {
      const { cache } = yield* makeCache()
      const { query } = counted()
      yield* cache.fetch(read("a", { ttl: 1_000, swr: 60_000 }), query)
      yield* settled(cache)
      yield* TestClock.adjust("2 seconds")
      expect((yield* cache.answer(read("a", { ttl: 1_000 }), query))).toMatchObject({ value: 2, info: { status: "miss" } })
    }))

  it.scoped("is gone when the database says that there is nothing any more", () =>
    Effect.gen(function*() {
      const { cache } = yield* makeCache()
      const strategy = { ttl: 1_000, swr: 60_000, staleIfError: 60_000 }
      const request = read("a", strategy, { isDefinite: (error) => error === "gone" })
      yield* cache.fetch(request, Effect.succeed(1))
      yield* settled(cache)
      yield* TestClock.adjust("2 seconds")
      expect((yield* cache.answer(request, Effect.fail("gone"))).info.status).toBe("stale")
      yield* settled(cache)
      expect(yield* Effect.either(cache.answer(request, Effect.fail("gone")))).toMatchObject({ _tag: "Left", left: "gone" })
    }))

  it.scoped("expires at another time than those stored with it, where chance shortens a ttl", () =>
    Effect.gen(function*() {
      const { cache } = yield* makeCache()
      const { query, runs } = counted()
      const strategy = { ttl: 10_000, jitter: 0.5 }
      const all = Effect.forEach(Array.from({ length: 40 }, (_, i) => i), (i) => cache.fetch(read(`${i}`, strategy), query))
      yield* all
      yield* settled(cache)
      const missed: Array<number> = []
      for (let second = 1; second <= 10; second++) {
        yield* TestClock.adjust(Duration.seconds(1))
        const before = runs()
        yield* all
        yield* settled(cache)
        missed.push(runs() - before)
      }
      expect(missed.slice(0, 4)).toEqual([0, 0, 0, 0])
      expect(missed.filter((count) => count > 0).length).toBeGreaterThan(2)
    }))
})
