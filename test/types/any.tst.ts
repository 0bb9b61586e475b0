import { describe, expect, test } from "tstyche"
import type { HasAny } from "./client.js"
import { prisma } from "./client.js"

declare const hasAny: <T>(value: T) => HasAny<T>

describe("no `any` reaches the user", () => {
  test("and this would see one", () => {
    expect<HasAny<any>>().type.toBe<true>()
    expect<HasAny<Promise<Array<{ author: { name: any } | null }>>>>().type.toBe<true>()
    expect<HasAny<Promise<Array<{ author: { name: string } | null }>>>>().type.toBe<false>()
  })

  test("in what a read resolves to", () => {
    expect(hasAny(prisma.user.findUnique({ where: { id: 1 }, cache: true }))).type.toBe<false>()
    expect(
      hasAny(prisma.user.findUniqueOrThrow({ where: { id: 1 }, include: { posts: true }, cache: true }))
    ).type.toBe<false>()
    expect(hasAny(prisma.user.findFirst({ select: { posts: { select: { author: true } } } }))).type.toBe<false>()
    expect(hasAny(prisma.user.findFirstOrThrow({ omit: { secret: true } }))).type.toBe<false>()
    expect(hasAny(prisma.everything.findMany({ cache: true }))).type.toBe<false>()
    expect(hasAny(prisma.user.count({ select: { _all: true } }))).type.toBe<false>()
    expect(hasAny(prisma.user.aggregate({ _count: true, _sum: { balance: true } }))).type.toBe<false>()
    expect(hasAny(prisma.user.groupBy({ by: ["role"], _count: { _all: true } }))).type.toBe<false>()
    expect(hasAny(prisma.post.findUnique({ where: { id: 1 } }).author())).type.toBe<false>()
    expect(
      hasAny(
        prisma.post
          .findUnique({ where: { id: 1 } })
          .author()
          .profile({ cache: true })
      )
    ).type.toBe<false>()
    expect(hasAny(prisma.everything.findMany({ cache: true }).withCacheInfo())).type.toBe<false>()
    expect(
      hasAny(
        prisma.post
          .findUnique({ where: { id: 1 } })
          .author()
          .withCacheInfo()
      )
    ).type.toBe<false>()
  })

  test("in what a write resolves to", () => {
    expect(hasAny(prisma.user.create({ data: { email: "x" } }))).type.toBe<false>()
    expect(hasAny(prisma.user.update({ where: { id: 1 }, data: {}, include: { posts: true } }))).type.toBe<false>()
    expect(hasAny(prisma.user.upsert({ where: { id: 1 }, create: { email: "x" }, update: {} }))).type.toBe<false>()
    expect(hasAny(prisma.user.delete({ where: { id: 1 }, uncache: "users" }))).type.toBe<false>()
    expect(hasAny(prisma.user.createMany({ data: [] }))).type.toBe<false>()
    expect(hasAny(prisma.user.createManyAndReturn({ data: [], cache: true }))).type.toBe<false>()
    expect(hasAny(prisma.user.updateManyAndReturn({ data: {}, omit: { secret: true } }))).type.toBe<false>()
    expect(hasAny(prisma.user.deleteMany())).type.toBe<false>()
    expect(hasAny(prisma.user.create({ data: { email: "x" } }).profile())).type.toBe<false>()
  })

  test("in what a transaction resolves to", () => {
    expect(
      hasAny(prisma.$transaction([prisma.user.findMany(), prisma.user.count().withCacheInfo()]))
    ).type.toBe<false>()
    expect(
      hasAny(prisma.$transaction((tx) => tx.user.findMany({ include: { posts: true }, cache: true })))
    ).type.toBe<false>()
  })

  test("in what a function among the options gets", () => {
    prisma.user.findMany({
      include: { posts: true },
      cache: {
        key: (rows) => {
          expect(hasAny(rows)).type.toBe<false>()
          return "users"
        }
      }
    })
    prisma.user.create({
      data: { email: "x" },
      cache: {
        key: (row) => {
          expect(hasAny(row)).type.toBe<false>()
          return row.email
        }
      },
      uncache: (row) => {
        expect(hasAny(row)).type.toBe<false>()
        return row.email
      }
    })
  })

  test("in the arguments, which are refused when they are something else", () => {
    expect(prisma.user.findMany).type.not.toBeCallableWith("users")
    expect(prisma.user.findMany).type.not.toBeCallableWith({ anything: 1 })
    expect(prisma.user.create).type.not.toBeCallableWith({ anything: 1 })
    expect(prisma.post.findUnique({ where: { id: 1 } }).author).type.not.toBeCallableWith({ anything: 1 })
  })

  test("in `$cache`", () => {
    expect(hasAny(prisma.$cache.stats())).type.toBe<false>()
    expect(hasAny(prisma.$cache.health())).type.toBe<false>()
    expect<HasAny<Parameters<typeof prisma.$cache.invalidate>>>().type.toBe<false>()
  })
})
