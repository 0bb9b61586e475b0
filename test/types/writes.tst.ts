import { Prisma } from "generated-client"
import { describe, expect, test } from "tstyche"
import { base, plain, prisma } from "./client.js"

describe("a write resolves to what Prisma's own client resolves to", () => {
  test("create, update, upsert and delete", async () => {
    expect(await prisma.user.create({ data: { email: "x" } })).type.toBe(
      await plain.user.create({ data: { email: "x" } })
    )
    expect(await prisma.user.create({ data: { email: "x" }, cache: true })).type.toBe<Prisma.UserGetPayload<{}>>()
    expect(
      await prisma.user.update({ where: { id: 1 }, data: { name: null }, select: { id: true }, cache: "user-1" })
    ).type.toBe<{ id: number }>()
    expect(
      await prisma.user.upsert({
        where: { id: 1 },
        create: { email: "x" },
        update: { name: "x" },
        select: { posts: { select: { title: true } } },
        uncache: "user-1"
      })
    ).type.toBe<{ posts: Array<{ title: string }> }>()
    expect(await prisma.user.delete({ where: { id: 1 }, select: { email: true }, uncache: ["user-1"] })).type.toBe<{
      email: string
    }>()
  })

  test("with `include` and `omit`", async () => {
    const user = await prisma.user.create({
      data: { email: "x" },
      omit: { secret: true },
      include: { profile: true },
      uncache: "users"
    })
    expect(user).type.not.toHaveProperty("secret")
    expect(user.email).type.toBe<string>()
    expect(user.profile).type.toBe<{ id: number; bio: string; userId: number } | null>()
  })

  test("the operations on many rows", async () => {
    const data = { email: "x" }
    expect(await prisma.user.createMany({ data: [data], uncache: "users" })).type.toBe<{ count: number }>()
    expect(await prisma.user.updateMany({ data: { name: "x" }, uncache: "users" })).type.toBe<{ count: number }>()
    expect(await prisma.user.deleteMany()).type.toBe<{ count: number }>()
    expect(await prisma.user.deleteMany({ where: { name: "x" }, uncache: "users" })).type.toBe<{ count: number }>()
    expect(await prisma.user.createManyAndReturn({ data, select: { id: true }, cache: "users" })).type.toBe<
      Array<{ id: number }>
    >()
    expect(
      await prisma.user.updateManyAndReturn({ data: { name: "x" }, select: { id: true }, uncache: "users" })
    ).type.toBe<Array<{ id: number }>>()
  })
})

describe("every write takes `cache` and `uncache`", () => {
  test("`cache` in every form", () => {
    expect(prisma.user.create).type.toBeCallableWith({ data: { email: "x" }, cache: true })
    expect(prisma.user.create).type.toBeCallableWith({ data: { email: "x" }, cache: false })
    expect(prisma.user.create).type.toBeCallableWith({ data: { email: "x" }, cache: 5000 })
    expect(prisma.user.create).type.toBeCallableWith({ data: { email: "x" }, cache: "user" })
    expect(prisma.user.create).type.toBeCallableWith({ data: { email: "x" }, cache: null })
    expect(prisma.user.create).type.toBeCallableWith({ data: { email: "x" }, cache: undefined })
    expect(prisma.user.create).type.toBeCallableWith({ data: { email: "x" }, cache: {} })
    expect(prisma.user.create).type.toBeCallableWith({
      data: { email: "x" },
      cache: { ttl: "1 minute", key: "user", namespace: "shop" }
    })
  })

  test("`uncache` in every form", () => {
    expect(prisma.user.create).type.toBeCallableWith({ data: { email: "x" }, uncache: "users" })
    expect(prisma.user.create).type.toBeCallableWith({ data: { email: "x" }, uncache: { key: "users" } })
    expect(prisma.user.create).type.toBeCallableWith({
      data: { email: "x" },
      uncache: { key: "users", namespace: "shop" }
    })
    expect(prisma.user.create).type.toBeCallableWith({
      data: { email: "x" },
      uncache: ["users", { key: "users", namespace: "shop" }]
    })
    expect(prisma.user.create).type.toBeCallableWith({ data: { email: "x" }, uncache: null })
    expect(prisma.user.create).type.toBeCallableWith({ data: { email: "x" }, uncache: undefined })
    expect(prisma.user.create).type.toBeCallableWith({ data: { email: "x" }, uncache: () => "users" })
    expect(prisma.user.create).type.toBeCallableWith({
      data: { email: "x" },
      uncache: () => ["users", { key: "users" }]
    })
    expect(prisma.user.create).type.toBeCallableWith({ data: { email: "x" }, uncache: () => undefined })
  })

  test("on each of the nine operations", () => {
    const options = { cache: { ttl: 5000, key: "user" }, uncache: ["users"] }
    expect(prisma.user.create).type.toBeCallableWith({ data: { email: "x" }, ...options })
    expect(prisma.user.createMany).type.toBeCallableWith({ data: { email: "x" }, ...options })
    expect(prisma.user.createManyAndReturn).type.toBeCallableWith({ data: { email: "x" }, ...options })
    expect(prisma.user.update).type.toBeCallableWith({ where: { id: 1 }, data: {}, ...options })
    expect(prisma.user.updateMany).type.toBeCallableWith({ data: {}, ...options })
    expect(prisma.user.updateManyAndReturn).type.toBeCallableWith({ data: {}, ...options })
    expect(prisma.user.upsert).type.toBeCallableWith({
      where: { id: 1 },
      create: { email: "x" },
      update: {},
      ...options
    })
    expect(prisma.user.delete).type.toBeCallableWith({ where: { id: 1 }, ...options })
    expect(prisma.user.deleteMany).type.toBeCallableWith({ ...options })
  })
})

describe("`key` and `uncache` are functions of the selected result", () => {
  test("whether the selection stands before them or after them", () => {
    prisma.user.create({
      data: { email: "x" },
      select: { id: true, posts: { select: { title: true } } },
      cache: {
        ttl: 2000,
        key: (user) => {
          expect(user).type.toBe<{ id: number; posts: Array<{ title: string }> }>()
          return `user-${user.id}`
        }
      },
      uncache: (user) => {
        expect(user).type.toBe<{ id: number; posts: Array<{ title: string }> }>()
        return [`user-${user.id}`, { key: "users", namespace: "shop" }]
      }
    })
    prisma.user.update({
      uncache: (user) => {
        expect(user).type.toBe<{ email: string }>()
        return user.email
      },
      cache: {
        key: (user) => {
          expect(user).type.toBe<{ email: string }>()
          return user.email
        }
      },
      where: { id: 1 },
      data: { name: "x" },
      select: { email: true }
    })
  })

  test("of the whole row, of an `omit`, of many rows and of a count", () => {
    prisma.user.upsert({
      where: { id: 1 },
      create: { email: "x" },
      update: {},
      uncache: (user) => {
        expect(user).type.toBe<Prisma.UserGetPayload<{}>>()
        return user.email
      }
    })
    prisma.user.delete({
      where: { id: 1 },
      omit: { secret: true },
      uncache: (user) => {
        expect(user).type.not.toHaveProperty("secret")
        return user.email
      }
    })
    prisma.user.updateManyAndReturn({
      data: {},
      select: { id: true },
      uncache: (users) => {
        expect(users).type.toBe<Array<{ id: number }>>()
        return users.map((user) => `user-${user.id}`)
      }
    })
    prisma.user.deleteMany({
      uncache: (result) => {
        expect(result).type.toBe<{ count: number }>()
        return result.count > 0 ? "users" : undefined
      }
    })
  })
})

describe("wrong options of a write do not compile", () => {
  test("`cache`", () => {
    expect(prisma.user.create({ data: { email: "x" }, cache: { tll: 1 } })).type.toRaiseError(
      "'tll' does not exist in type 'WriteCacheOptions"
    )
    expect(prisma.user.create).type.not.toBeCallableWith({ data: { email: "x" }, cache: { key: 1 } })
    expect(prisma.user.create).type.not.toBeCallableWith({ data: { email: "x" }, cache: { key: () => 1 } })
    expect(prisma.user.create).type.not.toBeCallableWith({ data: { email: "x" }, cache: { ttl: "soon" } })
    expect(prisma.user.create).type.not.toBeCallableWith({ data: { email: "x" }, cache: ["user"] })
  })

  test("what only a read can do", () => {
    expect(prisma.user.create).type.not.toBeCallableWith({ data: { email: "x" }, cache: { refresh: true } })
    expect(prisma.user.create).type.not.toBeCallableWith({ data: { email: "x" }, cache: { bypass: true } })
  })

  test("`uncache`", () => {
    expect(prisma.user.create).type.not.toBeCallableWith({ data: { email: "x" }, uncache: 1 })
    expect(prisma.user.create).type.not.toBeCallableWith({ data: { email: "x" }, uncache: true })
    expect(prisma.user.create).type.not.toBeCallableWith({ data: { email: "x" }, uncache: [1] })
    expect(prisma.user.create).type.not.toBeCallableWith({ data: { email: "x" }, uncache: { namespace: "shop" } })
    expect(prisma.user.create).type.not.toBeCallableWith({ data: { email: "x" }, uncache: { key: "users", ttl: 1 } })
    expect(prisma.user.create).type.not.toBeCallableWith({ data: { email: "x" }, uncache: [{ key: 1 }] })
    expect(prisma.user.create).type.not.toBeCallableWith({ data: { email: "x" }, uncache: () => 1 })
    expect(prisma.user.create).type.not.toBeCallableWith({ data: { email: "x" }, uncache: async () => "users" })
    expect(prisma.user.deleteMany).type.not.toBeCallableWith({ uncache: 1 })
  })

  test("on a client without the extension", () => {
    expect(base.user.create).type.not.toBeCallableWith({ data: { email: "x" }, cache: true })
    expect(base.user.create).type.not.toBeCallableWith({ data: { email: "x" }, uncache: "users" })
  })
})

describe("a write still refuses what Prisma refuses", () => {
  test("a field that the model does not have, at any depth", () => {
    expect(prisma.user.create).type.not.toBeCallableWith({ data: { email: "x", mail: "x" } })
    expect(prisma.user.create).type.not.toBeCallableWith({ data: { email: "x", mail: "x" }, uncache: "users" })
    expect(prisma.user.create).type.not.toBeCallableWith({
      data: { email: "x", posts: { create: [{ title: "x", headline: "x" }] } },
      uncache: () => "users"
    })
    expect(prisma.user.update).type.not.toBeCallableWith({ where: { id: 1 }, data: { mail: "x" }, cache: true })
    expect(prisma.user.updateMany).type.not.toBeCallableWith({ where: { mail: "x" }, data: {}, cache: true })
    expect(prisma.user.createMany).type.not.toBeCallableWith({ data: [{ email: "x", mail: "x" }], cache: true })
    expect(prisma.user.delete).type.not.toBeCallableWith({ where: { id: 1 }, select: { mail: true }, cache: true })
  })

  test("arguments left out that it needs", () => {
    expect(prisma.user.create).type.not.toBeCallableWith()
    expect(prisma.user.create).type.not.toBeCallableWith({ cache: true })
    expect(prisma.user.create).type.not.toBeCallableWith({ data: {}, cache: true })
    expect(prisma.user.update).type.not.toBeCallableWith({ where: { id: 1 }, cache: true })
    expect(prisma.user.update).type.not.toBeCallableWith({ data: {}, cache: true })
    expect(prisma.user.upsert).type.not.toBeCallableWith({ where: { id: 1 }, create: { email: "x" }, cache: true })
    expect(prisma.user.delete).type.not.toBeCallableWith({ cache: true })
  })

  test("a value of another type", () => {
    expect(prisma.user.create).type.not.toBeCallableWith({ data: { email: 1 }, cache: true })
    expect(prisma.user.update).type.not.toBeCallableWith({ where: { id: "1" }, data: {}, cache: true })
  })

  test("nested data that mixes checked and unchecked fields", () => {
    expect(prisma.post.create).type.toBeCallableWith({ data: { title: "x", authorId: 1 }, cache: true })
    expect(prisma.post.create).type.toBeCallableWith({
      data: { title: "x", author: { connect: { id: 1 } } },
      cache: true
    })
    expect(prisma.post.create).type.not.toBeCallableWith({
      data: { title: "x", authorId: 1, author: { connect: { id: 1 } } },
      cache: true
    })
  })

  test("a selection that says two things at once, in Prisma's words", () => {
    expect(
      prisma.user.create({ data: { email: "x" }, select: { id: true }, include: { posts: true } })
    ).type.toRaiseError("Please either choose `select` or `include`.")
  })
})
