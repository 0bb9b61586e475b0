import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { makePrisma } from "../support/database.js"
import { Prisma } from "./generated/client/client.js"
import { insertPeople } from "./rows.js"
import { exactly, expectHitEqualsMiss, missThenHit, onEveryStore, statusOf, untyped, useDatabase } from "./support.js"

const database = useDatabase(insertPeople)

// PostgreSQL has no character 0, and no halves of characters.
const text = fc.string({ unit: "grapheme", maxLength: 12 }).map((value) => value.replaceAll("\0", "0"))
const int = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })
const bigInt = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })
// Prisma says a float with 16 digits at most; near the ends of the range PostgreSQL refuses what it says.
const float = fc.double({ noNaN: true, min: -1e300, max: 1e300 }).map((value) => (Math.abs(value) < 1e-300 ? 0 : value))
const decimal = fc
  .tuple(fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n }), fc.nat({ max: 30 }))
  .map(([digits, exponent]) => `${digits}e-${exponent}`)
const dateTime = fc.date({ min: new Date("0001-01-01"), max: new Date("9999-12-31"), noInvalidDate: true })
const bytes = fc.uint8Array({ maxLength: 20 })
const role = fc.constantFrom("USER", "EDITOR", "ADMIN")
const jsonText = fc.oneof(
  text,
  fc.constantFrom("__proto__", "$type", "value", "toJSON", "2024-01-01T00:00:00.000Z", "1n")
)
const json = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    jsonText,
    fc.boolean(),
    fc.constant(null),
    fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e15, max: 1e15 }),
    fc.array(tie("value"), { maxLength: 4 }),
    // `fromEntries` makes an own property of `__proto__`, as `JSON.parse` does.
    fc.array(fc.tuple(jsonText, tie("value")), { maxLength: 4 }).map((entries) => Object.fromEntries(entries))
  )
})).value
const few = <A>(arbitrary: fc.Arbitrary<A>) => fc.array(arbitrary, { maxLength: 3 })

const documents = fc.record({
  json,
  jsonMaybe: fc.option(json, { nil: undefined }),
  jsonList: fc.array(json, { maxLength: 3 })
})

const row = fc.record({
  string: text,
  stringMaybe: fc.option(text),
  stringList: few(text),
  int,
  intMaybe: fc.option(int),
  intList: few(int),
  bigInt,
  bigIntMaybe: fc.option(bigInt),
  bigIntList: few(bigInt),
  float,
  floatMaybe: fc.option(float),
  floatList: few(float),
  decimal,
  decimalMaybe: fc.option(decimal),
  decimalList: few(decimal),
  boolean: fc.boolean(),
  booleanMaybe: fc.option(fc.boolean()),
  booleanList: few(fc.boolean()),
  dateTime,
  dateTimeMaybe: fc.option(dateTime),
  dateTimeList: few(dateTime),
  date: fc.option(dateTime),
  time: fc.option(dateTime),
  timestamptz: fc.option(dateTime),
  bytes,
  bytesMaybe: fc.option(bytes),
  bytesList: few(bytes),
  uuid: fc.option(fc.uuid()),
  role,
  roleMaybe: fc.option(role),
  roleList: few(role)
})

onEveryStore(database, "whatever is in a row", (make, store) => {
  // A hundred rows in memory, and enough of them on a server to see that bytes travel.
  it("a hit is the same as a miss", async () => {
    const { prisma } = make()
    const { base, sql } = database
    await fc.assert(
      fc.asyncProperty(row, documents, async (data, { json, jsonList, jsonMaybe }) => {
        const { id } = await base.everything.create({ data: { ...data, json: {} }, select: { id: true } })
        // Not through Prisma, which cannot say all of Json.
        await base.$executeRaw`
          UPDATE "Everything" SET
            "json" = ${JSON.stringify(json)}::jsonb,
            "jsonMaybe" = ${jsonMaybe === undefined ? null : JSON.stringify(jsonMaybe)}::jsonb,
            "jsonList" = ARRAY(SELECT jsonb_array_elements(${JSON.stringify(jsonList)}::jsonb))
          WHERE id = ${id}`
        const truth = await base.everything.findUnique({ where: { id } })
        await expectHitEqualsMiss(sql, truth, () => prisma.everything.findUnique({ where: { id }, cache: true }))
      }),
      { numRuns: store === "memory" ? 100 : 40, timeout: 10_000 }
    )
  }, 60_000)
})

onEveryStore(database, "what a client adds to rows or takes away", (make) => {
  const full = {
    user: {
      fullName: {
        needs: { name: true, email: true },
        compute: (user: { readonly name: string | null; readonly email: string }) => `${user.name} <${user.email}>`
      },
      balance: {
        needs: { balance: true },
        compute: (user: { readonly balance: Prisma.Decimal }) => user.balance.toFixed(2)
      }
    }
  }
  const reads: ReadonlyArray<readonly [string, string, object]> = [
    ["user", "findMany", { orderBy: { id: "asc" } }],
    ["user", "findFirst", { select: { fullName: true, id: true }, orderBy: { id: "asc" } }],
    ["post", "findMany", { include: { author: true }, orderBy: { id: "asc" } }],
    [
      "comment",
      "findMany",
      { select: { author: { select: { fullName: true, balance: true } } }, orderBy: { id: "asc" } }
    ]
  ]

  it.each(reads)("fields computed by an extension added before the cache: %s.%s %o", async (model, operation, args) => {
    const computing = database.base.$extends({ result: full })
    // An extended client is a client, but its type is another one.
    const { prisma } = make({}, computing as unknown as typeof database.base)
    const truth = await untyped(computing)[model]![operation]!(args)
    const seen = await missThenHit(database.sql, () => untyped(prisma)[model]![operation]!({ ...args, cache: true }))
    expect(seen.map(exactly)).toEqual([exactly(truth), exactly(truth)])
  })

  it.each(reads)("fields computed by an extension added after the cache: %s.%s %o", async (model, operation, args) => {
    const truth = await untyped(database.base.$extends({ result: full }))[model]![operation]!(args)
    const prisma = make().prisma.$extends({ result: full })
    const seen = await missThenHit(database.sql, () => untyped(prisma)[model]![operation]!({ ...args, cache: true }))
    expect(seen.map(exactly)).toEqual([exactly(truth), exactly(truth)])
  })

  it("fields that a client omits everywhere are in no answer, and those that a query asks for are", async () => {
    const { close, prisma: omitting, sql } = makePrisma(database.url, { omit: { user: { secret: true } } })
    const { prisma } = make({}, omitting as unknown as typeof database.base)
    const args = { where: { id: 1 } }
    await expectHitEqualsMiss(sql, await omitting.user.findUnique(args), () =>
      prisma.user.findUnique({ ...args, cache: true })
    )
    const asking = { ...args, omit: { secret: false } }
    await expectHitEqualsMiss(sql, await omitting.user.findUnique(asking), () =>
      prisma.user.findUnique({ ...asking, cache: true })
    )
    expect(await prisma.user.findUnique({ ...args, cache: true })).not.toHaveProperty("secret")
    expect(await prisma.user.findUnique({ ...asking, cache: true })).toHaveProperty("secret", "s1")
    await close()
  })
})

onEveryStore(database, "every caller has a copy of its own", (make) => {
  interface Document {
    tags: Array<{ name: string }>
    metadata: { deep: Array<unknown> }
    createdAt: Date
    author: { balance: Prisma.Decimal; name: string | null } | null
  }
  const spoil = (post: Document) => {
    post.tags.length = 0
    post.metadata.deep.push("spoilt")
    post.createdAt.setTime(0)
    Object.assign(post.author?.balance ?? {}, { s: -1 })
    if (post.author !== null) post.author.name = "spoilt"
  }
  const args = { where: { id: 1 }, include: { tags: { orderBy: { id: "asc" } }, author: true } } as const

  it("whatever another one does to its own: one after the other", async () => {
    const { prisma } = make()
    const truth = exactly(await database.base.post.findUnique(args))
    for (const status of ["miss", "hit", "hit"]) {
      const { data, info } = await prisma.post.findUnique({ ...args, cache: true }).withCacheInfo()
      expect(info.status).toBe(status)
      expect(exactly(data)).toBe(truth)
      spoil(data as unknown as Document)
    }
  })

  it("whatever another one does to its own: in a burst that shares a query", async () => {
    const { prisma } = make()
    const truth = exactly(await database.base.post.findUnique(args))
    database.sql.reset()
    const seen = await Promise.all(
      Array.from({ length: 20 }, async () => {
        const data = await prisma.post.findUnique({ ...args, cache: true })
        const text = exactly(data)
        spoil(data as unknown as Document)
        return text
      })
    )
    expect(new Set(seen)).toEqual(new Set([truth]))
    expect(database.sql.count()).toBeLessThan(6)
  })

  it("and no part of one answer is shared with another", async () => {
    const { prisma } = make()
    const read = () => prisma.everything.findMany({ take: 1, orderBy: { id: "asc" }, cache: true })
    await database.base.everything.deleteMany()
    await database.base.everything.create({ data: { ...rowOfParts } })
    await read()
    const [[one], [other]] = await Promise.all([read(), read()])
    for (const field of ["bytes", "json", "jsonList", "bytesList", "dateTime", "decimal", "intList"] as const) {
      expect(one?.[field]).toStrictEqual(other?.[field])
      expect(one?.[field]).not.toBe(other?.[field])
    }
    expect(one?.bytes.buffer).not.toBe(other?.bytes.buffer)
  })
})

const rowOfParts = {
  string: "",
  int: 0,
  intList: [1],
  bigInt: 0,
  float: 0,
  decimal: "1.5",
  boolean: true,
  dateTime: new Date(0),
  json: { a: {} },
  jsonList: [{}],
  bytes: new Uint8Array([1, 2]),
  bytesList: [new Uint8Array([3])],
  role: "USER" as const
}

describe("a model with a BigInt column", () => {
  onEveryStore(database, "is cached like any other", (make) => {
    it("by a key with a BigInt in it", async () => {
      const { prisma } = make()
      const { id } = await database.base.everything.create({ data: { ...rowOfParts, bigInt: 2n ** 60n } })
      const read = () => prisma.everything.findMany({ where: { id, bigInt: { gte: 2n ** 60n } }, cache: true })
      expect([await statusOf(read), await statusOf(read)]).toEqual(["miss", "hit"])
      expect((await read())[0]?.bigInt).toBe(2n ** 60n)
    })
  })
})
