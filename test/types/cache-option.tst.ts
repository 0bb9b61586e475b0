import * as Duration from "effect/Duration"
import { describe, expect, test } from "tstyche"
import type { CacheInfo } from "../../src/CacheInfo.js"
import type { ReadCache, ReadCacheOptions } from "../../src/prisma/types/options.js"
import type { PrismaPromise } from "../../src/prisma/types/promise.js"
import { base, prisma } from "./client.js"

describe("every read takes the `cache` option", () => {
  test("in the short form", () => {
    expect(prisma.user.findMany).type.toBeCallableWith({ cache: true })
    expect(prisma.user.findMany).type.toBeCallableWith({ cache: false })
    expect(prisma.user.findMany).type.toBeCallableWith({ cache: 5000 })
    expect(prisma.user.findMany).type.toBeCallableWith({ cache: "all-users" })
    expect(prisma.user.findMany).type.toBeCallableWith({ cache: null })
    expect(prisma.user.findMany).type.toBeCallableWith({ cache: undefined })
  })

  test("with every detail, each of which may be undefined", () => {
    expect(prisma.user.findMany).type.toBeCallableWith({ cache: {} })
    expect(prisma.user.findMany).type.toBeCallableWith({
      cache: { ttl: 5000, key: "all-users", namespace: "shop", tags: ["users"], refresh: true, bypass: false }
    })
    expect(prisma.user.findMany).type.toBeCallableWith({
      cache: {
        ttl: undefined,
        key: undefined,
        namespace: undefined,
        tags: undefined,
        refresh: undefined,
        bypass: undefined
      }
    })
  })

  test("with any of Effect's durations as the ttl", () => {
    expect(prisma.user.findMany).type.toBeCallableWith({ cache: { ttl: 250 } })
    expect(prisma.user.findMany).type.toBeCallableWith({ cache: { ttl: "2 minutes" } })
    expect(prisma.user.findMany).type.toBeCallableWith({ cache: { ttl: Duration.minutes(2) } })
    expect(prisma.user.findMany).type.not.toBeCallableWith({ cache: { ttl: "2 fortnights" } })
  })

  test("decided at run time", async () => {
    const cache: ReadCache = Math.random() < 0.5 ? { ttl: 1 } : 5000
    const details: ReadCacheOptions = { key: (result) => String(result) }
    const tags: ReadonlyArray<string> = ["users"]
    expect(await prisma.user.findMany({ select: { id: true }, cache })).type.toBe<Array<{ id: number }>>()
    expect(await prisma.user.findMany({ select: { id: true }, cache: details })).type.toBe<Array<{ id: number }>>()
    expect(await prisma.user.findMany({ select: { id: true }, cache: { tags } })).type.toBe<Array<{ id: number }>>()
    expect(await prisma.user.findMany({ select: { id: true }, cache: tags.length > 0 && { tags } })).type.toBe<
      Array<{ id: number }>
    >()
  })

  test("on each of the eight operations", () => {
    expect(prisma.user.findUnique).type.toBeCallableWith({ where: { id: 1 }, cache: { tags: ["users"] } })
    expect(prisma.user.findUniqueOrThrow).type.toBeCallableWith({ where: { id: 1 }, cache: { tags: ["users"] } })
    expect(prisma.user.findFirst).type.toBeCallableWith({ cache: { tags: ["users"] } })
    expect(prisma.user.findFirstOrThrow).type.toBeCallableWith({ cache: { tags: ["users"] } })
    expect(prisma.user.findMany).type.toBeCallableWith({ cache: { tags: ["users"] } })
    expect(prisma.user.count).type.toBeCallableWith({ cache: { tags: ["users"] } })
    expect(prisma.user.aggregate).type.toBeCallableWith({ _count: true, cache: { tags: ["users"] } })
    expect(prisma.user.groupBy).type.toBeCallableWith({ by: ["role"], cache: { tags: ["users"] } })
  })

  test("with no argument left out that the operation alone could leave out", () => {
    expect(prisma.user.findFirst).type.toBeCallableWith()
    expect(prisma.user.findFirstOrThrow).type.toBeCallableWith()
    expect(prisma.user.findMany).type.toBeCallableWith()
    expect(prisma.user.count).type.toBeCallableWith()
  })
})

describe("`key` is a function of the selected result", () => {
  test("whether the selection stands before it or after it", () => {
    prisma.user.findMany({
      select: { id: true },
      where: { name: "x" },
      cache: {
        ttl: 1,
        key: (rows) => {
          expect(rows).type.toBe<Array<{ id: number }>>()
          return `users-${rows.length}`
        }
      }
    })
    prisma.user.findUnique({
      cache: {
        key: (row) => {
          expect(row).type.toBe<{ id: number; posts: Array<{ title: string }> } | null>()
          return `user-${row?.id}`
        },
        tags: ["users"]
      },
      select: { id: true, posts: { select: { title: true } } },
      where: { id: 1 }
    })
  })

  test("of an `omit`", () => {
    prisma.user.findFirstOrThrow({
      omit: { secret: true },
      cache: {
        key: (row) => {
          expect(row).type.not.toHaveProperty("secret")
          expect(row.email).type.toBe<string>()
          return row.email
        }
      }
    })
  })

  test("of a count, an aggregate and a group", () => {
    prisma.user.count({
      select: { _all: true },
      cache: {
        key: (result) => {
          expect(result).type.toBe<{ _all: number }>()
          return "count"
        }
      }
    })
    prisma.post.aggregate({
      cache: {
        key: (result) => {
          expect(result).type.toBe<{ _max: { views: number | null } }>()
          return "most-views"
        }
      },
      _max: { views: true }
    })
    prisma.user.groupBy({
      by: ["role"],
      _count: { _all: true },
      cache: {
        key: (groups) => {
          expect(groups[0]!._count).type.toBe<{ _all: number }>()
          expect(groups[0]!.role).type.toBe<"USER" | "EDITOR" | "ADMIN">()
          return "roles"
        }
      }
    })
  })

  test("without changing what the query resolves to", async () => {
    expect(await prisma.user.findMany({ select: { id: true }, cache: { key: (rows) => `${rows.length}` } })).type.toBe<
      Array<{ id: number }>
    >()
    const groups = await prisma.user.groupBy({ by: ["role"], _count: true, cache: { key: (rows) => `${rows.length}` } })
    expect(groups[0]!._count).type.toBe<number>()
  })

  test("that returns a string", () => {
    expect(prisma.user.findMany).type.toBeCallableWith({ cache: { key: () => "all-users" } })
    expect(prisma.user.findMany).type.not.toBeCallableWith({ cache: { key: () => 5 } })
    expect(prisma.user.findMany).type.not.toBeCallableWith({ cache: { key: async () => "all-users" } })
  })
})

describe("a wrong `cache` option does not compile", () => {
  test("with a property it does not have", () => {
    expect(prisma.user.findMany({ cache: { tll: 5000 } })).type.toRaiseError(
      "'tll' does not exist in type 'ReadCacheOptions"
    )
    expect(prisma.user.findMany).type.not.toBeCallableWith({ cache: { ttl: 5000, seconds: 5 } })
    expect(prisma.user.findMany).type.not.toBeCallableWith({ cache: { uncache: "x" } })
  })

  test("with a property of another type", () => {
    expect(prisma.user.findMany).type.not.toBeCallableWith({ cache: { tags: "users" } })
    expect(prisma.user.findMany).type.not.toBeCallableWith({ cache: { tags: [1] } })
    expect(prisma.user.findMany).type.not.toBeCallableWith({ cache: { ttl: true } })
    expect(prisma.user.findMany).type.not.toBeCallableWith({ cache: { namespace: 1 } })
    expect(prisma.user.findMany).type.not.toBeCallableWith({ cache: { refresh: "yes" } })
    expect(prisma.user.findMany).type.not.toBeCallableWith({ cache: { bypass: 1 } })
    expect(prisma.user.findMany).type.not.toBeCallableWith({ cache: { key: 1 } })
  })

  test("of another type altogether", () => {
    expect(prisma.user.findMany).type.not.toBeCallableWith({ cache: ["users"] })
    expect(prisma.user.findMany).type.not.toBeCallableWith({ cache: () => true })
    expect(prisma.user.findMany).type.not.toBeCallableWith({ cache: 5000n })
    expect(prisma.user.count).type.not.toBeCallableWith({ cache: { tags: "users" } })
    expect(prisma.user.groupBy).type.not.toBeCallableWith({ by: ["role"], cache: { tags: "users" } })
  })

  test("beside an option of writes", () => {
    expect(prisma.user.findMany).type.not.toBeCallableWith({ uncache: "all-users" })
    expect(prisma.user.findMany).type.not.toBeCallableWith({ cache: true, uncache: "all-users" })
    expect(prisma.user.count).type.not.toBeCallableWith({ uncache: "all-users" })
  })

  test("inside a relation, where it would not be a query of its own", () => {
    expect(prisma.user.findMany).type.not.toBeCallableWith({ include: { posts: { take: 1, cache: true } } })
    expect(prisma.user.findMany).type.not.toBeCallableWith({ select: { posts: { cache: true } } })
  })

  test("on raw queries", () => {
    expect(prisma.$queryRaw).type.not.toBeCallableWith({ cache: true })
    expect(prisma.$executeRaw).type.not.toBeCallableWith({ cache: true })
  })

  test("on a client without the extension", () => {
    expect(base.user.findMany).type.not.toBeCallableWith({ cache: true })
  })
})

describe("`.withCacheInfo()` tells where the answer came from", () => {
  test("beside the data, typed exactly", async () => {
    const { data, info } = await prisma.user.findMany({ select: { id: true }, cache: true }).withCacheInfo()
    expect(data).type.toBe<Array<{ id: number }>>()
    expect(info).type.toBe<CacheInfo>()
    expect(info.status).type.toBe<"hit" | "stale" | "miss" | "joined" | "refreshed" | "bypass" | "off">()
    expect(info.key).type.toBe<string | undefined>()
    expect(info.tags).type.toBe<ReadonlyArray<string>>()
    expect(info.age).type.toBe<number | undefined>()
    expect(info.ttl).type.toBe<number | undefined>()
  })

  test("on each of the eight operations", async () => {
    const byId = { where: { id: 1 }, select: { id: true } } as const
    expect((await prisma.user.findUnique(byId).withCacheInfo()).data).type.toBe<{ id: number } | null>()
    expect((await prisma.user.findUniqueOrThrow(byId).withCacheInfo()).data).type.toBe<{ id: number }>()
    expect((await prisma.user.findFirst(byId).withCacheInfo()).data).type.toBe<{ id: number } | null>()
    expect((await prisma.user.findFirstOrThrow(byId).withCacheInfo()).data).type.toBe<{ id: number }>()
    expect((await prisma.user.findMany(byId).withCacheInfo()).data).type.toBe<Array<{ id: number }>>()
    expect((await prisma.user.count({ select: { name: true } }).withCacheInfo()).data).type.toBe<{ name: number }>()
    expect((await prisma.user.aggregate({ _count: true }).withCacheInfo()).data).type.toBe<{ _count: number }>()
    expect(
      (await prisma.user.groupBy({ by: ["role"], _count: true }).withCacheInfo()).data[0]!._count
    ).type.toBe<number>()
  })

  test("as a promise of Prisma's, and no further", () => {
    expect(prisma.user.count().withCacheInfo()).type.toBeAssignableTo<
      PrismaPromise<{ data: number; info: CacheInfo }>
    >()
    expect(prisma.user.count().withCacheInfo()).type.not.toHaveProperty("withCacheInfo")
  })

  test("on reads with the extension only", () => {
    expect(base.user.count()).type.not.toHaveProperty("withCacheInfo")
    expect(prisma.user.create({ data: { email: "x" } })).type.not.toHaveProperty("withCacheInfo")
    expect(prisma.user.deleteMany()).type.not.toHaveProperty("withCacheInfo")
  })
})
