import { expect, it } from "vitest"
import { answerTo, onEveryStore, onMemory, statusOf, useDatabase } from "./support.js"
import type { CachedClient, Make } from "./support.js"

const database = useDatabase()

let users = 0
const email = () => `user${++users}@example.org`

const abort = new Error("the application thought better of it")

/** Reads of every kind around one user, which hit until something touches it. */
const readsAround = (prisma: CachedClient, user: { readonly id: number; readonly email: string }) => ({
  "its row, by id": () => prisma.user.findUnique({ where: { id: user.id }, cache: true }),
  "its row, by e-mail": () => prisma.user.findUnique({ where: { email: user.email }, select: { name: true }, cache: true }),
  "its row with its posts": () => prisma.user.findUnique({ where: { id: user.id }, include: { posts: true }, cache: true }),
  "a list of its model": () => prisma.user.findMany({ where: { id: user.id }, cache: true }),
  "a count of its model": () => prisma.user.count({ where: { id: user.id }, cache: true }),
  "posts, filtered by it": () => prisma.post.findMany({ where: { author: { email: user.email } }, cache: true })
})

type Reads = ReturnType<typeof readsAround>

const statuses = async (reads: Reads) => {
  const found: Record<string, string> = {}
  for (const [name, read] of Object.entries(reads)) found[name] = await statusOf(read)
  return found
}

const alive = async (reads: Reads) =>
  Object.entries(await statuses(reads)).filter(([, status]) => status === "hit").map(([name]) => name)

const warm = async (make: Make, consistency: "strict" | "after-commit") => {
  const { options, prisma } = make({ invalidation: "auto", consistency, rawWrites: "warn" })
  const user = await prisma.user.create({ data: { email: email(), posts: { create: { title: "first" } } } })
  const other = await prisma.user.create({ data: { email: email() } })
  const reads = readsAround(prisma, user)
  await statuses(reads)
  expect(await alive(reads)).toEqual(Object.keys(reads))
  return { options, other, prisma, reads, user }
}

for (const consistency of ["strict", "after-commit"] as const) {
  onEveryStore(database, `automatic invalidation, ${consistency}`, (make) => {
    it("a write to a row kills what holds it, however it was named", async () => {
      const { prisma, reads, user } = await warm(make, consistency)
      await prisma.user.update({ where: { email: user.email }, data: { name: "new" } })
      expect(await alive(reads)).toEqual([])
      expect((await answerTo(reads["its row, by e-mail"])).data).toEqual({ name: "new" })
    })

    it("a write to another row leaves a row alone, and kills what is about the model", async () => {
      const { other, prisma, reads } = await warm(make, consistency)
      await prisma.user.update({ where: { id: other.id }, data: { name: "other" } })
      expect(await alive(reads)).toEqual(["its row, by id", "its row, by e-mail"])
    })

    it("a nested write kills what holds the related model", async () => {
      const { prisma, reads, user } = await warm(make, consistency)
      await prisma.user.update({ where: { id: user.id }, data: { posts: { create: { title: "second" } } } })
      const { data } = await answerTo(reads["its row with its posts"])
      expect(data?.posts.map(({ title }) => title)).toEqual(["first", "second"])
    })

    it("bulk and raw writes reach every row", async () => {
      const { prisma, reads } = await warm(make, consistency)
      await prisma.user.updateMany({ where: { email: "nobody" }, data: { name: "x" } })
      expect(await alive(reads)).toEqual([])
      await statuses(reads)
      await prisma.$executeRaw`UPDATE "User" SET name = 'raw'`.touches("User")
      expect(await alive(reads)).toEqual([])
    })

    it("a row that was not there is found once it is, and by a changed unique value", async () => {
      const { prisma } = make({ invalidation: "auto", consistency })
      const [first, second] = [email(), email()]
      const read = (address: string) => () => prisma.user.findUnique({ where: { email: address }, cache: true })
      expect((await answerTo(read(first))).data).toBeNull()
      expect(await statusOf(read(first))).toBe("hit")
      const { id } = await prisma.user.create({ data: { email: first } })
      expect((await answerTo(read(first))).data).toMatchObject({ id })
      expect((await answerTo(read(second))).data).toBeNull()
      await prisma.user.update({ where: { id }, data: { email: second } })
      expect((await answerTo(read(first))).data).toBeNull()
      expect((await answerTo(read(second))).data).toMatchObject({ id })
      await prisma.user.delete({ where: { email: second } })
      expect((await answerTo(read(second))).data).toBeNull()
    })

    it("a transaction invalidates at its commit, and nothing at its rollback", async () => {
      const { prisma, reads, user } = await warm(make, consistency)
      const rolledBack = prisma.$transaction(async (tx) => {
        await tx.user.update({ where: { id: user.id }, data: { name: "never" } })
        throw abort
      })
      await expect(rolledBack).rejects.toBe(abort)
      expect(await alive(reads)).toEqual(Object.keys(reads))
      await prisma.$transaction(async (tx) => {
        await tx.user.update({ where: { id: user.id }, data: { name: "new" } })
        // Nobody outside has seen it yet, and nobody may keep what they see.
        const outside = await reads["its row, by id"]().withCacheInfo()
        expect(outside.data?.name).toBe(null)
        expect(outside.info.status).toBe(consistency === "strict" ? "bypass" : "hit")
      })
      expect(await alive(reads)).toEqual([])
      expect((await answerTo(reads["its row, by id"])).data?.name).toBe("new")
    })

    it("a batch invalidates when it has been carried out", async () => {
      const { other, prisma, reads, user } = await warm(make, consistency)
      await prisma.$transaction([
        prisma.user.update({ where: { id: user.id }, data: { name: "new" } }),
        prisma.user.update({ where: { id: other.id }, data: { name: "new" } })
      ])
      expect(await alive(reads)).toEqual([])
    })

    it("a write that the database refuses invalidates nothing", async () => {
      const { other, prisma, reads, user } = await warm(make, consistency)
      await expect(prisma.user.update({ where: { id: user.id }, data: { email: other.email } })).rejects.toMatchObject({ code: "P2002" })
      expect(await alive(reads)).toEqual(Object.keys(reads))
    })

    it("a write's own result is found under its key, and dies with the row", async () => {
      const { prisma, user } = await warm(make, consistency)
      const key = (id: number) => `user-${id}`
      const read = () => prisma.user.findUnique({ where: { id: user.id }, cache: key(user.id) })
      await prisma.user.update({ where: { id: user.id }, data: { name: "own" }, cache: { key: ({ id }) => key(id) } })
      expect(await answerTo(read)).toMatchObject({ data: { name: "own" }, info: { status: "hit" } })
      await prisma.user.update({ where: { id: user.id }, data: { name: "newer" } })
      expect(await answerTo(read)).toMatchObject({ data: { name: "newer" }, info: { status: "miss" } })
    })
  })
}

onMemory(database, "what is derived from a query", (make) => {
  it("is told without sending it: its entry's key, its dependencies, what invalidates it", async () => {
    const { prisma } = make()
    const args = { where: { email: email() }, select: { name: true } }
    database.sql.reset()
    const told = prisma.$cache.explain("User", "findUnique", { ...args, cache: true })
    expect(database.sql.count()).toBe(0)
    expect(told).toEqual({
      kind: "read",
      key: expect.stringMatching(/^[\w-]{43}$/),
      precision: "row",
      models: ["User"],
      tags: [`r:User:email:${args.where.email}`, "b:User"],
      invalidatedBy: [expect.stringContaining("a write to this row of User"), expect.stringContaining("cascading write to User")]
    })
    expect((await prisma.user.findUnique({ ...args, cache: true }).withCacheInfo()).info.key).toBe(told.key)
    const write = prisma.$cache.explain("User", "update", { where: { id: 1 }, data: { posts: { create: { title: "x" } } } })
    expect(write).toMatchObject({ kind: "write", key: undefined, models: ["User", "Post"] })
  })
})

onMemory(database, "manual invalidation of one model", (make) => {
  it("leaves what is made of it to `uncache` and `$cache`, and everything else as it is", async () => {
    const { prisma } = make({ invalidation: { Post: "manual", User: "auto" } })
    const user = await prisma.user.create({ data: { email: email(), posts: { create: { title: "first" } } }, include: { posts: true } })
    const post = { id: user.posts[0]?.id ?? 0 }
    const reads = {
      "the post": () => prisma.post.findUnique({ where: post, cache: true }),
      "posts": () => prisma.post.findMany({ where: { authorId: user.id }, cache: true }),
      "the user": () => prisma.user.findUnique({ where: { id: user.id }, cache: true }),
      "both": () => prisma.user.findUnique({ where: { id: user.id }, include: { posts: true }, cache: true })
    }
    const hits = async () => {
      const found: Array<string> = []
      for (const [name, read] of Object.entries(reads)) if (await statusOf(read) === "hit") found.push(name)
      return found
    }
    await hits()
    await prisma.post.update({ where: post, data: { title: "second" } })
    expect(await hits()).toEqual(Object.keys(reads))
    await prisma.user.update({ where: { id: user.id }, data: { posts: { update: { where: post, data: { title: "third" } } } } })
    expect(await hits()).toEqual(["the post", "posts"])
    await prisma.$cache.invalidate({ models: ["Post"] })
    expect(await hits()).toEqual(["the user"])
  })

  it("and of a model that is not there is refused", () => {
    expect(() => make({ invalidation: { Pots: "manual" } })).toThrow(/invalidation\.Pots: there is no such model; there are .*Post/)
    expect(() => make({ invalidation: { Post: "sometimes" as "manual" } })).toThrow('"auto", "manual", or one of them by model')
  })
})

onEveryStore(database, "raw SQL", (make) => {
  it("is cached where it says what it reads, and dies with that", async () => {
    const { prisma } = make({ invalidation: "auto" })
    const count = () => prisma.$queryRaw<[{ readonly n: number }]>`SELECT count(*)::int AS n FROM "User"`.cached({ reads: ["User"], ttl: "1 minute" })
    const [{ n }] = await count()
    database.sql.reset()
    while (prisma.$cache.stats().hits === 0) await count()
    await prisma.user.create({ data: { email: email() } })
    expect(await count()).toEqual([{ n: n + 1 }])
  })

  it("that may write and does not say what is told of, invalidates everything, or is refused", async () => {
    const warned = make({ invalidation: "auto" })
    await warned.prisma.$executeRaw`UPDATE "User" SET name = 'x' WHERE false`
    expect(warned.events).toContainEqual({ _tag: "Warning", message: expect.stringContaining(".touches(") })
    const all = make({ invalidation: "auto", rawWrites: "invalidate-all" })
    const read = () => all.prisma.user.count({ cache: true })
    await answerTo(read)
    expect(await statusOf(read)).toBe("hit")
    await all.prisma.$executeRawUnsafe(`UPDATE "User" SET name = 'x' WHERE false`)
    expect(await statusOf(read)).toBe("miss")
    const strict = make({ invalidation: "auto", rawWrites: "refuse" })
    await expect(strict.prisma.$executeRaw`UPDATE "User" SET name = 'x' WHERE false`).rejects.toThrow("touches")
    expect(await strict.prisma.$executeRaw`UPDATE "User" SET name = 'x' WHERE false`.touches()).toBe(0)
    expect(await strict.prisma.$queryRaw`SELECT 1 AS one`).toEqual([{ one: 1 }])
  })
})
