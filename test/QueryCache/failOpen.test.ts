import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import { CacheError } from "effect-prisma-cache/CacheError"
import { CacheStore } from "effect-prisma-cache/CacheStore"
import * as DistributedLock from "effect-prisma-cache/DistributedLock"
import * as MemoryLock from "effect-prisma-cache/DistributedLock/Memory"
import * as QueryCache from "effect-prisma-cache/QueryCache"
import * as Serializer from "effect-prisma-cache/Serializer"
import { around, counted, makeCache, memoryStore, outOfOrder, primitives, read, readKey, recorded, settle } from "./support.js"
import type { Primitive } from "./support.js"

type Failure = "answers with an error" | "fails by a defect" | "throws"

const failures: ReadonlyArray<Failure> = ["answers with an error", "fails by a defect", "throws"]

const fail = (failure: Failure): Effect.Effect<never, CacheError> => {
  switch (failure) {
    case "answers with an error":
      return Effect.fail(outOfOrder("test"))
    case "fails by a defect":
      return Effect.die(new TypeError("a bug"))
    case "throws":
      throw new TypeError("a bug")
  }
}

/** A store of which some primitives are out of order. */
const brokenStore = (failure: Failure, broken: ReadonlyArray<Primitive>) => {
  const store = memoryStore()
  return { ...store, ...Object.fromEntries(broken.map((primitive) => [primitive, () => fail(failure)])) }
}

describe("a store that is out of order", () => {
  for (const failure of failures) {
    for (const broken of [...primitives.map((primitive) => [primitive]), primitives]) {
      it.scoped(`and ${failure} when asked to ${broken.join(", ")} costs queries, and never an answer`, () =>
        Effect.gen(function*() {
          const { cache } = yield* makeCache({ store: brokenStore(failure, broken) })
          const { query, runs } = counted()
          const requests = [
            read("a", { tags: ["t"] }),
            readKey("k"),
            { ...read<number>("late"), late: () => ({ keys: [{ key: "l" }], entries: [] }) },
            read("b", {}, { mode: "refresh" as const })
          ]
          const last = new Map<unknown, number>()
          for (const request of [...requests, ...requests]) {
            const { info, value } = yield* settle(cache, cache.answer(request, query))
            expect(value).toBe(info.status === "hit" ? last.get(request) : runs())
            last.set(request, value)
          }
          const failing = cache.fetch(read<never>("c"), Effect.fail("the query's own"))
          expect(yield* Effect.exit(failing)).toEqual(Exit.fail("the query's own"))
          expect(yield* cache.write({ label: "write", touches: { keys: [{ key: "k" }] } }, Effect.succeed(1))).toBe(1)
          if (broken.includes("invalidate")) {
            expect(yield* Effect.flip(cache.invalidate({ tags: ["t"] }))).toBeInstanceOf(CacheError)
            expect(yield* Effect.flip(cache.invalidateAll())).toBeInstanceOf(CacheError)
          }
          expect(yield* cache.activity).toEqual({ flights: 0 })
        }))
    }
  }

  it.scoped("keeps a damaged entry that it cannot remove, and answers all the same", () =>
    Effect.gen(function*() {
      for (const failure of failures) {
        const spied = recorded(brokenStore(failure, ["remove", "replace"]))
        const { cache } = yield* makeCache({ store: { ...spied.store, lookup: (entry, tags) =>
          Effect.map(spied.store.lookup(entry, tags), ({ states }) => ({ entry: new Uint8Array(500), states })) } })
        expect(yield* settle(cache, cache.fetch(read("a"), Effect.succeed(7)))).toBe(7)
        expect(spied.taken()).toContain("remove")
      }
    }))

  it.scoped("tells of it by events and counts, without what was asked", () =>
    Effect.gen(function*() {
      const { cache, events } = yield* makeCache({ store: brokenStore("answers with an error", ["lookup"]) })
      yield* cache.fetch(read("secret", { tags: ["secret"] }), Effect.succeed(1))
      expect(events.map(({ _tag }) => _tag)).toEqual(["Failed", "Miss"])
      expect(JSON.stringify(events)).not.toContain("secret")
      expect(yield* cache.stats).toMatchObject({ errors: 1, misses: 1, fills: 0 })
    }))

  it.scoped("is asked by nobody in vain: those who ask at the same time share a query, one running and one next", () =>
    Effect.gen(function*() {
      const { cache } = yield* makeCache({ store: brokenStore("answers with an error", primitives) })
      let runs = 0
      const query = Effect.map(Effect.yieldNow(), () => ++runs)
      const answers = yield* Effect.all(Array.from({ length: 100 }, () => cache.fetch(read("a"), query)), {
        concurrency: "unbounded"
      })
      expect(runs).toBeLessThanOrEqual(2)
      expect(answers).toHaveLength(100)
    }))

  it.scoped("is used again when it is well again", () =>
    Effect.gen(function*() {
      let isWell = false
      const store = around(memoryStore(), ({ run }) => Effect.suspend(() => isWell ? run : Effect.fail(outOfOrder("test"))))
      const { cache } = yield* makeCache({ store })
      const { query } = counted()
      const ask = settle(cache, cache.fetch(read("a"), query))
      expect([yield* ask, yield* ask]).toEqual([1, 2])
      isWell = true
      expect([yield* ask, yield* ask, yield* ask]).toEqual([3, 3, 3])
    }))
})

describe("a lock that is out of order", () => {
  for (const failure of failures) {
    it.scoped(`and ${failure} is no reason to wait, nor to answer with an error`, () =>
      // The clock of this test stands still: whoever waits for anything waits for ever.
      Effect.gen(function*() {
        const operation = () => fail(failure)
        const lock = DistributedLock.make({
          acquire: operation,
          extend: operation,
          release: operation,
          news: failure === "answers with an error" ? () => Queue.sliding(1) : operation as () => never
        })
        const { cache, events } = yield* makeCache({ lock })
        const { query } = counted()
        expect(yield* settle(cache, cache.fetch(read("a"), query))).toBe(1)
        expect(yield* settle(cache, cache.fetch(read("a"), query))).toBe(1)
        expect(events.map(({ _tag }) => _tag)).not.toContain("LockWait")
      }))
  }

  it.scoped("where only letting go or holding on fails, it is waited for as if its holder had died", () =>
    Effect.gen(function*() {
      const intact = MemoryLock.make()
      const lock = { ...intact, release: () => fail("throws"), extend: () => fail("throws") }
      const { cache } = yield* makeCache({ lock })
      const { query } = counted()
      expect(yield* settle(cache, cache.fetch(read("a"), query))).toBe(1)
      expect(yield* settle(cache, cache.fetch(read("a"), query))).toBe(1)
    }))
})

describe("a serializer that throws", () => {
  const cacheWith = (broken: Partial<Serializer.Serializer>) =>
    Effect.map(
      Layer.build(QueryCache.layer().pipe(Layer.provide(Layer.mergeAll(
        Layer.succeed(CacheStore, memoryStore()),
        Layer.succeed(DistributedLock.DistributedLock, MemoryLock.make()),
        Layer.succeed(Serializer.Serializer, { ...Serializer.exact, ...broken })
      )))),
      (context) => context.unsafeMap.get(QueryCache.QueryCache.key) as QueryCache.QueryCache
    )
  const operations = {
    throws: () => {
      throw new TypeError("a bug")
    },
    "fails by a defect": () => Effect.die(new TypeError("a bug"))
  }
  for (const [how, operation] of Object.entries(operations)) {
    it.scoped(`stores nothing, or finds nothing, and is no error of the query: it ${how}`, () =>
      Effect.gen(function*() {
        for (const broken of [{ encode: operation }, { decode: operation }, { encode: operation, decode: operation }]) {
          const cache = yield* cacheWith(broken)
          const { query } = counted()
          const together = [1, 2, 3].map(() => cache.fetch(read("a"), Effect.zipRight(Effect.yieldNow(), query)))
          expect(yield* Effect.all(together, { concurrency: "unbounded" })).toEqual([1, 1, 1])
          yield* settle(cache, Effect.void)
          expect(yield* settle(cache, cache.fetch(read("a"), query))).toBe(2)
        }
      }))
  }
})
