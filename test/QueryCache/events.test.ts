/** What a cache tells those who listen. */
import { describe, expect, it } from "@effect/vitest"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Queue from "effect/Queue"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { vi } from "vitest"
import type { CacheEvent } from "effect-prisma-cache/CacheEvent"
import { counted, makeCache, read, settle } from "./support.js"

describe("events", () => {
  it.scoped("reach each of those who listen, from then on, in order", () =>
    Effect.gen(function*() {
      const { cache, events } = yield* makeCache()
      const { query } = counted()
      const ask = settle(cache, cache.fetch(read("a", { tags: ["t"] }), query))
      yield* ask
      const before = events.length
      const queues = [yield* cache.events, yield* cache.events]
      yield* ask
      yield* cache.invalidate({ tags: ["t"] })
      yield* ask
      for (const queue of queues) {
        const heard = Chunk.toReadonlyArray(yield* Queue.takeAll(queue))
        expect(heard).toEqual(events.slice(before))
        expect(heard.map(({ _tag }) => _tag)).toEqual(["Hit", "Invalidated", "Filled", "Miss"])
      }
    }))

  it.scoped("are kept for a slow listener up to a bound, the newest of them", () =>
    Effect.gen(function*() {
      const { cache } = yield* makeCache()
      const { query } = counted()
      yield* settle(cache, cache.fetch(read("a"), query))
      const queue = yield* cache.events
      for (let i = 0; i < 1_100; i++) yield* cache.fetch(read("a"), query)
      yield* cache.invalidate({ tags: ["t"] })
      const heard = Chunk.toReadonlyArray(yield* Queue.takeAll(queue))
      expect(heard).toHaveLength(1_024)
      expect(heard.at(-1)).toMatchObject({ _tag: "Invalidated" })
    }))

  it.scoped("are heard no more by those who have ended their queue themselves, which costs no read its answer", () =>
    Effect.gen(function*() {
      const { cache } = yield* makeCache()
      const { query, runs } = counted()
      const queue = yield* cache.events
      yield* Queue.shutdown(queue)
      const offers = vi.spyOn(queue as Queue.Queue<CacheEvent>, "unsafeOffer")
      yield* settle(cache, cache.fetch(read("a"), query))
      expect(yield* cache.fetch(read("a"), query)).toBe(1)
      expect(runs()).toBe(1)
      expect(offers).not.toHaveBeenCalled()
    }))

  it.scoped("end with the listener's scope, and with the cache", () =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      const { cache } = yield* Scope.extend(makeCache(), scope)
      const left = yield* Effect.scoped(cache.events)
      expect(yield* Queue.isShutdown(left)).toBe(true)
      const all = yield* Effect.fork(Stream.runCollect(Stream.unwrapScoped(Effect.map(cache.events, Stream.fromQueue))))
      const { query } = counted()
      // The stream listens as soon as its fiber has begun.
      yield* Effect.yieldNow()
      yield* settle(cache, cache.fetch(read("a"), query))
      yield* Effect.yieldNow()
      yield* Scope.close(scope, Exit.void)
      const heard = Chunk.toReadonlyArray(yield* Fiber.join(all))
      expect(heard.map(({ _tag }) => _tag)).toEqual(["Filled", "Miss"])
    }))
})
