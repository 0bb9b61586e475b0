import { Prisma } from "./generated/client/client.js"
import type { BaseClient } from "./support.js"

const day = (n: number) => new Date(Date.UTC(2024, 0, n, 12, 30, 15, 250))

/** People who write, manage each other and belong to teams: a row for every kind of relation. */
export const insertPeople = async (base: BaseClient): Promise<void> => {
  await base.user.create({
    data: {
      id: 1,
      email: "ada@example.com",
      name: "Ada",
      role: "ADMIN",
      balance: "12345678901234.5678",
      secret: "s1",
      createdAt: day(1),
      updatedAt: day(1),
      profile: { create: { id: 1, bio: "first" } },
      posts: {
        create: [
          {
            id: 1,
            title: "Notes",
            published: true,
            views: 7,
            createdAt: day(2),
            metadata: { deep: [1, { $type: "Date", value: "2024-01-01T00:00:00.000Z" }] },
            tags: {
              create: [
                { id: 1, name: "math" },
                { id: 2, name: "machines" }
              ]
            },
            categories: {
              create: { position: 1, assignedAt: day(3), category: { create: { id: 1, slug: "root", title: "Root" } } }
            }
          },
          { id: 2, title: "Drafts", visibility: "PRIVATE", views: 7, createdAt: day(3), tags: { connect: { id: 1 } } }
        ]
      },
      memberships: {
        create: {
          role: "EDITOR",
          joinedAt: day(4),
          team: { create: { id: 1, tenant: "t1", slug: "core", name: "Core" } }
        }
      }
    }
  })
  await base.user.create({
    data: { id: 2, email: "ben@example.com", managerId: 1, balance: "-0.0001", createdAt: day(5), updatedAt: day(5) }
  })
  await base.user.create({
    data: { id: 3, email: "cyd@example.com", name: "Cyd", managerId: 1, createdAt: day(6), updatedAt: day(6) }
  })
  await base.comment.create({
    data: {
      id: 1,
      body: "why?",
      postId: 1,
      authorId: 2,
      replies: { create: { id: 2, body: "because", postId: 1, authorId: 1 } }
    }
  })
  await base.category.create({ data: { id: 2, slug: "leaf", title: "Leaf", parentId: 1 } })
  await base.user_profile.create({ data: { id: 1, bio: "legacy" } })
}

/** A row of the model with every scalar, each of them at an edge. */
export const edges = {
  id: 9007199254740993n,
  string: "2024-01-01T00:00:00.000Z",
  stringList: ["", "a\u2028b", '"\\', "😀", "[object Object]"],
  int: -2147483648,
  intMaybe: 2147483647,
  intList: [0, -1],
  bigInt: -9223372036854775808n,
  bigIntMaybe: 9223372036854775807n,
  bigIntList: [0n, 1n],
  float: 2.5e-300,
  floatMaybe: 1.5e300,
  floatList: [0.1, 0.2, -1e21],
  decimal: "12345678901234567890.123456789012345678901234567890",
  decimalMaybe: "0.000000000000000000000000000001",
  decimalList: ["0", "-1.50"],
  boolean: true,
  booleanMaybe: false,
  booleanList: [false, true],
  dateTime: new Date("0001-01-01T00:00:00.000Z"),
  dateTimeMaybe: new Date("9999-12-31T23:59:59.999Z"),
  dateTimeList: [new Date(0), day(1)],
  date: new Date("2024-02-29T00:00:00.000Z"),
  time: new Date("1970-01-01T23:59:59.999Z"),
  timestamptz: day(9),
  json: JSON.parse(
    `{
    "__proto__": { "admin": true },
    "constructor": "text",
    "toJSON": "text",
    "$type": "Decimal",
    "value": "1",
    "nested": [{ "$type": "Bytes", "value": "AQI=" }, { "$type": "Json", "value": "{}" }, { "$type": "FieldRef" }],
    "iso": "2024-01-01T00:00:00.000Z",
    "numbers": [1e400, 1.5, -0.0, 9007199254740993],
    "empty": {},
    "none": null,
    "2": "two",
    "10": "ten"
  }`.replace("1e400", "1e300")
  ),
  jsonMaybe: Prisma.JsonNull,
  jsonList: [1, "one", { one: [1] }, [], "null"],
  bytes: new Uint8Array([0, 255, 128, 10]),
  bytesMaybe: new Uint8Array(),
  bytesList: [new Uint8Array([1]), new Uint8Array([2, 3])],
  uuid: "01234567-89ab-cdef-0123-456789abcdef",
  role: "ADMIN",
  roleMaybe: "USER",
  roleList: ["USER", "EDITOR", "USER"]
} satisfies Prisma.EverythingCreateInput

/** The same model with nothing in what may be empty. */
export const bare = {
  id: 1n,
  string: "",
  stringList: [],
  int: 0,
  intList: [],
  bigInt: 0n,
  bigIntList: [],
  float: 0,
  floatList: [],
  decimal: 0,
  decimalList: [],
  boolean: false,
  booleanList: [],
  dateTime: new Date(0),
  dateTimeList: [],
  json: {},
  jsonList: [],
  bytes: new Uint8Array(),
  bytesList: [],
  role: "USER",
  roleList: []
} satisfies Prisma.EverythingCreateInput

/** Edges that Prisma's arguments cannot say: they come from other programs. */
export const insertStrangeFloats = (base: BaseClient): Promise<unknown> =>
  base.$executeRaw`
    UPDATE "Everything" SET
      "float" = 'NaN', "floatMaybe" = '-Infinity', "floatList" = ARRAY['Infinity', '-0', 'NaN']::float8[]
    WHERE id = ${bare.id}`
