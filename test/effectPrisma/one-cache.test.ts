import { it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/TestClock"
import { describe, expect } from "vitest"
import { EffectPrisma, MemoryCache, PrismaCache, QueryCache, ValkeyCache } from "effect-prisma-cache"
import { insertCounter, setCounter } from "../prisma/counters.js"
import { insertPeople } from "../prisma/rows.js"
import { missThenHit, useDatabase, watchPrisma } from "../prisma/support.js"
import { makePrisma } from "../support/database.js"
import { uniqueName, valkeyUrl } from "../support/servers.js"
import { unhurried } from "../support/unhurried.js"

const database = useDatabase(insertPeople)

const counter = Effect.promise(() => insertCounter(database.base))
const behind = (name: string, value: number) => Effect.promise(() => setCounter(database.base, name, value))

/** The service, a client with the extension over it, and that client as effects. */
const setup = (options?: PrismaCache.ExtensionOptions) =>
  Effect.gen(function*() {
    const cache = yield* QueryCache.QueryCache
    const prisma = database.base.$extends(yield* PrismaCache.extension(options))
    const db = yield* EffectPrisma.make(prisma)
    const name = yield* counter
    const read = db.counter.findUniqueOrThrow({ where: { name }, cache: { ttl: "1 minute", key: name, tags: ["counters"] } })
    /** How a read is answered by a cache at rest. */
    const status = Effect.map(
      Effect.repeat(read.withCacheInfo(), { until: ({ info }) => info.status !== "joined" }),
      ({ info }) => info.status
    )
    return { cache, prisma, db, name, read, status }
  })

const caches: ReadonlyArray<readonly [name: string, layer: () => Layer.Layer<QueryCache.QueryCache, unknown>]> = [
  ["memory", () => MemoryCache.layer({ ...unhurried, namespace: uniqueName("one") })],
  ["Valkey", () => ValkeyCache.layer({ ...unhurried, connection: valkeyUrl(), namespace: uniqueName("one") })]
]

describe.each(caches)("one cache for Prisma and for effects, on %s", (_, layer) => {
  const test = <A, E>(body: Effect.Effect<A, E, QueryCache.QueryCache | Scope.Scope>) =>
    Effect.provide(Effect.scoped(body), Layer.orDie(Layer.fresh(layer())))

  it.live("counts for both", () =>
    test(Effect.gen(function*() {
      const { cache, db, prisma, status } = yield* setup()
      expect([yield* status, yield* status]).toEqual(["miss", "hit"])
      const counted = yield* cache.stats
      expect(counted).toMatchObject({ misses: 1, hits: 1, fills: 1 })
      expect(prisma.$cache.stats()).toEqual(counted)
      expect(yield* db.$cache.stats).toEqual(counted)
      expect(prisma.$cache.health().status).toBe("ok")
    })))

  it.live("forgets by the service what Prisma has cached", () =>
    test(Effect.gen(function*() {
      const { cache, name, read, status } = yield* setup()
      expect((yield* read).value).toBe(1)
      for (const [value, targets] of [[2, { tags: ["counters"] }], [3, { keys: [{ key: name }] }]] as const) {
        yield* behind(name, value)
        yield* cache.invalidate(targets)
        expect((yield* read).value).toBe(value)
      }
      yield* behind(name, 4)
      yield* cache.invalidateAll()
      expect((yield* read).value).toBe(4)
      expect(yield* status).toBe("hit")
    })))

  it.live("forgets by Prisma what an effect has cached", () =>
    test(Effect.gen(function*() {
      const { cache, db, name, prisma } = yield* setup()
      const request = {
        key: ["value of", name],
        strategy: { ttl: "1 minute", tags: ["counters"] },
        keys: [{ key: `value of ${name}` }]
      } as const
      const value = cache.fetch(request, Effect.map(db.counter.findUniqueOrThrow({ where: { name } }), (row) => row.value))
      expect(yield* value).toBe(1)
      yield* Effect.promise(() =>
        prisma.counter.update({ where: { name }, data: { value: 2 }, uncache: `value of ${name}` }))
      expect(yield* value).toBe(2)
      yield* behind(name, 3)
      yield* Effect.promise(() => prisma.$cache.invalidate({ tags: ["counters"] }))
      expect(yield* value).toBe(3)
      yield* behind(name, 4)
      yield* db.$cache.invalidateAll()
      expect(yield* value).toBe(4)
    })))

  it.live("shares flights: a query of Prisma's is joined by another client of the same cache", () =>
    test(Effect.gen(function*() {
      const one = yield* setup()
      const other = yield* EffectPrisma.make(database.base.$extends(yield* PrismaCache.extension()))
      database.sql.reset()
      const where = { name: one.name }
      yield* Effect.all(
        Array.from({ length: 20 }, (_, i) => (i % 2 === 0 ? one.db : other).counter.findMany({ where, cache: true })),
        { concurrency: "unbounded" }
      )
      expect(database.sql.count()).toBe(1)
    })))

  it.live("answers hits without Prisma's machinery, and with it where the short cut is turned off", () =>
    test(Effect.gen(function*() {
      const { entered } = watchPrisma(database.base)
      for (const [options, times] of [[{}, 0], [{ shortCut: false }, 1]] as const) {
        const { name, prisma } = yield* setup(options)
        const read = () => prisma.counter.findUnique({ where: { name }, cache: true })
        yield* Effect.promise(() => missThenHit(database.sql, read))
        expect(yield* Effect.promise(() => entered(read))).toBe(times)
      }
    })))

  it.live("is closed by nobody but its scope, and queries go on without it", () =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      const context = yield* Layer.buildWithScope(Layer.orDie(layer()), scope)
      const { db, name, prisma, read, status } = yield* setup().pipe(Effect.provide(context), Scope.extend(scope))
      yield* read
      yield* Effect.promise(() => prisma.$cache.close())
      expect(yield* status).toBe("hit")
      yield* Effect.promise(() => prisma.$disconnect())
      expect(yield* status).toBe("hit")

      yield* Scope.close(scope, Exit.void)
      expect(prisma.$cache.health().status).toBe("closed")
      yield* behind(name, 2)
      expect((yield* read.withCacheInfo()).info.status).toBe("bypass")
      expect((yield* read).value).toBe(2)
      yield* db.counter.update({ where: { name }, data: { value: 3 } })
      expect((yield* read).value).toBe(3)
      expect((yield* Effect.flip(db.$cache.invalidate({ tags: ["counters"] }))).reason).toBe("Unavailable")
    }))
})

describe("the application's runtime", () => {
  const memory = Layer.suspend(() => MemoryCache.layer({ namespace: uniqueName("one") }))

  it.scoped("gives queries its clock: a test moves it, and entries expire", () =>
    Effect.gen(function*() {
      const { name, read, status } = yield* setup()
      expect([yield* status, yield* status]).toEqual(["miss", "hit"])
      yield* TestClock.adjust("59 seconds")
      expect(yield* status).toBe("hit")
      yield* behind(name, 2)
      yield* TestClock.adjust("1 second")
      expect((yield* read).value).toBe(2)
      const { createdAt } = (yield* read.withCacheInfo()).info
      expect(createdAt).toBe(yield* Clock.currentTimeMillis)
    }).pipe(Effect.provide(memory)))

  it.scoped("gives queries its loggers", () => {
    const said: Array<unknown> = []
    const logger = Logger.make(({ message }) => void said.push(message))
    return Effect.gen(function*() {
      const { prisma } = yield* setup()
      prisma.$extends({ name: "later", query: { counter: { findMany: ({ args, query }) => query(args) } } })
      expect(String(said)).toContain("\"later\" was added after the cache")
    }).pipe(Effect.provide([memory, Logger.replace(Logger.defaultLogger, logger)]))
  })

  it.live("makes the client and disconnects it, from layers alone", () =>
    Effect.gen(function*() {
      const program = Effect.gen(function*() {
        const db = yield* Db
        const name = yield* counter
        const read = db.counter.findMany({ where: { name }, cache: true })
        yield* read
        yield* read
        return (yield* (yield* QueryCache.QueryCache).stats).hits
      })
      const live = Layer.provideMerge(EffectPrisma.layerScoped(Db, client), memory)
      expect(yield* Effect.provide(program, live)).toBe(1)
    }))

  it.live("lets what takes too long be interrupted, although the client was made where nothing can be", () =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      const { db } = yield* Effect.uninterruptible(setup({ trustLaterExtensions: true })).pipe(Scope.extend(scope))
      const never = yield* EffectPrisma.make(
        db.$client.$extends({ query: { counter: { findMany: () => new Promise<never>(() => {}) } } })
      )
      const tooLate = Effect.flip(never.counter.findMany({ cache: { ttl: "1 minute", hardTimeout: 50 } }))
      const expected = { _tag: "Timeout", query: "Counter.findMany", cause: { _tag: "QueryTimeoutError" } }
      expect(yield* tooLate).toMatchObject(expected)
      yield* Scope.close(scope, Exit.void)
      expect(yield* tooLate).toMatchObject(expected)
    }).pipe(Effect.provide(memory)))

  it.scoped("refuses options that cannot be used, and those of the cache itself", () =>
    Effect.gen(function*() {
      for (const options of [{ namespace: "x" }, { defaults: { ttl: "soon" } }, { nothing: 1 }]) {
        const exit = yield* Effect.exit(PrismaCache.extension(options as never))
        expect(exit).toMatchObject({ cause: { _tag: "Die", defect: { name: "CacheOptionsError" } } })
      }
    }).pipe(Effect.provide(memory)))
})

const client = Effect.map(PrismaCache.extension(), (cache) => makePrisma(database.url).prisma.$extends(cache))

class Db extends Context.Tag("test/OneCacheDb")<Db, EffectPrisma.EffectPrisma<Effect.Effect.Success<typeof client>>>() {}
