import { withAccelerate as acceleratedBy } from "@prisma/extension-accelerate"
import { describe, expect, test } from "tstyche"
import type { AccelerateInfo } from "../../src/prisma/types/promise.js"
import { base, plain, prisma } from "./client.js"

/** The client as Accelerate's own package types it. */
const accelerated = base.$extends(acceleratedBy())

const cacheStrategy = { ttl: 60, swr: 60, tags: ["emails_with_alice"] } as const
const where = { email: { contains: "alice@prisma.io" } }

describe("a read with `cacheStrategy` resolves to what it does with Accelerate", () => {
  test("rows", async () => {
    expect(await prisma.user.findMany({ where, cacheStrategy })).type.toBe(await accelerated.user.findMany({ where, cacheStrategy }))
    expect(await prisma.user.findFirst({ where, cacheStrategy })).type.toBe(await accelerated.user.findFirst({ where, cacheStrategy }))
    expect(await prisma.user.findFirstOrThrow({ cacheStrategy })).type.toBe(await accelerated.user.findFirstOrThrow({ cacheStrategy }))
    expect(await prisma.user.findUnique({ where: { id: 1 }, cacheStrategy })).type.toBe(
      await accelerated.user.findUnique({ where: { id: 1 }, cacheStrategy })
    )
    expect(await prisma.user.findUniqueOrThrow({ where: { id: 1 }, cacheStrategy })).type.toBe(
      await accelerated.user.findUniqueOrThrow({ where: { id: 1 }, cacheStrategy })
    )
  })

  test("selections", async () => {
    const select = { id: true, posts: { select: { title: true, comments: { select: { body: true } } } } } as const
    expect(await prisma.user.findMany({ select, cacheStrategy })).type.toBe(await accelerated.user.findMany({ select, cacheStrategy }))
    const include = { posts: { include: { tags: true } }, profile: true } as const
    expect(await prisma.user.findFirst({ include, cacheStrategy })).type.toBe(await accelerated.user.findFirst({ include, cacheStrategy }))
  })

  test("numbers", async () => {
    expect(await prisma.user.count({ where, cacheStrategy })).type.toBe(await accelerated.user.count({ where, cacheStrategy }))
    const ours = await prisma.post.aggregate({ _sum: { views: true }, _max: { createdAt: true }, cacheStrategy })
    const theirs = await accelerated.post.aggregate({ _sum: { views: true }, _max: { createdAt: true }, cacheStrategy })
    expect(ours._sum).type.toBe(theirs._sum)
    expect(ours._max).type.toBe(theirs._max)
  })

  test("without a strategy too", async () => {
    expect(await prisma.user.findMany()).type.toBe(await accelerated.user.findMany())
    expect(await prisma.user.count()).type.toBe(await accelerated.user.count())
  })
})

describe("a read is typed as Prisma types it where Accelerate's types are not", () => {
  test("a local `omit`", async () => {
    expect(await prisma.user.findFirstOrThrow({ omit: { secret: true }, cacheStrategy })).type.toBe(
      await plain.user.findFirstOrThrow({ omit: { secret: true } })
    )
  })

  test("`count` of selected fields", async () => {
    expect(await prisma.user.count({ select: { _all: true, name: true }, cacheStrategy })).type.toBe<{ _all: number; name: number }>()
  })

  test("`groupBy` with `_count`", async () => {
    expect(await prisma.user.groupBy({ by: ["role"], _count: { _all: true }, orderBy: { role: "asc" }, cacheStrategy })).type.toBe(
      await plain.user.groupBy({ by: ["role"], _count: { _all: true }, orderBy: { role: "asc" } })
    )
  })

  test("relations of a found row", async () => {
    expect(await prisma.user.findUnique({ where: { id: 1 } }).posts({ cacheStrategy })).type.toBe(
      await plain.user.findUnique({ where: { id: 1 } }).posts()
    )
  })
})

describe("`withAccelerateInfo`", () => {
  test("has the data and an info that is never null", async () => {
    const { data, info } = await prisma.user.count({ where, cacheStrategy: { ttl: 60, swr: 600 } }).withAccelerateInfo()
    expect(data).type.toBe<number>()
    expect(info).type.toBe<AccelerateInfo>()
    expect((await prisma.user.findMany({ where, cacheStrategy }).withAccelerateInfo()).data).type.toBe(
      (await accelerated.user.findMany({ where, cacheStrategy }).withAccelerateInfo()).data
    )
    expect((await prisma.user.findUnique({ where: { id: 1 } }).posts({ cacheStrategy }).withAccelerateInfo()).info).type.toBe<AccelerateInfo>()
  })

  test("its info has the fields of Accelerate's", async () => {
    const { info } = await accelerated.user.count({ cacheStrategy }).withAccelerateInfo()
    type Theirs = NonNullable<typeof info>
    expect<AccelerateInfo>().type.toBeAssignableTo<Readonly<Theirs>>()
    expect<Readonly<Theirs>>().type.toBeAssignableTo<AccelerateInfo>()
  })

  test("is on no write", () => {
    expect(prisma.user.create({ data: { email: "x" } })).type.not.toHaveProperty("withAccelerateInfo")
  })
})

describe("`cacheStrategy`", () => {
  test("is seconds and tags, and nothing else", () => {
    expect(prisma.user.findMany).type.toBeCallableWith({ cacheStrategy: { swr: 60 } })
    expect(prisma.user.findMany).type.toBeCallableWith({ cacheStrategy: {} })
    expect(prisma.user.findMany).type.toBeCallableWith({ cacheStrategy: undefined })
    expect(prisma.user.findMany).type.not.toBeCallableWith({ cacheStrategy: { ttl: "1 minute" } })
    expect(prisma.user.findMany).type.not.toBeCallableWith({ cacheStrategy: { max: 60 } })
    expect(prisma.user.findMany).type.not.toBeCallableWith({ cacheStrategy: { tags: "a" } })
    expect(prisma.user.findMany).type.not.toBeCallableWith({ cacheStrategy: 60 })
  })

  test("is on no write", () => {
    expect(prisma.user.create).type.not.toBeCallableWith({ data: { email: "x" }, cacheStrategy })
    expect(prisma.user.update).type.not.toBeCallableWith({ where: { id: 1 }, data: {}, cacheStrategy })
    expect(prisma.user.deleteMany).type.not.toBeCallableWith({ cacheStrategy })
    expect(prisma.user.upsert).type.not.toBeCallableWith({ where: { id: 1 }, create: { email: "x" }, update: {}, cacheStrategy })
  })
})

describe("`$accelerate`", () => {
  test("invalidates as Accelerate's does", async () => {
    expect(await prisma.$accelerate.invalidate({ tags: ["a"] })).type.toBe<{ readonly requestId: string }>()
    expect(prisma.$accelerate.invalidate).type.not.toBeCallableWith({ tags: "a" })
    expect(prisma.$accelerate.invalidate).type.not.toBeCallableWith()
    expect(prisma.$accelerate.invalidateAll).type.toBeCallableWith()
    expect<Parameters<typeof accelerated.$accelerate.invalidate>>().type.toBeAssignableTo<Parameters<typeof prisma.$accelerate.invalidate>>()
  })

  test("is inside a transaction too", () => {
    prisma.$transaction(async (tx) => {
      expect(tx.$accelerate.invalidateAll).type.toBeCallableWith()
    })
  })
})
