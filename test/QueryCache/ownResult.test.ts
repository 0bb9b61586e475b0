import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as QueryCache from "effect-prisma-cache/QueryCache"
import { everyOrder, makeProcesses, seeded, someOrders, takeTurn } from "./interleavings.js"
import type { Scenario } from "./interleavings.js"
import { entryOf, makeCache, memoryStore, outOfOrder, primitives, readKey, settle } from "./support.js"

const key = { key: "user-1" }

/** What a write does that keeps its own result under a key. */
const update = (own: QueryCache.OwnResult<number>["key"] = key): QueryCache.WriteRequest<number> => ({
  label: "User.update",
  touches: {},
  unknown: typeof own === "function" ? { all: true } : undefined,
  own: { key: own, strategy: { ttl: "1 minute" }, entry: entryOf },
  isRolledBack: (error) => error === "refused"
})

const consistencies = ["after-commit", "strict"] as const

const keys = { "that is known before": key, "that is known from the result only": () => key }

const cases = consistencies.flatMap((consistency) =>
  Object.entries(keys).map(([what, own]) => ({ what: `a key ${what}, ${consistency}`, own, consistency }))
)

describe("a write's own result", () => {
  for (const { consistency, own, what } of cases) describe(`under ${what}`, () => {
    const make = makeCache({ consistency })

    it.scoped("is what reads of its key get then", () =>
      Effect.gen(function*() {
        const { cache } = yield* make
        expect(yield* cache.write(update(own), Effect.succeed(5))).toBe(5)
        const answer = yield* cache.answer(readKey("user-1"), Effect.succeed(0))
        expect(answer).toMatchObject({ value: 5, info: { status: "hit" } })
        // It takes the place of what was there.
        yield* cache.write(update(own), Effect.succeed(6))
        expect(yield* cache.fetch(readKey("user-1"), Effect.succeed(0))).toBe(6)
      }))

    it.scoped("is gone when its key is invalidated", () =>
      Effect.gen(function*() {
        const { cache } = yield* make
        yield* cache.write(update(own), Effect.succeed(5))
        yield* cache.invalidate({ keys: [key] })
        expect(yield* cache.fetch(readKey("user-1"), Effect.succeed(0))).toBe(0)
      }))

    it.scoped("is not kept when its key was invalidated while it was written", () =>
      Effect.gen(function*() {
        const { cache } = yield* make
        const write = Effect.as(cache.invalidate({ keys: [key] }), 5)
        expect(yield* cache.write(update(own), write)).toBe(5)
        expect(yield* cache.fetch(readKey("user-1"), Effect.succeed(0))).toBe(0)
      }))

    it.scoped("is not kept of a write that failed; what was kept is, if nothing of the write remains", () =>
      Effect.gen(function*() {
        const { cache } = yield* make
        yield* cache.write(update(own), Effect.succeed(5))
        expect(yield* Effect.exit(cache.write(update(own), Effect.fail("refused")))).toEqual(Exit.fail("refused"))
        expect(yield* cache.fetch(readKey("user-1"), Effect.succeed(0))).toBe(5)
        // Nobody knows whether this one was committed.
        expect(yield* Effect.exit(cache.write(update(own), Effect.fail("lost")))).toEqual(Exit.fail("lost"))
        expect(yield* cache.fetch(readKey("user-1"), Effect.succeed(0))).toBe(0)
      }))

    it.scoped("is answered whatever is wrong with the store", () =>
      Effect.gen(function*() {
        for (const primitive of primitives) {
          const store = { ...memoryStore(), [primitive]: () => Effect.fail(outOfOrder(primitive)) }
          const { cache } = yield* makeCache({ consistency, store })
          expect(yield* cache.write(update(own), Effect.succeed(5))).toBe(5)
          expect(yield* Effect.exit(cache.write(update(own), Effect.fail("lost")))).toEqual(Exit.fail("lost"))
        }
      }))
  })

  it.scoped("is told apart from another namespace's", () =>
    Effect.gen(function*() {
      const { cache } = yield* makeCache({ namespace: "shop" })
      yield* cache.write(update({ key: "user-1", namespace: "app" }), Effect.succeed(5))
      expect(yield* cache.fetch(readKey("user-1"), Effect.succeed(0))).toBe(0)
      expect(yield* cache.fetch(readKey("user-1", "app"), Effect.succeed(0))).toBe(5)
    }))
})

/** What threads may do with a row. */
interface Row {
  readonly write: (process: number, value: number, late: boolean) => Effect.Effect<unknown>
  readonly read: (process: number) => Effect.Effect<unknown>
}

/** Rows in a database, and three processes that read and write them. Every scenario has a row of its own. */
const world = (consistency: QueryCache.Consistency) =>
  Effect.map(makeProcesses(3, memoryStore(), { consistency }), (processes) => {
    let rows = 0
    return (threads: (row: Row) => ReadonlyArray<Effect.Effect<unknown>>) =>
      Effect.sync((): Scenario => {
        const key = `user-${++rows}`
        let value = 0
        const read = (process: number) => {
          const cache = processes[process]!
          return settle(cache, cache.fetch(readKey(key), Effect.map(takeTurn, () => value)))
        }
        const write = (process: number, next: number, late: boolean) =>
          Effect.orDie(processes[process]!.write(update(late ? () => ({ key }) : { key }), Effect.map(takeTurn, () => (value = next))))
        return {
          threads: threads({ write, read }),
          check: Effect.map(read(0), (seen) => void expect(seen).toBe(value))
        }
      })
  })

for (const { consistency, own, what } of cases) describe(`writes of one row that race, under ${what}`, () => {
  const late = typeof own === "function"

  it.scoped("leave the last one's value or none, in every order of their steps", () =>
    Effect.gen(function*() {
      const scenario = yield* world(consistency)
      const orders = yield* everyOrder(scenario(({ write }) => [write(0, 1, late), write(1, 2, late)]))
      expect(orders).toBeGreaterThan(100)
    }), 300_000)

  it.scoped("leave no old value to a reader either", () =>
    Effect.gen(function*() {
      const scenario = yield* world(consistency)
      const three = scenario(({ read, write }) => [write(0, 1, late), read(1), write(2, 2, false)])
      yield* someOrders(three, 60, seeded(1))
    }), 300_000)
})
