import { skip } from "@prisma/client/runtime/client"
import { describe, expect, it } from "vitest"
import { dataModel } from "./schema/models.js"
import { touches } from "./schema/touches.js"

/** One and one, linked in a column that may be null or not. */
const people = (optional: string) =>
  dataModel(
    { Pass: ["id Int", "personId Int", "person Person PassToPerson"], Person: ["id Int", "pass Pass PassToPerson"] },
    `model Pass {
       id Int @id
       personId Int${optional} @unique
       person Person${optional} @relation(fields: [personId], references: [id])
     }
   model Person { id Int @id\n pass Pass? }`
  )

describe("a nested write, seen from the end without the foreign key, touches", () => {
  const update = (posts: object) => touches("User", "update", { where: { id: 1 }, data: { posts } })

  it("rows that were not there, if it creates some", () => {
    expect(update({ create: { id: 7, title: "x" } })).toBe("m:User m:Post r:User:id:1 a:Post r:Post:id:7")
    expect(update({ create: [{ title: "x" }, { title: "y" }] })).toBe("m:User m:Post r:User:id:1 a:Post")
    expect(update({ createMany: { data: [{ id: 7, title: "x" }] } })).toBe("m:User m:Post r:User:id:1 a:Post")
  })

  it("the rows that it names, which it links, parts, changes or deletes", () => {
    expect(update({ connect: [{ id: 7 }, { id: 8 }] })).toBe("m:User m:Post r:User:id:1 r:Post:id:7 r:Post:id:8")
    expect(update({ connectOrCreate: { where: { id: 7 }, create: { title: "x" } } })).toBe(
      "m:User m:Post r:User:id:1 a:Post r:Post:id:7"
    )
    expect(update({ disconnect: { id: 7 } })).toBe("m:User m:Post r:User:id:1 r:Post:id:7")
    expect(update({ update: { where: { id: 7 }, data: { title: "x" } } })).toBe("m:User m:Post r:User:id:1 r:Post:id:7")
    expect(update({ upsert: { where: { id: 7 }, create: { title: "x" }, update: { id: 8 } } })).toBe(
      "m:User m:Post m:Comment m:PostCategory m:Tag r:User:id:1 a:Post r:Post:id:7 r:Post:id:8 b:Comment b:PostCategory"
    )
    expect(update({ delete: { id: 7 } })).toBe(
      "m:User m:Post m:Comment m:PostCategory m:Tag r:User:id:1 r:Post:id:7 b:Comment b:PostCategory"
    )
  })

  it("any row, if it names none", () => {
    expect(update({ set: [{ id: 7 }] })).toBe("m:User m:Post r:User:id:1 b:Post")
    expect(update({ set: [] })).toBe("m:User m:Post r:User:id:1 b:Post")
    expect(update({ updateMany: { where: { id: 7 }, data: { title: "x" } } })).toBe("m:User m:Post r:User:id:1 b:Post")
    expect(update({ deleteMany: {} })).toBe(
      "m:User m:Post m:Comment m:PostCategory m:Tag r:User:id:1 b:Post b:Comment b:PostCategory"
    )
    expect(update({ update: { where: { title: "x" }, data: { title: "x" } } })).toBe("m:User m:Post r:User:id:1 b:Post")
  })

  it("keys that the foreign key is part of, and what refers to them", () => {
    expect(
      touches("Team", "update", {
        where: { id: 1 },
        data: { memberships: { connect: { teamId_userId: { teamId: 2, userId: 3 } } } }
      })
    ).toBe(
      "m:Team m:Membership m:MembershipNote r:Team:id:1 a:Membership r:Membership:teamId_userId:1:21:3 b:MembershipNote"
    )
  })

  it("in a relation to one, any row, if it changes, parts or deletes the one that is there", () => {
    const update = (profile: object) => touches("User", "update", { where: { id: 1 }, data: { profile } })
    const nested = [
      { update: { bio: "x" } },
      { update: { where: { bio: "y" }, data: { bio: "x" } } },
      { upsert: { create: { bio: "x" }, update: { bio: "y" } } },
      { delete: true },
      { disconnect: true }
    ]
    for (const profile of nested) expect(update(profile)).toBe("m:User m:UserProfile r:User:id:1 b:UserProfile")
  })

  it("in a relation to one, the row that is parted from this one, if it can be and this one is not new", () => {
    const writes = [
      { create: { id: 7 } },
      { connect: { id: 7 } },
      { connectOrCreate: { where: { id: 7 }, create: {} } }
    ]
    for (const pass of writes) {
      const update = { where: { id: 1 }, data: { pass } }
      expect(touches("Person", "update", update, people("?"))).toBe("m:Person m:Pass r:Person:id:1 b:Pass")
      expect(touches("Person", "update", update, people(""))).toBe("m:Person m:Pass r:Person:id:1 a:Pass r:Pass:id:7")
      expect(touches("Person", "create", { data: { id: 1, pass } }, people("?"))).toBe(
        "m:Person m:Pass a:Person r:Person:id:1 a:Pass r:Pass:id:7"
      )
    }
  })
})

describe("a nested write, seen from the end with the foreign key, touches", () => {
  const update = (author: object) => touches("Post", "update", { where: { id: 1 }, data: { author } })

  it("its own row alone, if only the link changes", () => {
    expect(update({ connect: { id: 7 } })).toBe("m:Post r:Post:id:1")
    expect(update({ disconnect: true })).toBe("m:Post r:Post:id:1")
    expect(touches("Post", "create", { data: { title: "x", author: { connect: { email: "a@b" } } } })).toBe(
      "m:Post a:Post"
    )
  })

  it("keys that the foreign key is part of, and what refers to them", () => {
    expect(
      touches("Membership", "update", {
        where: { teamId_userId: { teamId: 1, userId: 2 } },
        data: { team: { connect: { id: 7 } } }
      })
    ).toBe("m:Membership m:MembershipNote a:Membership r:Membership:teamId_userId:1:11:2 b:MembershipNote")
  })

  it("rows that were not there, if it creates one", () => {
    expect(update({ create: { email: "a@b" } })).toBe("m:Post m:User r:Post:id:1 a:User r:User:email:a@b")
    expect(update({ connectOrCreate: { where: { id: 7 }, create: { email: "a@b" } } })).toBe(
      "m:Post m:User r:Post:id:1 a:User r:User:email:a@b"
    )
  })

  it("any row at the other end, if it changes the one that is there", () => {
    expect(update({ update: { name: "x" } })).toBe("m:Post m:User r:Post:id:1 b:User")
    expect(update({ update: { where: { name: "y" }, data: { name: "x" } } })).toBe("m:Post m:User r:Post:id:1 b:User")
    expect(update({ upsert: { create: { email: "a@b" }, update: { name: "x" } } })).toBe(
      "m:Post m:User r:Post:id:1 b:User"
    )
  })

  it("what hangs on the row at the other end, if that is deleted: its own model too", () => {
    expect(update({ delete: true }).split(" ")).toEqual(
      expect.arrayContaining(["m:User", "b:User", "b:Post", "b:Session", "b:MembershipNote"])
    )
  })

  it("in a relation between one and one, the row that is parted from the other end, if it can be", () => {
    const args = { where: { id: 1 }, data: { person: { connect: { id: 2 } } } }
    expect(touches("Pass", "update", args, people("?"))).toBe("m:Pass b:Pass")
    expect(touches("Pass", "update", args, people(""))).toBe("m:Pass a:Pass r:Pass:id:1")
    expect(touches("Pass", "create", { data: { id: 1, person: { connect: { id: 2 } } } }, people("?"))).toBe(
      "m:Pass b:Pass"
    )
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
    expect(update({ connectOrCreate: { where: { id: 1 }, create: { name: "x" } } })).toBe(
      "m:Post m:Tag r:Post:id:1 a:Tag r:Tag:name:x"
    )
    expect(update({ update: { where: { id: 2 }, data: { name: "x" } } })).toBe(
      "m:Post m:Tag r:Post:id:1 a:Tag r:Tag:id:2 r:Tag:name:x"
    )
    expect(update({ delete: { id: 2 } })).toBe("m:Post m:Tag r:Post:id:1 r:Tag:id:2")
    expect(update({ deleteMany: {} })).toBe("m:Post m:Tag r:Post:id:1 b:Tag")
  })

  it("of MongoDB both rows, which hold the link", () => {
    const mongo = dataModel(
      {
        Post: ["id String", "tagIds String", "tags Tag PostToTag"],
        Tag: ["id String", "postIds String", "posts Post PostToTag"]
      },
      `model Post { id String @id\n tagIds String[]\n tags Tag[] @relation(fields: [tagIds], references: [id]) }
       model Tag { id String @id\n postIds String[]\n posts Post[] @relation(fields: [postIds], references: [id]) }`,
      "mongodb"
    )
    expect(touches("Post", "update", { where: { id: "1" }, data: { tags: { connect: { id: "2" } } } }, mongo)).toBe(
      "m:Post m:Tag r:Post:id:1 r:Tag:id:2"
    )
    expect(touches("Post", "delete", { where: { id: "1" } }, mongo)).toBe("m:Post m:Tag r:Post:id:1 b:Tag")
  })
})

describe("nested writes", () => {
  it("are followed to any depth, and beyond rows that are new", () => {
    expect(
      touches("User", "update", {
        where: { id: 1 },
        data: {
          name: "x",
          posts: {
            update: [
              { where: { id: 2 }, data: { comments: { create: { body: "x", replies: { connect: { id: 4 } } } } } }
            ],
            create: { title: "y", tags: { connectOrCreate: { where: { name: "t" }, create: { name: "t" } } } }
          },
          memberships: { deleteMany: { role: "ADMIN" } }
        }
      })
    ).toBe(
      "m:User m:Post m:Comment m:Tag m:Membership m:MembershipNote r:User:id:1 a:Post r:Post:id:2 a:Comment " +
        "r:Comment:id:4 a:Tag r:Tag:name:t b:Membership b:MembershipNote"
    )
  })

  it("through a relation of a model to itself change rows of it, not any of them", () => {
    expect(touches("User", "update", { where: { id: 1 }, data: { reports: { connect: { id: 2 } } } })).toBe(
      "m:User r:User:id:1 r:User:id:2"
    )
    expect(touches("User", "update", { where: { id: 1 }, data: { manager: { connect: { id: 2 } } } })).toBe(
      "m:User r:User:id:1"
    )
    expect(touches("User", "update", { where: { id: 1 }, data: { reports: { set: [] } } })).toBe("m:User b:User")
  })

  it("that are undefined or skipped are none", () => {
    expect(
      touches("User", "update", {
        where: { id: 1 },
        data: { posts: undefined, email: undefined, comments: { create: undefined }, manager: skip }
      })
    ).toBe("m:User r:User:id:1")
  })
})

describe("what the database does by itself is touched", () => {
  it("when a row is deleted: rows that go with it, rows that lose their link, and so on", () => {
    expect(touches("Post", "delete", { where: { id: 1 } })).toBe(
      "m:Post m:Comment m:PostCategory m:Tag r:Post:id:1 b:Comment b:PostCategory"
    )
    expect(touches("Team", "deleteMany", {})).toBe(
      "m:Team m:Membership m:MembershipNote b:Team b:Membership b:MembershipNote"
    )
    expect(touches("Category", "delete", { where: { id: 1 } })).toBe(
      "m:Category m:PostCategory b:Category b:PostCategory"
    )
    expect(
      touches("User", "delete", { where: { id: 1 } })
        .split(" ")
        .sort()
    ).toEqual(
      ["User", "UserProfile", "Post", "Comment", "Session", "Membership", "MembershipNote", "Address"]
        .flatMap((name) => [`m:${name}`, `b:${name}`])
        .sort()
    )
  })

  it("but not where the database refuses to", () => {
    expect(touches("Country", "delete", { where: { code: "de" } })).toBe("m:Country r:Country:code:de")
  })

  it("when a field changes that others refer to, and so on", () => {
    expect(touches("Country", "update", { where: { code: "de" }, data: { code: "fr" } })).toBe(
      "m:Country m:Address a:Country r:Country:code:de r:Country:code:fr b:Address"
    )
    expect(touches("Country", "updateMany", { data: { name: "x", code: { set: "fr" } } })).toBe(
      "m:Country m:Address b:Country b:Address"
    )
    expect(touches("Country", "update", { where: { code: "de" }, data: { name: "x" } })).toBe(
      "m:Country r:Country:code:de"
    )
    expect(touches("Tag", "update", { where: { id: 1 }, data: { id: 2 } })).toBe(
      "m:Tag m:Post a:Tag r:Tag:id:1 r:Tag:id:2"
    )
    expect(touches("User", "update", { where: { id: 1 }, data: { id: 2 } })).toContain("b:MembershipNote")
  })

  it("no further than the columns go that change", () => {
    const chain = dataModel(
      {
        A: ["x Int", "bs B AToB"],
        B: ["id Int", "ax Int", "a A AToB", "cs C BToC"],
        C: ["id Int", "bid Int", "b B BToC"]
      },
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
      `model A {
         id Int @id
         bId Int
         b B @relation("Own", fields: [bId], references: [id], onDelete: Cascade)
         bs B[] @relation("Back")
       }
       model B {
         id Int @id
         aId Int
         as A[] @relation("Own")
         a A @relation("Back", fields: [aId], references: [id], onDelete: Cascade)
       }`
    )
    expect(touches("A", "delete", { where: { id: 1 } }, circle)).toBe("m:A m:B b:A b:B")
  })
})
