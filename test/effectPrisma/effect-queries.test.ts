import { it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import { describe, expect } from "vitest"
import { CacheError, EffectPrisma, prismaCache } from "effect-prisma-cache"
import { Prisma } from "../prisma/generated/client/client.js"
import { insertCounter, readsOf, setCounter, writesOf } from "../prisma/counters.js"
import { insertPeople } from "../prisma/rows.js"
import { between, makeGate, memoryLayer, untyped, useDatabase } from "../prisma/support.js"
import type { BaseClient } from "../prisma/support.js"
import { makePrisma } from "../support/database.js"
import { recordingTracer } from "../support/recordingTracer.js"
import { uniqueName } from "../support/servers.js"
import { unhurried } from "../support/unhurried.js"

const database = useDatabase(insertPeople)

const extend = (base: BaseClient) =>
  base.$extends(prismaCache({ ...unhurried, cache: memoryLayer(), namespace: uniqueName("effect") }))

/** A client with a cache of its own, closed after the test. */
const cached = Effect.acquireRelease(
  Effect.sync(() => extend(database.base)),
  (prisma) => Effect.promise(() => prisma.$cache.close())
)

const withCache = Effect.flatMap(cached, (prisma) => EffectPrisma.make(prisma))
const without = Effect.suspend(() => EffectPrisma.make(database.base))

/** Operations by names that the compiler does not know. */
const byName = (db: object) => db as Record<string, Record<string, (args: object) => Effect.Effect<unknown, unknown>>>

const counter = Effect.promise(() => insertCounter(database.base))

describe("a query", () => {
  it.scoped("answers as the client's own promise does, whatever it reads", () =>
    Effect.gen(function*() {
      const prisma = yield* cached
      const name = yield* counter
      for (const db of [yield* without, yield* EffectPrisma.make(prisma)]) {
        for (const [operation, args] of readsOf(name)) {
          const truth = yield* Effect.promise(async () => untyped(database.base)["counter"]![operation]!(args))
          expect(yield* byName(db)["counter"]![operation]!(args)).toEqual(truth)
        }
      }
    }))

  it.scoped("changes what the client's own promise does, whatever it writes", () =>
    Effect.gen(function*() {
      for (const db of [yield* without, yield* withCache]) {
        for (const [operation] of writesOf("")) {
          const name = yield* counter
          const args = Object.fromEntries(writesOf(name))[operation]!
          const before = yield* db.counter.findUnique({ where: { name } })
          yield* byName(db)["counter"]![operation]!(args)
          const after = yield* db.counter.findUnique({ where: { name } })
          const expected = operation.startsWith("create") ? before : operation.startsWith("delete") ? null : { name, value: 2 }
          expect([operation, after]).toEqual([operation, expected])
        }
      }
    }))

  it.live("is sent when it is run, each time, and never before", () =>
    Effect.gen(function*() {
      const db = yield* without
      const name = yield* counter
      database.sql.reset()
      const read = db.counter.findUniqueOrThrow({ where: { name } })
      const raise = db.counter.update({ where: { name }, data: { value: { increment: 1 } } })
      yield* Effect.yieldNow()
      expect(database.sql.count()).toBe(0)
      yield* raise
      yield* raise
      expect((yield* read).value).toBe(3)
      yield* Effect.promise(() => setCounter(database.base, name, 7))
      expect((yield* read).value).toBe(7)
    }))

  it.live("selects and includes, counts and groups", () =>
    Effect.gen(function*() {
      const db = yield* without
      const user = yield* db.user.findUniqueOrThrow({
        where: { id: 1 },
        select: { email: true, posts: { select: { title: true }, orderBy: { id: "asc" } } }
      })
      expect(user).toEqual({ email: "ada@example.com", posts: [{ title: "Notes" }, { title: "Drafts" }] })
      expect(yield* db.post.aggregate({ _sum: { views: true } })).toEqual({ _sum: { views: 14 } })
    }))

  it.scoped("follows relations, through the cache where it is asked to", () =>
    Effect.gen(function*() {
      const db = yield* withCache
      const profile = db.post.findUnique({ where: { id: 1 } }).author().profile({ cache: true })
      expect(yield* profile).toEqual({ id: 1, bio: "first", userId: 1 })
      const posts = db.user.findUniqueOrThrow({ where: { id: 1 } }).posts({ select: { id: true }, orderBy: { id: "asc" } })
      expect(yield* posts).toEqual([{ id: 1 }, { id: 2 }])
      expect(yield* db.post.findUnique({ where: { id: 404 } }).author()).toBeNull()
      database.sql.reset()
      expect((yield* profile.withCacheInfo()).info.status).toMatch(/hit|joined/)
      expect(database.sql.count()).toBe(0)
    }))

  it.scoped("takes the cache's options, and tells where its answer came from", () =>
    Effect.gen(function*() {
      const db = yield* withCache
      const name = yield* counter
      const read = db.counter.findMany({ where: { name }, cache: { ttl: "1 minute", tags: ["counters"] } }).withCacheInfo()
      const status = Effect.map(read, ({ info }) => info.status)
      expect(yield* status).toBe("miss")
      expect(yield* status).toMatch(/hit|joined/)
      yield* db.counter.update({ where: { name }, data: { value: 2 } })
      expect((yield* read).data).toEqual([{ name, value: 2 }])
      const accelerated = db.counter.count({ where: { name }, cacheStrategy: { ttl: 60 } }).withAccelerateInfo()
      expect((yield* accelerated).info.cacheStatus).toBe("miss")
      yield* db.counter.create({ data: { name: uniqueName("counter") }, uncache: ["nothing"] })
    }))

  it.scoped("of raw SQL takes a template, `Prisma.sql` or a text", () =>
    Effect.gen(function*() {
      const db = yield* withCache
      const name = yield* counter
      const rows = db.$queryRaw<Array<{ value: number }>>`SELECT value FROM "Counter" WHERE name = ${name}`
      expect(yield* rows).toEqual([{ value: 1 }])
      expect(yield* db.$executeRaw(Prisma.sql`UPDATE "Counter" SET value = ${2} WHERE name = ${name}`)).toBe(1)
      expect(yield* rows).toEqual([{ value: 2 }])
      expect(yield* db.$queryRawUnsafe(`SELECT value FROM "Counter" WHERE name = $1`, name)).toEqual([{ value: 2 }])
      const kept = rows.cached({ reads: ["Counter"], ttl: "1 minute" })
      expect(yield* kept).toEqual([{ value: 2 }])
      yield* Effect.promise(() => setCounter(database.base, name, 3))
      expect(yield* kept).toEqual([{ value: 2 }])
      const write = db.$executeRawUnsafe(`UPDATE "Counter" SET value = 4 WHERE name = $1`, name)
      expect(yield* write.touches("Counter")).toBe(1)
      expect(yield* kept).toEqual([{ value: 4 }])
    }))

  it.scoped("stands in a batch with others, which is carried out as a whole or not at all", () =>
    Effect.gen(function*() {
      const db = yield* withCache
      const name = yield* counter
      const raise = db.counter.update({ where: { name }, data: { value: { increment: 1 } }, select: { value: true } })
      const [one, rows, count] = yield* db.$transaction([
        raise,
        db.$queryRaw<Array<{ value: number }>>`SELECT value FROM "Counter" WHERE name = ${name}`,
        db.counter.count({ where: { name }, cache: true }).withCacheInfo()
      ])
      expect([one, rows, count.data, count.info.status]).toEqual([{ value: 2 }, [{ value: 2 }], 1, "bypass"])
      const failed = yield* db.$transaction([raise, db.counter.create({ data: { name } })]).pipe(
        Effect.catchTag("UniqueConstraint", () => Effect.succeed("taken"))
      )
      expect(failed).toBe("taken")
      expect((yield* db.counter.findUniqueOrThrow({ where: { name } })).value).toBe(2)
    }))
})

describe("an interrupted query", () => {
  it.scoped("ends at once, and leaves the flight to its other waiters", () =>
    Effect.gen(function*() {
      const gate = makeGate()
      const slow = database.base
        .$extends(prismaCache({ ...unhurried, cache: memoryLayer(), trustLaterExtensions: true }))
        .$extends(
          between(async (_, run) => {
            await gate.pass()
            return run()
          })
        )
      const db = yield* EffectPrisma.make(slow)
      const name = yield* counter
      database.sql.reset()
      const read = db.counter.findUnique({ where: { name }, cache: true })
      const first = yield* Effect.fork(read)
      yield* Effect.promise(() => gate.reached)
      const second = yield* Effect.fork(read)
      const exit = yield* Fiber.interrupt(first)
      expect(Exit.isInterrupted(exit)).toBe(true)
      expect(database.sql.count()).toBe(0)
      gate.open()
      expect(yield* Fiber.join(second)).toEqual({ name, value: 1 })
      expect(database.sql.count()).toBe(1)
      yield* db.$cache.close
    }))
})

describe("a client", () => {
  it.live("with other extensions has what they add, and works as it does", () =>
    Effect.gen(function*() {
      const extended = database.base.$extends({
        result: { user: { shout: { needs: { email: true }, compute: (user: { email: string }) => user.email.toUpperCase() } } },
        model: {
          user: {
            async byEmail(email: string) {
              return Prisma.getExtensionContext(this).name + (await database.base.user.count({ where: { email } }))
            },
            greet: (name: string) => `hello ${name}`
          }
        },
        client: { $name: () => Promise.resolve("shop") }
      })
      const db = yield* EffectPrisma.make(extended)
      const user = yield* db.user.findUniqueOrThrow({ where: { id: 1 }, select: { shout: true } })
      expect(user.shout).toBe("ADA@EXAMPLE.COM")
      expect(yield* db.user.byEmail("ada@example.com")).toBe("User1")
      expect(yield* db.user.greet("Ada")).toBe("hello Ada")
      expect(db.user.fields.email.name).toBe("email")
      expect(yield* db.$run((client) => client.$name())).toBe("shop")
      const missing = yield* Effect.flip(db.$run((client) => client.user.findUniqueOrThrow({ where: { id: 404 } })))
      expect(missing._tag).toBe("RecordNotFound")
      expect(db.$client).toBe(extended)
    }))

  it.scoped("with a cache has its operations", () =>
    Effect.gen(function*() {
      const db = yield* withCache
      const name = yield* counter
      const read = db.counter.findUnique({ where: { name }, cache: { key: "k", tags: ["t"] } })
      const behind = (value: number) => Effect.promise(() => setCounter(database.base, name, value))
      yield* read
      yield* behind(2)
      expect((yield* read)?.value).toBe(1)
      yield* db.$cache.invalidate({ tags: ["t"] })
      expect((yield* read)?.value).toBe(2)
      yield* behind(3)
      yield* db.$cache.invalidateAll()
      expect((yield* read)?.value).toBe(3)
      expect(yield* db.$cache.stats).toMatchObject({ misses: 3, invalidations: 2 })
      expect((yield* db.$cache.health).status).toBe("ok")
      expect(db.$cache.explain("Counter", "findMany").kind).toBe("read")
      const wrong = yield* Effect.exit(db.$cache.invalidate({ tag: "t" } as never))
      expect(wrong).toMatchObject({ cause: { _tag: "Die", defect: { name: "CacheOptionsError" } } })
      yield* db.$cache.close
      expect((yield* db.$cache.health).status).toBe("closed")
    }))

  it.scoped("whose cache may refuse writes fails with the cache's own error", () =>
    Effect.gen(function*() {
      const refusing = database.base.$extends({
        query: { counter: { updateMany: () => Promise.reject(new CacheError.CacheError({ reason: "Suspended", operation: "write" })) } }
      })
      const db = yield* EffectPrisma.make(extend(refusing as unknown as BaseClient))
      const refused = yield* db.counter.updateMany({ data: {} }).pipe(
        Effect.catchTag("CacheError", ({ reason }) => Effect.succeed(reason))
      )
      expect(refused).toBe("Suspended")
      yield* db.$cache.close
    }))

  it.live("can be handed through promises, and inspected", () =>
    Effect.promise(async () => {
      const db = await Effect.runPromise(EffectPrisma.make(database.base))
      expect(await Promise.resolve(db.user)).toBe(db.user)
      expect(Object.keys(db)).toEqual([])
      expect(await Effect.runPromise(db.user.count())).toBe(3)
    }))

  it.live("stands behind a tag, and is disconnected with its scope where the layer made it", () =>
    Effect.gen(function*() {
      class Db extends Context.Tag("test/Db")<Db, EffectPrisma.EffectPrisma<BaseClient>>() {}
      const count = Effect.flatMap(Db, (db) => db.user.count())
      expect(yield* Effect.provide(count, EffectPrisma.layer(Db, database.base))).toBe(3)
      let disconnected = 0
      const made = Effect.sync(() => {
        const { prisma } = makePrisma(database.url)
        const disconnect = prisma.$disconnect.bind(prisma)
        return Object.assign(prisma, { $disconnect: () => (disconnected++, disconnect()) })
      })
      const program = Effect.flatMap(count, (n) => Effect.sync(() => [n, disconnected]))
      expect(yield* Effect.provide(program, EffectPrisma.layerScoped(Db, made))).toEqual([3, 0])
      expect(disconnected).toBe(1)
      expect(Layer.isLayer(EffectPrisma.layer(Db, database.base))).toBe(true)
    }))

  it.live("has a span for each query when asked to, with names and no values", () =>
    Effect.gen(function*() {
      const { spans, tracer } = recordingTracer()
      const quiet = yield* without
      const traced = yield* EffectPrisma.make(database.base, { spans: true })
      const query = (db: typeof quiet) =>
        Effect.zipRight(db.user.findMany({ where: { email: "secret@example.com" } }), db.$transaction((tx) => tx.user.count()))
      yield* Effect.withTracer(query(quiet), tracer)
      expect(spans).toEqual([])
      yield* Effect.withTracer(query(traced), tracer)
      expect(spans.map(({ name }) => name)).toEqual(["prisma.User.findMany", "prisma.$transaction", "prisma.User.count"])
      expect(Object.fromEntries(spans[0]?.attributes ?? [])).toEqual({
        "db.operation.name": "findMany",
        "db.collection.name": "User"
      })
    }))
})
