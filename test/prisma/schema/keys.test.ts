import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { identityInWhere, identityOf } from "../../../src/prisma/identity.js"
import type { UniqueKey } from "../../../src/prisma/schema/model.js"
import { Prisma } from "../generated/client/client.js"
import { dataModel, modelIn } from "./models.js"

const keysOf = (fields: ReadonlyArray<string>, body: string, provider?: string): ReadonlyArray<UniqueKey> =>
  modelIn(dataModel({ M: fields }, `enum Kind { A }\n model M { ${body} }`, provider), "M").keys

/** The key on one column, given as `String @db.Citext`. */
const keyOn = (column: string, provider?: string): UniqueKey => {
  const type = (column.split(" ")[0] ?? "").replace("[]", "")
  return keysOf([`x ${type}${type === "Kind" ? " enum" : ""}`], `x ${column} @id`, provider)[0]!
}

const identity = (key: UniqueKey, value: unknown) => identityInWhere(key, value)

describe("unique keys", () => {
  it("are found wherever they are declared, by what they are called in where", () => {
    const keys = keysOf(
      ["id Int", "a String", "b String", "c String", "d Int"],
      `id Int @id
       a String @unique(map: "a_key")
       b String
       c String
       d Int
       @@unique([a, b])
       @@unique(fields: [b, c], name: "named", map: "in_the_database")
       @@unique([c(sort: Desc), d], name: "sorted")
       @@unique([d], name: "ignored")`
    )
    expect(keys.map(({ fields, name }) => [name, fields])).toEqual([
      ["id", ["id"]],
      ["a", ["a"]],
      ["a_b", ["a", "b"]],
      ["named", ["b", "c"]],
      ["sorted", ["c", "d"]],
      ["d", ["d"]]
    ])
  })

  it("include composite ids, with and without a name", () => {
    expect(keysOf(["a Int", "b Int"], "a Int\n b Int\n @@id([a, b])").map(({ name }) => name)).toEqual(["a_b"])
    expect(keysOf(["a Int", "b Int"], `a Int\n b Int\n @@id([a, b], name: "both")`).map(({ name }) => name)).toEqual([
      "both"
    ])
    expect(keysOf(["a Int"], "a Int\n @@id([a])").map(({ name }) => name)).toEqual(["a"])
  })

  it("with a column that clients do not know are none", () => {
    expect(
      keysOf(["id Int"], `id Int @id\n at Unsupported("point")\n @@unique([id, at])`).map(({ name }) => name)
    ).toEqual(["id"])
  })
})

describe("which comparisons are exact", () => {
  it.each([
    [
      "postgresql",
      [
        "Int",
        "Int @db.SmallInt",
        "BigInt",
        "String",
        "String @db.Text",
        "String @db.VarChar(9)",
        "String @db.Uuid",
        "Boolean",
        "DateTime",
        "DateTime @db.Timestamptz(6)",
        "DateTime @db.Timestamp",
        "Decimal",
        "Decimal @db.Decimal(9, 2)",
        "Bytes",
        "Kind"
      ]
    ],
    ["cockroachdb", ["Int @db.Int4", "String @db.String(9)", "String @db.Uuid", "Bytes", "Kind"]],
    ["sqlite", ["Int", "BigInt", "String", "Boolean", "DateTime", "Bytes", "Kind"]],
    ["mysql", ["Int", "Int @db.UnsignedInt", "BigInt", "Boolean", "DateTime", "DateTime @db.DateTime(3)", "Kind"]],
    ["sqlserver", ["Int", "BigInt", "String @db.UniqueIdentifier", "Boolean", "DateTime", "Kind"]],
    ["mongodb", ["String", "String @db.ObjectId", "Int", "DateTime", "Kind"]]
  ])("on %s", (provider, columns) => {
    for (const column of columns) expect([column, keyOn(column, provider).forms?.length]).toEqual([column, 1])
  })

  it.each([
    [
      "postgresql",
      [
        "String @db.Citext",
        "String @db.Char(3)",
        "String @db.Inet",
        "String @db.Bit(3)",
        "String @db.Novel",
        "DateTime @db.Date",
        "DateTime @db.Time(3)",
        "DateTime @db.Timestamp(0)",
        "Float",
        "Decimal @db.Money",
        "Json",
        "String[]",
        "DateTime @updatedAt"
      ]
    ],
    [
      "mysql",
      [
        "String",
        "String @db.VarChar(9)",
        "String @db.Char(36)",
        "Decimal",
        "DateTime @db.DateTime(0)",
        "Int @db.Year",
        "Bytes"
      ]
    ],
    ["sqlserver", ["String", "String @db.NVarChar(9)", "Decimal", "DateTime @db.DateTime"]],
    ["sqlite", ["Decimal", "Float"]],
    ["mongodb", ["Float", "Bytes"]],
    ["somethingnew", ["Int", "String", "Kind"]]
  ])("and which are loose, or not known to be exact, on %s", (provider, columns) => {
    for (const column of columns) expect([column, keyOn(column, provider).forms]).toEqual([column, undefined])
  })

  it("a composite key is exact if all of its columns are", () => {
    const [, loose, exact] = keysOf(
      ["id Int", "a String", "b Int"],
      "id Int @id\n a String @db.Citext\n b Int\n @@unique([a, b])\n @@unique([id, b])"
    )
    expect([loose?.forms, exact?.forms?.length]).toEqual([undefined, 2])
  })

  it("a key under a condition and a key in a document are not", () => {
    const keys = keysOf(
      ["id Int", "a Int", "home Home document"],
      `id Int @id\n a Int\n home Home\n @@unique([a], where: raw("a > 1"))\n @@unique([home.street, a])`
    )
    expect(keys.map(({ forms, name }) => [name, forms === undefined])).toEqual([
      ["id", false],
      ["a", true],
      ["home_street_a", true]
    ])
  })
})

describe("an identity", () => {
  it("is the same for every way to write a value", () => {
    const same: ReadonlyArray<readonly [string, ReadonlyArray<unknown>]> = [
      ["Int", [5, 5n, { equals: 5 }, { set: 5 }]],
      ["BigInt", [5, 5n, "5", { equals: 5n }]],
      ["BigInt", [0, -0, 0n]],
      [
        "Decimal",
        [
          "1.50",
          1.5,
          "1.5",
          "+01.500",
          "15e-1",
          ".15e1",
          new Prisma.Decimal("1.5"),
          { set: new Prisma.Decimal("1.50") }
        ]
      ],
      ["Decimal", [0, "0.00", "-0", -0]],
      ["Decimal", [1000, "1e3", "1000.000", new Prisma.Decimal("1e3")]],
      ["DateTime", [new Date(1500), "1970-01-01T00:00:01.5Z", "1970-01-01T01:00:01.500+01:00"]],
      [
        "Bytes",
        [
          new Uint8Array([1, 2]),
          Buffer.from([1, 2]),
          new Uint8Array([0, 1, 2, 3]).subarray(1, 3),
          new DataView(new Uint8Array([1, 2]).buffer)
        ]
      ],
      [
        "String @db.Uuid",
        [
          "01234567-89ab-cdef-0123-456789abcdef",
          "{01234567-89AB-CDEF-0123-456789ABCDEF}",
          "0123456789abcdef0123456789abcdef"
        ]
      ],
      ["String", ["a", { equals: "a" }, { set: "a" }]],
      ["Boolean", [true, { equals: true }]]
    ]
    for (const [column, values] of same) {
      const identities = values.map((value) => identity(keyOn(column), value))
      expect(identities[0], column).toMatch(/^r:M:x:/)
      expect(new Set(identities), column).toEqual(new Set([identities[0]]))
    }
    expect(identity(keyOn("String @db.ObjectId", "mongodb"), "507F1F77BCF86CD799439011")).toBe(
      identity(keyOn("String @db.ObjectId", "mongodb"), "507f1f77bcf86cd799439011")
    )
  })

  it("is another one for every other value", () => {
    const different: ReadonlyArray<readonly [string, fc.Arbitrary<unknown>, (value: never) => string]> = [
      ["Int", fc.integer(), String],
      ["BigInt", fc.bigInt(), String],
      ["String", fc.string({ unit: "grapheme" }), String],
      ["Decimal", fc.integer().map((n) => `${n / 8}`), (text: string) => String(Number(text) + 0)],
      ["Bytes", fc.uint8Array({ maxLength: 4 }), String],
      ["DateTime", fc.date({ noInvalidDate: true }), (date: Date) => date.toISOString()]
    ]
    for (const [column, values, nameOf] of different) {
      const key = keyOn(column)
      fc.assert(
        fc.property(values, values, (one, other) => {
          expect(identity(key, one) === identity(key, other)).toBe(nameOf(one as never) === nameOf(other as never))
        })
      )
    }
  })

  it("of several values tells where one ends and the next begins", () => {
    const [key] = keysOf(["a String", "b String"], "a String\n b String\n @@id([a, b])")
    const pair = fc.record({ a: fc.string(), b: fc.string() })
    fc.assert(
      fc.property(pair, pair, (one, other) => {
        expect(identityOf(key!, one) === identityOf(key!, other)).toBe(one.a === other.a && one.b === other.b)
      })
    )
    expect(identityOf(key!, { a: "1:", b: "" })).not.toBe(identityOf(key!, { a: "1", b: ":" }))
  })

  it("is of one model and one key", () => {
    const [id, serial] = keysOf(["id Int", "serial Int"], "id Int @id\n serial Int @unique")
    expect([identity(id!, 5), identity(serial!, 5)]).toEqual(["r:M:id:5", "r:M:serial:5"])
  })

  it.each<readonly [string, string, ReadonlyArray<unknown>]>([
    ["null or left out", "Int", [null, undefined]],
    ["a condition", "Int", [{ gt: 5 }, { equals: 5, not: 6 }, { in: [5] }, { increment: 1 }, []]],
    ["no value of the column", "Int", [1.5, NaN, "x", true, {}]],
    ["a date that is none", "DateTime", [new Date(NaN), "yesterday", 5]],
    ["a decimal that is none", "Decimal", ["", "NaN", "0x10", Infinity, ".", "1e", new Prisma.Decimal(NaN)]],
    ["a uuid that is none", "String @db.Uuid", ["x", "01234567"]],
    ["text that does not reach the database as it is", "String", ["\ud800", "a\udc00"]],
    ["one of Prisma's own values", "String", [Prisma.DbNull, { equals: Prisma.AnyNull }]]
  ])("is not made from %s", (_, column, values) => {
    for (const value of values) expect(identity(keyOn(column), value)).toBeUndefined()
  })

  it("is not made from a part of a composite key, nor from one with a null in it", () => {
    const [key] = keysOf(["a Int", "b Int"], "a Int\n b Int?\n @@unique([a, b])")
    expect(identityOf(key!, { a: 1 })).toBeUndefined()
    expect(identityOf(key!, { a: 1, b: null })).toBeUndefined()
    expect(identityInWhere(key!, 5)).toBeUndefined()
    expect(identityInWhere(key!, { a: 1, b: 2 })).toBe("r:M:a_b:1:11:2")
  })
})
