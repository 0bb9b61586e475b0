import { PrismaClient } from "generated-client"
import type { SharesRuntimeTypes } from "runtime-types"
import { describe, expect, test } from "tstyche"
import type { CacheExtension } from "../../src/prisma/types/extension.js"
import { extension } from "./client.js"

declare const adapter: never

const omit = { user: { secret: true } } as const
const base = new PrismaClient({ adapter, omit })

declare const declaredExtension: CacheExtension<typeof omit>
const declared = base.$extends(declaredExtension)
const inferred = base.$extends(extension)

describe("a field that the client omits everywhere, declared to the extension,", () => {
  test("is missing from a row", async () => {
    expect(await declared.user.findFirstOrThrow({ cache: true })).type.toBe(await base.user.findFirstOrThrow())
    expect(await declared.user.findFirstOrThrow({ cache: true })).type.not.toHaveProperty("secret")
    expect((await declared.user.findMany({ include: { posts: true }, cache: true }))[0]!).type.not.toHaveProperty(
      "secret"
    )
  })

  test("is missing from a nested row and from a relation", async () => {
    const post = await declared.post.findFirstOrThrow({ include: { author: true }, cache: true })
    expect(post.author!).type.not.toHaveProperty("secret")
    expect(post.author!).type.toHaveProperty("email")
    const author = await declared.post.findUniqueOrThrow({ where: { id: 1 } }).author()
    expect(author!).type.not.toHaveProperty("secret")
    expect(author!).type.toHaveProperty("email")
  })

  test("is missing from what is written and from what a function gets", async () => {
    expect(await declared.user.create({ data: { email: "x", secret: "x" } })).type.not.toHaveProperty("secret")
    declared.user.update({
      where: { id: 1 },
      data: {},
      uncache: (user) => {
        expect(user).type.not.toHaveProperty("secret")
        return user.email
      }
    })
  })

  test("is missing from what `.withCacheInfo()` resolves to", async () => {
    expect((await declared.user.findFirstOrThrow({ cache: true }).withCacheInfo()).data).type.not.toHaveProperty(
      "secret"
    )
  })

  test("is there when the query asks for it", async () => {
    expect((await declared.user.findFirstOrThrow({ omit: { secret: false }, cache: true })).secret).type.toBe<
      string | null
    >()
    expect(await declared.user.findFirstOrThrow({ select: { secret: true }, cache: true })).type.toBe<{
      secret: string | null
    }>()
  })
})

describe("a field that the client omits everywhere and nobody declares", () => {
  type Misses<Row> = "secret" extends keyof Row ? false : true

  test("is missing where the client and the extension share Prisma's run-time types, and only there", async () => {
    const user = await inferred.user.findFirstOrThrow({ cache: true })
    expect<Misses<typeof user>>().type.toBe<SharesRuntimeTypes>()
    const created = await inferred.user.create({ data: { email: "x" } })
    expect<Misses<typeof created>>().type.toBe<SharesRuntimeTypes>()
    const post = await inferred.post.findUniqueOrThrow({ where: { id: 1 }, include: { author: true } })
    expect<Misses<NonNullable<typeof post.author>>>().type.toBe<SharesRuntimeTypes>()
    const author = await inferred.post.findUniqueOrThrow({ where: { id: 1 } }).author({ cache: true })
    expect<Misses<NonNullable<typeof author>>>().type.toBe<SharesRuntimeTypes>()
  })
})

describe("what is declared to the extension", () => {
  test("names models and fields, each with a boolean", () => {
    expect<CacheExtension<{ user: { secret: true; name: false } }>>().type.not.toRaiseError()
    expect<CacheExtension<{ user: true }>>().type.toRaiseError()
    expect<CacheExtension<{ user: { secret: string } }>>().type.toRaiseError()
  })
})
