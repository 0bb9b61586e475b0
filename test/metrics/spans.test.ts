/** What somebody who traces sees of the cache. */
import { describe, expect, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/TestClock"
import { counted, makeCache, read, settle, settled } from "../QueryCache/support.js"
import { recordingTracer } from "../support/recordingTracer.js"
import type { RecordedSpan } from "../support/recordingTracer.js"

const recording = () => {
  const { spans, tracer } = recordingTracer()
  const traced = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
    Effect.withTracer(Effect.withSpan(effect, "request"), tracer)
  return {
    traced,
    tracer,
    /** What was seen since this was last called, without the caller's own span. */
    taken: () => spans.splice(0).filter(({ name }) => name !== "request")
  }
}

const namesOf = (spans: ReadonlyArray<RecordedSpan>) => spans.map(({ name, parent }) => `${parent} > ${name}`)

describe("spans", () => {
  it.scoped("tell of a miss and of its query, and of nothing on a hit", () =>
    Effect.gen(function*() {
      const { cache } = yield* makeCache({ namespace: "shop" })
      const { taken, traced } = recording()
      const query = Effect.withSpan(Effect.succeed("a secret value"), "query")
      const request = {
        ...read<string>("a secret key", { tags: ["a secret tag"] }, { keys: [{ key: "a secret name" }] }),
        attributes: { "db.system.name": "postgresql", "db.operation.name": "findMany", "db.collection.name": "User" }
      }
      yield* traced(settle(cache, cache.fetch(request, query)))
      const spans = taken()
      expect(namesOf(spans)).toEqual([
        "request > effect-prisma-cache.miss",
        "effect-prisma-cache.miss > effect-prisma-cache.load",
        "effect-prisma-cache.load > query"
      ])
      const known = {
        "db.system.name": "postgresql",
        "db.operation.name": "findMany",
        "db.collection.name": "User",
        "effect_prisma_cache.label": "entry"
      }
      expect(spans.map(({ attributes }) => Object.fromEntries(attributes))).toEqual([
        { ...known, "effect_prisma_cache.status": "miss" },
        known,
        {}
      ])
      expect(spans.every(({ exit }) => exit !== undefined && Exit.isSuccess(exit))).toBe(true)
      expect(JSON.stringify(spans.slice(0, 2).map((span) => [span, [...span.attributes]]))).not.toContain("secret")
      yield* traced(cache.fetch(request, query))
      expect(taken()).toEqual([])
    }))

  it.scoped("of one query for all who share it, and of each who waited", () =>
    Effect.gen(function*() {
      const { cache } = yield* makeCache()
      const { taken, traced } = recording()
      const { query } = counted()
      const ask = traced(cache.fetch(read("a"), Effect.zipRight(Effect.yieldNow(), query)))
      yield* settle(cache, Effect.all([ask, ask, ask], { concurrency: "unbounded" }))
      const spans = taken()
      expect(spans.filter(({ name }) => name === "effect-prisma-cache.load")).toHaveLength(1)
      const statuses = spans.flatMap(({ attributes }) => attributes.get("effect_prisma_cache.status") ?? [])
      expect(statuses.sort()).toEqual(["joined", "joined", "miss"])
    }))

  it.scoped("of a query in the background, and not of who was served meanwhile", () =>
    Effect.gen(function*() {
      const { cache } = yield* makeCache()
      const { taken, traced } = recording()
      const { query } = counted()
      const ask = traced(cache.fetch(read("a", { ttl: "1 second", swr: "1 minute" }), query))
      yield* settle(cache, ask)
      taken()
      yield* TestClock.adjust("1 second")
      yield* settle(cache, ask)
      expect(namesOf(taken())).toEqual(["request > effect-prisma-cache.refresh"])
    }))

  it.scoped("of a failure by its kind, never by its message", () =>
    Effect.gen(function*() {
      const { cache } = yield* makeCache()
      const { taken, tracer } = recording()
      const error = Object.assign(new Error("a secret value"), { code: "P2024" })
      const exit = yield* Effect.exit(Effect.withTracer(cache.fetch(read("a"), Effect.fail(error)), tracer))
      // The very object, as without a tracer.
      expect(Exit.isFailure(exit) && Cause.squash(exit.cause)).toBe(error)
      const spans = taken()
      expect(spans).toHaveLength(2)
      for (const span of spans) {
        expect(span.attributes.get("error.type")).toBe("P2024")
        expect(span.exit !== undefined && Exit.isFailure(span.exit)).toBe(true)
        expect(span.exit !== undefined && Exit.isFailure(span.exit) && Cause.pretty(span.exit.cause)).toMatch(/P2024: the query failed$/)
      }
    }))

  it.scoped("end when their caller is interrupted", () =>
    Effect.gen(function*() {
      const { cache } = yield* makeCache()
      const { taken, traced } = recording()
      const begun = yield* Deferred.make<void>()
      const query = Effect.zipRight(Deferred.succeed(begun, undefined), Effect.never)
      const fiber = yield* Effect.fork(traced(cache.fetch(read("a"), query)))
      yield* Deferred.await(begun)
      yield* Fiber.interrupt(fiber)
      yield* settled(cache)
      expect(taken().map(({ exit }) => exit !== undefined && Exit.isInterrupted(exit))).toEqual([true, true])
    }))

  it.scoped("are none where nobody traces", () =>
    Effect.gen(function*() {
      const { cache } = yield* makeCache()
      const parent = yield* Effect.withSpan(
        settle(cache, cache.fetch(read<unknown>("a"), Effect.map(Effect.currentSpan, ({ name }) => name))),
        "request"
      )
      expect(parent).toBe("request")
    }))

  it.scoped("go to a tracer that a layer has set", () =>
    Effect.gen(function*() {
      const { cache } = yield* makeCache()
      const { query } = counted()
      const { taken, tracer } = recording()
      yield* Effect.provide(settle(cache, cache.fetch(read("a"), query)), Layer.setTracer(tracer))
      expect(taken().map(({ name }) => name)).toEqual(["effect-prisma-cache.miss", "effect-prisma-cache.load"])
    }))
})
