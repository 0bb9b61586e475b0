import { describe, expect, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { counted, makeCache, read, settled } from "./support.js"

const limited = (events: ReadonlyArray<{ readonly _tag: string; readonly what?: string }>) =>
  events.flatMap(({ _tag, what }) => _tag === "Limited" ? [what] : [])

describe("a query beyond a bound is run without the cache, and an event says so", () => {
  it.scoped("more names than an entry may depend on", () =>
    Effect.gen(function*() {
      const { cache, events } = yield* makeCache({ limits: { tags: 10 } })
      const { query } = counted()
      const tags = Array.from({ length: 10 }, (_, i) => `tag ${i}`)
      expect((yield* cache.answer(read("a", { tags }), query)).info.status).toBe("bypass")
      expect((yield* cache.answer(read("b", { tags: tags.slice(0, 9) }), query)).info.status).toBe("miss")
      expect(limited(events)).toEqual(["tags"])
    }))

  it.scoped("more names that are known from the answer only", () =>
    Effect.gen(function*() {
      const { cache, why } = yield* makeCache({ limits: { tags: 10 } })
      const keys = Array.from({ length: 10 }, (_, i) => ({ key: `key ${i}` }))
      expect(yield* cache.fetch(read("a", {}, { late: () => ({ keys, entries: [] }) }), Effect.succeed(1))).toBe(1)
      yield* settled(cache)
      expect(why()).toEqual(["TooLarge"])
    }))

  it.scoped("a tag or a key that is too long", () =>
    Effect.gen(function*() {
      const { cache, events } = yield* makeCache()
      const { query } = counted()
      const long = "x".repeat(4_097)
      expect((yield* cache.answer(read("a", { tags: [long] }), query)).info.status).toBe("bypass")
      expect((yield* cache.answer(read("a", {}, { keys: [{ key: long }] }), query)).info.status).toBe("bypass")
      expect((yield* cache.answer(read("a", { tags: [long.slice(1)] }), query)).info.status).toBe("miss")
      expect(limited(events)).toEqual(["tagLength", "tagLength"])
    }))

  it.scoped("more queries under way than others may join, and more callers than may wait for one", () =>
    Effect.gen(function*() {
      const { cache, events } = yield* makeCache({ limits: { flights: 3, waiters: 5 } })
      const gate = yield* Deferred.make<void>()
      let queries = 0
      const query = Effect.suspend(() => {
        queries++
        return Deferred.await(gate)
      })
      const ask = (name: string) => Effect.fork(cache.answer(read<void>(name), query))
      const waiting = yield* Effect.forEach(Array.from({ length: 7 }), () => ask("a"))
      const others = yield* Effect.forEach(["b", "c", "d", "e"], ask)
      yield* Effect.repeat(Effect.yieldNow(), { until: () => queries === 7 })
      yield* Deferred.succeed(gate, undefined)
      const statuses = yield* Effect.forEach([...waiting, ...others], (fiber) => Effect.map(Fiber.join(fiber), ({ info }) => info.status))
      expect(statuses.slice(0, 7).sort()).toEqual(["bypass", "bypass", "joined", "joined", "joined", "joined", "miss"])
      expect(statuses.slice(7).sort()).toEqual(["bypass", "bypass", "miss", "miss"])
      expect([...limited(events)].sort()).toEqual(["flights", "flights", "waiters", "waiters"])
    }))
})
