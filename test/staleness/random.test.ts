import { describe, expect, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as MemoryStore from "effect-prisma-cache/CacheStore/Memory"
import * as MemoryLock from "effect-prisma-cache/DistributedLock/Memory"
import type { CacheStore } from "effect-prisma-cache/CacheStore"
import { seeded } from "../QueryCache/interleavings.js"
import { around, memoryStore } from "../QueryCache/support.js"
import { observe } from "./history.js"
import type { History, Run } from "./history.js"
import {
  countersInPlaceOfStamps,
  entriesRemovedInPlaceOfStamps,
  invalidationsInTheBackground,
  stampsAfterTheQuery,
  timesInPlaceOfStamps,
  writesUnannounced
} from "./mutants.js"
import { amount } from "../support/amount.js"

/** Goes wrong by so much, as the clocks of machines do. */
const skewed = (millis: number): Clock.Clock => {
  const clock = Clock.make()
  return Object.assign(Object.create(clock) as Clock.Clock, {
    unsafeCurrentTimeMillis: () => clock.unsafeCurrentTimeMillis() + millis,
    unsafeCurrentTimeNanos: () => clock.unsafeCurrentTimeNanos() + BigInt(millis) * 1_000_000n,
    currentTimeMillis: Effect.map(clock.currentTimeMillis, (now) => now + millis),
    currentTimeNanos: Effect.map(clock.currentTimeNanos, (now) => now + BigInt(millis) * 1_000_000n)
  })
}

const skews = [0, 10_000, -10_000]

/** Three processes over a store in memory, where everything takes some turns of everybody else's. */
const inMemory = (
  store: CacheStore,
  options: Partial<Run> & { readonly seed?: number; readonly isBusy?: boolean; readonly isSkewed?: boolean } = {}
): Effect.Effect<History> => {
  const { isBusy = false, isSkewed = false, seed = 1, ...more } = options
  const random = seeded(seed)
  const turns = (most: number) =>
    Effect.suspend(() => Effect.forEach(Array.from({ length: Math.floor(random() * most) }), () => Effect.yieldNow(), { discard: true }))
  // A server has a clock of its own.
  const server = around(store, ({ run }) => Effect.withClock(run, Clock.make()))
  const lock = MemoryLock.make()
  return observe({
    sites: skews.map((skew) => ({ store: server, lock, ...(isSkewed ? { clock: skewed(skew) } : {}) })),
    consistency: "after-commit",
    random,
    pause: turns(6),
    rest: turns(isBusy ? 6 : 200),
    readers: 10,
    writers: 2,
    // Those that are to be caught have all of them.
    rounds: isBusy ? 40 : amount(25, 40),
    ...more
  })
}

/** There was something to see: reads that were answered by the cache, between writes. */
const isTelling = ({ hits, reads, writes }: History) => hits > reads / 20 && writes > 100

const seeds = Array.from({ length: amount(1, 2) }, (_, i) => i + 1)
const consistencies = ["after-commit", "strict"] as const

describe("readers and writers at random", () => {
  for (const consistency of consistencies) {
    it.live(`never see anything older than they may, ${consistency}`, () =>
      Effect.gen(function*() {
        for (const seed of seeds) {
          const history = yield* inMemory(memoryStore(), { consistency, seed })
          expect(history.stale).toBe(0)
          expect(isTelling(history)).toBe(true)
        }
      }), 300_000)

    it.live(`nor when their clocks differ by ten seconds and more, ${consistency}`, () =>
      Effect.gen(function*() {
        const history = yield* inMemory(memoryStore(), { consistency, isSkewed: true })
        expect(history.stale).toBe(0)
        expect(isTelling(history)).toBe(true)
      }), 300_000)
  }

  it.live("nor when stamps and entries are evicted all the time", () =>
    Effect.gen(function*() {
      const history = yield* inMemory(MemoryStore.make({ maxTags: 12, maxEntries: 12 }))
      expect(history.stale).toBe(0)
      expect(isTelling(history)).toBe(true)
    }), 300_000)

  it.live("nor when writers die between COMMIT and invalidation, strict", () =>
    Effect.gen(function*() {
      const history = yield* inMemory(memoryStore(), { consistency: "strict", deaths: true })
      expect(history.stale).toBe(0)
    }), 300_000)
})

describe("the check of all that is red for a cache that", () => {
  const pause = Effect.forEach(Array.from({ length: 40 }), () => Effect.yieldNow(), { discard: true })

  const busy = (store: CacheStore, more: Parameters<typeof inMemory>[1] = {}) => inMemory(store, { isBusy: true, ...more })

  const isCaught = (name: string, history: () => Effect.Effect<History>) =>
    it.live(name, () =>
      Effect.gen(function*() {
        const seen = yield* history()
        expect(seen.stale).toBeGreaterThan(0)
      }), 300_000)

  isCaught("stores entries under the stamps of after the query", () => busy(stampsAfterTheQuery(memoryStore())))
  isCaught("acknowledges invalidations before they are carried out", () =>
    busy(invalidationsInTheBackground(memoryStore(), pause)))
  isCaught("removes entries in place of stamps", () => busy(entriesRemovedInPlaceOfStamps(memoryStore())))
  isCaught("goes by clocks that differ", () => busy(timesInPlaceOfStamps(memoryStore()), { isSkewed: true }))
  isCaught("counts invalidations, and loses the count", () => {
    const { evict, store, tags } = countersInPlaceOfStamps(memoryStore())
    return busy(store, { mischief: () => Effect.sync(() => tags().forEach(evict)) })
  })
  isCaught("does not announce writes, and has writers that die", () =>
    busy(writesUnannounced(memoryStore()), { consistency: "strict", deaths: true }))
})
