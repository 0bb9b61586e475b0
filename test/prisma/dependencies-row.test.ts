import { skip } from "@prisma/client/runtime/client"
import { describe, expect, it } from "vitest"
import { readDependencies } from "../../src/prisma/dependencies.js"
import type { RowRead } from "../../src/prisma/rowRead.js"
import { dataModel, testModel as schema } from "./schema/models.js"

const read = (model: string, operation: string, args: unknown) => readDependencies(schema, model, operation, args, [])

const rowOf = (model: string, args: unknown, given = schema): RowRead => {
  const { row } = readDependencies(given, model, "findUnique", args, [])
  if (row === undefined) throw new Error("not a read of one row")
  return row
}

const user = { id: 5, email: "ada@example.com", name: "Ada" }

describe("a read of one row by a unique key", () => {
  it("depends on the row and not on the model, whose tag it only falls back on", () => {
    const { models, row, tags } = read("User", "findUnique", { where: { id: 5 } })
    expect({ models, tags }).toEqual({ models: ["User"], tags: ["r:User:id:5", "b:User"] })
    expect(row).toMatchObject({ model: "User", guard: "m:User", absent: "a:User" })
    expect(read("User", "findUniqueOrThrow", { where: { id: 5 } }).tags).toEqual(tags)
  })

  it("may have a key of several fields, with a name and without", () => {
    expect(read("Membership", "findUnique", { where: { teamId_userId: { teamId: 1, userId: 2 } } }).tags).toEqual([
      "r:Membership:teamId_userId:1:11:2",
      "b:Membership"
    ])
    expect(read("Setting", "findUnique", { where: { scopedKey: { scope: "a", key: "b" } } }).tags).toEqual([
      "r:Setting:scopedKey:1:a1:b",
      "b:Setting"
    ])
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

  it("falls back on the model if the row does not have the value that it was found by: the comparison was loose", () => {
    expect(rowOf("User", { where: { email: "ADA@example.com" } }).late(user)).toBeUndefined()
  })

  it("with further conditions depends on the row if there is one, and on the model if not", () => {
    for (const where of [
      { id: 5, name: "Ada" },
      { id: 5, name: { not: "x" } },
      { id: 5, email: { contains: "@" } },
      { id: 5, email: null }
    ]) {
      const { late } = rowOf("User", { where })
      expect(read("User", "findUnique", { where }).tags).toEqual(["r:User:id:5", "b:User"])
      expect(late(user)).toEqual(["r:User:email:ada@example.com"])
      expect(late(null)).toBeUndefined()
    }
  })

  it("by two keys at once depends on both, and on the model if they meet in no row", () => {
    const where = { id: 5, email: user.email }
    expect(read("User", "findUnique", { where }).tags).toEqual([
      "r:User:id:5",
      "r:User:email:ada@example.com",
      "b:User"
    ])
    expect(rowOf("User", { where }).late(user)).toEqual([])
    expect(rowOf("User", { where }).late(null)).toBeUndefined()
  })

  it("ignores what is undefined", () => {
    expect(
      rowOf("User", { where: { id: 5, name: undefined }, select: undefined, include: undefined }).late(null)
    ).toEqual(["a:User"])
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
    expect(readDependencies(loose, "A", "findUnique", { where: { nick: "x" } }, [])).toEqual({
      tags: ["m:A"],
      models: ["A"],
      row: undefined
    })
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
    for (const args of [
      { where: { id: 5 } },
      { where: { id: 5 }, select: { email: true, id: true } },
      { where: { id: 5 }, omit: { secret: true, email: false } }
    ]) {
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
    expect(read("User", "findUnique", { where: { id: 5 }, ...more })).toEqual({
      tags: ["m:User"],
      models: ["User"],
      row: undefined
    })
  })
})
