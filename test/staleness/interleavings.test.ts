import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { CacheStore } from "effect-prisma-cache/CacheStore"
import type * as QueryCache from "effect-prisma-cache/QueryCache"
import { everyOrder, makeProcesses, outOfTurn, takeTurn } from "../QueryCache/interleavings.js"
import type { Scenario } from "../QueryCache/interleavings.js"
import { memoryStore, settle, settled } from "../QueryCache/support.js"
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
  Effect.orDie(cache.write({ label: "write", touches: touches(name) }, write))

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
 * One process reads while another one writes, in every order of their steps. When all is done both are
 * asked; and, if `asksAtOnce`, as soon as the write has been acknowledged, when the query of the first may still be
 * under way. Answers how many orders there were, and how many answers older than they may be.
 */
const explore = (way: Way, store: CacheStore, consistency: QueryCache.Consistency, isWarm: boolean, asksAtOnce: boolean) =>
  Effect.scoped(Effect.gen(function*() {
    const [one, two] = yield* Effect.map(makeProcesses(2, store, { consistency }), (all) => [all[0]!, all[1]!] as const)
    let rows = 0
    let stale = 0
    const scenario = Effect.gen(function*() {
      const name = `row ${++rows}`
      let value = 0
      // It takes its time before and after the database has looked.
      const query = Effect.zipLeft(Effect.map(takeTurn, () => value), takeTurn)
      const read = (cache: QueryCache.QueryCache) => cache.fetch({ key: name, ...way.request(name) }, query)
      const write = way.invalidate(two, name, Effect.map(takeTurn, () => void (value = 1)))
      const ask = Effect.forEach([one, two, one], (cache) =>
        Effect.map(read(cache), (seen) => {
          if (seen !== 1) stale++
        }))
      if (isWarm) yield* settle(one, read(one))
      const made: Scenario = {
        threads: [settle(one, read(one)), asksAtOnce ? Effect.zipRight(write, outOfTurn(ask)) : write],
        check: Effect.zipRight(settled(one), ask)
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
            for (const asksAtOnce of [false, true]) {
              const { orders, stale } = yield* explore(way, memoryStore(), consistency, isWarm, asksAtOnce)
              expect(stale).toBe(0)
              // Warm, it is a matter of one step.
              expect(orders).toBeGreaterThan(isWarm ? 2 : 20)
            }
          }
        }
      }), 300_000)
  }

  const mutants = { stampsAfterTheQuery, entriesRemovedInPlaceOfStamps }
  for (const [name, mutant] of Object.entries(mutants)) {
    it.effect(`would, if the store did one thing wrong: ${name}`, () =>
      Effect.gen(function*() {
        const { stale } = yield* explore(ways["a tag"]!, mutant(memoryStore()), "after-commit", false, false)
        expect(stale).toBeGreaterThan(0)
      }))
  }
})
