import { prismaCache } from "effect-prisma-cache/PrismaCache"
import type { PrismaCacheOptions } from "effect-prisma-cache/PrismaCache"
import { createRequire } from "node:module"
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from "vitest"
import { makePrisma6 } from "../prisma-6/database.js"
import { postgresUrl, uniqueName } from "../support/servers.js"
import { makeSqlLog } from "../support/sqlLog.js"
import type { SqlLog } from "../support/sqlLog.js"
import { insertCounter, readNames, readsOf, setCounter, writeNames, writesOf } from "./counters.js"
import type { Prisma } from "./generated/client/client.js"
import { bare, edges, insertPeople, insertStrangeFloats } from "./rows.js"
import {
  answerTo,
  between,
  exactly,
  expectHitEqualsMiss,
  memoryLayer,
  missThenHit,
  statusOf,
  untyped
} from "./support.js"
import type { BaseClient, CachedClient } from "./support.js"
import { unhurried } from "../support/unhurried.js"

/** A client of another version or generator. All have the same models, but each has types of its own. */
interface Opened {
  readonly prisma: BaseClient
  readonly sql: SqlLog
  readonly Prisma: typeof Prisma
}

const require = createRequire(import.meta.url)
const requireOf6 = createRequire(require.resolve("../prisma-6/package.json"))

/** What `prisma-client-js` generates is CommonJS, with a driver adapter of its own version. */
const openJs = (url: string, file: string, { PrismaPg }: typeof import("@prisma/adapter-pg")): Opened => {
  const { Prisma: namespace, PrismaClient } = require(file) as typeof import("./generated/client/client.js")
  const { record, sql } = makeSqlLog(false)
  const prisma = new PrismaClient({
    adapter: new PrismaPg({ connectionString: url }),
    log: [{ emit: "event", level: "query" }]
  })
  prisma.$on("query", record)
  return { prisma: prisma as BaseClient, sql, Prisma: namespace }
}

const clients: ReadonlyArray<readonly [string, (url: string) => Promise<Opened>]> = [
  [
    "Prisma 7, prisma-client-js",
    async (url) => openJs(url, "./generated/client-js/index.js", require("@prisma/adapter-pg"))
  ],
  [
    "Prisma 6, prisma-client",
    async (url) => {
      const { prisma, sql } = makePrisma6(url)
      const { Prisma: namespace } = await import("../prisma-6/generated/client/client.js")
      return { prisma: prisma as unknown as BaseClient, sql, Prisma: namespace as unknown as typeof Prisma }
    }
  ],
  [
    "Prisma 6, prisma-client-js",
    async (url) => openJs(url, "../prisma-6/generated/client-js/index.js", requireOf6("@prisma/adapter-pg"))
  ]
]

describe.each(clients)("on %s", (_, open) => {
  let opened: Opened

  beforeAll(async () => {
    opened = await open(await postgresUrl(uniqueName("prisma_clients")))
    const { Prisma, prisma } = opened
    await insertPeople(prisma)
    await prisma.everything.create({ data: { ...edges, jsonMaybe: Prisma.JsonNull } })
    await prisma.everything.create({ data: bare })
    await insertStrangeFloats(prisma)
  })
  afterAll(() => opened.prisma.$disconnect())
  beforeEach(() => opened.sql.reset())

  const make = (options: PrismaCacheOptions = {}): CachedClient => {
    const prisma = opened.prisma.$extends(prismaCache({ ...unhurried, cache: memoryLayer(), invalidation: "manual", ...options }))
    onTestFinished(() => prisma.$cache.close())
    return prisma
  }

  const queries: ReadonlyArray<readonly [model: string, operation: string, args: object]> = [
    ["everything", "findMany", { orderBy: { id: "asc" } }],
    ["everything", "findUniqueOrThrow", { where: { id: edges.id } }],
    [
      "everything",
      "aggregate",
      { where: { id: edges.id }, _sum: { decimal: true, bigInt: true }, _max: { dateTime: true }, _count: true }
    ],
    [
      "everything",
      "groupBy",
      {
        by: ["role", "bytes"],
        _sum: { decimal: true },
        having: { int: { _min: { lte: 0 } } },
        orderBy: { role: "asc" }
      }
    ],
    [
      "user",
      "findMany",
      {
        include: { profile: true, posts: { include: { tags: true } }, _count: true, manager: true },
        orderBy: { id: "asc" }
      }
    ],
    ["user", "count", { select: { _all: true, name: true } }],
    ["user", "findFirst", { omit: { secret: true }, orderBy: { id: "asc" } }]
  ]

  it.each(queries)("a hit is the same as a miss: %s.%s %o", async (model, operation, args) => {
    const truth = await untyped(opened.prisma)[model]![operation]!(args)
    const prisma = untyped(make())
    await expectHitEqualsMiss(opened.sql, truth, () => prisma[model]![operation]!({ ...args, cache: true }))
  })

  it("decimals are of the client's own class", async () => {
    const prisma = make()
    const [miss, hit] = await missThenHit(opened.sql, () =>
      prisma.user.findUniqueOrThrow({ where: { id: 1 }, cache: true })
    )
    expect(miss.balance).toBeInstanceOf(opened.Prisma.Decimal)
    expect(hit.balance).toBeInstanceOf(opened.Prisma.Decimal)
    expect(opened.Prisma.Decimal.isDecimal(hit.balance)).toBe(true)
    expect(hit.balance.add("0.0001").toString()).toBe("12345678901234.5679")
  })

  it("queries that differ never share an answer: operation, way, kind of null, model", async () => {
    const prisma = make()
    const { DbNull, JsonNull } = opened.Prisma
    expect(await prisma.user.count({ where: { id: 1 }, cache: true })).toBe(1)
    expect(await prisma.user.findFirst({ where: { id: 1 }, cache: true })).toMatchObject({ email: "ada@example.com" })
    const posts = await prisma.user
      .findUnique({ where: { id: 1 } })
      .posts({ take: 1, orderBy: { id: "asc" }, cache: true })
    const selected = await prisma.user.findUnique({
      where: { id: 1 },
      select: { posts: { take: 1, orderBy: { id: "asc" } } },
      cache: true
    })
    expect([posts, selected]).toMatchObject([[{ id: 1 }], { posts: [{ id: 1 }] }])
    const withNull = async (equals: typeof DbNull | typeof JsonNull) =>
      (await prisma.everything.findMany({ where: { jsonMaybe: { equals } }, cache: true })).map(({ id }) => id)
    expect(await withNull(DbNull)).toEqual([bare.id])
    expect(await withNull(JsonNull)).toEqual([edges.id])
    expect(await prisma.userProfile.findUnique({ where: { id: 1 }, cache: true })).toMatchObject({ bio: "first" })
    expect(await prisma.user_profile.findUnique({ where: { id: 1 }, cache: true })).toMatchObject({ bio: "legacy" })
  })

  it.each([...readNames, ...writeNames])(
    "%s takes the cache's options, and Prisma never sees them",
    async (operation) => {
      const seen = new Set<string>()
      const prisma = untyped(
        make({ varyBy: () => null }).$extends(
          between(({ args }, run) => {
            Object.keys(args).forEach((name) => seen.add(name))
            return run()
          })
        )
      )
      const isRead = readNames.includes(operation)
      const options = isRead
        ? [true, false, null, undefined, 0, 5_000, "k", { ttl: "1 minute", key: () => "by function" }].map((cache) => ({
            cache
          }))
        : [
            { cache: "k", uncache: "l" },
            { cache: { key: () => "k" } },
            { cache: false, uncache: () => ["k"] },
            { uncache: undefined }
          ]
      for (const option of options) {
        const name = await insertCounter(opened.prisma)
        await prisma["counter"]![operation]!({
          ...Object.fromEntries((isRead ? readsOf : writesOf)(name))[operation],
          ...option
        })
      }
      expect(seen.size).toBeGreaterThan(0)
      expect(["cache", "uncache"].filter((name) => seen.has(name))).toEqual([])
    }
  )

  it("custom keys name what writes keep and what they make invalid", async () => {
    const prisma = make()
    const name = await insertCounter(opened.prisma)
    const read = () => prisma.counter.findUnique({ where: { name }, cache: `counter:${name}` })
    await prisma.counter.update({ where: { name }, data: { value: 2 }, cache: { key: (row) => `counter:${row.name}` } })
    expect(await answerTo(read)).toMatchObject({ data: { value: 2 }, info: { status: "hit" } })
    await setCounter(opened.prisma, name, 3)
    await prisma.counter.updateMany({ where: { name: "nobody" }, data: {}, uncache: `counter:${name}` })
    expect(await answerTo(read)).toMatchObject({ data: { value: 3 }, info: { status: "miss" } })
  })

  it("transactions are never cached in or from, and make invalid when they commit", async () => {
    const prisma = make()
    const name = await insertCounter(opened.prisma)
    const read = () => prisma.counter.findUnique({ where: { name }, cache: "k" })
    await missThenHit(opened.sql, read)
    const update = (value: number, fails: boolean) =>
      prisma.$transaction(async (tx) => {
        await tx.counter.update({ where: { name }, data: { value }, uncache: "k" })
        expect(await answerTo(() => tx.counter.findUnique({ where: { name }, cache: "k" }))).toMatchObject({
          data: { value },
          info: { status: "bypass" }
        })
        expect(await statusOf(read)).toBe("hit")
        if (fails) throw new Error("rolled back")
      })
    await expect(update(2, true)).rejects.toThrow("rolled back")
    expect(await answerTo(read)).toMatchObject({ data: { value: 1 }, info: { status: "hit" } })
    await update(3, false)
    expect(await answerTo(read)).toMatchObject({ data: { value: 3 }, info: { status: "miss" } })
  })

  it("a batch is answered as a whole", async () => {
    const prisma = make()
    const name = await insertCounter(opened.prisma)
    const read = () => prisma.counter.findFirst({ where: { name }, cache: true })
    await answerTo(read)
    const row = { name, value: 1 }
    const [hit, again, told, count] = await prisma.$transaction([
      read(),
      read(),
      read().withCacheInfo(),
      prisma.counter.count({ where: { name }, cache: true })
    ])
    expect([hit, again, told.data, told.info.status, count]).toEqual([row, row, row, "bypass", 1])
  })

  it("a burst is one statement: the same row, and different ones", async () => {
    const prisma = make()
    const names = await Promise.all(Array.from({ length: 20 }, () => insertCounter(opened.prisma)))
    opened.sql.reset()
    await Promise.all(names.map((name) => prisma.counter.findUnique({ where: { name }, cache: true })))
    await Promise.all(names.map(() => prisma.counter.findMany({ take: 2, cache: true })))
    expect(opened.sql.count()).toBe(2)
  })

  it("computed fields, fluent calls and further extensions go on", async () => {
    const label = {
      result: { counter: { label: { needs: { name: true }, compute: (row: { name: string }) => `<${row.name}>` } } }
    }
    const name = await insertCounter(opened.prisma)
    const prisma = make()
    const computing = prisma.$extends(label)
    for (let time = 0; time < 2; time++) {
      expect(exactly(await prisma.counter.findFirst({ where: { name }, select: { value: true }, cache: true }))).toBe(
        exactly({ value: 1 })
      )
      const row = await computing.counter.findFirst({
        where: { name },
        select: { value: true, label: true },
        cache: true
      })
      expect(row?.label).toBe(`<${name}>`)
    }
    await missThenHit(opened.sql, () =>
      (computing as unknown as CachedClient).post
        .findUnique({ where: { id: 1 } })
        .author()
        .profile({ cache: true })
    )
  })

  it("what is not there is thrown as the client's own error", async () => {
    const prisma = make()
    const error: unknown = await prisma.counter
      .findUniqueOrThrow({ where: { name: "nobody" }, cache: true })
      .then(null, (error) => error)
    expect(error).toBeInstanceOf(opened.Prisma.PrismaClientKnownRequestError)
    expect(error).toMatchObject({ code: "P2025" })
  })
})
