import { describe, expect, it } from "vitest"
import { parseSchema } from "../../../src/prisma/schema/parse.js"

const modelsOf = (schema: string) => {
  const parsed = parseSchema(schema)
  if (parsed === undefined) throw new Error("not understood")
  return parsed.models
}

describe("a schema that is understood", () => {
  it("has models with fields: their types, which are lists and which may be null", () => {
    expect(modelsOf("model Post { id Int @id\n title String?\n tags String[]\n old Legacy! }")).toEqual([
      {
        name: "Post",
        view: false,
        attributes: [],
        fields: [
          { name: "id", type: "Int", list: false, optional: false, attributes: [{ name: "id", args: [] }] },
          { name: "title", type: "String", list: false, optional: true, attributes: [] },
          { name: "tags", type: "String", list: true, optional: false, attributes: [] },
          { name: "old", type: "Legacy", list: false, optional: false, attributes: [] }
        ]
      }
    ])
  })

  it("has attributes over several lines, with named, nested and trailing arguments", () => {
    const [post] = modelsOf(`model Post {
      author User @relation(
        "Writing", // who wrote it
        fields: [authorId],
        references: [id],
        onDelete: Cascade,
      ) @db.Whatever(3, "x")
      authorId Int
      @@unique(
        [authorId(sort: Desc), title(ops: raw("text_ops"))],
        name: "byAuthor",
      )
    }`)
    expect(post?.fields[0]?.attributes).toEqual([
      {
        name: "relation",
        args: [
          { name: undefined, value: { _tag: "Text", text: "Writing" } },
          { name: "fields", value: { _tag: "List", items: [{ _tag: "Name", name: "authorId" }] } },
          { name: "references", value: { _tag: "List", items: [{ _tag: "Name", name: "id" }] } },
          { name: "onDelete", value: { _tag: "Name", name: "Cascade" } }
        ]
      },
      {
        name: "db.Whatever",
        args: [
          { name: undefined, value: { _tag: "Name", name: "3" } },
          { name: undefined, value: { _tag: "Text", text: "x" } }
        ]
      }
    ])
    expect(post?.attributes[0]?.args).toEqual([
      {
        name: undefined,
        value: {
          _tag: "List",
          items: [
            { _tag: "Name", name: "authorId" },
            { _tag: "Name", name: "title" }
          ]
        }
      },
      { name: "name", value: { _tag: "Text", text: "byAuthor" } }
    ])
  })

  it("is not misled by braces, brackets, quotes and comments in strings, nor by any of them in comments", () => {
    const names = modelsOf(`
      /// model Fake { id Int @id
      // }
      /* model AlsoFake {
         "unfinished
      */
      model Real {
        id   String @id @default("} ] ) // \\" \\\\ /* model Fake {") // {{{ "
        more String @default(dbgenerated("concat('{', \\"x\\", '}')")) /// }
        /** @@map("nothing") */
        last Int
      }`).map(({ fields, name }) => [name, ...fields.map(({ name }) => name)])
    expect(names).toEqual([["Real", "id", "more", "last"]])
  })

  it("reads strings with escapes, numbers with signs and fractions, empty lists and objects", () => {
    const [model] = modelsOf(`model A {
      a String @default("a\\"b\\\\c\\u0041")
      b Float @default(-1.5)
      c Int[] @default([])
      @@unique([a], where: { b: { gt: 1 } })
    }`)
    expect(model?.fields[0]?.attributes[0]?.args[0]?.value).toEqual({ _tag: "Text", text: `a"b\\cA` })
    expect(model?.fields[1]?.attributes[0]?.args[0]?.value).toEqual({ _tag: "Other" })
    expect(model?.attributes[0]?.args[1]).toEqual({ name: "where", value: { _tag: "Other" } })
  })

  it("may hold generators, enums, documents and blocks that are not known, which are passed over", () => {
    const parsed = parseSchema(`
      generator client { provider = "prisma-client"
        previewFeatures = ["views", "postgresqlExtensions"] }
      datasource pg {
        provider   = "cockroachdb"
        url        = env("URL")
        extensions = [citext(schema: "public"), pg_trgm]
        schemas    = ["a", "b"]
      }
      enum Role { USER @map("user") ADMIN @@map("roles") }
      type Address { street String @default("}") }
      novelty Thing { whatever: [1, 2] { nested } }
      view Summary { id Int @unique }
      model Straße_1-b { id Int @id }`)
    expect(parsed?.provider).toBe("cockroachdb")
    expect(parsed?.models.map(({ name, view }) => [name, view])).toEqual([
      ["Summary", true],
      ["Straße_1-b", false]
    ])
  })

  it("may have fields that Prisma does not support, line ends of Windows and a byte order mark", () => {
    const [model] = modelsOf(
      `\ufeffmodel A {\r\n  id Int @id\r\n  at Unsupported("point(1, 2) {")?\r\n  z Int\r\n}\r\n`
    )
    expect(model?.fields.map(({ name, type, optional }) => [name, type, optional])).toEqual([
      ["id", "Int", false],
      ["at", "Unsupported", true],
      ["z", "Int", false]
    ])
  })
})

describe("a schema that is not understood", () => {
  it.each([
    ["ends in the middle of a model", "model A { id Int @id"],
    ["ends in the middle of a string", `model A { id String @default("x) }`],
    ["ends in the middle of a comment", "/* model A { id Int @id }"],
    ["has something that is no token", "model A { id Int § }"],
    ["has something after its last block", "model A { id Int @id } }"],
    ["has a field without a type", "model A { id }"],
    ["has arguments without commas", "model A { id Int @default(1 2) }"],
    ["has an escape that is none", `model A { id String @default("\\q") }`],
    ["has an alias of a type", "type Id = Int @id"],
    ["has a property without a value", "datasource db { provider = }"]
  ])("is given up when it %s", (_, schema) => {
    expect(parseSchema(schema)).toBeUndefined()
  })
})
