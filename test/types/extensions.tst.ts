import { Prisma } from "generated-client"
import { describe, expect, test } from "tstyche"
import type { ExtendedClient } from "../../src/prisma/types/extension.js"
import { base, extension, prisma } from "./client.js"

const displayName = {
  result: { user: { displayName: { needs: { email: true }, compute: (user: { email: string }) => user.email } } }
}
const greet = { model: { user: { greet: (name: string) => `hello ${name}` } } }
const exists = {
  model: {
    $allModels: {
      exists<T>(this: T, where: Prisma.Args<T, "findFirst">["where"]): Promise<boolean> {
        return Promise.resolve(where !== undefined)
      }
    }
  }
}

const before = base.$extends(displayName).$extends(greet).$extends(exists).$extends(extension)
const after = base.$extends(extension).$extends(displayName).$extends(greet).$extends(exists)

describe("a computed field", () => {
  test("of an extension added before is in every result", async () => {
    expect((await before.user.findFirstOrThrow({ cache: true })).displayName).type.toBe<string>()
    expect(await before.user.findMany({ select: { displayName: true }, cache: true })).type.toBe<
      Array<{ displayName: string }>
    >()
    expect(
      (await before.post.findFirstOrThrow({ include: { author: true }, cache: true })).author?.displayName
    ).type.toBe<string | undefined>()
    expect(
      await before.post.findUniqueOrThrow({ where: { id: 1 } }).author({ select: { displayName: true } })
    ).type.toBe<{ displayName: string } | null>()
    expect(
      (await before.user.create({ data: { email: "x" }, uncache: (user) => user.displayName })).displayName
    ).type.toBe<string>()
    expect(await before.user.findFirstOrThrow({ omit: { displayName: true }, cache: true })).type.not.toHaveProperty(
      "displayName"
    )
  })

  test("of an extension added after is in every result", async () => {
    expect((await after.user.findFirstOrThrow({ cache: true })).displayName).type.toBe<string>()
    expect(await after.user.findMany({ select: { displayName: true }, cache: true })).type.toBe<
      Array<{ displayName: string }>
    >()
    expect(
      (await after.post.findFirstOrThrow({ include: { author: true }, cache: true })).author?.displayName
    ).type.toBe<string | undefined>()
    expect(
      await after.post.findUniqueOrThrow({ where: { id: 1 } }).author({ select: { displayName: true } })
    ).type.toBe<{ displayName: string } | null>()
    expect(
      (await after.user.create({ data: { email: "x" }, uncache: (user) => user.displayName })).displayName
    ).type.toBe<string>()
  })

  test("is in what a `key` function gets and in what `.withCacheInfo()` resolves to", async () => {
    before.user.findFirst({
      cache: {
        key: (user) => {
          expect(user?.displayName).type.toBe<string | undefined>()
          return "first"
        }
      }
    })
    expect((await after.user.findFirstOrThrow({ select: { displayName: true } }).withCacheInfo()).data).type.toBe<{
      displayName: string
    }>()
  })

  test("cannot be filtered by", () => {
    expect(before.user.findMany).type.not.toBeCallableWith({ where: { displayName: "x" }, cache: true })
  })
})

describe("a method that another extension adds to a model", () => {
  test("stays, whichever was added first", () => {
    expect(before.user.greet("x")).type.toBe<string>()
    expect(after.user.greet("x")).type.toBe<string>()
    expect(before.post).type.not.toHaveProperty("greet")
    expect(before.user.exists({ email: "x" })).type.toBe<Promise<boolean>>()
    expect(after.post.exists({ title: "x" })).type.toBe<Promise<boolean>>()
    expect(after.post.exists).type.not.toBeCallableWith({ email: "x" })
  })

  test("reaches the operations through its context", () => {
    base.$extends(extension).$extends({
      model: {
        user: {
          firstId() {
            const context = Prisma.getExtensionContext(this)
            return context.findFirst({ select: { id: true }, cache: { tags: ["users"] } })
          }
        }
      }
    })
    expect(before.user.fields.email.name).type.toBe<string>()
  })
})

describe("a later extension", () => {
  test("of the client sees the cache", () => {
    const later = prisma.$extends({
      client: {
        async forget() {
          const context = Prisma.getExtensionContext(this)
          await context.$cache.invalidate({ tags: ["users"] })
        }
      }
    })
    expect(later.forget()).type.toBe<Promise<void>>()
    expect(later.user.findMany).type.toBeCallableWith({ cache: { tags: ["users"] } })
    expect(later.$cache.stats().hits).type.toBe<number>()
  })

  test("of queries is typed by Prisma's own arguments", () => {
    const later = prisma.$extends({
      query: {
        user: {
          findMany({ args, query }) {
            expect(args.where).type.toBe<Prisma.UserWhereInput | undefined>()
            return query(args)
          }
        }
      }
    })
    expect(later.user.findMany).type.toBeCallableWith({ cache: true })
  })
})

describe("the extended client", () => {
  test("is what `$extends` makes of the extension and nothing else", () => {
    expect(extension).type.toBe<(client: any) => ExtendedClient>()
    expect(base.$extends).type.toBeCallableWith(extension)
  })

  test("works with Prisma's own helper types", () => {
    expect<Prisma.Result<typeof prisma.user, { select: { id: true } }, "findMany">>().type.toBe<Array<{ id: number }>>()
    expect<Prisma.Args<typeof prisma.user, "findMany">["where"]>().type.toBe<Prisma.UserWhereInput | undefined>()
    expect<Prisma.Payload<typeof prisma.user>["scalars"]["email"]>().type.toBe<string>()
  })

  test("is assignable to what `$extends` of a plain client returns", () => {
    expect(prisma).type.toBeAssignableTo<ReturnType<typeof base.$extends>>()
  })

  test("keeps raw queries and the life cycle as they are", async () => {
    expect(await prisma.$queryRaw<Array<{ id: number }>>`SELECT 1`).type.toBe<Array<{ id: number }>>()
    expect(prisma.$disconnect()).type.toBe<Promise<void>>()
  })
})
