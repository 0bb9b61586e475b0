import { skip } from "@prisma/client/runtime/client"
import { describe, expect, it } from "vitest"
import { readDependencies, readsOf } from "../../src/prisma/dependencies.js"
import { makeDataModel } from "../../src/prisma/schema/dataModel.js"
import { dataModel, runtime, testModel as schema } from "./schema/models.js"

const everyModel = [...schema.models.keys()]

const modelsOf = (model: string, operation: string, args: unknown = {}, dataPath: ReadonlyArray<string> = []) => {
  const { models, row, tags } = readDependencies(schema, model, operation, args, dataPath)
  expect(row).toBeUndefined()
  expect(tags).toEqual(models.map((name) => `m:${name}`))
  return models
}

describe("a read depends on its model", () => {
  it.each(["findMany", "findFirst", "findFirstOrThrow", "count", "aggregate", "groupBy", "findRaw"])(
    "%s",
    (operation) => {
      expect(modelsOf("User", operation)).toEqual(["User"])
      expect(modelsOf("User", operation, undefined)).toEqual(["User"])
    }
  )

  it("alone, as long as it keeps to the model's own columns", () => {
    expect(
      modelsOf("Post", "findMany", {
        where: {
          title: { contains: "x" },
          OR: [{ views: { gt: 1 } }, { NOT: { published: true } }],
          metadata: { path: ["author"], equals: { tags: 1 } }
        },
        cursor: { id: 1 },
        orderBy: [
          { title: "asc" },
          { content: { sort: "asc", nulls: "last" } },
          { _relevance: { fields: ["title"], search: "x", sort: "asc" } }
        ],
        distinct: ["title"],
        take: 1,
        skip: 1,
        select: { id: true, title: true, metadata: undefined, author: false, shout: true },
        relationLoadStrategy: "query"
      })
    ).toEqual(["Post"])
    expect(
      modelsOf("Post", "groupBy", {
        by: ["authorId"],
        having: { OR: [{ views: { _sum: { gt: 1 } } }] },
        orderBy: { _count: { authorId: "desc" } },
        _count: { _all: true },
        _max: { views: true }
      })
    ).toEqual(["Post"])
    expect(modelsOf("Post", "count", { select: { _all: true, title: true } })).toEqual(["Post"])
    expect(modelsOf("Team", "findMany", { cursor: { tenant_slug: { tenant: "a", slug: "b" } } })).toEqual(["Team"])
  })
})

describe("a read depends on every model that it mentions", () => {
  it.each<readonly [string, string, object, ReadonlyArray<string>]>([
    ["in include", "User", { include: { posts: true, profile: false, sessions: undefined } }, ["User", "Post"]],
    [
      "in select",
      "User",
      { select: { id: true, memberships: { select: { team: true } } } },
      ["User", "Membership", "Team"]
    ],
    [
      "below other models",
      "User",
      { include: { posts: { include: { comments: { include: { parent: true } } } } } },
      ["User", "Post", "Comment"]
    ],
    [
      "in conditions on rows of other models",
      "Post",
      { where: { comments: { some: { author: { is: { profile: { isNot: null } } } } } } },
      ["Post", "Comment", "User", "UserProfile"]
    ],
    [
      "in conditions without a quantifier",
      "Post",
      { where: { author: { manager: { memberships: { none: {} } } } } },
      ["Post", "User", "Membership"]
    ],
    ["in conditions for nothing", "Post", { where: { author: null } }, ["Post", "User"]],
    [
      "behind AND, OR and NOT",
      "Post",
      { where: { AND: [{ OR: [{ NOT: { tags: { every: { name: "x" } } } }] }], NOT: [{ author: { is: null } }] } },
      ["Post", "Tag", "User"]
    ],
    [
      "in conditions on included rows",
      "User",
      { include: { posts: { where: { tags: { some: { name: "x" } } } } } },
      ["User", "Post", "Tag"]
    ],
    ["in the order", "Post", { orderBy: [{ author: { profile: { bio: "asc" } } }] }, ["Post", "User", "UserProfile"]],
    ["in the order by numbers of rows", "User", { orderBy: { posts: { _count: "desc" } } }, ["User", "Post"]],
    [
      "in the order of included rows",
      "User",
      { include: { posts: { orderBy: { comments: { _count: "asc" } } } } },
      ["User", "Post", "Comment"]
    ],
    [
      "in numbers of rows",
      "User",
      { select: { _count: { select: { posts: true, comments: { where: { post: { published: true } } } } } } },
      ["User", "Post", "Comment"]
    ],
    ["in a cursor", "User", { cursor: { id: 1, posts: { some: {} } } }, ["User", "Post"]],
    ["in an implicit many-to-many relation", "Tag", { include: { posts: true } }, ["Tag", "Post"]],
    ["which may be its own", "User", { include: { manager: { include: { reports: true } } } }, ["User"]]
  ])("%s", (_, model, args, models) => {
    expect([...modelsOf(model, "findMany", args)].sort()).toEqual([...models].sort())
    expect([...modelsOf(model, "findFirst", args)].sort()).toEqual([...models].sort())
  })

  it("in numbers of all relations to many", () => {
    expect(modelsOf("Post", "findMany", { include: { _count: true } })).toEqual([
      "Post",
      "Comment",
      "Tag",
      "PostCategory"
    ])
  })

  it("on the way of a fluent call, whatever its arguments are", () => {
    const path = ["select", "posts", "select", "tags"]
    expect(
      modelsOf("User", "findUnique", { where: { id: 1 }, select: { posts: { select: { tags: true } } } }, path)
    ).toEqual(["User", "Post", "Tag"])
    expect(modelsOf("User", "findUnique", { where: { id: 1 } }, path)).toEqual(["User", "Post", "Tag"])
  })

  it("and on none where Prisma.skip stands for nothing", () => {
    expect(modelsOf("User", "findMany", { where: { name: skip, AND: skip } })).toEqual(["User"])
  })

  it("also where a field has the name of a quantifier", () => {
    const odd = dataModel(
      {
        A: ["id Int", "is B AToB", "bId Int"],
        B: ["id Int", "some C BToC", "as A AToB"],
        C: ["id Int", "bId Int", "b B BToC"]
      },
      `model A { id Int @id\n bId Int\n is B @relation(fields: [bId], references: [id]) }
       model B { id Int @id\n some C[]\n as A[] }
       model C { id Int @id\n bId Int\n b B @relation(fields: [bId], references: [id]) }`
    )
    expect(
      readDependencies(odd, "A", "findMany", { where: { is: { is: { some: { some: {} } } } } }, []).models
    ).toEqual(["A", "B", "C"])
    // Whether `some` is the quantifier or the field: nothing is left out.
    expect(readDependencies(odd, "A", "findMany", { where: { is: { some: { some: {} } } } }, []).models).toEqual([
      "A",
      "B",
      "C"
    ])
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
      {
        User: ["id Int", "summary Summary SummaryToUser"],
        Summary: ["id Int", "user User SummaryToUser"],
        Other: ["id Int"]
      },
      `model User { id Int @id\n summary Summary? }
       view Summary { id Int @unique\n user User @relation(fields: [id], references: [id]) }
       model Other { id Int @id }`
    )
    for (const [model, operation, args] of [
      ["Summary", "findMany", {}],
      ["Summary", "findUnique", { where: { id: 1 } }],
      ["User", "findMany", { include: { summary: true } }]
    ] as const) {
      expect(readDependencies(views, model, operation, args, [])).toEqual({
        tags: ["m:User", "m:Summary", "m:Other"],
        models: ["User", "Summary", "Other"],
        row: undefined
      })
    }
  })

  it("and on one tag for all where not even the models are known", () => {
    expect(readDependencies(makeDataModel(undefined, undefined), "User", "findMany", {}, []).tags).toEqual(["m:*"])
  })
})

describe("a read of a client without a schema", () => {
  const blind = makeDataModel(
    runtime({
      User: ["id Int", "tenant String", "slug String", "posts Post PostToUser"],
      Post: ["id Int", "userId Int", "user User PostToUser"],
      Tag: ["id Int"]
    }),
    undefined
  )

  it("depends on the models that it mentions, and on no rows", () => {
    expect(readDependencies(blind, "User", "findUnique", { where: { id: 1 } }, [])).toEqual({
      tags: ["m:User"],
      models: ["User"],
      row: undefined
    })
    expect(readDependencies(blind, "User", "findMany", { where: { posts: { some: {} } } }, []).models).toEqual([
      "User",
      "Post"
    ])
    expect(
      readDependencies(blind, "User", "findMany", { cursor: { tenant_slug: { tenant: "a", slug: "b" } } }, []).models
    ).toEqual(["User"])
    expect(readDependencies(blind, "Post", "findMany", { include: { _count: true } }, []).models).toEqual([
      "Post",
      "User"
    ])
  })
})

describe("a raw read", () => {
  it("depends on the models that were declared", () => {
    expect(readsOf(schema, ["Post", "Tag", "Post"])).toEqual({
      tags: ["m:Post", "m:Tag"],
      models: ["Post", "Tag"],
      row: undefined
    })
    expect(readsOf(schema, []).tags).toEqual([])
  })

  it("depends on all where none or a wrong one was", () => {
    expect(readsOf(schema, undefined).models).toEqual(everyModel)
    expect(readsOf(schema, ["Post", "posts"]).models).toEqual(everyModel)
  })
})
