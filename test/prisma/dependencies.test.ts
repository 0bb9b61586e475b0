import { skip } from "@prisma/client/runtime/client"
import { describe, expect, it } from "vitest"
import type { PrismaInternals } from "../../src/prisma/client.js"
import { readDependencies, readsOf } from "../../src/prisma/dependencies.js"
import type { RowRead } from "../../src/prisma/rowRead.js"
import { makeDataModel } from "../../src/prisma/schema/dataModel.js"
import { makePrisma } from "../support/database.js"
import { dataModel, runtime } from "./schema/models.js"

// What a client knows without a database.
const client = makePrisma("postgresql://nobody@127.0.0.1:1/nothing").prisma as unknown as PrismaInternals
const schema = makeDataModel(client["_runtimeDataModel"], client["_engineConfig"].inlineSchema)
const everyModel = [...schema.models.keys()]

const read = (model: string, operation: string, args: unknown = {}, dataPath: ReadonlyArray<string> = []) =>
  readDependencies(schema, model, operation, args, dataPath)

const modelsOf = (model: string, operation: string, args: unknown = {}, dataPath: ReadonlyArray<string> = []) => {
  const { models, row, tags } = read(model, operation, args, dataPath)
  expect(row).toBeUndefined()
  expect(tags).toEqual(models.map((name) => `m:${name}`))
  return models
}

const rowOf = (model: string, args: unknown, given = schema): RowRead => {
  const { row } = readDependencies(given, model, "findUnique", args, [])
  if (row === undefined) throw new Error("not a read of one row")
  return row
}

const user = { id: 5, email: "ada@example.com", name: "Ada" }

describe("a read depends on its model", () => {
  it.each(["findMany", "findFirst", "findFirstOrThrow", "count", "aggregate", "groupBy", "findRaw"])("%s", (operation) => {
    expect(modelsOf("User", operation)).toEqual(["User"])
    expect(modelsOf("User", operation, undefined)).toEqual(["User"])
  })

  it("alone, as long as it keeps to the model's own columns", () => {
    expect(modelsOf("Post", "findMany", {
      where: { title: { contains: "x" }, OR: [{ views: { gt: 1 } }, { NOT: { published: true } }], metadata: { path: ["author"], equals: { tags: 1 } } },
      cursor: { id: 1 },
      orderBy: [{ title: "asc" }, { content: { sort: "asc", nulls: "last" } }, { _relevance: { fields: ["title"], search: "x", sort: "asc" } }],
      distinct: ["title"],
      take: 1,
      skip: 1,
      select: { id: true, title: true, metadata: undefined, author: false, shout: true },
      relationLoadStrategy: "query"
    })).toEqual(["Post"])
    expect(modelsOf("Post", "groupBy", {
      by: ["authorId"],
      having: { OR: [{ views: { _sum: { gt: 1 } } }] },
      orderBy: { _count: { authorId: "desc" } },
      _count: { _all: true },
      _max: { views: true }
    })).toEqual(["Post"])
    expect(modelsOf("Post", "count", { select: { _all: true, title: true } })).toEqual(["Post"])
    expect(modelsOf("Team", "findMany", { cursor: { tenant_slug: { tenant: "a", slug: "b" } } })).toEqual(["Team"])
  })
})

describe("a read depends on every model that it mentions", () => {
  it.each<readonly [string, string, object, ReadonlyArray<string>]>([
    ["in include", "User", { include: { posts: true, profile: false, sessions: undefined } }, ["User", "Post"]],
    ["in select", "User", { select: { id: true, memberships: { select: { team: true } } } }, ["User", "Membership", "Team"]],
    ["below other models", "User", { include: { posts: { include: { comments: { include: { parent: true } } } } } }, ["User", "Post", "Comment"]],
    ["in conditions on rows of other models", "Post", { where: { comments: { some: { author: { is: { profile: { isNot: null } } } } } } }, ["Post", "Comment", "User", "UserProfile"]],
    ["in conditions without a quantifier", "Post", { where: { author: { manager: { memberships: { none: {} } } } } }, ["Post", "User", "Membership"]],
    ["in conditions for nothing", "Post", { where: { author: null } }, ["Post", "User"]],
    ["behind AND, OR and NOT", "Post", { where: { AND: [{ OR: [{ NOT: { tags: { every: { name: "x" } } } }] }], NOT: [{ author: { is: null } }] } }, ["Post", "Tag", "User"]],
    ["in conditions on included rows", "User", { include: { posts: { where: { tags: { some: { name: "x" } } } } } }, ["User", "Post", "Tag"]],
    ["in the order", "Post", { orderBy: [{ author: { profile: { bio: "asc" } } }] }, ["Post", "User", "UserProfile"]],
    ["in the order by numbers of rows", "User", { orderBy: { posts: { _count: "desc" } } }, ["User", "Post"]],
    ["in the order of included rows", "User", { include: { posts: { orderBy: { comments: { _count: "asc" } } } } }, ["User", "Post", "Comment"]],
    ["in numbers of rows", "User", { select: { _count: { select: { posts: true, comments: { where: { post: { published: true } } } } } } }, ["User", "Post", "Comment"]],
    ["in a cursor", "User", { cursor: { id: 1, posts: { some: {} } } }, ["User", "Post"]],
    ["in an implicit many-to-many relation", "Tag", { include: { posts: true } }, ["Tag", "Post"]],
    ["which may be its own", "User", { include: { manager: { include: { reports: true } } } }, ["User"]]
  ])("%s", (_, model, args, models) => {
    expect([...modelsOf(model, "findMany", args)].sort()).toEqual([...models].sort())
    expect([...modelsOf(model, "findFirst", args)].sort()).toEqual([...models].sort())
  })

  it("in numbers of all relations to many", () => {
    expect(modelsOf("Post", "findMany", { include: { _count: true } })).toEqual(["Post", "Comment", "Tag", "PostCategory"])
  })

  it("on the way of a fluent call, whatever its arguments are", () => {
    const path = ["select", "posts", "select", "tags"]
    expect(modelsOf("User", "findUnique", { where: { id: 1 }, select: { posts: { select: { tags: true } } } }, path)).toEqual(["User", "Post", "Tag"])
    expect(modelsOf("User", "findUnique", { where: { id: 1 } }, path)).toEqual(["User", "Post", "Tag"])
  })

  it("and on none where Prisma.skip stands for nothing", () => {
    expect(modelsOf("User", "findMany", { where: { name: skip, AND: skip } })).toEqual(["User"])
  })

  it("also where a field has the name of a quantifier", () => {
    const odd = dataModel(
      { A: ["id Int", "is B AToB", "bId Int"], B: ["id Int", "some C BToC", "as A AToB"], C: ["id Int", "bId Int", "b B BToC"] },
      `model A { id Int @id\n bId Int\n is B @relation(fields: [bId], references: [id]) }
       model B { id Int @id\n some C[]\n as A[] }
       model C { id Int @id\n bId Int\n b B @relation(fields: [bId], references: [id]) }`
    )
    expect(readDependencies(odd, "A", "findMany", { where: { is: { is: { some: { some: {} } } } } }, []).models).toEqual(["A", "B", "C"])
    // Whether `some` is the quantifier or the field: nothing is left out.
    expect(readDependencies(odd, "A", "findMany", { where: { is: { some: { some: {} } } } }, []).models).toEqual(["A", "B", "C"])
  })
})

describe("a read depends on every model there is", () => {
  it.each<readonly [string, string, object]>([
    ["a field that is none", "User", { where: { nothing: { some: {} } } }],
    ["a relation that is none", "User", { include: { nothing: { where: {} } } }],
    ["an order that is none", "User", { orderBy: { nothing: "asc" } }],
    ["an argument that is none", "User", { where: {}, tenant: 5 }],
    ["an argument that is none on the way", "User", { include: { posts: { tenant: 5 } } }],
    ["a condition that is none", "User", { where: "id = 1" }],
    ["a selection that is none", "User", { select: ["id"] }],
    ["a number of rows that is none", "User", { include: { _count: { posts: true } } }]
  ])("for %s", (_, model, args) => {
    expect(modelsOf(model, "findMany", args)).toEqual(everyModel)
  })

  it("for a model that is none, a way that is none, and aggregations in the database's own language", () => {
    expect(modelsOf("Nothing", "findMany")).toEqual(everyModel)
    expect(modelsOf("User", "findUnique", { where: { id: 1 } }, ["select", "nothing"])).toEqual(everyModel)
    expect(modelsOf("User", "aggregateRaw", { pipeline: [] })).toEqual(everyModel)
    expect(modelsOf("User", "findMany", 5)).toEqual(everyModel)
  })

  it("for arguments too deep to be walked through", () => {
    let where: object = { id: 1 }
    for (let i = 0; i < 100_000; i++) where = { NOT: where }
    expect(modelsOf("User", "findMany", { where })).toEqual(everyModel)
  })

  it("for a view, and for whatever shows rows of one", () => {
    const views = dataModel(
      { User: ["id Int", "summary Summary SummaryToUser"], Summary: ["id Int", "user User SummaryToUser"], Other: ["id Int"] },
      `model User { id Int @id\n summary Summary? }
       view Summary { id Int @unique\n user User @relation(fields: [id], references: [id]) }
       model Other { id Int @id }`
    )
    for (const [model, operation, args] of [["Summary", "findMany", {}], ["Summary", "findUnique", { where: { id: 1 } }], ["User", "findMany", { include: { summary: true } }]] as const) {
      expect(readDependencies(views, model, operation, args, [])).toEqual({ tags: ["m:User", "m:Summary", "m:Other"], models: ["User", "Summary", "Other"], row: undefined })
    }
  })

  it("and on one tag for all where not even the models are known", () => {
    expect(readDependencies(makeDataModel(undefined, undefined), "User", "findMany", {}, []).tags).toEqual(["m:*"])
  })
})

describe("a read of a client without a schema", () => {
  const blind = makeDataModel(runtime({
    User: ["id Int", "tenant String", "slug String", "posts Post PostToUser"],
    Post: ["id Int", "userId Int", "user User PostToUser"],
    Tag: ["id Int"]
  }), undefined)

  it("depends on the models that it mentions, and on no rows", () => {
    expect(readDependencies(blind, "User", "findUnique", { where: { id: 1 } }, [])).toEqual({ tags: ["m:User"], models: ["User"], row: undefined })
    expect(readDependencies(blind, "User", "findMany", { where: { posts: { some: {} } } }, []).models).toEqual(["User", "Post"])
    expect(readDependencies(blind, "User", "findMany", { cursor: { tenant_slug: { tenant: "a", slug: "b" } } }, []).models).toEqual(["User"])
    expect(readDependencies(blind, "Post", "findMany", { include: { _count: true } }, []).models).toEqual(["Post", "User"])
  })
})

describe("a read of one row by a unique key", () => {
  it("depends on the row and not on the model, whose tag it only falls back on", () => {
    const { models, row, tags } = read("User", "findUnique", { where: { id: 5 } })
    expect({ models, tags }).toEqual({ models: ["User"], tags: ["r:User:id:5", "b:User"] })
    expect(row).toMatchObject({ model: "User", guard: "m:User", absent: "a:User" })
    expect(read("User", "findUniqueOrThrow", { where: { id: 5 } }).tags).toEqual(tags)
  })

  it("may have a key of several fields, with a name and without", () => {
    expect(read("Membership", "findUnique", { where: { teamId_userId: { teamId: 1, userId: 2 } } }).tags)
      .toEqual(["r:Membership:teamId_userId:1:11:2", "b:Membership"])
    expect(read("Setting", "findUnique", { where: { scopedKey: { scope: "a", key: "b" } } }).tags)
      .toEqual(["r:Setting:scopedKey:1:a1:b", "b:Setting"])
  })

  it("depends on what is in the result: every other identity of the row", () => {
    expect(rowOf("User", { where: { id: 5 } }).late(user)).toEqual(["r:User:email:ada@example.com"])
    expect(rowOf("User", { where: { email: user.email } }).late(user)).toEqual(["r:User:id:5"])
    expect(rowOf("Counter", { where: { name: "a" } }).late({ name: "a", value: 1 })).toEqual([])
  })

  it("that is not there depends on the rows that are not there", () => {
    expect(rowOf("User", { where: { id: 5 } }).late(null)).toEqual(["a:User"])
  })

  it("does not depend on a key with a null in it", () => {
    const nullable = dataModel({ A: ["id Int", "x Int"] }, "model A { id Int @id\n x Int? @unique }")
    expect(rowOf("A", { where: { id: 1 } }, nullable).late({ id: 1, x: null })).toEqual([])
  })

  it("falls back on the model if the result does not tell all identities", () => {
    const { late } = rowOf("User", { where: { id: 5 } })
    expect(late({ id: 5 })).toBeUndefined()
    expect(late({ id: 5, email: 7 })).toBeUndefined()
    expect(late("a row")).toBeUndefined()
  })

  it("falls back on the model if the row was found by a value that it does not have: the comparison was loose after all", () => {
    expect(rowOf("User", { where: { email: "ADA@example.com" } }).late(user)).toBeUndefined()
  })

  it("with further conditions depends on the row if there is one, and on the model if not", () => {
    for (const where of [{ id: 5, name: "Ada" }, { id: 5, name: { not: "x" } }, { id: 5, email: { contains: "@" } }, { id: 5, email: null }]) {
      const { late } = rowOf("User", { where })
      expect(read("User", "findUnique", { where }).tags).toEqual(["r:User:id:5", "b:User"])
      expect(late(user)).toEqual(["r:User:email:ada@example.com"])
      expect(late(null)).toBeUndefined()
    }
  })

  it("by two keys at once depends on both, and on the model if they meet in no row", () => {
    const where = { id: 5, email: user.email }
    expect(read("User", "findUnique", { where }).tags).toEqual(["r:User:id:5", "r:User:email:ada@example.com", "b:User"])
    expect(rowOf("User", { where }).late(user)).toEqual([])
    expect(rowOf("User", { where }).late(null)).toBeUndefined()
  })

  it("ignores what is undefined", () => {
    expect(rowOf("User", { where: { id: 5, name: undefined }, select: undefined, include: undefined }).late(null)).toEqual(["a:User"])
  })
})

describe("a read by a unique key depends on its model", () => {
  it.each<readonly [string, object]>([
    ["with relations", { where: { id: 5 }, include: { manager: true } }],
    ["with selected relations", { where: { id: 5 }, select: { id: true, manager: true } }],
    ["with numbers of rows", { where: { id: 5 }, select: { _count: true } }],
    ["under a condition on a relation, also to its own model", { where: { id: 5, manager: { name: "Ada" } } }],
    ["under conditions in AND, OR and NOT", { where: { id: 5, NOT: { name: "Ada" } } }],
    ["that is no value", { where: { id: { in: [5] } } }],
    ["that is missing", { where: { name: "Ada" } }],
    ["without a condition", {}],
    ["with an argument that is not known", { where: { id: 5 }, tenant: 5 }]
  ])("%s", (_, args) => {
    const { row, tags } = read("User", "findUnique", args)
    expect(row).toBeUndefined()
    expect(tags).toContain("m:User")
    expect(tags).not.toContain("b:User")
  })

  it("that the database compares loosely", () => {
    const loose = dataModel({ A: ["id Int", "nick String"] }, "model A { id Int @id\n nick String @unique @db.Citext }")
    expect(readDependencies(loose, "A", "findUnique", { where: { nick: "x" } }, [])).toEqual({ tags: ["m:A"], models: ["A"], row: undefined })
    // Whoever writes by the loose key touches all rows.
    expect(rowOf("A", { where: { id: 1 } }, loose).late({ id: 1, nick: "X" })).toEqual([])
    expect(rowOf("A", { where: { id: 1, nick: "x" } }, loose).late(null)).toBeUndefined()
  })
})

describe("a read of one row selects what identifies it", () => {
  it("and gives the row as it was asked for, in its order", () => {
    const args = { where: { id: 5 }, select: { name: true, secret: false } }
    const row = rowOf("User", args)
    expect(row.select(args)).toEqual({ where: { id: 5 }, select: { name: true, secret: false, id: true, email: true } })
    expect(Object.keys(row.select(args)["select"] as object)).toEqual(["name", "secret", "id", "email"])
    expect(args.select).toEqual({ name: true, secret: false })
    const found = { name: "Ada", id: 5, email: user.email }
    expect(row.late(found)).toEqual(["r:User:email:ada@example.com"])
    expect(row.strip(found)).toEqual({ name: "Ada" })
    expect(row.strip(null)).toBeNull()
  })

  it("where it stands in the selection already, but not as selected", () => {
    const args = { where: { id: 5 }, select: { email: false, name: true, id: true } }
    const row = rowOf("User", args)
    expect(Object.keys(row.select(args)["select"] as object)).toEqual(["email", "name", "id"])
    expect(row.strip({ email: "x", name: "Ada", id: 5 })).toEqual({ name: "Ada", id: 5 })
  })

  it("unless that is selected anyway: nothing changes then", () => {
    for (const args of [{ where: { id: 5 } }, { where: { id: 5 }, select: { email: true, id: true } }, { where: { id: 5 }, omit: { secret: true, email: false } }]) {
      const row = rowOf("User", args)
      expect(row.select(args)).toBe(args)
      expect(row.strip(user)).toBe(user)
    }
  })

  it.each<readonly [string, object]>([
    ["nothing is selected, which Prisma rejects", { select: { name: false } }],
    ["nothing at all is selected", { select: {} }],
    ["a computed field is selected, whose needs only Prisma knows", { select: { shout: true } }],
    ["something is undefined, which Prisma may reject", { select: { name: true, email: undefined } }],
    ["Prisma.skip is selected", { select: { name: true, email: skip } }],
    ["a field of a key is omitted", { omit: { email: true } }]
  ])("or, when %s, the read depends on the model", (_, more) => {
    expect(modelsOf("User", "findUnique", { where: { id: 5 }, ...more })).toEqual(["User"])
  })
})

describe("a raw read", () => {
  it("depends on the models that were declared", () => {
    expect(readsOf(schema, ["Post", "Tag", "Post"])).toEqual({ tags: ["m:Post", "m:Tag"], models: ["Post", "Tag"], row: undefined })
    expect(readsOf(schema, []).tags).toEqual([])
  })

  it("depends on all where none or a wrong one was", () => {
    expect(readsOf(schema, undefined).models).toEqual(everyModel)
    expect(readsOf(schema, ["Post", "posts"]).models).toEqual(everyModel)
  })
})
