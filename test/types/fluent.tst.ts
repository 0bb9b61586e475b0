import { Prisma } from "generated-client"
import { describe, expect, test } from "tstyche"
import { plain, prisma } from "./client.js"

describe("a relation called on a read", () => {
  test("resolves to what Prisma's own client resolves to", async () => {
    expect(await prisma.user.findUniqueOrThrow({ where: { id: 1 } }).posts()).type.toBe<
      Array<Prisma.PostGetPayload<{}>>
    >()
    expect(await prisma.user.findUniqueOrThrow({ where: { id: 1 }, cache: true }).posts()).type.toBe(
      await plain.user.findUniqueOrThrow({ where: { id: 1 } }).posts()
    )
    expect(await prisma.comment.findUniqueOrThrow({ where: { id: 1 } }).post()).type.toBe<Prisma.PostGetPayload<{}>>()
  })

  test("may be missing when it is optional", async () => {
    expect(
      await prisma.post.findUniqueOrThrow({ where: { id: 1 } }).author()
    ).type.toBe<Prisma.UserGetPayload<{}> | null>()
  })

  test("may be missing when the row before it may be", async () => {
    expect(await prisma.user.findUnique({ where: { id: 1 } }).posts()).type.toBe<Array<
      Prisma.PostGetPayload<{}>
    > | null>()
    expect(await prisma.comment.findUnique({ where: { id: 1 } }).post()).type.toBe<Prisma.PostGetPayload<{}> | null>()
    expect(await prisma.comment.findFirst().post()).type.toBe<Prisma.PostGetPayload<{}> | null>()
    expect(await prisma.comment.findFirstOrThrow().post()).type.toBe<Prisma.PostGetPayload<{}>>()
  })

  test("takes a selection of its own", async () => {
    expect(
      await prisma.user.findUniqueOrThrow({ where: { id: 1 } }).posts({ select: { title: true }, take: 1, cache: true })
    ).type.toBe<Array<{ title: string }>>()
    const post = await prisma.comment
      .findUniqueOrThrow({ where: { id: 1 } })
      .post({ omit: { content: true }, include: { tags: true }, cache: true })
    expect(post).type.not.toHaveProperty("content")
    expect(post.tags[0]!.name).type.toBe<string>()
  })

  test("can be followed by a second and a third", async () => {
    expect(
      await prisma.comment
        .findUniqueOrThrow({ where: { id: 1 } })
        .post()
        .author()
        .profile({ select: { bio: true } })
    ).type.toBe<{ bio: string } | null>()
    expect(
      await prisma.comment
        .findUniqueOrThrow({ where: { id: 1 } })
        .post()
        .tags()
    ).type.toBe<Array<{ id: number; name: string }>>()
    expect(
      await prisma.comment
        .findUniqueOrThrow({ where: { id: 1 } })
        .post()
        .author()
        .posts({ select: { id: true } })
    ).type.toBe<Array<{ id: number }> | null>()
    expect(
      await prisma.userProfile
        .findFirst()
        .user()
        .manager({ select: { email: true }, cache: 5000 })
    ).type.toBe<{ email: string } | null>()
  })

  test("ends the chain when it is a list", () => {
    expect(prisma.user.findUnique({ where: { id: 1 } }).posts()).type.not.toHaveProperty("author")
  })

  test("takes the `cache` option at every step", () => {
    const comment = prisma.comment.findUnique({ where: { id: 1 } })
    expect(comment.post).type.toBeCallableWith({ cache: { ttl: "1 minute", tags: ["posts"] } })
    expect(comment.post().author).type.toBeCallableWith({ cache: { ttl: "1 minute", tags: ["users"] } })
    expect(comment.post().comments).type.toBeCallableWith({ where: { body: "x" }, cache: 5000 })
    expect(comment.post).type.toBeCallableWith()
    expect(comment.post).type.not.toBeCallableWith({ cache: { tags: "posts" } })
    expect(comment.post().author).type.not.toBeCallableWith({ cache: { tll: 1 } })
  })

  test("names its rows by a function of the selected result", () => {
    prisma.comment
      .findUnique({ where: { id: 1 } })
      .post()
      .author({
        cache: {
          key: (author) => {
            expect(author).type.toBe<{ email: string } | null>()
            return `author-${author?.email}`
          }
        },
        select: { email: true }
      })
  })

  test("tells where its answer came from", async () => {
    const { data, info } = await prisma.comment
      .findUnique({ where: { id: 1 } })
      .post()
      .author({ select: { id: true } })
      .withCacheInfo()
    expect(data).type.toBe<{ id: number } | null>()
    expect(info.status).type.toBe<"hit" | "stale" | "miss" | "joined" | "refreshed" | "bypass" | "off">()
    expect(
      (
        await prisma.user
          .findUniqueOrThrow({ where: { id: 1 } })
          .posts({ select: { id: true } })
          .withCacheInfo()
      ).data
    ).type.toBe<Array<{ id: number }>>()
  })

  test("still refuses what Prisma refuses", () => {
    const comment = prisma.comment.findUnique({ where: { id: 1 } })
    expect(comment).type.not.toHaveProperty("body")
    expect(comment).type.not.toHaveProperty("tags")
    expect(comment.post).type.not.toBeCallableWith({ select: { headline: true } })
    expect(comment.post).type.not.toBeCallableWith({ take: 1 })
    expect(comment.post().author).type.not.toBeCallableWith({ select: { mail: true } })
    expect(comment.post().comments).type.not.toBeCallableWith({ where: { mail: "x" }, cache: true })
  })
})

describe("reads of several rows and aggregations have no relations to call", () => {
  test("as in Prisma's own client", () => {
    expect(prisma.user.findMany()).type.not.toHaveProperty("posts")
    expect(prisma.user.count()).type.not.toHaveProperty("posts")
  })
})

describe("a relation called on a write", () => {
  test("resolves to what Prisma's own client resolves to", async () => {
    expect(
      await prisma.user.create({ data: { email: "x" }, uncache: "users" }).posts({ select: { title: true } })
    ).type.toBe<Array<{ title: string }>>()
    expect(
      await prisma.comment
        .update({ where: { id: 1 }, data: {} })
        .post()
        .author()
    ).type.toBe<Prisma.UserGetPayload<{}> | null>()
    expect(
      await prisma.comment.upsert({ where: { id: 1 }, create: { body: "x", postId: 1 }, update: {} }).post()
    ).type.toBe<Prisma.PostGetPayload<{}>>()
    expect(await prisma.comment.delete({ where: { id: 1 } }).post()).type.toBe<Prisma.PostGetPayload<{}>>()
  })

  test("is no read through the cache", () => {
    const comment = prisma.comment.update({ where: { id: 1 }, data: {} })
    expect(comment.post).type.not.toBeCallableWith({ cache: true })
    expect(comment.post().author).type.not.toBeCallableWith({ cache: true })
    expect(comment.post()).type.not.toHaveProperty("withCacheInfo")
  })
})
