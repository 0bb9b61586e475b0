import { describe, expect, it } from "vitest"
import type { PrismaInternals } from "../../../src/prisma/client.js"
import { makeDataModel } from "../../../src/prisma/schema/dataModel.js"
import { makePrisma6 } from "../../prisma-6/database.js"
import { makePrisma } from "../../support/database.js"
import { dataModel, modelIn, relationIn, runtime } from "./models.js"

const nowhere = "postgresql://nobody@127.0.0.1:1/nothing"

const clients = async (): Promise<ReadonlyArray<PrismaInternals>> => {
  const { PrismaPg } = await import("@prisma/adapter-pg")
  const adapter = new PrismaPg({ connectionString: nowhere })
  const js = await import("../generated/client-js/index.js")
  // Typed by a generated file that is JavaScript here.
  return [
    makePrisma(nowhere).prisma,
    new js.PrismaClient({ adapter }),
    makePrisma6(nowhere).prisma
  ] as unknown as ReadonlyArray<PrismaInternals>
}

describe("the data model of a generated client", () => {
  it("is known, and the same from both generators and both versions of Prisma", async () => {
    const [first, ...others] = (await clients()).map((client) =>
      makeDataModel(client["_runtimeDataModel"], client["_engineConfig"].inlineSchema)
    )
    expect(first?.known).toBe(true)
    expect(first?.models.size).toBe(17)
    expect(others.map(({ known }) => known)).toEqual([true, true])
    const text = (value: unknown) =>
      JSON.stringify(value, (_, part) =>
        part instanceof Map ? [...part] : typeof part === "function" ? part.name : part
      )
    for (const other of others) expect(text(other)).toBe(text(first))
  })
})

describe("fields", () => {
  it("are columns, relations or documents; lists, optional and unique ones are told apart", () => {
    const made = dataModel(
      {
        User: ["id Int", "nick String", "tags String", "role Role enum", "home Home document", "posts Post PostToUser"],
        Post: ["id Int", "userId Int", "user User PostToUser"]
      },
      `enum Role { A }
       type Home { street String }
       model User { id Int @id\n nick String? @unique\n tags String[]\n role Role\n home Home?\n posts Post[] }
       model Post { id Int @id\n userId Int\n user User @relation(fields: [userId], references: [id]) }`
    )
    const fields = modelIn(made, "User").fields
    expect(fields.get("nick")).toEqual({
      _tag: "Scalar",
      name: "nick",
      type: "String",
      list: false,
      optional: true,
      unique: true
    })
    expect(fields.get("tags")).toMatchObject({ _tag: "Scalar", list: true, unique: false })
    expect(fields.get("role")).toMatchObject({ _tag: "Scalar", type: "Role" })
    expect(fields.get("home")).toEqual({ _tag: "Composite", name: "home" })
    expect(fields.get("posts")).toMatchObject({ _tag: "Relation", target: "Post", list: true })
  })
})

describe("foreign keys", () => {
  const schema = `
    model User {
      id Int @id
      email String @unique
      posts Post[]
      approved Post[] @relation("Approval")
      bossId Int? @unique
      boss User? @relation("Boss", fields: [bossId], references: [id])
      assistant User? @relation("Boss")
    }
    model Post {
      id Int @id
      authorId Int
      author User @relation(fields: [authorId], references: [id])
      approver String?
      approvedBy User? @relation(name: "Approval", fields: [approver], references: [email], onUpdate: NoAction)
    }`
  const made = dataModel(
    {
      User: [
        "id Int",
        "email String",
        "posts Post PostToUser",
        "approved Post Approval",
        "bossId Int",
        "boss User Boss",
        "assistant User Boss"
      ],
      Post: ["id Int", "authorId Int", "author User PostToUser", "approver String", "approvedBy User Approval"]
    },
    schema
  )
  const author = {
    model: "Post",
    fields: ["authorId"],
    required: true,
    target: "User",
    references: ["id"],
    onDelete: "Nothing",
    onUpdate: "Change"
  }
  const approver = {
    model: "Post",
    fields: ["approver"],
    required: false,
    target: "User",
    references: ["email"],
    onDelete: "Change",
    onUpdate: "Nothing"
  }
  const boss = {
    model: "User",
    fields: ["bossId"],
    required: false,
    target: "User",
    references: ["id"],
    onDelete: "Change",
    onUpdate: "Change"
  }

  it("are seen from the end that has them and from the other one, several between two models too", () => {
    expect(relationIn(made, "Post", "author").link).toEqual({
      _tag: "Columns",
      here: author,
      there: undefined,
      oneToOne: false
    })
    expect(relationIn(made, "User", "posts").link).toEqual({
      _tag: "Columns",
      here: undefined,
      there: author,
      oneToOne: false
    })
    expect(relationIn(made, "User", "approved").link).toMatchObject({ there: approver })
    expect(modelIn(made, "User").referencedBy).toEqual([boss, author, approver])
    expect(modelIn(made, "Post").referencedBy).toEqual([])
  })

  it("of a model to itself belong to one of its ends", () => {
    expect(relationIn(made, "User", "boss").link).toEqual({
      _tag: "Columns",
      here: boss,
      there: undefined,
      oneToOne: true
    })
    expect(relationIn(made, "User", "assistant").link).toEqual({
      _tag: "Columns",
      here: undefined,
      there: boss,
      oneToOne: true
    })
  })

  it("have Prisma's own actions where none is written: null if it may be, refusal if not, and changes follow", () => {
    expect([author.onDelete, approver.onDelete, boss.onUpdate]).toEqual(["Nothing", "Change", "Change"])
  })

  it.each([
    ["Cascade", "Delete", "Change"],
    ["Restrict", "Nothing", "Nothing"],
    ["NoAction", "Nothing", "Nothing"],
    ["SetNull", "Change", "Change"],
    ["SetDefault", "Change", "Change"],
    ["SomethingNew", "Delete", "Change"]
  ])("that say %s do what it says", (action, onDelete, onUpdate) => {
    const { models } = dataModel(
      { A: ["id Int", "bs B AToB"], B: ["id Int", "aId Int", "a A AToB"] },
      `model A { id Int @id\n bs B[] }
       model B {
         id Int @id
         aId Int?
         a A? @relation(fields: [aId], references: [id], onDelete: ${action}, onUpdate: ${action})
       }`
    )
    expect(models.get("A")?.referencedBy[0]).toMatchObject({ onDelete, onUpdate })
  })

  it("refer to the id where the schema does not say to what", () => {
    const { models } = dataModel(
      { A: ["x Int", "y Int", "bs B AToB"], B: ["id Int", "ax Int", "ay Int", "a A AToB"] },
      `model A { x Int\n y Int\n bs B[]\n @@id([x, y]) }
       model B { id Int @id\n ax Int\n ay Int\n a A @relation(fields: [ax, ay]) }`
    )
    expect(models.get("A")?.referencedBy[0]?.references).toEqual(["x", "y"])
  })

  it("of models that clients do not see are followed all the same", () => {
    const { known, models } = dataModel(
      { A: ["id Int"], C: ["id Int", "hiddenId Int"] },
      `model A { id Int @id\n hidden Hidden[] @ignore }
       model Hidden {
         id Int @id
         aId Int
         a A @relation(fields: [aId], references: [id], onDelete: Cascade)
         cs C[]
         @@ignore
       }
       model C {
         id Int @id
         hiddenId Int
         hidden Hidden @relation(fields: [hiddenId], references: [id], onDelete: Cascade) @ignore
       }`
    )
    expect(known).toBe(true)
    expect(models.get("A")?.referencedBy[0]).toMatchObject({ model: "Hidden", onDelete: "Delete" })
    expect(models.get("Hidden")?.referencedBy[0]).toMatchObject({ model: "C" })
  })
})

describe("many-to-many relations", () => {
  it("without columns are kept in a table of their own, also of a model with itself", () => {
    const made = dataModel(
      {
        Post: ["id Int", "tags Tag PostToTag", "next Post Next", "previous Post Next"],
        Tag: ["id Int", "posts Post PostToTag"]
      },
      `model Post { id Int @id\n tags Tag[]\n next Post[] @relation("Next")\n previous Post[] @relation("Next") }
       model Tag { id Int @id\n posts Post[] }`
    )
    for (const name of ["tags", "next", "previous"])
      expect(relationIn(made, "Post", name).link).toEqual({ _tag: "JoinTable" })
    expect(modelIn(made, "Post").joinedWith).toEqual(["Tag", "Post"])
    expect(modelIn(made, "Tag").joinedWith).toEqual(["Post"])
  })

  it("of MongoDB are kept in lists at both ends", () => {
    const made = dataModel(
      {
        Post: ["id String", "tagIds String", "tags Tag PostToTag"],
        Tag: ["id String", "postIds String", "posts Post PostToTag"]
      },
      `model Post {
         id String @id @db.ObjectId @map("_id")
         tagIds String[] @db.ObjectId
         tags Tag[] @relation(fields: [tagIds], references: [id])
       }
       model Tag {
         id String @id @db.ObjectId @map("_id")
         postIds String[] @db.ObjectId
         posts Post[] @relation(fields: [postIds], references: [id])
       }`,
      "mongodb"
    )
    const { link } = relationIn(made, "Post", "tags")
    expect(link).toMatchObject({ here: { model: "Post", onDelete: "Change" }, there: { model: "Tag" } })
  })

  it("whose other end is not found are unknown", () => {
    const made = dataModel(
      { A: ["id Int", "bs B AToB"], B: ["id Int"] },
      `model A { id Int @id\n bs B[] @relation("x") }\n model B { id Int @id\n as A[] @relation("y") }`
    )
    expect(relationIn(made, "A", "bs").link).toEqual({ _tag: "Unknown" })
  })
})

describe("a model", () => {
  it("keeps its name whatever its table and schema are called", () => {
    const { models } = dataModel(
      { Category: ["id Int", "slug String"] },
      `model Category {
         id Int @id @map("category_id")
         slug String @unique(map: "slug_key") @map("category_slug")
         @@map("categories")
         @@schema("shop")
       }`
    )
    const category = models.get("Category")
    expect(category?.tags).toEqual({ model: "m:Category", bulk: "b:Category", absent: "a:Category" })
    expect(category?.keys.map(({ fields, name }) => [name, fields])).toEqual([
      ["id", ["id"]],
      ["slug", ["slug"]]
    ])
  })

  it("that is a view says so", () => {
    const { models } = dataModel({ Summary: ["id Int"] }, "view Summary { id Int @unique }")
    expect(models.get("Summary")?.view).toBe(true)
  })
})

describe("a data model that is not known", () => {
  const fields = { User: ["id Int", "posts Post PostToUser"], Post: ["id Int", "userId Int", "user User PostToUser"] }
  const schema = `model User { id Int @id\n posts Post[] }
    model Post { id Int @id\n userId Int\n user User @relation(fields: [userId], references: [id]) }`

  it.each([
    ["no schema", undefined],
    ["a schema that is not understood", "model User {"],
    ["a schema without one of its models", "model User { id Int @id\n posts Post[] }"],
    ["a schema without one of its fields", schema.replace("userId Int", "")],
    ["a schema with another type for one of its fields", schema.replace("userId Int", "userId String")]
  ])("is that of a client with %s", (_, text) => {
    const made = makeDataModel(runtime(fields), text)
    expect(made.known).toBe(false)
    expect([...made.models.keys()]).toEqual(["User", "Post"])
    expect(modelIn(made, "User").keys).toEqual([])
    expect(relationIn(made, "User", "posts").link).toEqual({ _tag: "Unknown" })
  })

  it("has no models for a client that does not know its own", () => {
    const made = makeDataModel(undefined, schema)
    expect([made.known, made.models.size]).toEqual([false, 0])
  })

  it("is not that of a client with the right schema", () => {
    expect(makeDataModel(runtime(fields), schema).known).toBe(true)
  })
})
