import { describe, expect, it } from "vitest"
import { Prisma } from "./generated/client/client.js"
import { bare, edges, insertPeople, insertStrangeFloats } from "./rows.js"
import { exactly, expectHitEqualsMiss, onEveryStore, untyped, useDatabase } from "./support.js"

const database = useDatabase(async (base) => {
  await insertPeople(base)
  await base.everything.create({ data: edges })
  await base.everything.create({ data: bare })
  await insertStrangeFloats(base)
  await base.everything.create({ data: { ...bare, id: 2n, int: 5, float: 1.5, decimal: "2.25", bigInt: 12n } })
})

/** One query by name: a model, an operation and arguments. */
type Query = readonly [name: string, model: string, operation: string, args: object]

const queries: ReadonlyArray<Query> = [
  // every operation on the model with every type
  ["findUnique of edges", "everything", "findUnique", { where: { id: edges.id } }],
  ["findUnique of empties and strange floats", "everything", "findUnique", { where: { id: bare.id } }],
  ["findUnique of nothing", "everything", "findUnique", { where: { id: 404n } }],
  ["findUniqueOrThrow", "everything", "findUniqueOrThrow", { where: { id: edges.id } }],
  ["findFirst", "everything", "findFirst", { orderBy: { id: "desc" } }],
  ["findFirstOrThrow", "everything", "findFirstOrThrow", { where: { decimal: "2.25" } }],
  ["findMany", "everything", "findMany", { orderBy: { id: "asc" } }],
  ["findMany of nothing", "everything", "findMany", { where: { id: 404n } }],
  ["findMany by bytes, dates and lists", "everything", "findMany", {
    where: { bytes: edges.bytes, dateTime: { lte: edges.dateTime }, roleList: { has: "EDITOR" }, bigInt: edges.bigInt }
  }],
  ["findMany with distinct and a cursor", "everything", "findMany", {
    distinct: ["string"], cursor: { id: 1n }, orderBy: { id: "asc" }, take: 2
  }],
  ["count", "everything", "count", {}],
  ["count of columns", "everything", "count", { select: { _all: true, intMaybe: true, jsonMaybe: true } }],
  ["aggregate", "everything", "aggregate", {
    where: { id: { not: bare.id } },
    _count: { _all: true, uuid: true },
    _sum: { int: true, bigInt: true, decimal: true, float: true },
    _avg: { int: true, decimal: true, bigInt: true },
    _min: { dateTime: true, string: true, role: true },
    _max: { dateTime: true, bigInt: true, decimalMaybe: true }
  }],
  ["aggregate of nothing", "everything", "aggregate", {
    where: { id: 404n }, _sum: { bigInt: true }, _avg: { decimal: true }, _max: { dateTime: true }, _count: true
  }],
  ["aggregate over NaN", "everything", "aggregate", {
    _sum: { float: true }, _max: { float: true }, _min: { float: true }
  }],
  ["groupBy with having", "everything", "groupBy", {
    by: ["role", "boolean"],
    _count: { _all: true },
    _sum: { decimal: true, bigInt: true },
    _max: { dateTime: true },
    having: { int: { _max: { gte: 0 } } },
    orderBy: { role: "asc" }
  }],
  ["groupBy of dates, decimals and bytes", "everything", "groupBy", {
    by: ["dateTime", "decimal", "bytes", "bigIntMaybe"], orderBy: { decimal: "asc" }
  }],

  // relations
  ["one to one", "user", "findMany", { include: { profile: true }, orderBy: { id: "asc" } }],
  ["one to one, seen from its other end", "userProfile", "findFirst", { include: { user: true } }],
  ["one to many", "user", "findMany", { include: { posts: { orderBy: { id: "desc" } } }, orderBy: { id: "asc" } }],
  ["implicit many to many", "post", "findMany", {
    include: { tags: { orderBy: { name: "asc" } } }, orderBy: { id: "asc" }
  }],
  ["many to many through a model with a composite id", "post", "findUnique", {
    where: { id: 1 }, include: { categories: { include: { category: { include: { parent: true, children: true } } } } }
  }],
  ["a composite id", "membership", "findUnique", {
    where: { teamId_userId: { teamId: 1, userId: 1 } }, include: { team: true, user: { select: { balance: true } } }
  }],
  ["a relation of a model to itself, both ways", "user", "findMany", {
    include: { manager: { include: { reports: { orderBy: { id: "asc" } } } } }, orderBy: { id: "asc" }
  }],
  ["threads", "comment", "findMany", {
    where: { parentId: null }, include: { replies: { include: { author: true, parent: true } } }
  }],
  ["_count of relations", "user", "findMany", {
    include: { _count: { select: { posts: { where: { published: true } }, reports: true } } }, orderBy: { id: "asc" }
  }],
  ["_count alone", "user", "findFirst", { select: { _count: true }, orderBy: { id: "asc" } }],
  ["a selection in an order of its own", "user", "findFirst", {
    select: { secret: true, name: true, id: true, posts: { select: { metadata: true, id: true } }, email: true }
  }],
  ["omit, above and below", "user", "findFirst", {
    omit: { secret: true, email: true }, include: { posts: { omit: { title: true } } }, orderBy: { id: "asc" }
  }]
]

onEveryStore(database, "a hit is the same as a miss", (make) => {
  it.each(queries)("for %s: %s.%s", async (_, model, operation, args) => {
    const { prisma } = make()
    const truth = await untyped(database.base)[model]![operation]!(args)
    await expectHitEqualsMiss(database.sql, truth, () => untyped(prisma)[model]![operation]!({ ...args, cache: true }))
  })

  it("for relations in one statement, which the database joins", async () => {
    const { prisma } = make()
    const args = { include: { posts: { include: { tags: true, comments: true } } }, where: { id: 1 } }
    await expectHitEqualsMiss(database.sql, await database.base.user.findUnique(args), () =>
      prisma.user.findUnique({ ...args, cache: true }))
  })

  it("for fluent calls, one and two relations away", async () => {
    const { prisma } = make()
    const { base, sql } = database
    const posts = await base.user.findUnique({ where: { id: 1 } }).posts({ orderBy: { id: "desc" } })
    await expectHitEqualsMiss(sql, posts, () =>
      prisma.user.findUnique({ where: { id: 1 } }).posts({ orderBy: { id: "desc" }, cache: true }))
    await expectHitEqualsMiss(sql, await base.post.findUnique({ where: { id: 1 } }).author().profile(), () =>
      prisma.post.findUnique({ where: { id: 1 } }).author().profile({ cache: true }))
    await expectHitEqualsMiss(sql, await base.user.findUnique({ where: { id: 404 } }).profile(), () =>
      prisma.user.findUnique({ where: { id: 404 } }).profile({ cache: true }))
  })

  it("and Prisma can write back what came out of the cache", async () => {
    const { prisma } = make()
    const read = () => prisma.everything.findUniqueOrThrow({ where: { id: edges.id }, cache: true })
    await read()
    const { jsonMaybe, ...hit } = await read()
    expect(jsonMaybe).toBeNull()
    // Prisma types the Json that it answers otherwise than the Json that it takes.
    const data = { ...hit, id: 77n, jsonMaybe: Prisma.JsonNull } as Prisma.EverythingCreateInput
    const copy = await prisma.everything.create({ data })
    await database.base.everything.delete({ where: { id: 77n } })
    expect(copy).toStrictEqual({ ...hit, id: 77n, jsonMaybe: null })
  })
})

describe("the comparison itself", () => {
  it("sees every difference that it is there for", () => {
    const pairs: ReadonlyArray<readonly [unknown, unknown]> = [
      [{ a: 1, b: 2 }, { b: 2, a: 1 }],
      [{ a: undefined }, {}],
      [0, -0],
      [JSON.parse("{\"__proto__\":{\"a\":1}}"), {}],
      [new Uint8Array([1]), Buffer.from([1])],
      [1, 1n],
      [{}, Object.create(null)],
      [new Date(0), new Date(0).toISOString()]
    ]
    for (const [one, other] of pairs) expect(exactly(one)).not.toBe(exactly(other))
  })
})
