import { Prisma } from "generated-client"
import { describe, expect, test } from "tstyche"
import type { CacheInfo } from "../../src/CacheInfo.js"
import { prisma } from "./client.js"

describe("a batch transaction", () => {
  test("resolves to a tuple of its items", async () => {
    const results = await prisma.$transaction([
      prisma.user.findMany({ select: { id: true }, cache: true }),
      prisma.user.count({ cache: 5000 }),
      prisma.user.create({ data: { email: "x" }, select: { email: true }, uncache: "users" }),
      prisma.post.findUnique({ where: { id: 1 } }).author({ select: { name: true } }),
      prisma.user.deleteMany()
    ])
    expect(results).type.toBe<
      [Array<{ id: number }>, number, { email: string }, { name: string | null } | null, { count: number }]
    >()
  })

  test("takes a query that tells where its answer came from", async () => {
    const [users, count] = await prisma.$transaction([
      prisma.user.findMany({ select: { id: true }, cache: true }).withCacheInfo(),
      prisma.user.count()
    ])
    expect(users.data).type.toBe<Array<{ id: number }>>()
    expect(users.info).type.toBe<CacheInfo>()
    expect(count).type.toBe<number>()
  })

  test("takes raw queries and options beside them", async () => {
    const results = await prisma.$transaction([prisma.user.count({ cache: true }), prisma.$executeRaw`SELECT 1`], {
      isolationLevel: "Serializable"
    })
    expect(results).type.toBe<[number, number]>()
  })

  test("refuses what is no query of Prisma's", () => {
    expect(prisma.$transaction).type.toBeCallableWith([prisma.user.count()])
    expect(prisma.$transaction).type.not.toBeCallableWith([Promise.resolve(1)])
  })
})

describe("an interactive transaction", () => {
  test("has the same operations", async () => {
    const result = await prisma.$transaction(
      async (tx) => {
        expect(await tx.user.findMany({ select: { id: true }, cache: { tags: ["users"] } })).type.toBe<
          Array<{ id: number }>
        >()
        expect(
          await tx.user.update({
            where: { id: 1 },
            data: {},
            select: { id: true },
            uncache: (user) => `user-${user.id}`
          })
        ).type.toBe<{ id: number }>()
        expect((await tx.user.count({ cache: true }).withCacheInfo()).data).type.toBe<number>()
        expect(
          await tx.post
            .findUniqueOrThrow({ where: { id: 1 } })
            .author()
            .profile({ select: { bio: true } })
        ).type.toBe<{ bio: string } | null>()
        expect(tx.user.findMany).type.not.toBeCallableWith({ cache: { tags: "users" } })
        expect(tx.user.create).type.not.toBeCallableWith({ data: { email: "x" }, uncache: 1 })
        return tx.user.findFirst({ cache: true })
      },
      { timeout: 1000 }
    )
    expect(result).type.toBe<Prisma.UserGetPayload<{}> | null>()
  })

  test("can be handed to a function that names the type of this client", () => {
    type Tx = Parameters<Parameters<typeof prisma.$transaction>[0]>[0]
    const rename = (tx: Tx) =>
      tx.user.update({ where: { id: 1 }, data: { name: "x" }, select: { id: true }, uncache: "user-1" })
    expect(prisma.$transaction((tx) => rename(tx))).type.toBe<Promise<{ id: number }>>()
  })
})
