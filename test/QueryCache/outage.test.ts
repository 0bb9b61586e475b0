import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/TestClock"
import { CacheError } from "effect-prisma-cache/CacheError"
import type { CacheStore } from "effect-prisma-cache/CacheStore"
import { around, counted, makeCache, memoryStore, outOfOrder, read, settled } from "./support.js"
import type { Parts, Primitive, Step } from "./support.js"

/** A store that can be made to fail or to hang, all of it or some primitives, or whatever names a node holds. */
const makeOutage = (inner: CacheStore = memoryStore()) => {
  let mode: "fine" | "fails" | "hangs" | "refuses writes" = "fine"
  let which: (step: Step<unknown>) => boolean = () => true
  const asked: Array<Primitive> = []
  const store = around(inner, (step) =>
    Effect.suspend(() => {
      asked.push(step.primitive)
      if (mode === "fine" || !which(step)) return step.run
      if (mode === "hangs") return Effect.never
      if (mode === "refuses writes" && step.primitive === "lookup") return step.run
      const code = mode === "refuses writes" ? "READONLY" : undefined
      return Effect.fail(code === undefined ? outOfOrder("test") : new CacheError({ reason: "Rejected", operation: "test", code }))
    }))
  return {
    store,
    become: (next: typeof mode, only: typeof which = () => true) => {
      mode = next
      which = only
    },
    /** What was asked since this was last called. */
    asked: () => asked.splice(0)
  }
}

/** With the bounds that users have. */
const open = (parts: Parts = {}) => makeCache({ budget: 50, writeBudget: 1_000, ...parts })

const second = "1 second"
const tagged = read("a", { ttl: "1 hour", tags: ["t"] })

describe("a read whose store hangs", () => {
  it.scoped("goes on without it when its budget is spent, and at once when that has happened often enough", () =>
    Effect.gen(function*() {
      const outage = makeOutage()
      const { cache, events } = yield* open({ store: outage.store })
      const { query } = counted()
      outage.become("hangs")
      for (let i = 0; i < 10; i++) {
        const answer = yield* Effect.fork(cache.answer(read(`${i}`), query))
        yield* TestClock.adjust("49 millis")
        expect(yield* Fiber.poll(answer)).toEqual(Option.none())
        yield* TestClock.adjust("1 millis")
        expect((yield* Fiber.join(answer)).info.status).toBe("bypass")
      }
      expect(events).toContainEqual({ _tag: "BreakerOpened", node: "" })
      expect(yield* cache.health).toEqual({ status: "down", suspended: [""], undelivered: 0 })
      outage.asked()
      for (let i = 0; i < 100; i++) expect((yield* cache.answer(read("b"), query)).info.status).toBe("bypass")
      expect(outage.asked()).toEqual([])
      expect(events.filter(({ _tag }) => _tag === "Failed")).toHaveLength(10)
    }))

  it.scoped("is no sign of an outage when many hang in one moment", () =>
    Effect.gen(function*() {
      const outage = makeOutage()
      const { cache } = yield* open({ store: outage.store })
      const { query } = counted()
      outage.become("hangs")
      const all = yield* Effect.forEach(Array.from({ length: 200 }, (_, i) => i), (i) => Effect.fork(cache.fetch(read(`${i}`), query)))
      yield* TestClock.adjust("50 millis")
      yield* Effect.forEach(all, Fiber.join)
      expect((yield* cache.health).status).toBe("ok")
    }))
})

/** Reads until the store is left alone. */
const breakDown = (cache: Parameters<typeof settled>[0]) =>
  Effect.forEach(Array.from({ length: 20 }, (_, i) => i), (i) => cache.fetch(read(`break ${i}`), Effect.succeed(0)), { discard: true })

describe("a store that is back", () => {
  it.scoped("is asked again after one probe that writes and reads, by one fiber", () =>
    Effect.gen(function*() {
      const outage = makeOutage()
      const { cache, events } = yield* open({ store: outage.store })
      const { query } = counted()
      outage.become("fails")
      yield* breakDown(cache)
      outage.asked()
      yield* TestClock.adjust("100 millis")
      expect(outage.asked()).toEqual(["invalidate"])
      yield* TestClock.adjust("10 seconds")
      // Pauses double to half a second, each shortened by chance to a half at the most.
      const probes = outage.asked()
      expect(new Set(probes)).toEqual(new Set(["invalidate"]))
      expect(probes.length).toBeGreaterThanOrEqual(20)
      expect(probes.length).toBeLessThanOrEqual(45)
      outage.become("fine")
      yield* TestClock.adjust("500 millis")
      expect(outage.asked()).toEqual(["invalidate", "lookup"])
      expect(events.filter(({ _tag }) => _tag.startsWith("Breaker")).map(({ _tag }) => _tag)).toEqual(["BreakerOpened", "BreakerClosed"])
      expect((yield* cache.health).status).toBe("ok")
      yield* cache.fetch(tagged, query)
      yield* settled(cache)
      expect((yield* cache.answer(tagged, query)).info.status).toBe("hit")
    }))

  it.scoped("is not asked while it takes no writes, which one answer tells", () =>
    Effect.gen(function*() {
      const outage = makeOutage()
      const { cache, events } = yield* open({ store: outage.store })
      outage.become("refuses writes")
      yield* cache.fetch(tagged, Effect.succeed(1))
      yield* settled(cache)
      expect(events).toContainEqual({ _tag: "BreakerOpened", node: "" })
      yield* TestClock.adjust("10 seconds")
      expect((yield* cache.health).status).toBe("down")
    }))
})

describe("an invalidation that does not get through", () => {
  for (const consistency of ["after-commit", "strict"] as const) {
    it.scoped(`is made up for before anything is served, ${consistency}`, () =>
      Effect.gen(function*() {
        const inner = memoryStore()
        const outage = makeOutage(inner)
        const { cache, events } = yield* open({ store: outage.store, consistency })
        const { cache: other } = yield* open({ store: inner })
        let value = 1
        const query = Effect.sync(() => value)
        yield* cache.fetch(tagged, query)
        yield* settled(cache)
        outage.become("fails")
        const write = cache.write({ label: "write", touches: { tags: ["t"] } }, Effect.sync(() => (value = 2)))
        expect(yield* write).toBe(2)
        expect(events).toContainEqual({ _tag: "Undelivered", tags: 1 })
        expect(yield* cache.health).toMatchObject({ undelivered: 1 })
        // The store answers again, and does not know yet.
        outage.become("fine", ({ primitive }) => primitive !== "lookup")
        expect(yield* cache.answer(tagged, query)).toMatchObject({ value: 2, info: { status: "bypass" } })
        expect(yield* other.answer(tagged, query)).toMatchObject({ value: 1, info: { status: "hit" } })
        outage.become("fine")
        yield* TestClock.adjust(second)
        expect(events).toContainEqual({ _tag: "Delivered", tags: 1 })
        expect(yield* cache.health).toEqual({ status: "ok", suspended: [], undelivered: 0 })
        expect(yield* other.answer(tagged, query)).toMatchObject({ value: 2, info: { status: "miss" } })
        yield* settled(other)
        expect(yield* cache.answer(tagged, query)).toMatchObject({ value: 2, info: { status: "hit" } })
      }))
  }

  it.scoped("takes the intent of a write away that had begun before", () =>
    Effect.gen(function*() {
      const outage = makeOutage()
      const { cache } = yield* open({ store: outage.store, consistency: "strict" })
      const { query } = counted()
      const write = Effect.sync(() => outage.become("fails"))
      yield* cache.write({ label: "write", touches: { tags: ["t"] } }, write)
      outage.become("fine")
      yield* TestClock.adjust(second)
      yield* cache.fetch(tagged, query)
      yield* settled(cache)
      expect((yield* cache.answer(tagged, query)).info.status).toBe("hit")
    }))

  it.scoped("is told to who asked for it, and made up for all the same", () =>
    Effect.gen(function*() {
      const outage = makeOutage()
      const { cache } = yield* open({ store: outage.store })
      const { query } = counted()
      yield* cache.fetch(tagged, query)
      yield* settled(cache)
      outage.become("hangs")
      const invalidation = yield* Effect.fork(Effect.flip(cache.invalidate({ tags: ["t"] })))
      yield* TestClock.adjust(second)
      expect(yield* Fiber.join(invalidation)).toMatchObject({ reason: "Timeout", operation: "invalidate" })
      outage.become("fine")
      expect(yield* cache.answer(tagged, query)).toMatchObject({ value: 2, info: { status: "bypass" } })
      yield* TestClock.adjust("2 seconds")
      expect(yield* cache.answer(tagged, query)).toMatchObject({ value: 3, info: { status: "miss" } })
    }))

  it.scoped("expires what was only to expire", () =>
    Effect.gen(function*() {
      const outage = makeOutage()
      const { cache } = yield* open({ store: outage.store })
      const { query } = counted()
      const request = read("a", { ttl: "1 hour", swr: "1 hour", tags: ["t"] })
      yield* cache.fetch(request, query)
      yield* settled(cache)
      outage.become("fails")
      yield* Effect.flip(cache.invalidate({ tags: ["t"], mode: "expire" }))
      outage.become("fine")
      yield* TestClock.adjust(second)
      expect(yield* cache.answer(request, query)).toMatchObject({ value: 1, info: { status: "stale" } })
    }))

  it.scoped("is one of everything when there are too many to remember", () =>
    Effect.gen(function*() {
      const outage = makeOutage()
      const { cache, events } = yield* open({ store: outage.store, maxUndelivered: 100 })
      const { query } = counted()
      yield* cache.fetch(tagged, query)
      yield* settled(cache)
      outage.become("fails")
      for (let i = 0; i < 1_000; i++) yield* Effect.flip(cache.invalidate({ tags: [`other ${i}`] }))
      expect(events.filter(({ _tag }) => _tag === "EpochRotated")).toHaveLength(1)
      expect((yield* cache.health).undelivered).toBeLessThanOrEqual(101)
      outage.become("fine")
      yield* TestClock.adjust(second)
      expect((yield* cache.answer(tagged, query)).info.status).toBe("miss")
    }))

  it.scoped("is said once more when the cache is closed", () =>
    Effect.gen(function*() {
      const inner = memoryStore()
      const outage = makeOutage(inner)
      const scope = yield* Scope.make()
      const { cache } = yield* Scope.extend(open({ store: outage.store }), scope)
      const { cache: other } = yield* open({ store: inner })
      const { query } = counted()
      yield* other.fetch(tagged, query)
      yield* settled(other)
      outage.become("fails")
      yield* cache.write({ label: "write", touches: { tags: ["t"] } }, Effect.void)
      outage.become("fine")
      yield* Scope.close(scope, Exit.void)
      expect((yield* other.answer(tagged, query)).info.status).toBe("miss")
    }))
})

describe("a write that the store cannot be told of", () => {
  for (const consistency of ["after-commit", "strict"] as const) {
    it.scoped(`does not begin under "refuse", ${consistency}`, () =>
      Effect.gen(function*() {
        const outage = makeOutage()
        const { cache } = yield* open({ store: outage.store, consistency, onUnreachable: "refuse" })
        let written = 0
        const write = cache.write({ label: "write", touches: { tags: ["t"] } }, Effect.sync(() => ++written))
        expect(yield* write).toBe(1)
        outage.become("fails")
        expect(yield* Effect.flip(write)).toBeInstanceOf(CacheError)
        yield* breakDown(cache)
        expect(yield* Effect.flip(write)).toMatchObject({ reason: "Suspended" })
        expect(yield* Effect.flip(cache.openWrite().touch({ tags: ["t"] }))).toMatchObject({ reason: "Suspended" })
        expect(written).toBe(1)
        outage.become("fine")
        yield* TestClock.adjust(second)
        expect(yield* write).toBe(2)
      }))
  }
})

describe("a node that is down", () => {
  it.scoped("is left alone while the others are asked", () =>
    Effect.gen(function*() {
      const outage = makeOutage()
      const nodeOf = (name: string) => /down|:p\d*[02468]$/.test(name) ? "down" : "up"
      const { cache, events } = yield* open({ store: { ...outage.store, nodeOf } })
      const { query } = counted()
      const lost = read("lost", { tags: ["down"] })
      outage.become("fails", ({ names }) => names.some((name) => nodeOf(name) === "down"))
      for (let i = 0; i < 20; i++) yield* cache.fetch(lost, query)
      expect(events).toContainEqual({ _tag: "BreakerOpened", node: "down" })
      yield* TestClock.adjust(second)
      yield* cache.fetch(tagged, query)
      yield* settled(cache)
      expect((yield* cache.answer(tagged, query)).info.status).toBe("hit")
      expect(yield* cache.health).toEqual({ status: "degraded", suspended: ["down"], undelivered: 0 })
      outage.asked()
      yield* cache.fetch(lost, query)
      expect(outage.asked()).toEqual([])
      outage.become("fine")
      yield* TestClock.adjust(second)
      expect((yield* cache.health).status).toBe("ok")
    }))
})
