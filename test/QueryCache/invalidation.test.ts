import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/TestClock"
import * as CacheStore from "effect-prisma-cache/CacheStore"
import type * as QueryCache from "effect-prisma-cache/QueryCache"
import { counted, makeCache, memoryStore, read, readKey, recorded, settle } from "./support.js"
import type { Parts } from "./support.js"

/** Whether each of these reads is answered from the cache. */
const hits = (cache: QueryCache.QueryCache, requests: ReadonlyArray<QueryCache.Request<number>>) =>
  Effect.forEach(requests, (request) =>
    Effect.map(settle(cache, cache.answer(request, Effect.succeed(0))), ({ info }) => info.status === "hit"))

describe("an invalidation", () => {
  it.scoped("by tag takes what carries the tag, and nothing else", () =>
    Effect.gen(function*() {
      const { cache } = yield* makeCache()
      const reads = [
        read("users", { tags: ["users"] }),
        read("both", { tags: ["users", "posts"] }),
        read("posts", { tags: ["posts"] }),
        read("neither")
      ]
      expect(yield* hits(cache, reads)).toEqual([false, false, false, false])
      expect(yield* hits(cache, reads)).toEqual([true, true, true, true])
      yield* cache.invalidate({ tags: ["users"] })
      expect(yield* hits(cache, reads)).toEqual([false, false, true, true])
      yield* cache.invalidate({ tags: ["posts", "unknown"] })
      expect(yield* hits(cache, reads)).toEqual([true, false, false, true])
    }))

  it.scoped("by key takes every shape that is kept under the key", () =>
    Effect.gen(function*() {
      const { cache } = yield* makeCache()
      const keys = [{ key: "user-1" }]
      const reads = [read("one", {}, { keys }), read("many", {}, { keys }), read("other", {}, { keys: [{ key: "user-2" }] })]
      yield* hits(cache, reads)
      yield* cache.invalidate({ keys })
      expect(yield* hits(cache, reads)).toEqual([false, false, true])
    }))

  it.scoped("tells a tag from a key of the same name", () =>
    Effect.gen(function*() {
      const { cache } = yield* makeCache()
      const reads = [read("tagged", { tags: ["x"] }), read("keyed", {}, { keys: [{ key: "x" }] })]
      yield* hits(cache, reads)
      yield* cache.invalidate({ tags: ["x"] })
      expect(yield* hits(cache, reads)).toEqual([false, true])
      yield* cache.invalidate({ keys: [{ key: "x" }] })
      expect(yield* hits(cache, reads)).toEqual([true, false])
    }))

  it.scoped("of nothing is no command", () =>
    Effect.gen(function*() {
      const spied = recorded(memoryStore())
      const { cache } = yield* makeCache({ store: spied.store })
      yield* cache.invalidate({})
      yield* cache.invalidate({ tags: [], keys: [] })
      expect(spied.taken()).toEqual([])
    }))

  it.scoped("that expires lets what it names count as expired: a miss, which is stored again", () =>
    Effect.gen(function*() {
      const { cache } = yield* makeCache()
      const { query, runs } = counted()
      const byTag = settle(cache, cache.fetch(read("a", { tags: ["t"] }), query))
      const byKey = settle(cache, cache.fetch(readKey("k"), query))
      yield* Effect.all([byTag, byKey])
      yield* cache.invalidate({ tags: ["t"], keys: [{ key: "k" }], mode: "expire" })
      expect(yield* Effect.all([byTag, byKey])).toEqual([3, 4])
      expect(yield* Effect.all([byTag, byKey])).toEqual([3, 4])
      expect(runs()).toBe(4)
    }))

  it.scoped("also holds for entries that other caches over the same store made", () =>
    Effect.gen(function*() {
      const store = memoryStore()
      const [one, two] = yield* Effect.all([makeCache({ store }), makeCache({ store })])
      const requests = [read("a", { tags: ["t"] })]
      yield* hits(one.cache, requests)
      expect(yield* hits(two.cache, requests)).toEqual([true])
      yield* two.cache.invalidate({ tags: ["t"] })
      expect(yield* hits(one.cache, requests)).toEqual([false])
    }))

  it.scoped("outlives what it killed: the entry stays dead until its ttl is over", () =>
    Effect.gen(function*() {
      const spied = recorded(memoryStore())
      const { cache } = yield* makeCache({ store: spied.store })
      const request = read("a", { ttl: "30 days", tags: ["t"] })
      yield* hits(cache, [request])
      yield* TestClock.adjust("29 days")
      expect(yield* hits(cache, [request])).toEqual([true])
      yield* cache.invalidate({ tags: ["t"] })
      const [name] = spied.entries() as [string]
      expect((yield* spied.store.lookup(name, [])).entry).not.toBe(null)
      expect(yield* hits(cache, [request])).toEqual([false])
    }))
})

describe("an invalidation of everything", () => {
  it.scoped("is one command", () =>
    Effect.gen(function*() {
      const spied = recorded(memoryStore())
      const { cache, events } = yield* makeCache({ store: spied.store })
      const requests = [read("a"), read("b", { tags: ["t"] }), readKey("k"), readKey("k", "app")]
      yield* hits(cache, requests)
      spied.taken()
      yield* cache.invalidateAll()
      expect(spied.taken()).toEqual(["invalidate"])
      expect(events.at(-1)).toEqual({ _tag: "Invalidated", tags: 1, all: true })
      expect(yield* hits(cache, requests)).toEqual([false, false, false, false])
    }))

  it.scoped("keeps to its namespace", () =>
    Effect.gen(function*() {
      const store = memoryStore()
      const [shop, app] = yield* Effect.all([
        makeCache({ store, namespace: "shop" }),
        makeCache({ store, namespace: "app" })
      ])
      const requests = [read("a", { tags: ["t"] }), readKey("k")]
      expect(yield* hits(shop.cache, requests)).toEqual([false, false])
      expect(yield* hits(app.cache, requests)).toEqual([false, false])
      yield* shop.cache.invalidateAll()
      expect(yield* hits(app.cache, requests)).toEqual([true, true])
      expect(yield* hits(shop.cache, requests)).toEqual([false, false])
      yield* shop.cache.invalidateAll({ namespace: "app" })
      expect(yield* hits(shop.cache, requests)).toEqual([true, true])
      expect(yield* hits(app.cache, requests)).toEqual([false, false])
    }))
})

describe("a write", () => {
  it.scoped("announces itself unless it is told otherwise, or its store has no place for that", () =>
    Effect.gen(function*() {
      const stepsOf = (parts: Parts, level?: CacheStore.Level) =>
        Effect.gen(function*() {
          const { store, taken } = recorded(memoryStore())
          const { cache } = yield* makeCache({ ...parts, store: CacheStore.make({ ...store, level }) })
          yield* cache.write({ label: "write", touches: { tags: ["t"] } }, Effect.void)
          return taken()
        })
      expect(yield* stepsOf({})).toEqual(["begin", "end"])
      expect(yield* stepsOf({ consistency: "after-commit" })).toEqual(["invalidate"])
      expect(yield* stepsOf({}, "bestEffort")).toEqual(["invalidate"])
    }))
})

describe("namespaces over one store", () => {
  it.scoped("share neither entries nor tags nor keys, whatever their names are", () =>
    Effect.gen(function*() {
      const store = memoryStore()
      const names = ["a", "a:t", "a%3At", "", "a:", ":a", "ä", "a:k:=k", "{a}", "A"]
      const caches = yield* Effect.forEach(names, (namespace) => makeCache({ store, namespace }))
      const requests = [read("a", { tags: ["t", "k:=t"] }), readKey("k"), readKey("t:=k")]
      const fresh = requests.map(() => false)
      for (const { cache } of caches) expect(yield* hits(cache, requests)).toEqual(fresh)
      for (const [i, { cache }] of caches.entries()) {
        yield* cache.invalidate({ tags: ["t"], keys: [{ key: "k" }, { key: "t:=k" }] })
        for (const [j, other] of caches.entries()) {
          if (i !== j) expect(yield* hits(other.cache, requests)).toEqual(requests.map(() => true))
        }
        expect(yield* hits(cache, requests)).toEqual(fresh)
      }
    }))

  it.scoped("are reached from each other by keys that name them", () =>
    Effect.gen(function*() {
      const store = memoryStore()
      const [shop, app] = yield* Effect.all([
        makeCache({ store, namespace: "shop" }),
        makeCache({ store, namespace: "app" })
      ])
      const local = readKey("k")
      const foreign = readKey("k", "app")
      expect(yield* hits(shop.cache, [local, foreign])).toEqual([false, false])
      yield* app.cache.invalidate({ keys: [{ key: "k" }] })
      expect(yield* hits(shop.cache, [local, foreign])).toEqual([true, false])
      yield* shop.cache.invalidate({ keys: [{ key: "k", namespace: "app" }] })
      expect(yield* hits(shop.cache, [local, foreign])).toEqual([true, false])
      yield* app.cache.invalidateAll()
      expect(yield* hits(shop.cache, [local, foreign])).toEqual([true, false])
      yield* shop.cache.invalidateAll()
      expect(yield* hits(shop.cache, [local, foreign])).toEqual([false, false])
    }))
})

describe("one query with different tags at different places", () => {
  it.scoped("is not served from an entry that lacks a tag of the one who asks", () =>
    Effect.gen(function*() {
      const { cache } = yield* makeCache()
      const { query } = counted()
      const ask = (...tags: ReadonlyArray<string>) => settle(cache, cache.fetch(read("a", { tags }), query))
      expect(yield* ask("x")).toBe(1)
      expect(yield* ask("y")).toBe(2)
      // Stored once more, it carries the tags of both, and serves both.
      expect(yield* ask("x")).toBe(2)
      expect(yield* ask("y")).toBe(2)
      expect(yield* ask("x", "y")).toBe(2)
      yield* cache.invalidate({ tags: ["x"] })
      expect(yield* ask("y")).toBe(3)
      expect(yield* ask("x")).toBe(4)
      expect(yield* ask("y")).toBe(4)
      yield* cache.invalidate({ tags: ["y"] })
      expect(yield* ask("x")).toBe(5)
    }))

  it.scoped("does not gather tags without end: an entry never takes over more than 64", () =>
    Effect.gen(function*() {
      const spied = recorded(memoryStore())
      const { cache } = yield* makeCache({ store: spied.store })
      const { query } = counted()
      for (let i = 0; i < 200; i++) yield* settle(cache, cache.fetch(read("a", { tags: [`tag ${i}`] }), query))
      const [name] = spied.entries() as [string]
      const { entry } = yield* spied.store.lookup(name, [])
      const text = new TextDecoder().decode(entry ?? new Uint8Array())
      expect(text.split("tag ").length - 1).toBeGreaterThan(0)
      expect(text.split("tag ").length - 1).toBeLessThanOrEqual(64)
    }))
})
