/** The cache over stores that have no atomic steps. */
import * as KeyValueStore from "@effect/platform/KeyValueStore"
import { describe, expect, it } from "@effect/vitest"
import KeyvValkey from "@keyv/valkey"
import * as Cause from "effect/Cause"
import * as Config from "effect/Config"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import type { Scope } from "effect/Scope"
import * as TestClock from "effect/TestClock"
import { CacheOptionsError } from "effect-prisma-cache/CacheError"
import * as KeyValueStoreCache from "effect-prisma-cache/KeyValueStoreCache"
import * as KeyvCache from "effect-prisma-cache/KeyvCache"
import * as QueryCache from "effect-prisma-cache/QueryCache"
import { layerExact } from "effect-prisma-cache/Serializer"
import Keyv from "keyv"
import { filesLayer } from "../support/files.js"
import { uniqueName, valkeyUrl } from "../support/servers.js"
import { unhurried } from "../support/unhurried.js"
import { counted, entryOf, read, readKey, settle } from "./support.js"

type Build = Effect.Effect<QueryCache.QueryCache, unknown, Scope>

const cacheOf = <E>(layer: Layer.Layer<QueryCache.QueryCache, E>): Build =>
  Effect.map(Layer.build(layer), (context) => Context.get(context, QueryCache.QueryCache))

/** A place, and what two processes that share it have each: a cache of its own, over an access of its own. */
const places: ReadonlyArray<readonly [name: string, both: Effect.Effect<readonly [Build, Build], unknown, Scope>]> = [
  [
    "one Keyv in memory",
    Effect.sync(() => {
      const keyv = new Keyv()
      const build = cacheOf(KeyvCache.layer(keyv, unhurried))
      return [build, build]
    })
  ],
  [
    "two Keyvs on one server",
    Effect.sync(() => {
      const namespace = uniqueName("keyv")
      const build = Effect.flatMap(
        Effect.acquireRelease(
          Effect.sync(() => new Keyv({ store: new KeyvValkey(valkeyUrl()), namespace })),
          (keyv) => Effect.promise(() => keyv.disconnect())
        ),
        (keyv) => cacheOf(KeyvCache.layer(keyv, unhurried))
      )
      return [build, build]
    })
  ],
  [
    "one KeyValueStore in files",
    Effect.map(Layer.build(filesLayer), (context) => {
      const build = cacheOf(KeyValueStoreCache.layer(unhurried).pipe(Layer.provide(Layer.succeedContext(context))))
      return [build, build]
    })
  ]
]

describe.each(places)("two caches over %s", (_, both) => {
  const setUp = Effect.gen(function*() {
    const [buildOne, buildTwo] = yield* both
    const { query, runs } = counted()
    return { one: yield* buildOne, two: yield* buildTwo, query, runs }
  })
  const statusIn = (cache: QueryCache.QueryCache, request: QueryCache.Request<number>, query: Effect.Effect<number>) =>
    Effect.map(settle(cache, cache.answer(request, query)), ({ info, value }) => [info.status, value])

  it.scopedLive("share what they store, and see each other's invalidations", () =>
    Effect.gen(function*() {
      const { one, query, two } = yield* setUp
      const ask = read("report", { tags: ["users"] })
      expect(yield* statusIn(one, ask, query)).toEqual(["miss", 1])
      expect(yield* statusIn(two, ask, query)).toEqual(["hit", 1])
      yield* two.invalidate({ tags: ["users"] })
      expect(yield* statusIn(one, ask, query)).toEqual(["miss", 2])
      expect(yield* statusIn(two, ask, query)).toEqual(["hit", 2])
      yield* one.invalidateAll()
      expect(yield* statusIn(two, ask, query)).toEqual(["miss", 3])
      // Expiring is invalidating here.
      yield* one.invalidate({ tags: ["users"], mode: "expire" })
      expect(yield* statusIn(two, ask, query)).toEqual(["miss", 4])
    }))

  it.scopedLive("see each other's writes, which keep no result of their own", () =>
    Effect.gen(function*() {
      const { one, query, two } = yield* setUp
      const ask = { ...readKey("user-1"), dependencies: ["User"] }
      expect(yield* statusIn(two, ask, query)).toEqual(["miss", 1])
      const own = { key: { key: "user-1" }, strategy: { ttl: "1 minute" }, entry: entryOf } as const
      expect(yield* one.write({ label: "write", touches: { first: ["User"] }, own }, Effect.succeed(7))).toBe(7)
      expect(yield* statusIn(two, ask, query)).toEqual(["miss", 2])
      expect(yield* statusIn(one, ask, query)).toEqual(["hit", 2])
    }))

  it.scopedLive("store nothing that was overtaken while it was queried", () =>
    Effect.gen(function*() {
      const { one, query, two } = yield* setUp
      const ask = read("report", { tags: ["users"] })
      yield* settle(one, one.fetch(ask, Effect.zipLeft(query, two.invalidate({ tags: ["users"] }))))
      expect(yield* statusIn(two, ask, query)).toEqual(["miss", 2])
    }))
})

/** The same dice in every run. */
const makeDice = (seed: number) => {
  let state = seed
  return (sides: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * sides)
  }
}

describe("two processes over one slow place", () => {
  /** Accesses to the same values, each with its own identity, whose calls take effect some time before they answer. */
  const makePlace = (dice: (sides: number) => number) => {
    const values = new Map<string, string>()
    const pause = async () => {
      for (let i = dice(6); i > 0; i--) await new Promise(setImmediate)
    }
    const slowly = async <A>(run: () => A): Promise<A> => {
      await pause()
      const answer = run()
      await pause()
      return answer
    }
    return () => ({
      get: (name: string) => slowly(() => values.get(name)),
      set: (name: string, value: string) => slowly(() => void values.set(name, value)),
      delete: (name: string) => slowly(() => values.delete(name))
    })
  }

  it.scopedLive.each([1, 2, 3, 4])("read nothing older than what was acknowledged when they began (%i)", (seed) =>
    Effect.gen(function*() {
      const dice = makeDice(seed)
      const access = makePlace(dice)
      const caches = [
        yield* cacheOf(KeyvCache.layer(access(), unhurried)),
        yield* cacheOf(KeyvCache.layer(access(), unhurried))
      ] as const
      const anyCache = () => caches[dice(2) === 0 ? 0 : 1]
      const names = ["a", "b"] as const
      const rows = { a: 0, b: 0 }
      const acknowledged = { a: 0, b: 0 }
      const stale: Array<string> = []
      let hits = 0
      const pause = Effect.suspend(() => Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))).pipe(
        Effect.repeatN(dice(4))
      )
      const write = Effect.suspend(() => {
        const [cache, name] = [anyCache(), names[dice(2)] ?? "a"]
        return Effect.flatMap(
          cache.write({ label: "write", touches: { tags: [name] } }, Effect.zipRight(pause, Effect.sync(() => ++rows[name]))),
          (version) => Effect.sync(() => void (acknowledged[name] = Math.max(acknowledged[name], version)))
        )
      })
      const readOne = Effect.suspend(() => {
        const [cache, name] = [anyCache(), names[dice(2)] ?? "a"]
        const least = acknowledged[name]
        // Lives that differ make `obtain` replace stamps, beside making them.
        const ttl = `${1 + dice(3) * 30} days` as const
        const query = Effect.suspend(() => {
          const seen = rows[name]
          return Effect.as(pause, seen)
        })
        return Effect.map(cache.answer(read(name, { ttl, tags: [name] }), query), ({ info, value }) => {
          if (info.status === "hit") hits++
          if (value < least) stale.push(`${name}: ${value} after ${least} (${info.status})`)
        })
      })
      const steps = Array.from({ length: 400 }, (_, i) => i % 8 === 0 ? write : readOne)
      yield* Effect.forEach(steps, (step) => step, { concurrency: 6, discard: true })
      expect(stale).toEqual([])
      expect(hits).toBeGreaterThan(10)
    }))
})

describe("a best effort store", () => {
  it.scoped("expires entries by Effect's Clock", () =>
    Effect.gen(function*() {
      const cache = yield* cacheOf(KeyValueStoreCache.layer().pipe(Layer.provide(KeyValueStore.layerMemory)))
      const { query } = counted()
      const ask = settle(cache, cache.fetch(read("a", { ttl: "5 seconds" }), query))
      expect([yield* ask, yield* ask]).toEqual([1, 1])
      yield* TestClock.adjust("5 seconds")
      expect(yield* ask).toBe(2)
    }))

  it.scoped("runs one query for a hundred who ask at once, in two caches of one process", () =>
    Effect.gen(function*() {
      const keyv = new Keyv()
      const build = cacheOf(KeyvCache.layer(keyv, unhurried))
      const caches = [yield* build, yield* build] as const
      let runs = 0
      const query = Effect.map(Effect.yieldNow(), () => ++runs)
      const ask = (i: number) => caches[i % 2 === 0 ? 0 : 1].fetch(read("a"), query)
      yield* Effect.all(Array.from({ length: 100 }, (_, i) => ask(i)), { concurrency: "unbounded" })
      expect(runs).toBe(1)
    }))

  it.scoped("is refused under strict: by its own layers", () =>
    Effect.gen(function*() {
      const strict: QueryCache.Options = { consistency: "strict" }
      // @ts-expect-error the types do not allow it either
      const layers = [KeyvCache.layer(new Keyv(), strict), KeyvCache.layerConfig(new Keyv(), { consistency: Config.succeed("strict") })]
      for (const layer of layers) {
        const error = yield* Effect.flip(Effect.scoped(Layer.build(layer)))
        expect(error).toBeInstanceOf(CacheOptionsError)
        expect(String(error)).toMatch(/consistency: got "strict", allowed: "after-commit".*no atomic steps/)
      }
    }))

  it.scoped("is refused under strict: by the policy over any such store", () =>
    Effect.gen(function*() {
      const layer = QueryCache.layer({ consistency: "strict" }).pipe(
        Layer.provide([KeyvCache.layerServices(new Keyv()), layerExact])
      )
      const exit = yield* Effect.exit(Layer.build(layer))
      expect(Exit.isFailure(exit) && Cause.squash(exit.cause)).toBeInstanceOf(CacheOptionsError)
    }))

  it.scoped("takes its options from a Config", () =>
    Effect.gen(function*() {
      const cache = yield* cacheOf(KeyvCache.layerConfig(new Keyv(), { namespace: Config.string("NAMESPACE") }).pipe(
        Layer.provide(Layer.setConfigProvider(ConfigProvider.fromMap(new Map([["NAMESPACE", "shop"]]))))
      ))
      expect(cache.namespace).toBe("shop")
      const other = yield* cacheOf(KeyValueStoreCache.layerConfig({ maxEntryBytes: Config.number("BYTES") }).pipe(
        Layer.provide([KeyValueStore.layerMemory, Layer.setConfigProvider(ConfigProvider.fromMap(new Map([["BYTES", "1"]])))])
      ))
      const { query } = counted()
      const ask = settle(other, other.fetch(read("a"), query))
      expect([yield* ask, yield* ask]).toEqual([1, 2])
    }))
})
