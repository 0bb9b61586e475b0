/** Any effect, cached: values of a schema, and functions. */
import { describe, expect, it } from "@effect/vitest"
import * as Config from "effect/Config"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/TestClock"
import * as MemoryCache from "effect-prisma-cache/MemoryCache"
import * as QueryCache from "effect-prisma-cache/QueryCache"
import { counted, makeCache, read, settle } from "./support.js"

class Person extends Schema.Class<Person>("Person")({ name: Schema.String, born: Schema.DateFromSelf }) {
  get initial() {
    return this.name.slice(0, 1)
  }
}

class Unknown extends Data.TaggedError("Unknown")<{ readonly id: number }> {}
class Tenant extends Context.Tag("test/Tenant")<Tenant, { readonly name: string }>() {}

describe("a value with a schema", () => {
  it.scoped("is what it was, each time another copy", () =>
    Effect.gen(function*() {
      const { cache, why } = yield* makeCache()
      const schema = Schema.Option(Person)
      let runs = 0
      const load = Effect.sync(() => Option.some(new Person({ name: `Ada ${++runs}`, born: new Date(0) })))
      const ask = settle(cache, cache.answer({ ...read<Option.Option<Person>>("ada"), schema }, load))
      const [first, second, third] = [yield* ask, yield* ask, yield* ask]
      expect([first, second, third].map(({ info }) => info.status)).toEqual(["miss", "hit", "hit"])
      expect(runs).toBe(1)
      const people = [second, third].map(({ value }) => Option.getOrThrow(value))
      for (const person of people) expect(person).toBeInstanceOf(Person)
      expect(people.map(({ initial }) => initial)).toEqual(["A", "A"])
      expect(second.value).toEqual(first.value)
      expect(people[0]).not.toBe(people[1])
      expect(why()).toEqual([])
    }))

  it.scoped("is handed to those who joined as a copy of their own", () =>
    Effect.gen(function*() {
      const { cache } = yield* makeCache()
      const load = Effect.map(Effect.yieldNow(), () => new Person({ name: "Ada", born: new Date(0) }))
      const people = yield* Effect.all(
        Array.from({ length: 10 }, () => cache.fetch({ ...read<Person>("ada"), schema: Person }, load)),
        { concurrency: "unbounded" }
      )
      for (const person of people) expect(person).toBeInstanceOf(Person)
      expect(new Set(people).size).toBe(10)
    }))

  it.scoped("is not stored without one, and not if it does not fit", () =>
    Effect.gen(function*() {
      const { cache, events, why } = yield* makeCache()
      yield* settle(cache, cache.fetch(read<unknown>("a"), Effect.succeed(Option.some(1))))
      expect(why()).toEqual(["Unserializable"])
      const unfit: QueryCache.Request<unknown> = { ...read<unknown>("b"), schema: Schema.Option(Schema.String) }
      expect(yield* settle(cache, cache.fetch(unfit, Effect.succeed("secret")))).toBe("secret")
      expect(why()).toEqual(["Unserializable", "Unserializable"])
      expect(JSON.stringify(events)).not.toContain("secret")
    }))

  it.scoped("is a miss where what is stored does not decode any more, and is there anew then", () =>
    Effect.gen(function*() {
      const { cache, events } = yield* makeCache()
      const old = { ...read<{ name: string }>("ada"), schema: Schema.Struct({ name: Schema.String }) }
      yield* settle(cache, cache.fetch(old, Effect.succeed({ name: "Ada" })))
      const next = { ...read<{ title: string }>("ada"), schema: Schema.Struct({ title: Schema.String }) }
      const ask = settle(cache, cache.answer(next, Effect.succeed({ title: "Countess" })))
      expect((yield* ask).info.status).toBe("miss")
      expect(yield* ask).toMatchObject({ value: { title: "Countess" }, info: { status: "hit" } })
      expect(events.filter(({ _tag }) => _tag === "Corrupt")).toHaveLength(1)
    }))

  it.scoped("may take its time to be read", () =>
    Effect.gen(function*() {
      const { cache } = yield* makeCache()
      const schema = Schema.transformOrFail(Schema.String, Schema.Number, {
        decode: (text) => Effect.as(Effect.yieldNow(), Number(text)),
        encode: (number) => Effect.as(Effect.yieldNow(), String(number))
      })
      const { query, runs } = counted()
      const ask = settle(cache, cache.fetch({ ...read("a"), schema }, query))
      expect([yield* ask, yield* ask, runs()]).toEqual([1, 1, 1])
    }))
})

describe("a cached function", () => {
  const setUp = Effect.map(makeCache(), ({ cache, events }) => ({
    cache,
    events,
    run: <A, E, R>(effect: Effect.Effect<A, E, R | QueryCache.QueryCache>) =>
      settle(cache, Effect.provideService(effect, QueryCache.QueryCache, cache))
  }))

  it.scoped("answers from the cache, argument by argument, and keeps its errors and requirements", () =>
    Effect.gen(function*() {
      const { run } = yield* setUp
      const calls: Array<string> = []
      const find = QueryCache.cached(
        (id: number, options?: { readonly lang: string }) =>
          Effect.flatMap(Tenant, ({ name }) => {
            calls.push(`${id}${options?.lang ?? ""}`)
            return id < 0 ? Effect.fail(new Unknown({ id })) : Effect.succeed(`${name} ${id}`)
          }),
        { name: "find", strategy: { ttl: Duration.minutes(1) } }
      )
      const ask = (...args: Parameters<typeof find>) =>
        run(Effect.provideService(Effect.either(find(...args)), Tenant, { name: "shop" }))
      expect((yield* ask(1))._tag).toBe("Right")
      yield* ask(1)
      yield* ask(2)
      yield* ask(1, { lang: "de" })
      yield* ask(1, { lang: "de" })
      expect(calls).toEqual(["1", "2", "1de"])
      for (const _ of [1, 2]) expect(yield* ask(-1)).toMatchObject({ _tag: "Left", left: { _tag: "Unknown", id: -1 } })
      expect(calls).toEqual(["1", "2", "1de", "-1", "-1"])
    }))

  it.scoped("shares nothing with another name, and is told by what `key` says", () =>
    Effect.gen(function*() {
      const { run, events } = yield* setUp
      const { query, runs } = counted()
      const strategy = { ttl: "1 minute" } as const
      const one = QueryCache.cached((_: { readonly id: number; readonly at: number }) => query, {
        name: "one",
        strategy,
        key: ({ id }) => id
      })
      const two = QueryCache.cached((_: number) => query, { name: "two", strategy })
      expect(yield* run(one({ id: 1, at: 1 }))).toBe(1)
      expect(yield* run(one({ id: 1, at: 2 }))).toBe(1)
      expect(yield* run(one({ id: 2, at: 2 }))).toBe(2)
      expect(yield* run(two(1))).toBe(3)
      expect(runs()).toBe(3)
      expect(events.filter(({ _tag }) => _tag === "Miss")).toEqual(
        ["one", "one", "two"].map((label) => ({ _tag: "Miss", label }))
      )
    }))

  it.scoped("is invalidated by its tags, its keys, and keys that its answer says", () =>
    Effect.gen(function*() {
      const { cache, run } = yield* setUp
      let runs = 0
      const find = QueryCache.cached((id: number) => Effect.sync(() => ({ id, owner: `o${id}`, runs: ++runs })), {
        name: "find",
        strategy: { ttl: "1 minute", tags: ["all"] },
        tags: (id) => [`id ${id}`],
        keys: (id) => [{ key: `key ${id}` }],
        lateKeys: ({ owner }) => [{ key: owner }]
      })
      yield* run(find(1))
      expect((yield* run(find(1))).runs).toBe(1)
      for (
        const targets of [{ tags: ["all"] }, { tags: ["id 1"] }, { keys: [{ key: "key 1" }] }, { keys: [{ key: "o1" }] }]
      ) {
        const before = runs
        yield* cache.invalidate(targets)
        yield* run(find(1))
        expect(runs, JSON.stringify(targets)).toBe(before + 1)
      }
      yield* cache.invalidate({ tags: ["id 2"], keys: [{ key: "o2" }] })
      const before = runs
      yield* run(find(1))
      expect(runs).toBe(before)
    }))

  it.scoped("keeps values of a schema", () =>
    Effect.gen(function*() {
      const { run } = yield* setUp
      let runs = 0
      const find = QueryCache.cached((name: string) => Effect.sync(() => Option.some(`${name} ${++runs}`)), {
        name: "find",
        strategy: { ttl: "1 minute" },
        schema: Schema.Option(Schema.String)
      })
      yield* run(find("Ada"))
      expect(yield* run(find("Ada"))).toEqual(Option.some("Ada 1"))
    }))

  it.scoped("runs uncached, and says so, when its calls cannot be told apart or a function of its options throws", () =>
    Effect.gen(function*() {
      const { run } = yield* setUp
      const lines: Array<unknown> = []
      const logger = Logger.replace(Logger.defaultLogger, Logger.make(({ message }) => void lines.push(message)))
      const { query, runs } = counted()
      const strategy = { ttl: "1 minute" } as const
      const secret = QueryCache.cached((_: Redacted.Redacted<string>) => query, { name: "secret", strategy })
      const broken = QueryCache.cached((_: number) => query, {
        name: "broken",
        strategy,
        key: (): unknown => {
          throw new Error("hidden")
        }
      })
      for (const call of [secret(Redacted.make("hidden")), secret(Redacted.make("hidden")), broken(1), broken(1)]) {
        yield* run(Effect.provide(call, logger))
      }
      expect(runs()).toBe(4)
      expect(lines).toHaveLength(4)
      expect(lines.join()).toMatch(/secret: .*not cached.*broken: .*threw/)
      expect(lines.join()).not.toContain("hidden")
    }))
})

describe("options from a Config", () => {
  it.scoped("are read for the policy and for the cache in memory, with defaults where there are none", () =>
    Effect.gen(function*() {
      const provider = Layer.setConfigProvider(ConfigProvider.fromMap(new Map([["CACHE_NAMESPACE", "shop"]])))
      const context = yield* Layer.build(
        QueryCache.layerConfig({
          namespace: Config.string("CACHE_NAMESPACE"),
          lock: { ttl: Config.integer("CACHE_LOCK_TTL").pipe(Config.withDefault(5_000)) }
        }).pipe(Layer.provide(MemoryCache.layer()), Layer.provide(provider))
      )
      expect(Context.get(context, QueryCache.QueryCache).namespace).toBe("shop")
      const memory = yield* Layer.build(
        MemoryCache.layerConfig({ namespace: Config.string("CACHE_NAMESPACE"), maxEntries: Config.succeed(10) }).pipe(
          Layer.provide(provider)
        )
      )
      const cache = Context.get(memory, QueryCache.QueryCache)
      expect(cache.namespace).toBe("shop")
      const { query } = counted()
      const ask = settle(cache, cache.fetch(read("a", { ttl: Duration.seconds(1) }), query))
      expect([yield* ask, yield* ask]).toEqual([1, 1])
      yield* TestClock.adjust("1 second")
      expect(yield* ask).toBe(2)
      const missing = MemoryCache.layerConfig({ namespace: Config.string("NOT_THERE") }).pipe(Layer.provide(provider))
      expect((yield* Effect.exit(Layer.build(missing)))._tag).toBe("Failure")
    }))
})
