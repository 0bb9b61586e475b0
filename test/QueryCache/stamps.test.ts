import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/TestClock"
import { counted, makeCache, memoryStore, read, recorded, settle } from "./support.js"

describe("the stamps that an entry is stored under", () => {
  it.scoped("live as long as the entry, though they were made for one that was to live for less", () =>
    Effect.gen(function*() {
      const store = memoryStore()
      const [one, other] = yield* Effect.all([makeCache({ store }), makeCache({ store })])
      const { query } = counted()
      const brief = settle(one.cache, one.cache.fetch(read("brief", { ttl: "1 minute", tags: ["t"] }), query))
      const long = settle(other.cache, other.cache.fetch(read("long", { ttl: "30 days", tags: ["t"] }), query))
      expect([yield* brief, yield* long]).toEqual([1, 2])
      yield* TestClock.adjust("29 days")
      expect(yield* long).toBe(2)
    }))

  it.scoped("live on for as long as something is stored under them now and then", () =>
    Effect.gen(function*() {
      const { cache } = yield* makeCache()
      const { query } = counted()
      const long = settle(cache, cache.fetch(read("long", { ttl: "10 days", tags: ["t"] }), query))
      yield* long
      for (let day = 0; day < 30; day++) {
        yield* settle(cache, cache.fetch(read("daily", { ttl: "1 hour", tags: ["t"] }), query))
        yield* TestClock.adjust("1 day")
      }
      // What is kept for ten days was queried four times by now, as it should be, and is there.
      yield* long
      const before = yield* cache.stats
      yield* long
      expect((yield* cache.stats).hits).toBe(before.hits + 1)
    }))

  it.scoped("are not asked for again by who knows that they live long enough", () =>
    Effect.gen(function*() {
      const spied = recorded(memoryStore())
      const { cache } = yield* makeCache({ store: spied.store })
      const { query } = counted()
      const fill = (name: string) => settle(cache, cache.fetch(read(name, { tags: ["t"] }), query))
      yield* fill("a")
      expect(spied.taken()).toContain("obtain")
      for (const name of ["b", "c", "d"]) yield* fill(name)
      expect(spied.taken()).not.toContain("obtain")
    }))
})
