import { Prisma } from "generated-client"
import { describe, expect, test } from "tstyche"
import { plain, prisma } from "./client.js"

describe("an aggregation resolves to what was asked for", () => {
  test("count", async () => {
    expect(await prisma.user.count()).type.toBe<number>()
    expect(await prisma.user.count({ where: { name: "x" }, cache: true })).type.toBe<number>()
    expect(await prisma.user.count({ select: true, cache: true })).type.toBe<number>()
    expect(await prisma.user.count({ select: { _all: true, name: true }, cache: 1000 })).type.toBe<{
      _all: number
      name: number
    }>()
  })

  test("aggregate", async () => {
    const result = await prisma.post.aggregate({
      _count: true,
      _sum: { views: true },
      _max: { createdAt: true },
      where: { published: true },
      cache: { ttl: "1 minute" }
    })
    expect(result).type.toBe<{ _count: number; _sum: { views: number | null }; _max: { createdAt: Date | null } }>()
    expect(
      (await prisma.user.aggregate({ _avg: { balance: true }, cache: true }))._avg.balance
    ).type.toBe<Prisma.Decimal | null>()
    expect(await prisma.user.aggregate({ _count: { _all: true, name: true }, cache: true })).type.toBe<{
      _count: { _all: number; name: number }
    }>()
  })

  test("groupBy", async () => {
    const groups = await prisma.user.groupBy({
      by: ["role", "name"],
      _count: { _all: true },
      _min: { createdAt: true },
      having: { balance: { _avg: { gt: 1 } } },
      orderBy: { role: "asc" },
      cache: true
    })
    expect(groups).type.toBe(
      await plain.user.groupBy({
        by: ["role", "name"],
        _count: { _all: true },
        _min: { createdAt: true },
        having: { balance: { _avg: { gt: 1 } } },
        orderBy: { role: "asc" }
      })
    )
    expect(groups[0]!._count._all).type.toBe<number>()
    expect(groups[0]!._min.createdAt).type.toBe<Date | null>()
    expect(groups[0]!.role).type.toBe<"USER" | "EDITOR" | "ADMIN">()
    expect(groups[0]!.name).type.toBe<string | null>()
    expect(groups[0]!).type.not.toHaveProperty("email")
    expect((await prisma.user.groupBy({ by: "role", _count: true, cache: true }))[0]!._count).type.toBe<number>()
  })
})

describe("an aggregation still refuses what Prisma refuses", () => {
  test("a field that cannot be aggregated", () => {
    expect(prisma.user.count).type.not.toBeCallableWith({ select: { mail: true }, cache: true })
    expect(prisma.user.aggregate).type.not.toBeCallableWith({ _sum: { email: true }, cache: true })
    expect(prisma.user.aggregate).type.not.toBeCallableWith({ _total: { balance: true }, cache: true })
    expect(prisma.user.groupBy).type.not.toBeCallableWith({ by: ["mail"], cache: true })
    expect(prisma.user.groupBy).type.not.toBeCallableWith({ by: ["role"], _sum: { email: true }, cache: true })
  })
})
