import { describe, expect, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/TestClock"
import * as MemoryLock from "effect-prisma-cache/DistributedLock/Memory"
import type { CacheInfo } from "effect-prisma-cache/CacheInfo"
import { around, counted, makeCache, memoryStore, read, recorded, settle, settled } from "./QueryCache/support.js"

class Tenant extends Context.Tag("test/Tenant")<Tenant, { readonly name: string }>() {}

const statuses = (answers: ReadonlyArray<{ readonly info: CacheInfo }>) => answers.map(({ info }) => info.status)

describe("how an answer came about", () => {
  it.scoped("is a miss first and a hit then, with the age and the ttl that are left", () =>
    Effect.gen(function*() {
      const { cache } = yield* makeCache()
      const { query, runs } = counted()
      const ask = cache.answer(read("a", { ttl: "10 seconds", tags: ["users"] }), query)
      expect(yield* ask).toMatchObject({
        value: 1,
        info: { status: "miss", tags: ["users"], age: 0, ttl: 10_000 }
      })
      yield* TestClock.adjust("4 seconds")
      expect(yield* ask).toMatchObject({ value: 1, info: { status: "hit", tags: ["users"], age: 4_000, ttl: 6_000 } })
      expect(runs()).toBe(1)
      expect(yield* cache.stats).toEqual({ hits: 1, stale: 0, misses: 1, joined: 0, fills: 1, invalidations: 0, errors: 0 })
    }))

  it.scoped("names the custom key, or else the digest", () =>
    Effect.gen(function*() {
      const { cache } = yield* makeCache()
      const { query } = counted()
      const named = yield* cache.answer(read("a", {}, { keys: [{ key: "user-1" }] }), query)
      expect(named.info.key).toBe("user-1")
      const plain = yield* cache.answer(read("b"), query)
      expect(plain.info.key).toMatch(/^[\w-]{43}$/)
    }))

  it.scoped("is a hit until the ttl is over and a miss from then on", () =>
    Effect.gen(function*() {
      const { cache } = yield* makeCache()
      const { query } = counted()
      const ask = cache.fetch(read("a", { ttl: 5_000 }), query)
      expect(yield* ask).toBe(1)
      yield* TestClock.adjust(4_999)
      expect(yield* ask).toBe(1)
      yield* TestClock.adjust(1)
      expect(yield* ask).toBe(2)
    }))

  it.scoped("is joined for all but one of those who ask at the same time, each with a copy of its own", () =>
    Effect.gen(function*() {
      const { cache } = yield* makeCache()
      let runs = 0
      const query = Effect.map(Effect.yieldNow(), () => ({ rows: [++runs] }))
      const answers = yield* Effect.all(Array.from({ length: 50 }, () => cache.answer(read<unknown>("a"), query)), {
        concurrency: "unbounded"
      })
      expect(runs).toBe(1)
      expect(statuses(answers).filter((status) => status === "miss")).toHaveLength(1)
      expect(statuses(answers).filter((status) => status === "joined")).toHaveLength(49)
      expect(new Set(answers.map(({ value }) => value)).size).toBe(50)
      expect(answers.map(({ value }) => value)).toEqual(Array.from({ length: 50 }, () => ({ rows: [1] })))
      expect(yield* cache.stats).toMatchObject({ misses: 1, joined: 49, fills: 1 })
    }))

  it.scoped("is refreshed where that was asked for, and others get the new answer then", () =>
    Effect.gen(function*() {
      const { cache } = yield* makeCache()
      const { query } = counted()
      yield* cache.fetch(read("a"), query)
      const refreshed = yield* cache.answer(read("a", {}, { mode: "refresh" }), query)
      expect(refreshed).toMatchObject({ value: 2, info: { status: "refreshed" } })
      expect(yield* cache.answer(read("a"), query)).toMatchObject({ value: 2, info: { status: "hit" } })
    }))

  it.scoped("is a refresh of its own, however many ask at the same time: one is running and one is next", () =>
    Effect.gen(function*() {
      const { cache } = yield* makeCache()
      const first = yield* Deferred.make<void>()
      let runs = 0
      const query = Effect.suspend(() => ++runs === 1 ? Effect.as(Deferred.await(first), 1) : Effect.succeed(runs))
      const refresh = cache.fetch(read("a", {}, { mode: "refresh" }), query)
      const early = yield* Effect.fork(refresh)
      while (runs === 0) yield* Effect.yieldNow()
      const late = yield* Effect.forEach(Array.from({ length: 10 }), () => Effect.fork(refresh))
      yield* Deferred.succeed(first, undefined)
      expect(yield* Fiber.join(early)).toBe(1)
      expect(yield* Effect.forEach(late, Fiber.join)).toEqual(Array.from({ length: 10 }, () => 2))
      expect(runs).toBe(2)
      expect(yield* cache.fetch(read("a"), query)).toBe(2)
    }))

  it.scoped("is a bypass without a ttl, and for a key that cannot be made", () =>
    Effect.gen(function*() {
      const { cache, events } = yield* makeCache()
      const { query, runs } = counted()
      expect(yield* cache.answer(read("a", { ttl: 0 }), query)).toMatchObject({ value: 1, info: { status: "bypass" } })
      const cyclic: Record<string, unknown> = {}
      cyclic["self"] = cyclic
      const request = { ...read("a"), key: cyclic as { readonly [name: string]: string } }
      expect(yield* cache.answer(request, query)).toMatchObject({ value: 2, info: { status: "bypass" } })
      expect(runs()).toBe(2)
      expect(events.map(({ _tag }) => _tag)).toEqual(["Warning"])
    }))

  it.scoped("keeps what differs apart: by name, by type and by what a caller accepts", () =>
    Effect.gen(function*() {
      const { cache } = yield* makeCache()
      const { query } = counted()
      const keys = ["1", 1, 1n, true, null, ["1"], { a: 1 }, { a: "1" }, new Date(1), new Uint8Array([1])]
      const values = yield* Effect.forEach(keys, (key) => cache.fetch({ key, strategy: { ttl: 1_000 } }, query))
      expect(values).toEqual(keys.map((_, i) => i + 1))
      const choosy = cache.fetch(read("1", {}, { accepts: (value) => value > 1 }), query)
      expect(yield* choosy).toBe(keys.length + 1)
      expect(yield* cache.fetch(read("1"), query)).toBe(keys.length + 1)
    }))
})

describe("errors of a query", () => {
  it.scoped("reach everybody who waited as the same object and are not remembered", () =>
    Effect.gen(function*() {
      const { cache } = yield* makeCache()
      const failure = new Error("the database said no")
      let runs = 0
      const failing = Effect.zipRight(Effect.yieldNow(), Effect.suspend(() => (runs++, Effect.fail(failure))))
      const exits = yield* Effect.all(
        Array.from({ length: 20 }, () => Effect.flip(cache.fetch(read<never>("a"), failing))),
        { concurrency: "unbounded" }
      )
      expect(runs).toBe(1)
      expect(exits.every((error) => error === failure)).toBe(true)
      expect(yield* cache.fetch(read("a"), Effect.succeed(7))).toBe(7)
      expect(yield* cache.fetch(read("a"), Effect.succeed(8))).toBe(7)
      yield* settled(cache)
      expect(yield* cache.activity).toEqual({ flights: 0 })
    }))

  it.scoped("are never stored in place of an answer: not when it throws either", () =>
    Effect.gen(function*() {
      const { cache, store } = yield* makeCache()
      const spied = recorded(store)
      const { cache: other } = yield* makeCache({ store: spied.store })
      const thrown = new TypeError("a bug")
      const exit = yield* Effect.exit(other.fetch(read("a"), Effect.sync((): number => {
        throw thrown
      })))
      expect(exit).toEqual(Exit.die(thrown))
      expect(spied.taken()).not.toContain("replace")
      expect(yield* cache.fetch(read("a"), Effect.succeed(1))).toBe(1)
    }))
})

describe("values that cannot be stored", () => {
  it.scoped("are answered all the same, and shared by those who asked together", () =>
    Effect.gen(function*() {
      const { cache, why } = yield* makeCache()
      let runs = 0
      const query = Effect.map(Effect.yieldNow(), () => ({ run: ++runs, method: () => {} }))
      const ask = cache.fetch(read<{ run: number }>("a"), query)
      const answers = yield* Effect.all([ask, ask, ask], { concurrency: "unbounded" })
      expect(new Set(answers).size).toBe(1)
      expect((yield* ask).run).toBe(2)
      expect(why()).toEqual(["Unserializable", "Unserializable"])
    }))

  it.scoped("are those that are too large, too", () =>
    Effect.gen(function*() {
      const { cache, why } = yield* makeCache({ maxEntryBytes: 1_000 })
      const sizes = [10, 2_000, 10]
      let runs = 0
      const ask = (name: string, size: number) => settle(cache, cache.fetch(read<string>(name), Effect.sync(() => (runs++, "x".repeat(size)))))
      for (const size of sizes) expect(yield* ask("small", size)).toHaveLength(10)
      expect(runs).toBe(1)
      for (const size of [2_000, 2_001]) expect(yield* ask("large", size)).toHaveLength(size)
      expect(why()).toEqual(["TooLarge", "TooLarge"])
    }))
})

describe("an entry that was damaged", () => {
  it.scoped("is never a wrong answer and never an error, whichever byte it is; and it is removed", () =>
    Effect.gen(function*() {
      const base = memoryStore()
      const spied = recorded(base)
      const { cache, events } = yield* makeCache({ store: spied.store })
      const value = { id: 7, name: "Ada", at: new Date(86_400_000), big: 2n ** 70n, bytes: new Uint8Array([1, 2, 3]) }
      let runs = 0
      const query = Effect.sync(() => (runs++, structuredClone(value)))
      const ask = settle(cache, cache.answer(read<unknown>("a", { tags: ["t"] }), query))
      yield* ask
      const [name] = spied.entries() as [string]
      const { entry: intact } = yield* base.lookup(name, [])
      if (intact === null) return expect(intact).not.toBe(null)
      for (let at = 0; at < intact.length; at++) {
        const before = yield* base.lookup(name, [])
        const damaged = Uint8Array.from(intact)
        damaged[at] = damaged[at]! ^ (1 + (at * 37) % 255)
        expect(yield* base.replace(name, damaged, 60_000, before.entry)).toBe(true)
        const told = events.length
        const ran = runs
        const answer = yield* ask
        expect(answer.value).toEqual(value)
        // The bytes that only tell one entry from another say nothing of what is in it.
        const intactAfterAll = at >= 1 && at <= 16
        const happened = events.slice(told).map(({ _tag }) => _tag).sort()
        expect(happened, `byte ${at}`).toEqual(intactAfterAll ? ["Hit"] : ["Corrupt", "Filled", "Miss"])
        expect(runs).toBe(intactAfterAll ? ran : ran + 1)
      }
    }))

  it.scoped("may be cut short or be anything else", () =>
    Effect.gen(function*() {
      const base = memoryStore()
      const spied = recorded(base)
      const { cache } = yield* makeCache({ store: spied.store })
      const ask = settle(cache, cache.answer(read<string>("a"), Effect.succeed("intact")))
      yield* ask
      const [name] = spied.entries() as [string]
      const { entry: intact } = yield* base.lookup(name, [])
      if (intact === null) return expect(intact).not.toBe(null)
      const cuts = Array.from({ length: intact.length }, (_, length) => intact.slice(0, length))
      const others = [new Uint8Array(1_000), new Uint8Array(1_000).fill(255), new TextEncoder().encode("a text")]
      for (const bytes of [...cuts, ...others]) {
        const before = yield* base.lookup(name, [])
        expect(yield* base.replace(name, bytes, 60_000, before.entry)).toBe(true)
        expect(yield* ask).toMatchObject({ value: "intact", info: { status: "miss" } })
        expect(yield* ask).toMatchObject({ value: "intact", info: { status: "hit" } })
      }
    }))

  it.scoped("is no answer to another query, though it be intact", () =>
    Effect.gen(function*() {
      const base = memoryStore()
      const spied = recorded(base)
      const { cache, events } = yield* makeCache({ store: spied.store })
      yield* cache.fetch(read<string>("a"), Effect.succeed("a"))
      yield* cache.fetch(read<string>("b"), Effect.succeed("b"))
      yield* settled(cache)
      const [a, b] = spied.entries() as [string, string]
      const entries = { a: yield* base.lookup(a, []), b: yield* base.lookup(b, []) }
      expect(yield* base.replace(b, entries.a.entry!, 60_000, entries.b.entry)).toBe(true)
      expect(yield* cache.fetch(read<string>("b"), Effect.succeed("b again"))).toBe("b again")
      expect(events.some(({ _tag }) => _tag === "Corrupt")).toBe(true)
    }))
})

describe("a cache that is closed", () => {
  it.effect("lets those who wait for a query have their answer, by asking for themselves", () =>
    Effect.gen(function*() {
      const gate = yield* Deferred.make<void>()
      let runs = 0
      const query = Effect.suspend(() => ++runs === 1 ? Effect.as(Deferred.await(gate), 0) : Effect.succeed(runs))
      const waiting = yield* Effect.scoped(Effect.gen(function*() {
        const { cache } = yield* makeCache()
        const fibers = yield* Effect.forEach([1, 2, 3], () => Effect.forkDaemon(cache.fetch(read("a"), query)))
        while (runs === 0) yield* Effect.yieldNow()
        return { cache, fibers }
      }))
      expect((yield* Effect.forEach(waiting.fibers, Fiber.join)).sort()).toEqual([2, 3, 4])
      expect(yield* waiting.cache.fetch(read("b"), query)).toBe(5)
      expect(yield* waiting.cache.activity).toEqual({ flights: 0 })
    }))
})

describe("the effect of a read", () => {
  it.scoped("keeps its requirements, whoever's flight it is", () =>
    Effect.gen(function*() {
      const { cache } = yield* makeCache({ lock: MemoryLock.make() })
      const query = Effect.map(Tenant, ({ name }) => name)
      const ask = (name: string) => Effect.provideService(cache.fetch(read<string>(name), query), Tenant, { name })
      expect(yield* Effect.all([ask("a"), ask("b")], { concurrency: 2 })).toEqual(["a", "b"])
    }))

  it.scoped("is not run when an answer is there, and nothing is written then", () =>
    Effect.gen(function*() {
      const { store } = yield* makeCache()
      const spied = recorded(around(store, ({ run }) => run))
      const { cache } = yield* makeCache({ store: spied.store })
      const { query } = counted()
      yield* settle(cache, cache.fetch(read("a", { tags: ["t"] }), query))
      spied.taken()
      yield* cache.fetch(read("a", { tags: ["t"] }), query)
      expect(spied.taken()).toEqual(["lookup"])
    }))
})
