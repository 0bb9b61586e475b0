import { describe, expect, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import * as MemoryStore from "effect-prisma-cache/CacheStore/Memory"
import * as MemoryLock from "effect-prisma-cache/DistributedLock/Memory"
import { seeded } from "../QueryCache/interleavings.js"
import { around, makeCache } from "../QueryCache/support.js"
import { amount } from "../support/amount.js"
import { until } from "../support/process.js"

/** What an application might do to a call. */
type Fate = "patient" | "interrupted" | "timed out"

const callersPerRound = 100
const impatient = amount(10_000, 100_000)

const timers = () => process.getActiveResourcesInfo().filter((resource) => resource === "Timeout").length

describe(`${impatient} callers who are interrupted or run out of time`, () => {
  it.scopedLive("hurt nobody else, and leave nothing behind", () =>
    Effect.gen(function*() {
      const random = seeded(20_240_601)
      const pick = (below: number) => Math.floor(random() * below)
      const lock = MemoryLock.make()
      let listeners = 0
      const watched = {
        ...lock,
        news: (name: string) =>
          Effect.acquireRelease(Effect.sync(() => listeners++), () => Effect.sync(() => listeners--)).pipe(
            Effect.zipRight(lock.news(name))
          )
      }
      const memory = MemoryStore.make({ maxEntries: 1_000, maxTags: 1_000 })
      /** A store and a database that take their time: some turns of everybody else's. */
      const pause = Effect.suspend(() =>
        Effect.forEach(Array.from({ length: pick(4) }), () => Effect.yieldNow(), { discard: true }))
      const store = around(memory, ({ run }) => Effect.zipRight(pause, run))
      const parts = { budget: 2_000, writeBudget: 2_000, store, lock: watched, lease: { retryDelay: 1, retryJitter: 1 } }
      const caches = [yield* makeCache(parts), yield* makeCache(parts)]

      const before = { fibers: Array.from(yield* Fiber.roots).length, timers: timers() }
      let broken = 0
      let patient = 0
      for (let round = 0; broken < impatient; round++) {
        // Held back until all have come, so that interruptions meet loads in all of their states.
        const gate = Deferred.unsafeMake<void>(FiberId.none)
        const query = (key: number) => Effect.as(Effect.zipRight(Deferred.await(gate), pause), key)
        const calls = yield* Effect.forEach(Array.from({ length: callersPerRound }), () => {
          const key = round * 10 + pick(3)
          const { cache } = caches[pick(2)]!
          const mode = pick(20) === 0 ? "refresh" as const : "use" as const
          const call = cache.fetch({ key, strategy: { ttl: 60_000 }, mode }, query(key))
          const draw = pick(16)
          const fate: Fate = draw === 0 ? "patient" : draw < 12 ? "interrupted" : "timed out"
          const made = fate === "timed out" ? Effect.timeout(call, pick(3)) : call
          return Effect.map(Effect.forkDaemon(made), (fiber) => ({ fate, fiber, key, after: pick(40) }))
        })
        for (let turn = 0; turn < 40; turn++) {
          if (turn === 20) yield* Deferred.succeed(gate, undefined)
          yield* Effect.yieldNow()
          for (const { after, fate, fiber } of calls) {
            if (fate === "interrupted" && after === turn) yield* Fiber.interruptFork(fiber)
          }
        }
        for (const { fate, fiber, key } of calls) {
          const exit = yield* Fiber.await(fiber)
          if (Exit.isSuccess(exit)) expect(exit.value).toBe(key)
          else if (fate === "patient") expect(exit).toEqual(Exit.succeed(key))
          else if (fate === "interrupted") expect(Exit.isInterrupted(exit)).toBe(true)
          else expect(exit.cause).toMatchObject({ _tag: "Fail", error: { _tag: "TimeoutException" } })
          if (fate === "patient") patient++
          else broken++
        }
        // The runner has a say, too, now and then.
        yield* Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))
      }
      expect(patient).toBeGreaterThan(impatient / 20)

      yield* Effect.promise(() =>
        until("all is quiet", async () => {
          const activities = await Effect.runPromise(Effect.forEach(caches, ({ cache }) => cache.activity))
          return activities.every(({ flights }) => flights === 0) && listeners === 0
        }))
      expect(yield* Effect.forEach(caches, ({ cache }) => cache.activity)).toEqual([{ flights: 0 }, { flights: 0 }])
      expect(listeners).toBe(0)
      yield* Effect.promise(() =>
        until("no fiber and no timer is left", async () => {
          const others = Array.from(await Effect.runPromise(Fiber.roots)).length - 1
          return others <= before.fibers && timers() <= before.timers
        }, 5_000))
    }), 300_000)
})
