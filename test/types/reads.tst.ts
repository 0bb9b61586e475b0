import { Prisma } from "generated-client"
import { describe, expect, test } from "tstyche"
import { plain, prisma } from "./client.js"

describe("a read resolves to what Prisma's own client resolves to", () => {
  test("when nothing is selected", async () => {
    expect(await prisma.user.findMany()).type.toBe(await plain.user.findMany())
    expect(await prisma.user.findMany({ cache: true })).type.toBe<Array<Prisma.UserGetPayload<{}>>>()
    expect(await prisma.user.findFirst({ cache: true })).type.toBe<Prisma.UserGetPayload<{}> | null>()
    expect(await prisma.user.findFirstOrThrow({ cache: true })).type.toBe<Prisma.UserGetPayload<{}>>()
    expect(
      await prisma.user.findUnique({ where: { id: 1 }, cache: true })
    ).type.toBe<Prisma.UserGetPayload<{}> | null>()
    expect(await prisma.user.findUniqueOrThrow({ where: { id: 1 }, cache: true })).type.toBe<
      Prisma.UserGetPayload<{}>
    >()
  })

  test("with `select`", async () => {
    expect(await prisma.user.findMany({ select: { id: true, name: true }, cache: 5000 })).type.toBe<
      Array<{ id: number; name: string | null }>
    >()
    expect(await prisma.user.findFirst({ select: { id: true, name: false }, cache: 5000 })).type.toBe<{
      id: number
    } | null>()
  })

  test("with `select`, nested in relations of every arity", async () => {
    expect(
      await prisma.post.findUniqueOrThrow({
        where: { id: 1 },
        select: {
          title: true,
          author: { select: { email: true, profile: { select: { bio: true } } } },
          comments: { select: { body: true }, take: 3 },
          tags: { select: { name: true } },
          _count: { select: { comments: true } }
        },
        cache: "front-page"
      })
    ).type.toBe<{
      title: string
      author: { email: string; profile: { bio: string } | null } | null
      comments: Array<{ body: string }>
      tags: Array<{ name: string }>
      _count: { comments: number }
    }>()
    expect(
      await prisma.comment.findFirstOrThrow({ select: { post: { select: { id: true } } }, cache: true })
    ).type.toBe<{ post: { id: number } }>()
  })

  test("with `include`, nested", async () => {
    const rows = await prisma.user.findMany({ include: { posts: { include: { comments: true } } }, cache: true })
    expect(rows).type.toBe(await plain.user.findMany({ include: { posts: { include: { comments: true } } } }))
    expect(rows[0]!.posts[0]!.comments[0]!.body).type.toBe<string>()
    expect(rows[0]!).type.not.toHaveProperty("comments")
  })

  test("with `omit`, at the top and nested", async () => {
    const rows = await prisma.user.findMany({
      omit: { secret: true },
      include: { posts: { omit: { content: true } } },
      cache: true
    })
    expect(rows[0]!).type.not.toHaveProperty("secret")
    expect(rows[0]!).type.toHaveProperty("email")
    expect(rows[0]!.posts[0]!).type.not.toHaveProperty("content")
    expect(rows[0]!.posts[0]!).type.toHaveProperty("title")
  })

  test("for every scalar", async () => {
    const row = await prisma.everything.findFirstOrThrow({ cache: true })
    expect(row).type.toBe(await plain.everything.findFirstOrThrow())
    expect(row.bigInt).type.toBe<bigint>()
    expect(row.decimal).type.toBe<Prisma.Decimal>()
    expect(row.dateTimeMaybe).type.toBe<Date | null>()
    expect(row.json).type.toBe<Prisma.JsonValue>()
    expect(row.bytes).type.toBeAssignableTo<Uint8Array>()
    expect(row.stringList).type.toBe<Array<string>>()
    expect(row.role).type.toBe<"USER" | "EDITOR" | "ADMIN">()
  })

  test("for models whose names differ by case convention only", async () => {
    expect(await prisma.userProfile.findFirstOrThrow({ cache: true })).type.toBe<{
      id: number
      bio: string
      userId: number
    }>()
    expect(await prisma.user_profile.findFirstOrThrow({ cache: true })).type.toBe<{ id: number; bio: string }>()
  })

  test("when its arguments were written elsewhere", async () => {
    const selection = { id: true, email: true } satisfies Prisma.UserSelect
    const args = { where: { id: 1 }, select: selection } satisfies Prisma.UserFindManyArgs
    expect(await prisma.user.findMany({ ...args, cache: true })).type.toBe<Array<{ id: number; email: string }>>()
    expect(await prisma.user.findMany(args)).type.toBe<Array<{ id: number; email: string }>>()

    const where: Prisma.UserWhereInput = { email: { contains: "@" } }
    const orderBy: Array<Prisma.UserOrderByWithRelationInput> = [{ id: "asc" }]
    expect(await prisma.user.findMany({ where, orderBy, cache: true })).type.toBe(await plain.user.findMany())

    const any: Prisma.UserFindManyArgs = { where }
    expect(await prisma.user.findMany(any)).type.toBe(await plain.user.findMany(any))
    expect(await prisma.user.findMany({ ...any, cache: true })).type.toBe(await plain.user.findMany(any))
  })

  test("in a function that is generic in the selection", async () => {
    const named = <Select extends Prisma.UserSelect>(name: string, select: Select) =>
      prisma.user.findMany({ where: { name }, select, cache: { tags: ["users"] } })
    expect(await named("x", { id: true, posts: { select: { title: true } } })).type.toBe<
      Array<{ id: number; posts: Array<{ title: string }> }>
    >()
  })

  test("when part of the selection is decided at run time", async () => {
    const flag: boolean = Math.random() < 0.5
    expect(await prisma.user.findMany({ select: { id: true, name: flag }, cache: true })).type.toBe(
      await plain.user.findMany({ select: { id: true, name: flag } })
    )
    expect(await prisma.user.findMany({ include: { posts: flag }, cache: true })).type.toBe(
      await plain.user.findMany({ include: { posts: flag } })
    )
  })
})

describe("a read still refuses what Prisma refuses", () => {
  test("a field that the model does not have", () => {
    expect(prisma.user.findMany).type.not.toBeCallableWith({ where: { mail: "x" } })
    expect(prisma.user.findMany).type.not.toBeCallableWith({ where: { mail: "x" }, cache: true })
    expect(prisma.user.findMany).type.not.toBeCallableWith({ select: { mail: true }, cache: true })
    expect(prisma.user.findMany).type.not.toBeCallableWith({
      include: { posts: { where: { headline: "x" } } },
      cache: true
    })
    expect(prisma.user.findMany).type.not.toBeCallableWith({ orderBy: { mail: "asc" }, cache: true })
    expect(prisma.user.findMany).type.not.toBeCallableWith({ omit: { mail: true }, cache: true })
  })

  test("a value of another type", () => {
    expect(prisma.user.findMany).type.not.toBeCallableWith({ where: { id: "1" }, cache: true })
    expect(prisma.user.findMany).type.not.toBeCallableWith({ take: "1", cache: true })
  })

  test("an argument that the operation does not take", () => {
    expect(prisma.user.findUnique).type.not.toBeCallableWith({ where: { id: 1 }, take: 1, cache: true })
    expect(prisma.user.count).type.not.toBeCallableWith({ include: { posts: true }, cache: true })
    expect(prisma.user.findMany).type.not.toBeCallableWith({ data: { email: "x" }, cache: true })
  })

  test("arguments left out that it needs", () => {
    expect(prisma.user.findUnique).type.not.toBeCallableWith()
    expect(prisma.user.findUnique).type.not.toBeCallableWith({ cache: true })
    expect(prisma.user.findUnique).type.not.toBeCallableWith({ where: {}, cache: true })
    expect(prisma.user.findUnique).type.not.toBeCallableWith({ where: { name: "x" }, cache: true })
    expect(prisma.user.groupBy).type.not.toBeCallableWith({ cache: true })
  })

  test("a selection that says two things at once, in Prisma's words", () => {
    expect(prisma.user.findMany({ select: { id: true }, include: { posts: true } })).type.toRaiseError(
      "Please either choose `select` or `include`."
    )
    expect(prisma.user.findMany({ select: { id: true }, omit: { secret: true } })).type.toRaiseError(
      "Please either choose `select` or `omit`."
    )
  })
})
