import { skip } from "@prisma/client/runtime/client"
import { describe, expect, it } from "vitest"
import { rawReach, writeReach } from "../../src/prisma/reach.js"
import { makeDataModel } from "../../src/prisma/schema/dataModel.js"
import { dataModel, runtime, testModel as schema } from "./schema/models.js"
import { touches } from "./schema/touches.js"

const everything = [
  ...[...schema.models.keys()].map((name) => `m:${name}`),
  ...[...schema.models.keys()].map((name) => `b:${name}`)
]

const late = (model: string, operation: string, args: object, result: unknown) =>
  writeReach(schema, model, operation, args).late?.(result)

describe("a write of one row touches", () => {
  it("the model first, and the row by what it was found by", () => {
    expect(touches("User", "update", { where: { id: 5 }, data: { name: "Ada" } })).toBe("m:User r:User:id:5")
    expect(touches("User", "update", { where: { id: 5, email: "a@b", name: "x" }, data: {} })).toBe(
      "m:User r:User:id:5 r:User:email:a@b"
    )
    expect(touches("Setting", "update", { where: { scopedKey: { scope: "a", key: "b" } }, data: { value: 1 } })).toBe(
      "m:Setting r:Setting:scopedKey:1:a1:b"
    )
    expect(touches("Counter", "delete", { where: { name: "a" } })).toBe("m:Counter r:Counter:name:a")
  })

  it("the row by what it will be found by, and rows that were not there, if a unique key changes", () => {
    expect(touches("User", "update", { where: { id: 5 }, data: { email: "a@b" } })).toBe(
      "m:User a:User r:User:id:5 r:User:email:a@b"
    )
    expect(touches("User", "update", { where: { id: 5 }, data: { email: { set: "a@b" } } })).toBe(
      "m:User a:User r:User:id:5 r:User:email:a@b"
    )
    expect(touches("Team", "update", { where: { id: 1 }, data: { slug: "b" } })).toBe("m:Team a:Team r:Team:id:1")
    expect(touches("Team", "update", { where: { id: 1 }, data: { slug: "b", tenant: "a" } })).toBe(
      "m:Team a:Team r:Team:id:1 r:Team:tenant_slug:1:a1:b"
    )
  })

  it("rows that were not there if it creates one", () => {
    expect(touches("User", "create", { data: { email: "a@b" } })).toBe("m:User a:User r:User:email:a@b")
    expect(touches("Tag", "create", {})).toBe("m:Tag a:Tag")
    expect(
      touches("User", "upsert", { where: { email: "a@b" }, create: { email: "c@d", name: "x" }, update: { name: "x" } })
    ).toBe("m:User a:User r:User:email:a@b r:User:email:c@d")
    expect(touches("User", "upsert", { where: { id: 1 }, create: { email: "c@d" }, update: { email: "e@f" } })).toBe(
      "m:User a:User r:User:id:1 r:User:email:c@d r:User:email:e@f"
    )
  })

  it("any row if a unique field becomes what the arguments do not say", () => {
    expect(touches("Counter", "update", { where: { name: "a" }, data: { value: { increment: 1 } } })).toBe(
      "m:Counter r:Counter:name:a"
    )
    expect(touches("Tag", "update", { where: { id: 1 }, data: { id: { increment: 1 } } })).toBe("m:Tag m:Post b:Tag")
  })

  it("any row if nobody knows which it is", () => {
    expect(touches("User", "update", { where: { id: null }, data: { name: "x" } })).toBe("m:User b:User")
    expect(touches("User", "update", { where: { id: skip }, data: { name: "x" } })).toBe("m:User b:User")
    expect(touches("User", "update", { data: { name: "x" } })).toBe("m:User b:User")
    expect(touches("Counter", "delete", { where: {} })).toBe("m:Counter b:Counter")
    expect(touches("Membership", "update", { where: { teamId_userId: { teamId: 1 } }, data: { role: "ADMIN" } })).toBe(
      "m:Membership b:Membership"
    )
  })

  it("any row if it was found by a key that the database compares loosely", () => {
    const loose = dataModel(
      { A: ["id Int", "nick String", "x Int"] },
      "model A { id Int @id\n nick String @unique @db.Citext\n x Int }"
    )
    expect(touches("A", "update", { where: { nick: "n" }, data: { x: 1 } }, loose)).toBe("m:A b:A")
    expect(touches("A", "update", { where: { id: 1 }, data: { nick: "n" } }, loose)).toBe("m:A a:A r:A:id:1")
    expect(touches("A", "update", { where: { id: 1, nick: "n" }, data: { x: 1 } }, loose)).toBe("m:A r:A:id:1")
    const mysql = dataModel({ A: ["id String", "x Int"] }, "model A { id String @id\n x Int }", "mysql")
    expect(touches("A", "delete", { where: { id: "n" } }, mysql)).toBe("m:A b:A")
  })

  it("afterwards what its result tells besides", () => {
    const user = { id: 5, email: "a@b", name: "Ada" }
    expect(late("User", "update", { where: { id: 5 }, data: { name: "x" } }, user)).toEqual(["r:User:email:a@b"])
    expect(late("User", "create", { data: { email: "a@b" } }, user)).toEqual(["r:User:id:5"])
    expect(late("User", "upsert", { where: { id: 5 }, create: { email: "a@b" }, update: {} }, { id: 5 })).toEqual([])
    expect(late("Team", "delete", { where: { id: 1 } }, { id: 1, tenant: "a", slug: "b" })).toEqual([
      "r:Team:tenant_slug:1:a1:b"
    ])
    expect(late("Team", "delete", { where: { id: 1 } }, { slug: "b" })).toEqual([])
    expect(late("User", "update", { where: { id: 5 }, data: {} }, null)).toEqual([])
  })

  it("nothing more afterwards where any row was touched, or no row comes back", () => {
    expect(writeReach(schema, "User", "update", { where: {}, data: {} }).late).toBeUndefined()
    expect(writeReach(schema, "User", "delete", { where: { id: 1 } }).late).toBeUndefined()
    for (const operation of ["createMany", "createManyAndReturn", "updateMany", "updateManyAndReturn", "deleteMany"]) {
      expect(writeReach(schema, "Counter", operation, { data: {} }).late).toBeUndefined()
    }
  })
})

describe("a write of many rows touches", () => {
  it("any row of the model", () => {
    for (const operation of ["updateMany", "updateManyAndReturn"]) {
      expect(touches("Post", operation, { where: { id: 1 }, data: { title: "x" } })).toBe("m:Post b:Post")
    }
    expect(touches("Counter", "deleteMany", { where: { name: "a" } })).toBe("m:Counter b:Counter")
    expect(touches("Counter", "deleteMany", {})).toBe("m:Counter b:Counter")
  })

  it("rows that were not there, if it only creates some", () => {
    for (const operation of ["createMany", "createManyAndReturn"]) {
      expect(touches("User", operation, { data: [{ email: "a" }, { email: "b" }], skipDuplicates: true })).toBe(
        "m:User a:User"
      )
    }
  })
})

describe("a write touches everything", () => {
  it.each<readonly [string, string, string, object]>([
    ["with a field that is none", "User", "update", { where: { id: 1 }, data: { nothing: 1 } }],
    [
      "with a nested field that is none",
      "User",
      "update",
      { where: { id: 1 }, data: { posts: { create: { nothing: 1 } } } }
    ],
    ["with a nested operation that is none", "User", "update", { where: { id: 1 }, data: { posts: { replace: [] } } }],
    ["with a relation that is no operation", "User", "update", { where: { id: 1 }, data: { posts: [] } }],
    ["with data that is none", "User", "update", { where: { id: 1 } }],
    ["that is not known", "User", "merge", {}],
    ["of a model that is not known", "Nothing", "create", { data: {} }]
  ])("%s", (_, model, operation, args) => {
    const reach = writeReach(schema, model, operation, args)
    expect(reach).toEqual({ models: [...schema.models.keys()], tags: everything, late: undefined })
  })

  it("through a relation of which the other end is not found", () => {
    const odd = dataModel(
      { A: ["id Int", "bs B AToB"], B: ["id Int"], C: ["id Int"] },
      `model A { id Int @id\n bs B[] @relation("x") }
       model B { id Int @id\n as A[] @relation("y") }
       model C { id Int @id }`
    )
    expect(writeReach(odd, "A", "update", { where: { id: 1 }, data: { bs: { set: [] } } }).tags).toEqual([
      "m:A",
      "m:B",
      "m:C",
      "b:A",
      "b:B",
      "b:C"
    ])
    expect(writeReach(odd, "A", "update", { where: { id: 1 }, data: {} }).tags).toEqual(["m:A", "r:A:id:1"])
  })

  it("where an update of one row may be the row's data or hold it", () => {
    const odd = dataModel(
      { A: ["id Int", "bId Int", "b B AToB"], B: ["id Int", "data Json", "as A AToB"] },
      `model A { id Int @id\n bId Int\n b B @relation(fields: [bId], references: [id]) }
       model B { id Int @id\n data Json\n as A[] }`
    )
    const update = (update: object) =>
      writeReach(odd, "A", "update", { where: { id: 1 }, data: { b: { update } } }).tags
    expect(update({ data: { id: 1 } })).toEqual(["m:A", "m:B", "b:A", "b:B"])
    expect(update({ data: 5 })).toEqual(["m:A", "m:B", "r:A:id:1", "b:B"])
  })

  it("of a view", () => {
    const views = dataModel({ A: ["id Int"], V: ["id Int"] }, "model A { id Int @id }\n view V { id Int @unique }")
    expect(writeReach(views, "V", "update", { where: { id: 1 }, data: {} }).tags).toEqual(["m:A", "m:V", "b:A", "b:V"])
  })

  it("of a client without a schema", () => {
    const blind = makeDataModel(runtime({ A: ["id Int"], B: ["id Int"] }), undefined)
    expect(writeReach(blind, "A", "update", { where: { id: 1 }, data: {} }).tags).toEqual(["m:A", "m:B", "b:A", "b:B"])
    expect(writeReach(makeDataModel(undefined, undefined), "A", "create", {}).tags).toEqual(["m:*"])
  })

  it("with arguments too deep to be walked through", () => {
    let data: object = {}
    for (let i = 0; i < 100_000; i++) data = { reports: { create: data } }
    expect(writeReach(schema, "User", "create", { data }).tags).toEqual(everything)
  })
})

describe("a raw statement touches", () => {
  it("any row of the models that were declared, and what hangs on them", () => {
    expect(rawReach(schema, ["Counter"])).toEqual({
      models: ["Counter"],
      tags: ["m:Counter", "b:Counter"],
      late: undefined
    })
    expect(rawReach(schema, ["Post", "Counter"]).tags.join(" ")).toBe(
      "m:Post m:Comment m:PostCategory m:Tag m:Counter b:Post b:Comment b:PostCategory b:Counter"
    )
    expect(rawReach(schema, ["Country"]).tags).toEqual(["m:Country", "m:Address", "b:Country", "b:Address"])
    expect(rawReach(schema, []).tags).toEqual([])
  })

  it("everything where none or a wrong one was", () => {
    expect(rawReach(schema, undefined).tags).toEqual(everything)
    expect(rawReach(schema, ["posts"]).tags).toEqual(everything)
  })
})
