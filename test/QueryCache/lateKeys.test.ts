import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as CacheKey from "effect-prisma-cache/CacheKey"
import type * as QueryCache from "effect-prisma-cache/QueryCache"
import { everyOrder, makeProcesses, takeTurn } from "./interleavings.js"
import { counted, entryOf, makeCache, memoryStore, read, readKey, recorded, settle } from "./support.js"

/** A read whose key is known from its answer only. */
const lateRead = (name: string, ref: QueryCache.KeyRef): QueryCache.Request<number> => ({
  ...read(name),
  key: Either.getOrThrow(CacheKey.make(["by arguments", name], { namespace: ref.namespace })),
  late: () => ({ keys: [ref], entries: [entryOf(ref)] })
})

describe("a key that is known from the answer only", () => {
  it.scoped("is a key like any other: reads by it are answered, invalidating it takes all that carries it", () =>
    Effect.gen(function*() {
      const { cache } = yield* makeCache()
      const { query } = counted()
      const byArguments = settle(cache, cache.fetch(lateRead("a", { key: "user-1" }), query))
      const byKey = settle(cache, cache.fetch(readKey("user-1"), query))
      expect(yield* byArguments).toBe(1)
      expect(yield* byKey).toBe(1)
      expect(yield* byArguments).toBe(1)
      yield* cache.invalidate({ keys: [{ key: "user-1" }] })
      expect(yield* byArguments).toBe(2)
      expect(yield* byKey).toBe(2)
      yield* cache.invalidate({ keys: [{ key: "user-2" }] })
      expect(yield* Effect.all([byArguments, byKey])).toEqual([2, 2])
    }))

  it.scoped("may be one in another namespace", () =>
    Effect.gen(function*() {
      const store = memoryStore()
      const [shop, app] = yield* Effect.all([
        makeCache({ store, namespace: "shop" }),
        makeCache({ store, namespace: "app" })
      ])
      const { query } = counted()
      const ref = { key: "user-1", namespace: "app" }
      const ask = settle(shop.cache, shop.cache.fetch(lateRead("a", ref), query))
      expect(yield* ask).toBe(1)
      expect(yield* ask).toBe(1)
      expect(yield* shop.cache.fetch(readKey("user-1", "app"), query)).toBe(1)
      yield* app.cache.invalidate({ keys: [{ key: "user-1" }] })
      expect(yield* ask).toBe(2)
    }))

  it.scoped("is never one in a namespace that the read does not name: the answer is not stored then", () =>
    Effect.gen(function*() {
      const { cache, events } = yield* makeCache({ namespace: "shop" })
      const { query } = counted()
      const stray = { ...read<number>("a"), late: () => ({ keys: [{ key: "user-1", namespace: "app" }], entries: [] }) }
      const ask = settle(cache, cache.fetch(stray, query))
      expect([yield* ask, yield* ask]).toEqual([1, 2])
      expect(events.filter(({ _tag }) => _tag === "Warning")).toHaveLength(2)
    }))

  it.scoped("is asked for beforehand by who has met it, so that invalidating another key is no reason not to store", () =>
    Effect.gen(function*() {
      const spied = recorded(memoryStore())
      const { cache, why } = yield* makeCache({ store: spied.store })
      const ask = (query: Effect.Effect<number>) =>
        settle(cache, cache.answer(lateRead("a", { key: "user-1" }), query))
      yield* ask(Effect.succeed(1))
      yield* cache.invalidate({ keys: [{ key: "user-1" }] })
      expect(spied.taken().filter((step) => step === "obtain")).toHaveLength(2)
      yield* ask(Effect.as(Effect.orDie(cache.invalidate({ keys: [{ key: "user-2" }] })), 2))
      expect(spied.taken().filter((step) => step === "obtain")).toHaveLength(1)
      expect(why()).toEqual([])
      expect(yield* ask(Effect.succeed(3))).toMatchObject({ value: 2, info: { status: "hit" } })
    }))

  it.scoped("that cannot be told, or that throws when asked for, is no key: the answer is not stored", () =>
    Effect.gen(function*() {
      const { cache, why } = yield* makeCache()
      const { query } = counted()
      const unknown = settle(cache, cache.fetch({ ...read<number>("a"), late: () => undefined }, query))
      expect([yield* unknown, yield* unknown]).toEqual([1, 2])
      const throwing = settle(cache, cache.fetch({
        ...read<number>("b"),
        late: () => {
          throw new Error("no name")
        }
      }, query))
      expect([yield* throwing, yield* throwing]).toEqual([3, 4])
      expect(why()).toEqual([])
    }))
})

describe("invalidating a key while an answer that turns out to carry it is queried", () => {
  const keys = {
    "of the cache's own namespace": { key: "k", namespace: undefined },
    "of another namespace": { key: "k", namespace: "app" }
  }
  for (const [what, { key, namespace }] of Object.entries(keys)) {
    for (const known of [false, true]) {
      it.scoped(`is never overtaken by the answer, in any order of steps: a key ${what}${known ? ", met before" : ""}`, () =>
        Effect.gen(function*() {
          const store = memoryStore()
          const [reader] = yield* makeProcesses(1, store, { namespace: "shop" })
          const [writer] = yield* makeProcesses(1, store, { namespace: namespace ?? "shop" })
          let rows = 0
          const scenario = Effect.gen(function*() {
            const name = `${key} ${++rows}`
            const row = { value: 0 }
            const ref = { key: name, namespace }
            const targets = { keys: [{ key: name }] }
            const read = settle(reader!, reader!.fetch(lateRead(name, ref), Effect.map(takeTurn, () => row.value)))
            const write = Effect.orDie(writer!.write({ label: "write", touches: targets }, Effect.map(takeTurn, () => (row.value = 1))))
            if (known) yield* Effect.zipRight(read, Effect.orDie(writer!.invalidate(targets)))
            return {
              threads: [read, write],
              check: Effect.gen(function*() {
                expect(yield* read).toBe(1)
                expect(yield* settle(reader!, reader!.fetch(readKey(name, namespace), Effect.succeed(1)))).toBe(1)
              })
            }
          })
          expect(yield* everyOrder(scenario)).toBeGreaterThan(25)
        }))
    }
  }
})
