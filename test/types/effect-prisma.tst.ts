import { Prisma, PrismaClient } from "generated-client"
import { Context, Effect } from "effect"
import type { Layer, Scope } from "effect"
import { describe, expect, test } from "tstyche"
import type { CacheError } from "../../src/CacheError.js"
import type { CacheInfo } from "../../src/CacheInfo.js"
import * as EffectPrisma from "../../src/EffectPrisma.js"
import type { CacheExtension } from "../../src/prisma/types/extension.js"
import { base, extension, plain, prisma } from "./client.js"
import type { HasAny } from "./client.js"

declare const adapter: never
declare const db: EffectPrisma.EffectPrisma<typeof prisma>
declare const bare: EffectPrisma.EffectPrisma<typeof base>
declare const bland: EffectPrisma.EffectPrisma<typeof plain>

type Value<Q> = Q extends Effect.Effect<infer A, infer _E, infer _R> ? A : "no effect"
type Failure<Q> = Q extends Effect.Effect<infer _A, infer E, infer _R> ? E : "no effect"
type Needs<Q> = Q extends Effect.Effect<infer _A, infer _E, infer R> ? R : "no effect"

type Always = "ConnectionFailed" | "Timeout" | "ValidationError" | "UnknownPrismaError"
type Written = Always | "UniqueConstraint" | "ForeignKeyConstraint" | "NullConstraint" | "CheckConstraint" | "TransactionConflict"

const where = { id: 1 }

describe("what a query succeeds with", () => {
  test("is what the client's own promise resolves to, for reads", async () => {
    const first = db.user.findFirst({ cache: true })
    expect<Value<typeof first>>().type.toBe(await prisma.user.findFirst({ cache: true }))
    const selected = db.user.findMany({ select: { id: true, posts: { select: { title: true } } }, cache: 5000 })
    expect<Value<typeof selected>>().type.toBe<Array<{ id: number; posts: Array<{ title: string }> }>>()
    const included = db.post.findUniqueOrThrow({ where, include: { author: true, _count: { select: { comments: true } } } })
    expect<Value<typeof included>>().type.toBe(
      await prisma.post.findUniqueOrThrow({ where, include: { author: true, _count: { select: { comments: true } } } })
    )
    const omitted = db.user.findUnique({ where, omit: { email: true } })
    expect<Value<typeof omitted>>().type.toBe(await prisma.user.findUnique({ where, omit: { email: true } }))
    const count = db.user.count({ cache: true })
    expect<Value<typeof count>>().type.toBe<number>()
    const counts = db.user.count({ select: { _all: true, name: true } })
    expect<Value<typeof counts>>().type.toBe<{ _all: number; name: number }>()
    const figures = db.post.aggregate({ _sum: { views: true }, _count: true })
    expect<Value<typeof figures>>().type.toBe(await prisma.post.aggregate({ _sum: { views: true }, _count: true }))
    const groups = db.post.groupBy({ by: ["authorId"], _count: { id: true } })
    expect<Value<typeof groups>>().type.toBe(await prisma.post.groupBy({ by: ["authorId"], _count: { id: true } }))
  })

  test("is what the client's own promise resolves to, for writes", async () => {
    const created = db.user.create({ data: { email: "x" }, select: { id: true }, uncache: (user) => `user-${user.id}` })
    expect<Value<typeof created>>().type.toBe<{ id: number }>()
    const many = db.user.createMany({ data: [{ email: "x" }] })
    expect<Value<typeof many>>().type.toBe<{ count: number }>()
    const returned = db.user.createManyAndReturn({ data: [{ email: "x" }], select: { id: true } })
    expect<Value<typeof returned>>().type.toBe<Array<{ id: number }>>()
    const updated = db.user.update({ where, data: { name: "x" } })
    expect<Value<typeof updated>>().type.toBe(await prisma.user.update({ where, data: { name: "x" } }))
    const batch = db.user.updateMany({ data: {} })
    expect<Value<typeof batch>>().type.toBe<{ count: number }>()
    const upserted = db.user.upsert({ where, create: { email: "x" }, update: {}, omit: { secret: true } })
    expect<Value<typeof upserted>>().type.toBe(
      await prisma.user.upsert({ where, create: { email: "x" }, update: {}, omit: { secret: true } })
    )
    const deleted = db.user.delete({ where, select: { email: true } })
    expect<Value<typeof deleted>>().type.toBe<{ email: string }>()
    const gone = db.user.deleteMany()
    expect<Value<typeof gone>>().type.toBe<{ count: number }>()
  })

  test("is exact on clients without a cache too", async () => {
    const one = bare.user.findFirstOrThrow()
    expect<Value<typeof one>>().type.toBe(await base.user.findFirstOrThrow())
    const other = bland.user.findMany({ include: { profile: true } })
    expect<Value<typeof other>>().type.toBe(await plain.user.findMany({ include: { profile: true } }))
    const groups = bare.post.groupBy({ by: ["authorId"], _count: { id: true } })
    expect<Value<typeof groups>>().type.toBe(await plain.post.groupBy({ by: ["authorId"], _count: { id: true } }))
    const created = bare.user.create({ data: { email: "x" }, select: { id: true } })
    expect<Value<typeof created>>().type.toBe<{ id: number }>()
  })

  test("is followed through relations", () => {
    const author = db.post.findUnique({ where }).author({ select: { name: true }, cache: true })
    expect<Value<typeof author>>().type.toBe<{ name: string | null } | null>()
    const profile = bare.post.findUniqueOrThrow({ where }).author().profile({ select: { bio: true } })
    expect<Value<typeof profile>>().type.toBe<{ bio: string } | null>()
    expect<Failure<typeof profile>["_tag"]>().type.toBe<Always | "RecordNotFound">()
    const posts = db.user.findFirst().posts({ select: { id: true } })
    expect<Value<typeof posts>>().type.toBe<Array<{ id: number }> | null>()
  })

  test("can be told together with where it came from", () => {
    const told = db.user.findMany({ select: { id: true }, cache: true }).withCacheInfo()
    expect<Value<typeof told>>().type.toBe<{ readonly data: Array<{ id: number }>; readonly info: CacheInfo }>()
    const accelerated = db.user.count({ cacheStrategy: { ttl: 60 } }).withAccelerateInfo()
    expect<Value<typeof accelerated>["data"]>().type.toBe<number>()
    expect(bare.user.findMany()).type.not.toHaveProperty("withCacheInfo")
    expect(db.user.updateMany({ data: {} })).type.not.toHaveProperty("withCacheInfo")
  })
})

describe("what a query takes", () => {
  test("are Prisma's own arguments, and nothing else", () => {
    expect(db.user.findMany).type.toBeCallableWith({ where: { email: "x" }, orderBy: { id: "asc" }, take: 1 })
    expect(db.user.findMany).type.not.toBeCallableWith({ where: { colour: "red" } })
    expect(bare.user.findMany).type.not.toBeCallableWith({ where: { colour: "red" } })
    expect(bare.user.findUnique).type.not.toBeCallableWith()
    expect(bare.user.findFirst).type.not.toBeCallableWith({ select: { id: true }, include: { posts: true } })
    expect(db.user.create).type.not.toBeCallableWith({ data: {} })
  })

  test("are the cache's options where the client has a cache, and only there", () => {
    const args = { where: { email: "x" }, cache: { ttl: "1 minute", tags: ["users"] } } as const
    expect(db.user.findMany).type.toBeCallableWith(args)
    expect(db.user.findMany).type.not.toBeCallableWith({ cache: { time: 5 } })
    expect(db.user.update).type.toBeCallableWith({ where, data: {}, uncache: ["users"] })
    expect(bare.user.findMany).type.not.toBeCallableWith({ cache: true })
    expect(bland.user.update).type.not.toBeCallableWith({ where, data: {}, uncache: "users" })
  })
})

describe("what a query fails with", () => {
  test("is what can happen to it", () => {
    const found = db.user.findMany()
    expect<Failure<typeof found>["_tag"]>().type.toBe<Always>()
    const one = db.user.findUnique({ where })
    expect<Failure<typeof one>["_tag"]>().type.toBe<Always>()
    const needed = db.user.findUniqueOrThrow({ where })
    expect<Failure<typeof needed>["_tag"]>().type.toBe<Always | "RecordNotFound">()
    const first = db.user.findFirstOrThrow()
    expect<Failure<typeof first>["_tag"]>().type.toBe<Always | "RecordNotFound">()
    const count = db.user.count()
    expect<Failure<typeof count>["_tag"]>().type.toBe<Always>()
    const created = bare.user.create({ data: { email: "x" } })
    expect<Failure<typeof created>["_tag"]>().type.toBe<Written | "RecordNotFound">()
    const many = bare.user.createMany({ data: [] })
    expect<Failure<typeof many>["_tag"]>().type.toBe<Written>()
    const updated = bare.user.updateMany({ data: {} })
    expect<Failure<typeof updated>["_tag"]>().type.toBe<Written>()
    const deleted = bare.user.delete({ where })
    expect<Failure<typeof deleted>["_tag"]>().type.toBe<
      Always | "RecordNotFound" | "ForeignKeyConstraint" | "TransactionConflict"
    >()
    const gone = bare.user.deleteMany()
    expect<Failure<typeof gone>["_tag"]>().type.toBe<Always | "ForeignKeyConstraint" | "TransactionConflict">()
    const rows = bare.$queryRaw`SELECT 1`
    expect<Failure<typeof rows>["_tag"]>().type.toBe<Written>()
  })

  test("is the cache's own error for writes that the cache may refuse, and for no read", () => {
    const updated = db.user.updateMany({ data: {} })
    expect<Failure<typeof updated>["_tag"]>().type.toBe<Written | "CacheError">()
    const statement = db.$executeRaw`SELECT 1`
    expect<Failure<typeof statement>["_tag"]>().type.toBe<Written | "CacheError">()
  })

  test("can be caught by tag if it can happen, and only then", () => {
    const caught = db.user.create({ data: { email: "x" } }).pipe(
      Effect.catchTag("UniqueConstraint", ({ code, meta, target }) => {
        expect(code).type.toBe<string | undefined>()
        expect(target).type.toBe<ReadonlyArray<string>>()
        expect(meta).type.toBe<{ readonly [name: string]: unknown } | undefined>()
        return Effect.succeed(null)
      })
    )
    expect<Failure<typeof caught>["_tag"]>().type.toBe<
      Exclude<Written, "UniqueConstraint"> | "RecordNotFound" | "CacheError"
    >()
    db.user.findUniqueOrThrow({ where }).pipe(Effect.catchTag("RecordNotFound", () => Effect.succeed(null)))
    // A row that is not there is an answer.
    // @ts-expect-error No overload matches this call.
    db.user.findUnique({ where }).pipe(Effect.catchTag("RecordNotFound", () => Effect.succeed(null)))
    // A read violates nothing.
    // @ts-expect-error No overload matches this call.
    db.user.findMany().pipe(Effect.catchTag("UniqueConstraint", () => Effect.succeed([])))
    // Nothing is written that a constraint could be on.
    // @ts-expect-error No overload matches this call.
    db.user.deleteMany().pipe(Effect.catchTag("UniqueConstraint", () => Effect.succeed(0)))
    // Many rows or none are an answer.
    // @ts-expect-error No overload matches this call.
    db.user.updateMany({ data: {} }).pipe(Effect.catchTag("RecordNotFound", () => Effect.succeed(0)))
    // There is no transaction that could come to its end.
    // @ts-expect-error No overload matches this call.
    db.user.create({ data: { email: "x" } }).pipe(Effect.catchTag("TransactionExpired", () => Effect.succeed(0)))
  })
})

class Rejected {
  readonly _tag = "Rejected"
}
class Clerk extends Context.Tag("Clerk")<Clerk, { readonly name: string }>() {}

describe("a transaction around an effect", () => {
  const ends = "TransactionConflict" as "TransactionConflict" | "TransactionExpired"

  test("has the effect's own value, errors and requirements", () => {
    const transfer = db.$transaction(
      (tx) =>
        Effect.gen(function*() {
          const clerk = yield* Clerk
          const user = yield* tx.user.findFirst({ where: { name: clerk.name }, select: { id: true }, cache: true })
          if (user === null) return yield* Effect.fail(new Rejected())
          return user.id
        }),
      { isolationLevel: "Serializable", timeout: 1000, maxWait: 1000 }
    )
    expect<Value<typeof transfer>>().type.toBe<number>()
    expect<Needs<typeof transfer>>().type.toBe<Clerk>()
    expect<Failure<typeof transfer>["_tag"]>().type.toBe<Always | "Rejected" | typeof ends>()
    expect<Extract<Failure<typeof transfer>, Rejected>>().type.toBe<Rejected>()
    const nothing = bare.$transaction(() => Effect.succeed(1))
    expect<Failure<typeof nothing>>().type.toBe<EffectPrisma.TransactionError>()
    expect<Needs<typeof nothing>>().type.toBe<never>()
  })

  test("refuses what is no effect, and options that there are not", () => {
    expect(db.$transaction).type.not.toBeCallableWith(async () => 1)
    expect(db.$transaction).type.not.toBeCallableWith(() => Effect.succeed(1), { isolationLevel: "Sometimes" })
    expect(db.$transaction).type.not.toBeCallableWith(() => Effect.succeed(1), { time: 1 })
  })

  test("has queries that can also fail by its end, exact results, and no connection to close", () => {
    db.$transaction((tx) => {
      const found = tx.user.findMany({ select: { id: true } })
      expect<Value<typeof found>>().type.toBe<Array<{ id: number }>>()
      expect<Failure<typeof found>["_tag"]>().type.toBe<Always | typeof ends>()
      expect(tx).type.not.toHaveProperty("$connect")
      expect<typeof tx>().type.toBeAssignableTo<EffectPrisma.TransactionOf<typeof prisma>>()
      return found
    })
    bare.$transaction((tx) => {
      const found = tx.user.create({ data: { email: "x" } })
      expect<Value<typeof found>>().type.toBe<Value<ReturnType<typeof bare.user.create<{}>>>>()
      expect<Failure<typeof found>["_tag"]>().type.toBe<Written | "RecordNotFound" | typeof ends>()
      expect(tx.user.findMany).type.not.toBeCallableWith({ cache: true })
      return found
    })
  })

  test("sends a batch, whose results are a tuple and whose errors are those of its queries", () => {
    const batch = db.$transaction([
      db.user.findMany({ select: { id: true } }),
      db.user.count({ cache: true }),
      db.user.delete({ where, select: { email: true } }),
      db.$executeRaw`SELECT 1`
    ])
    expect<Value<typeof batch>>().type.toBe<[Array<{ id: number }>, number, { email: string }, number]>()
    const reads = bare.$transaction([bare.user.count()], { isolationLevel: "Serializable" })
    expect<Failure<typeof reads>["_tag"]>().type.toBe<Always | typeof ends>()
    expect(db.$transaction).type.not.toBeCallableWith([Effect.succeed(1)])
  })
})

describe("raw SQL", () => {
  test("takes a template or `Prisma.sql`, and returns what it is said to", () => {
    const rows = db.$queryRaw<Array<{ id: number }>>`SELECT id FROM "User" WHERE id = ${1}`
    expect<Value<typeof rows>>().type.toBe<Array<{ id: number }>>()
    const unsaid = bare.$queryRaw(Prisma.sql`SELECT ${1}`)
    expect<Value<typeof unsaid>>().type.toBe<unknown>()
    const unsafe = bare.$queryRawUnsafe<[{ one: number }]>("SELECT $1 AS one", 1)
    expect<Value<typeof unsafe>>().type.toBe<[{ one: number }]>()
    const count = bare.$executeRawUnsafe("DELETE FROM x WHERE id = $1", 1)
    expect<Value<typeof count>>().type.toBe<number>()
  })

  test("says what it reads and writes where there is a cache", () => {
    const kept = db.$queryRaw<Array<{ n: number }>>`SELECT 1 AS n`.cached({ reads: ["User"], ttl: "1 minute" })
    expect<Value<typeof kept>>().type.toBe<Array<{ n: number }>>()
    const touching = db.$executeRaw`SELECT 1`.touches("User")
    expect<Value<typeof touching>>().type.toBe<number>()
    expect(bare.$queryRaw`SELECT 1`).type.not.toHaveProperty("cached")
  })
})

describe("the cache of a client", () => {
  test("is effects", () => {
    const invalidated = db.$cache.invalidate({ tags: ["users"], models: ["User"] })
    expect<Failure<typeof invalidated>>().type.toBe<CacheError>()
    const stats = db.$cache.stats
    expect<Value<typeof stats>["hits"]>().type.toBe<number>()
    expect(bare).type.not.toHaveProperty("$cache")
  })
})

describe("a client with other extensions", () => {
  const extended = base
    .$extends({
      result: { user: { displayName: { needs: { email: true }, compute: (user: { email: string }) => user.email } } },
      model: { user: { greet: (name: string) => Promise.resolve(`hello ${name}`), loud: (name: string) => name.length } },
      client: { $now: () => Promise.resolve(new Date()) }
    })
    .$extends(extension)
  const all = EffectPrisma.make(extended)
  type Extended = Value<typeof all>
  const it = {} as Extended

  test("has computed fields in every result", async () => {
    const user = it.user.findFirstOrThrow({ cache: true })
    expect<Value<typeof user>["displayName"]>().type.toBe<string>()
    const selected = it.user.findMany({ select: { displayName: true } })
    expect<Value<typeof selected>>().type.toBe<Array<{ displayName: string }>>()
    const nested = it.post.findFirstOrThrow({ include: { author: true } })
    expect<NonNullable<Value<typeof nested>["author"]>["displayName"]>().type.toBe<string>()
  })

  test("has the methods of models as effects, and of the client by way of `$run`", () => {
    const greeting = it.user.greet("x")
    expect<Value<typeof greeting>>().type.toBe<string>()
    expect<Failure<typeof greeting>>().type.toBe<EffectPrisma.PrismaError>()
    const loud = it.user.loud("x")
    expect<Value<typeof loud>>().type.toBe<number>()
    expect(it.user.greet).type.not.toBeCallableWith(1)
    expect(it.post).type.not.toHaveProperty("greet")
    expect(it.user.fields.email.name).type.toBe<string>()
    const now = it.$run((client) => client.$now())
    expect<Value<typeof now>>().type.toBe<Date>()
  })
})

describe("a field that the client omits everywhere", () => {
  const omit = { user: { secret: true } } as const
  const omitting = new PrismaClient({ adapter, omit })
  const some = {} as EffectPrisma.EffectPrisma<typeof omitting>
  const declared = omitting.$extends({} as CacheExtension<typeof omit>)
  const all = EffectPrisma.make<typeof declared, typeof omit>(declared)
  const other = {} as Value<typeof all>

  test("is missing from rows, nested rows, what is written, and inside a transaction", () => {
    const user = some.user.findFirstOrThrow()
    expect<keyof Value<typeof user> & ("secret" | "email")>().type.toBe<"email">()
    const post = some.post.findFirstOrThrow({ include: { author: true } })
    expect<keyof NonNullable<Value<typeof post>["author"]> & ("secret" | "email")>().type.toBe<"email">()
    some.$transaction((tx) => {
      const created = tx.user.create({ data: { email: "x" } })
      expect<keyof Value<typeof created> & ("secret" | "email")>().type.toBe<"email">()
      return created
    })
    const asked = some.user.findFirstOrThrow({ omit: { secret: false } })
    expect<Value<typeof asked>["secret"]>().type.toBe<string | null>()
  })

  test("is missing where it was declared to the cache", () => {
    const user = other.user.findFirstOrThrow({ cache: true })
    expect<keyof Value<typeof user> & ("secret" | "email")>().type.toBe<"email">()
    const author = other.post.findUniqueOrThrow({ where }).author()
    expect<keyof NonNullable<Value<typeof author>> & ("secret" | "email")>().type.toBe<"email">()
  })
})

describe("as a service", () => {
  class Db extends Context.Tag("Db")<Db, EffectPrisma.EffectPrisma<typeof prisma>>() {}

  test("a client is put behind a tag", () => {
    expect(EffectPrisma.layer(Db, prisma)).type.toBe<Layer.Layer<Db>>()
    expect(EffectPrisma.layer).type.not.toBeCallableWith(Db, base)
    const scoped = EffectPrisma.layerScoped(Db, Effect.map(Clerk, () => prisma))
    expect(scoped).type.toBe<Layer.Layer<Db, never, Clerk>>()
    expect<Scope.Scope>().type.not.toBeAssignableTo<Layer.Layer.Context<typeof scoped>>()
    const program = Effect.flatMap(Db, (it) => it.user.count())
    expect<Value<typeof program>>().type.toBe<number>()
    expect<Needs<typeof program>>().type.toBe<Db>()
  })

  test("of which the global omit is declared is put behind a tag", () => {
    class Other extends Context.Tag("Other")<Other, EffectPrisma.EffectPrisma<typeof prisma, { user: { secret: true } }>>() {}
    expect(EffectPrisma.layer(Other, prisma)).type.toBe<Layer.Layer<Other>>()
  })

  test("nothing in it is `any`", () => {
    const count = db.user.count()
    const found = db.user.findMany({ include: { posts: true } })
    const created = db.post.create({ data: { title: "x" } })
    expect<HasAny<Failure<typeof created>["code" | "query" & keyof Failure<typeof created>]>>().type.toBe<false>()
    expect<HasAny<Value<typeof count>>>().type.toBe<false>()
    expect<HasAny<Value<typeof found>>>().type.toBe<HasAny<Prisma.UserGetPayload<{ include: { posts: true } }>[]>>()
  })
})
