import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { CacheStore } from "effect-prisma-cache/CacheStore"
import type * as QueryCache from "effect-prisma-cache/QueryCache"
import { everyOrder, makeProcesses } from "../QueryCache/interleavings.js"
import type { Process, Scenario, Turn } from "../QueryCache/interleavings.js"
import { memoryStore, settle } from "../QueryCache/support.js"
import { entriesRemovedInPlaceOfStamps, stampsAfterTheQuery } from "./mutants.js"

/** How a read and an invalidation may name the same thing. */
interface Way {
  readonly request: (name: string) => Omit<QueryCache.Request<number>, "key">
  readonly invalidate: (cache: QueryCache.QueryCache, name: string, write: Effect.Effect<void>) => Effect.Effect<unknown>
}

const strategy = { ttl: "1 hour" } as const

const explicitly = (targets: (name: string) => QueryCache.Targets): Way["invalidate"] => (cache, name, write) =>
  Effect.zipRight(write, Effect.orDie(cache.invalidate(targets(name))))

const byWriting = (touches: (name: string) => QueryCache.Touches): Way["invalidate"] => (cache, name, write) =>
  cache.write({ label: "write", touches: touches(name) }, write)

const byTag = (name: string) => ({ strategy: { ...strategy, tags: [name] } })
const byKey = (name: string) => ({ strategy, keys: [{ key: name }] })
const byLateKey = (name: string) => ({ strategy, late: () => ({ keys: [{ key: name }], entries: [] }) })
const byDependency = (name: string) => ({ strategy, dependencies: [name] })

const ways: Record<string, Way> = {
  "a tag": { request: byTag, invalidate: explicitly((name) => ({ tags: [name] })) },
  "a tag, which is to expire": { request: byTag, invalidate: explicitly((name) => ({ tags: [name], mode: "expire" })) },
  "a tag, by a write": { request: byTag, invalidate: byWriting((name) => ({ tags: [name] })) },
  "a key": { request: byKey, invalidate: explicitly((name) => ({ keys: [{ key: name }] })) },
  "a key, by a write": { request: byKey, invalidate: byWriting((name) => ({ keys: [{ key: name }] })) },
  "a key known from the answer only": { request: byLateKey, invalidate: explicitly((name) => ({ keys: [{ key: name }] })) },
  "a key known from the answer only, by a write": {
    request: byLateKey,
    invalidate: byWriting((name) => ({ keys: [{ key: name }] }))
  },
  "what it was derived to depend on, by a write": { request: byDependency, invalidate: byWriting((name) => ({ first: [name] })) },
  "everything": {
    request: () => ({ strategy }),
    invalidate: (cache, _, write) => Effect.zipRight(write, Effect.orDie(cache.invalidateAll()))
  },
  "everything, by a write": { request: () => ({ strategy }), invalidate: byWriting(() => ({ all: true })) }
}

/**
 * One process reads while another one writes, in every order of their steps. When the write has been acknowledged the
 * writer asks the reader's process, whose own query may still be under way; and when all is done everybody asks.
 */
const explore = (way: Way, store: CacheStore, consistency: QueryCache.Consistency, isWarm: boolean) =>
  Effect.scoped(Effect.gen(function*() {
    const [one, two] = yield* Effect.map(
      makeProcesses(2, store, { consistency }),
      (processes) => processes as readonly [Process, Process]
    )
    let rows = 0
    let stale = 0
    const scenario = Effect.gen(function*() {
      const name = `row ${++rows}`
      let value = 0
      const read = (cache: QueryCache.QueryCache, turn: Turn) => {
        const query = Effect.zipRight(turn, Effect.map(Effect.sync(() => value), (seen) => seen))
        return settle(cache, cache.fetch({ key: name, ...way.request(name) }, Effect.zipLeft(query, turn)))
      }
      const see = (seen: number) => {
        if (seen !== 1) stale++
      }
      if (isWarm) yield* read(one.lend(Effect.void), Effect.void)
      const made: Scenario = {
        threads: [
          (turn) => Effect.suspend(() => read(one.lend(turn), turn)),
          (turn) =>
            Effect.suspend(() => way.invalidate(two.lend(turn), name, Effect.zipRight(turn, Effect.sync(() => void (value = 1))))).pipe(
              // Asked without taking turns, as if it were a process in a hurry.
              Effect.zipRight(Effect.suspend(() => two.cache.fetch({ key: name, ...way.request(name) }, Effect.sync(() => value)))),
              Effect.map(see)
            )
        ],
        check: Effect.gen(function*() {
          for (const process of [one, two, one]) see(yield* read(process.lend(Effect.void), Effect.void))
        })
      }
      return made
    })
    const orders = yield* everyOrder(scenario)
    return { orders, stale }
  }))

const consistencies = ["after-commit", "strict"] as const

describe("a read that is under way while what it reads is invalidated", () => {
  for (const [what, way] of Object.entries(ways)) {
    it.effect(`never brings the old value back, in any order of steps, when it is invalidated by ${what}`, () =>
      Effect.gen(function*() {
        for (const consistency of consistencies) {
          for (const isWarm of [false, true]) {
            const { orders, stale } = yield* explore(way, memoryStore(), consistency, isWarm)
            expect(stale).toBe(0)
            expect(orders).toBeGreaterThan(5)
          }
        }
      }), 60_000)
  }

  const mutants = { stampsAfterTheQuery, entriesRemovedInPlaceOfStamps }
  for (const [name, mutant] of Object.entries(mutants)) {
    it.effect(`would, if the store did one thing wrong: ${name}`, () =>
      Effect.gen(function*() {
        const { stale } = yield* explore(ways["a tag"]!, mutant(memoryStore()), "after-commit", false)
        expect(stale).toBeGreaterThan(0)
      }))
  }
})
