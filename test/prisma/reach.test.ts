import { skip } from "@prisma/client/runtime/client"
import { describe, expect, it } from "vitest"
import type { PrismaInternals } from "../../src/prisma/client.js"
import { rawReach, writeReach } from "../../src/prisma/reach.js"
import { makeDataModel } from "../../src/prisma/schema/dataModel.js"
import { makePrisma } from "../support/database.js"
import { dataModel, runtime } from "./schema/models.js"

// What a client knows without a database.
const client = makePrisma("postgresql://nobody@127.0.0.1:1/nothing").prisma as unknown as PrismaInternals
const schema = makeDataModel(client["_runtimeDataModel"], client["_engineConfig"].inlineSchema)
const everything = [...[...schema.models.keys()].map((name) => `m:${name}`), ...[...schema.models.keys()].map((name) => `b:${name}`)]

/** The tags of a write, for reading: with spaces between them. */
const touches = (model: string, operation: string, args: object, given = schema): string => {
  const { models, tags } = writeReach(given, model, operation, args)
  const ofModels = tags.filter((tag) => tag.startsWith("m:"))
  expect(ofModels).toEqual(models.map((name) => `m:${name}`))
  expect(tags.slice(0, ofModels.length)).toEqual(ofModels)
  expect(new Set(tags).size).toBe(tags.length)
  return tags.join(" ")
}

const late = (model: string, operation: string, args: object, result: unknown, given = schema) =>
  writeReach(given, model, operation, args).late?.(result)

describe("a write of one row touches", () => {
  it("the model first, and the row by what it was found by", () => {
    expect(touches("User", "update", { where: { id: 5 }, data: { name: "Ada" } })).toBe("m:User r:User:id:5")
    expect(touches("User", "update", { where: { id: 5, email: "a@b", name: "x" }, data: {} })).toBe("m:User r:User:id:5 r:User:email:a@b")
    expect(touches("Setting", "update", { where: { scopedKey: { scope: "a", key: "b" } }, data: { value: 1 } }))
      .toBe("m:Setting r:Setting:scopedKey:1:a1:b")
    expect(touches("Counter", "delete", { where: { name: "a" } })).toBe("m:Counter r:Counter:name:a")
  })

  it("the row by what it will be found by, and rows that were not there, if a unique key changes", () => {
    expect(touches("User", "update", { where: { id: 5 }, data: { email: "a@b" } })).toBe("m:User a:User r:User:id:5 r:User:email:a@b")
    expect(touches("User", "update", { where: { id: 5 }, data: { email: { set: "a@b" } } })).toBe("m:User a:User r:User:id:5 r:User:email:a@b")
    expect(touches("Team", "update", { where: { id: 1 }, data: { slug: "b" } })).toBe("m:Team a:Team r:Team:id:1")
    expect(touches("Team", "update", { where: { id: 1 }, data: { slug: "b", tenant: "a" } })).toBe("m:Team a:Team r:Team:id:1 r:Team:tenant_slug:1:a1:b")
  })

  it("rows that were not there if it creates one", () => {
    expect(touches("User", "create", { data: { email: "a@b" } })).toBe("m:User a:User r:User:email:a@b")
    expect(touches("Tag", "create", {})).toBe("m:Tag a:Tag")
    expect(touches("User", "upsert", { where: { email: "a@b" }, create: { email: "c@d", name: "x" }, update: { name: "x" } }))
      .toBe("m:User a:User r:User:email:a@b r:User:email:c@d")
    expect(touches("User", "upsert", { where: { id: 1 }, create: { email: "c@d" }, update: { email: "e@f" } }))
      .toBe("m:User a:User r:User:id:1 r:User:email:c@d r:User:email:e@f")
  })

  it("any row if a unique field becomes what the arguments do not say", () => {
    expect(touches("Counter", "update", { where: { name: "a" }, data: { value: { increment: 1 } } })).toBe("m:Counter r:Counter:name:a")
    expect(touches("Tag", "update", { where: { id: 1 }, data: { id: { increment: 1 } } })).toBe("m:Tag m:Post b:Tag")
  })

  it("any row if nobody knows which it is", () => {
    expect(touches("User", "update", { where: { id: null }, data: { name: "x" } })).toBe("m:User b:User")
    expect(touches("User", "update", { where: { id: skip }, data: { name: "x" } })).toBe("m:User b:User")
    expect(touches("User", "update", { data: { name: "x" } })).toBe("m:User b:User")
    expect(touches("Counter", "delete", { where: {} })).toBe("m:Counter b:Counter")
    expect(touches("Membership", "update", { where: { teamId_userId: { teamId: 1 } }, data: { role: "ADMIN" } })).toBe("m:Membership b:Membership")
  })

  it("any row if it was found by a key that the database compares loosely", () => {
    const loose = dataModel({ A: ["id Int", "nick String", "x Int"] }, "model A { id Int @id\n nick String @unique @db.Citext\n x Int }")
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
    expect(late("Team", "delete", { where: { id: 1 } }, { id: 1, tenant: "a", slug: "b" })).toEqual(["r:Team:tenant_slug:1:a1:b"])
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
      expect(touches("User", operation, { data: [{ email: "a" }, { email: "b" }], skipDuplicates: true })).toBe("m:User a:User")
    }
  })
})

describe("a nested write, seen from the end without the foreign key, touches", () => {
  const update = (posts: object) => touches("User", "update", { where: { id: 1 }, data: { posts } })

  it("rows that were not there, if it creates some", () => {
    expect(update({ create: { id: 7, title: "x" } })).toBe("m:User m:Post r:User:id:1 a:Post r:Post:id:7")
    expect(update({ create: [{ title: "x" }, { title: "y" }] })).toBe("m:User m:Post r:User:id:1 a:Post")
    expect(update({ createMany: { data: [{ id: 7, title: "x" }] } })).toBe("m:User m:Post r:User:id:1 a:Post")
  })

  it("the rows that it names, which it links, parts, changes or deletes", () => {
    expect(update({ connect: [{ id: 7 }, { id: 8 }] })).toBe("m:User m:Post r:User:id:1 r:Post:id:7 r:Post:id:8")
    expect(update({ connectOrCreate: { where: { id: 7 }, create: { title: "x" } } })).toBe("m:User m:Post r:User:id:1 a:Post r:Post:id:7")
    expect(update({ disconnect: { id: 7 } })).toBe("m:User m:Post r:User:id:1 r:Post:id:7")
    expect(update({ update: { where: { id: 7 }, data: { title: "x" } } })).toBe("m:User m:Post r:User:id:1 r:Post:id:7")
    expect(update({ upsert: { where: { id: 7 }, create: { title: "x" }, update: { id: 8 } } }))
      .toBe("m:User m:Post m:Comment m:PostCategory m:Tag r:User:id:1 a:Post r:Post:id:7 r:Post:id:8 b:Comment b:PostCategory")
    expect(update({ delete: { id: 7 } }))
      .toBe("m:User m:Post m:Comment m:PostCategory m:Tag r:User:id:1 r:Post:id:7 b:Comment b:PostCategory")
  })

  it("any row, if it names none", () => {
    expect(update({ set: [{ id: 7 }] })).toBe("m:User m:Post r:User:id:1 b:Post")
    expect(update({ set: [] })).toBe("m:User m:Post r:User:id:1 b:Post")
    expect(update({ updateMany: { where: { id: 7 }, data: { title: "x" } } })).toBe("m:User m:Post r:User:id:1 b:Post")
    expect(update({ deleteMany: {} })).toBe("m:User m:Post m:Comment m:PostCategory m:Tag r:User:id:1 b:Post b:Comment b:PostCategory")
    expect(update({ update: { where: { title: "x" }, data: { title: "x" } } })).toBe("m:User m:Post r:User:id:1 b:Post")
  })

  it("keys that the foreign key is part of, and what refers to them", () => {
    expect(touches("Team", "update", { where: { id: 1 }, data: { memberships: { connect: { teamId_userId: { teamId: 2, userId: 3 } } } } }))
      .toBe("m:Team m:Membership m:MembershipNote r:Team:id:1 a:Membership r:Membership:teamId_userId:1:21:3 b:MembershipNote")
  })

  it("in a relation to one, the row that was there before, unless this one is new", () => {
    expect(touches("User", "update", { where: { id: 1 }, data: { profile: { create: { bio: "x" } } } }))
      .toBe("m:User m:UserProfile r:User:id:1 b:UserProfile")
    expect(touches("User", "create", { data: { profile: { create: { bio: "x" } } } })).toBe("m:User m:UserProfile a:User a:UserProfile")
    expect(touches("User", "create", { data: { profile: { connect: { id: 3 } } } }))
      .toBe("m:User m:UserProfile a:User a:UserProfile r:UserProfile:id:3")
    for (const profile of [{ connect: { id: 3 } }, { update: { bio: "x" } }, { update: { where: { bio: "y" }, data: { bio: "x" } } }, { delete: true }, { disconnect: true }, { upsert: { create: { bio: "x" }, update: { bio: "y" } } }]) {
      expect(touches("User", "update", { where: { id: 1 }, data: { profile } })).toBe("m:User m:UserProfile r:User:id:1 b:UserProfile")
    }
  })
})

describe("a nested write, seen from the end with the foreign key, touches", () => {
  const update = (author: object) => touches("Post", "update", { where: { id: 1 }, data: { author } })

  it("its own row alone, if only the link changes", () => {
    expect(update({ connect: { id: 7 } })).toBe("m:Post r:Post:id:1")
    expect(update({ disconnect: true })).toBe("m:Post r:Post:id:1")
    expect(touches("Post", "create", { data: { title: "x", author: { connect: { email: "a@b" } } } })).toBe("m:Post a:Post")
  })

  it("keys that the foreign key is part of, and what refers to them", () => {
    expect(touches("Membership", "update", { where: { teamId_userId: { teamId: 1, userId: 2 } }, data: { team: { connect: { id: 7 } } } }))
      .toBe("m:Membership m:MembershipNote a:Membership r:Membership:teamId_userId:1:11:2 b:MembershipNote")
  })

  it("rows that were not there, if it creates one", () => {
    expect(update({ create: { email: "a@b" } })).toBe("m:Post m:User r:Post:id:1 a:User r:User:email:a@b")
    expect(update({ connectOrCreate: { where: { id: 7 }, create: { email: "a@b" } } })).toBe("m:Post m:User r:Post:id:1 a:User r:User:email:a@b")
  })

  it("any row at the other end, if it changes the one that is there", () => {
    expect(update({ update: { name: "x" } })).toBe("m:Post m:User r:Post:id:1 b:User")
    expect(update({ update: { where: { name: "y" }, data: { name: "x" } } })).toBe("m:Post m:User r:Post:id:1 b:User")
    expect(update({ upsert: { create: { email: "a@b" }, update: { name: "x" } } })).toBe("m:Post m:User r:Post:id:1 b:User")
  })

  it("what hangs on the row at the other end, if that is deleted: its own model too", () => {
    expect(update({ delete: true }).split(" ")).toEqual(expect.arrayContaining(["m:User", "b:User", "b:Post", "b:Session", "b:MembershipNote"]))
  })

  const people = (optional: string) => dataModel(
    { Pass: ["id Int", "personId Int", "person Person PassToPerson"], Person: ["id Int", "pass Pass PassToPerson"] },
    `model Pass { id Int @id\n personId Int${optional} @unique\n person Person${optional} @relation(fields: [personId], references: [id]) }
     model Person { id Int @id\n pass Pass? }`
  )

  it("in a relation between one and one, the row that is parted from the other end, if it can be", () => {
    const args = { where: { id: 1 }, data: { person: { connect: { id: 2 } } } }
    expect(touches("Pass", "update", args, people("?"))).toBe("m:Pass b:Pass")
    expect(touches("Pass", "update", args, people(""))).toBe("m:Pass a:Pass r:Pass:id:1")
    expect(touches("Pass", "create", { data: { id: 1, person: { connect: { id: 2 } } } }, people("?"))).toBe("m:Pass b:Pass")
  })
})

describe("a nested write through an implicit many-to-many relation touches", () => {
  const update = (tags: object) => touches("Post", "update", { where: { id: 1 }, data: { tags } })

  it("both models, and none of the rows that it links or parts", () => {
    for (const tags of [{ connect: { name: "x" } }, { set: [] }, { set: [{ id: 1 }] }, { disconnect: [{ id: 1 }] }]) {
      expect(update(tags)).toBe("m:Post m:Tag r:Post:id:1")
    }
  })

  it("the rows that it creates, changes and deletes", () => {
    expect(update({ create: { name: "x" } })).toBe("m:Post m:Tag r:Post:id:1 a:Tag r:Tag:name:x")
    expect(update({ connectOrCreate: { where: { id: 1 }, create: { name: "x" } } })).toBe("m:Post m:Tag r:Post:id:1 a:Tag r:Tag:name:x")
    expect(update({ update: { where: { id: 2 }, data: { name: "x" } } })).toBe("m:Post m:Tag r:Post:id:1 a:Tag r:Tag:id:2 r:Tag:name:x")
    expect(update({ delete: { id: 2 } })).toBe("m:Post m:Tag r:Post:id:1 r:Tag:id:2")
    expect(update({ deleteMany: {} })).toBe("m:Post m:Tag r:Post:id:1 b:Tag")
  })

  it("of MongoDB both rows, which hold the link", () => {
    const mongo = dataModel(
      { Post: ["id String", "tagIds String", "tags Tag PostToTag"], Tag: ["id String", "postIds String", "posts Post PostToTag"] },
      `model Post { id String @id\n tagIds String[]\n tags Tag[] @relation(fields: [tagIds], references: [id]) }
       model Tag { id String @id\n postIds String[]\n posts Post[] @relation(fields: [postIds], references: [id]) }`,
      "mongodb"
    )
    expect(touches("Post", "update", { where: { id: "1" }, data: { tags: { connect: { id: "2" } } } }, mongo)).toBe("m:Post m:Tag r:Post:id:1 r:Tag:id:2")
    expect(touches("Post", "delete", { where: { id: "1" } }, mongo)).toBe("m:Post m:Tag r:Post:id:1 b:Tag")
  })
})

describe("nested writes", () => {
  it("are followed to any depth, and beyond rows that are new", () => {
    expect(touches("User", "update", {
      where: { id: 1 },
      data: {
        name: "x",
        posts: {
          update: [{ where: { id: 2 }, data: { comments: { create: { body: "x", replies: { connect: { id: 4 } } } } } }],
          create: { title: "y", tags: { connectOrCreate: { where: { name: "t" }, create: { name: "t" } } } }
        },
        memberships: { deleteMany: { role: "ADMIN" } }
      }
    })).toBe("m:User m:Post m:Comment m:Tag m:Membership m:MembershipNote r:User:id:1 a:Post r:Post:id:2 a:Comment r:Comment:id:4 a:Tag r:Tag:name:t b:Membership b:MembershipNote")
  })

  it("through a relation of a model to itself change rows of it, not any of them", () => {
    expect(touches("User", "update", { where: { id: 1 }, data: { reports: { connect: { id: 2 } } } })).toBe("m:User r:User:id:1 r:User:id:2")
    expect(touches("User", "update", { where: { id: 1 }, data: { manager: { connect: { id: 2 } } } })).toBe("m:User r:User:id:1")
    expect(touches("User", "update", { where: { id: 1 }, data: { reports: { set: [] } } })).toBe("m:User b:User")
  })

  it("that are undefined or skipped are none", () => {
    expect(touches("User", "update", { where: { id: 1 }, data: { posts: undefined, email: undefined, comments: { create: undefined }, manager: skip } }))
      .toBe("m:User r:User:id:1")
  })
})

describe("what the database does by itself is touched", () => {
  it("when a row is deleted: rows that go with it, rows that lose their link, and so on", () => {
    expect(touches("Post", "delete", { where: { id: 1 } })).toBe("m:Post m:Comment m:PostCategory m:Tag r:Post:id:1 b:Comment b:PostCategory")
    expect(touches("Team", "deleteMany", {})).toBe("m:Team m:Membership m:MembershipNote b:Team b:Membership b:MembershipNote")
    expect(touches("Category", "delete", { where: { id: 1 } })).toBe("m:Category m:PostCategory b:Category b:PostCategory")
    expect(touches("User", "delete", { where: { id: 1 } }).split(" ").sort()).toEqual([
      "User", "UserProfile", "Post", "Comment", "Session", "Membership", "MembershipNote", "Address"
    ].flatMap((name) => [`m:${name}`, `b:${name}`]).sort())
  })

  it("but not where the database refuses to", () => {
    expect(touches("Country", "delete", { where: { code: "de" } })).toBe("m:Country r:Country:code:de")
  })

  it("when a field changes that others refer to, and so on", () => {
    expect(touches("Country", "update", { where: { code: "de" }, data: { code: "fr" } }))
      .toBe("m:Country m:Address a:Country r:Country:code:de r:Country:code:fr b:Address")
    expect(touches("Country", "updateMany", { data: { name: "x", code: { set: "fr" } } })).toBe("m:Country m:Address b:Country b:Address")
    expect(touches("Country", "update", { where: { code: "de" }, data: { name: "x" } })).toBe("m:Country r:Country:code:de")
    expect(touches("Tag", "update", { where: { id: 1 }, data: { id: 2 } })).toBe("m:Tag m:Post a:Tag r:Tag:id:1 r:Tag:id:2")
    expect(touches("User", "update", { where: { id: 1 }, data: { id: 2 } })).toContain("b:MembershipNote")
  })

  it("no further than the columns go that change", () => {
    const chain = dataModel(
      { A: ["x Int", "bs B AToB"], B: ["id Int", "ax Int", "a A AToB", "cs C BToC"], C: ["id Int", "bid Int", "b B BToC"] },
      `model A { x Int @id\n bs B[] }
       model B { id Int @id\n ax Int\n a A @relation(fields: [ax], references: [x], onDelete: SetDefault)\n cs C[] }
       model C { id Int @id\n bid Int\n b B @relation(fields: [bid], references: [id], onDelete: Cascade) }`
    )
    expect(touches("A", "delete", { where: { x: 1 } }, chain)).toBe("m:A m:B r:A:x:1 b:B")
    expect(touches("A", "update", { where: { x: 1 }, data: { x: 2 } }, chain)).toBe("m:A m:B a:A r:A:x:1 r:A:x:2 b:B")
    expect(touches("B", "delete", { where: { id: 1 } }, chain)).toBe("m:B m:C r:B:id:1 b:C")
  })

  it("in circles without an end", () => {
    const circle = dataModel(
      { A: ["id Int", "bId Int", "b B Own", "bs B Back"], B: ["id Int", "aId Int", "as A Own", "a A Back"] },
      `model A { id Int @id\n bId Int\n b B @relation("Own", fields: [bId], references: [id], onDelete: Cascade)\n bs B[] @relation("Back") }
       model B { id Int @id\n aId Int\n as A[] @relation("Own")\n a A @relation("Back", fields: [aId], references: [id], onDelete: Cascade) }`
    )
    expect(touches("A", "delete", { where: { id: 1 } }, circle)).toBe("m:A m:B b:A b:B")
  })
})

describe("a write touches everything", () => {
  it.each<readonly [string, string, string, object]>([
    ["with a field that is none", "User", "update", { where: { id: 1 }, data: { nothing: 1 } }],
    ["with a nested field that is none", "User", "update", { where: { id: 1 }, data: { posts: { create: { nothing: 1 } } } }],
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
      "model A { id Int @id\n bs B[] @relation(\"x\") }\n model B { id Int @id\n as A[] @relation(\"y\") }\n model C { id Int @id }"
    )
    expect(writeReach(odd, "A", "update", { where: { id: 1 }, data: { bs: { set: [] } } }).tags).toEqual(["m:A", "m:B", "m:C", "b:A", "b:B", "b:C"])
    expect(writeReach(odd, "A", "update", { where: { id: 1 }, data: {} }).tags).toEqual(["m:A", "r:A:id:1"])
  })

  it("where an update of one row may be the row's data or hold it", () => {
    const odd = dataModel(
      { A: ["id Int", "bId Int", "b B AToB"], B: ["id Int", "data Json", "as A AToB"] },
      `model A { id Int @id\n bId Int\n b B @relation(fields: [bId], references: [id]) }
       model B { id Int @id\n data Json\n as A[] }`
    )
    const update = (update: object) => writeReach(odd, "A", "update", { where: { id: 1 }, data: { b: { update } } }).tags
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
    expect(rawReach(schema, ["Counter"])).toEqual({ models: ["Counter"], tags: ["m:Counter", "b:Counter"], late: undefined })
    expect(rawReach(schema, ["Post", "Counter"]).tags.join(" "))
      .toBe("m:Post m:Comment m:PostCategory m:Tag m:Counter b:Post b:Comment b:PostCategory b:Counter")
    expect(rawReach(schema, ["Country"]).tags).toEqual(["m:Country", "m:Address", "b:Country", "b:Address"])
    expect(rawReach(schema, []).tags).toEqual([])
  })

  it("everything where none or a wrong one was", () => {
    expect(rawReach(schema, undefined).tags).toEqual(everything)
    expect(rawReach(schema, ["posts"]).tags).toEqual(everything)
  })
})
