import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as QueryCache from "effect-prisma-cache/QueryCache"
import { everyOrder, makeProcesses, seeded, someOrders } from "./interleavings.js"
import type { Process, Scenario, Turn } from "./interleavings.js"
import { entryOf, makeCache, memoryStore, outOfOrder, readKey, settle } from "./support.js"

const key = { key: "user-1" }

/** What a write does that keeps its own result under a key. */
const update = (own: QueryCache.OwnResult<number>["key"] = key): QueryCache.WriteRequest<number> => ({
  label: "User.update",
  touches: { keys: typeof own === "function" ? [] : [own] },
  unknown: typeof own === "function" ? { all: true } : undefined,
  own: { key: own, strategy: { ttl: "1 minute" }, entry: entryOf },
  isRolledBack: (error) => error === "refused"
})

const keys = { "that is known before": key, "that is known from the result only": () => key }

describe("a write's own result", () => {
  for (const [what, own] of Object.entries(keys)) {
    it.scoped(`is what reads of its key get then, under a key ${what}`, () =>
      Effect.gen(function*() {
        const { cache } = yield* makeCache()
        expect(yield* cache.write(update(own), Effect.succeed(5))).toBe(5)
        const answer = yield* cache.answer(readKey("user-1"), Effect.succeed(0))
        expect(answer).toMatchObject({ value: 5, info: { status: "hit" } })
        // It takes the place of what was there.
        yield* cache.write(update(own), Effect.succeed(6))
        expect(yield* cache.fetch(readKey("user-1"), Effect.succeed(0))).toBe(6)
      }))

    it.scoped(`is gone when its key is invalidated, a key ${what}`, () =>
      Effect.gen(function*() {
        const { cache } = yield* makeCache()
        yield* cache.write(update(own), Effect.succeed(5))
        yield* cache.invalidate({ keys: [key] })
        expect(yield* cache.fetch(readKey("user-1"), Effect.succeed(0))).toBe(0)
      }))

    it.scoped(`is not kept when its key was invalidated while it was written, a key ${what}`, () =>
      Effect.gen(function*() {
        const { cache } = yield* makeCache()
        const write = Effect.as(cache.invalidate({ keys: [key] }), 5)
        expect(yield* cache.write(update(own), write)).toBe(5)
        expect(yield* cache.fetch(readKey("user-1"), Effect.succeed(0))).toBe(0)
      }))

    it.scoped(`is not kept of a write that failed; what was kept is, if nothing of the write remains, a key ${what}`, () =>
      Effect.gen(function*() {
        const { cache } = yield* makeCache()
        yield* cache.write(update(own), Effect.succeed(5))
        expect(yield* Effect.exit(cache.write(update(own), Effect.fail("refused")))).toEqual(Exit.fail("refused"))
        expect(yield* cache.fetch(readKey("user-1"), Effect.succeed(0))).toBe(5)
        // Nobody knows whether this one was committed.
        expect(yield* Effect.exit(cache.write(update(own), Effect.fail("lost")))).toEqual(Exit.fail("lost"))
        expect(yield* cache.fetch(readKey("user-1"), Effect.succeed(0))).toBe(0)
      }))

    it.scoped(`is answered whatever is wrong with the store, under a key ${what}`, () =>
      Effect.gen(function*() {
        const store = memoryStore()
        const broken = { ...store }
        const { cache } = yield* makeCache({ store: broken })
        for (const primitive of ["obtain", "invalidate", "lookup", "replace"] as const) {
          const intact = broken[primitive]
          Object.assign(broken, { [primitive]: () => Effect.fail(outOfOrder(primitive)) })
          expect(yield* cache.write(update(own), Effect.succeed(5))).toBe(5)
          Object.assign(broken, { [primitive]: intact })
        }
      }))
  }

  it.scoped("is told apart from another namespace's", () =>
    Effect.gen(function*() {
      const { cache } = yield* makeCache({ namespace: "shop" })
      yield* cache.write(update({ key: "user-1", namespace: "app" }), Effect.succeed(5))
      expect(yield* cache.fetch(readKey("user-1"), Effect.succeed(0))).toBe(0)
      expect(yield* cache.fetch(readKey("user-1", "app"), Effect.succeed(0))).toBe(5)
    }))
})

/** A row in a database, and three processes that read and write it. Every scenario has a row of its own. */
const world = Effect.gen(function*() {
  const processes = yield* makeProcesses(3, memoryStore())
  const [one] = processes as [Process]
  let rows = 0
  return (threads: (row: Row) => ReadonlyArray<(cache: QueryCache.QueryCache) => Effect.Effect<unknown>>) =>
    Effect.sync((): Scenario => {
      const key = `user-${++rows}`
      let value = 0
      const request = readKey(key)
      const row: Row = {
        write: (next, late) => (cache) =>
          cache.write(update(late ? () => ({ key }) : { key }), Effect.zipRight(Effect.suspend(() => turn(cache)), Effect.sync(() => (value = next)))),
        read: (cache) => settle(cache, cache.fetch(request, Effect.zipRight(turn(cache), Effect.sync(() => value))))
      }
      const turns = new Map<QueryCache.QueryCache, Turn>()
      const turn = (cache: QueryCache.QueryCache) => turns.get(cache) ?? Effect.void
      return {
        threads: threads(row).map((thread, i) => (turn) => {
          const cache = (processes[i] as Process).lend(turn)
          turns.set(cache, turn)
          return thread(cache)
        }),
        check: Effect.gen(function*() {
          turns.clear()
          expect(yield* row.read(one.lend(Effect.void))).toBe(value)
        })
      }
    })
})

interface Row {
  readonly write: (value: number, late: boolean) => (cache: QueryCache.QueryCache) => Effect.Effect<number>
  readonly read: (cache: QueryCache.QueryCache) => Effect.Effect<number>
}

describe("writes of one row that race", () => {
  for (const late of [false, true]) {
    const what = late ? "that is known from the result only" : "that is known before"

    it.scoped(`leave the last one's value or none, in every order of their steps, under a key ${what}`, () =>
      Effect.gen(function*() {
        const scenario = yield* world
        const orders = yield* everyOrder(scenario((row) => [row.write(1, late), row.write(2, late)]))
        expect(orders).toBeGreaterThan(100)
      }), 30_000)

    it.scoped(`leave no old value to a reader either, under a key ${what}`, () =>
      Effect.gen(function*() {
        const scenario = yield* world
        const three = scenario((row) => [row.write(1, late), row.read, row.write(2, false)])
        yield* someOrders(three, 500, seeded(1))
      }), 30_000)
  }
})
