import { describe, expect, it, vi } from "vitest"
import { insertCounter, readNames, readsOf, setCounter, writeNames, writesOf } from "./counters.js"
import { insertPeople } from "./rows.js"
import { answerTo, missThenHit, onEveryStore, onMemory, statusOf, untyped, useDatabase } from "./support.js"
import type { Read } from "./support.js"

const database = useDatabase(insertPeople)

onEveryStore(database, "withCacheInfo", (make) => {
  it.each(readNames)("tells how an answer came about: %s", async (operation) => {
    const { prisma } = make()
    const name = await insertCounter(database.base)
    const args = Object.fromEntries(readsOf(name))[operation] as object
    const read = (options: object) => () => untyped(prisma)["counter"]![operation]!({ ...args, ...options })
    const truth = await untyped(database.base)["counter"]![operation]!(args)
    const told = async (options: object) => {
      const { data, info } = await answerTo(read(options))
      expect(data).toEqual(truth)
      return info
    }
    const digest = expect.stringMatching(/^[\w-]{43}$/)
    const nothing = { key: undefined, tags: [], age: undefined, ttl: undefined }
    expect(await told({})).toEqual({ ...nothing, status: "off" })
    expect(await told({ cache: { bypass: true } })).toEqual({ ...nothing, status: "bypass" })
    expect(await told({ cache: true })).toMatchObject({ status: "miss", key: digest, tags: [] })
    expect(await told({ cache: true })).toMatchObject({ status: "hit", key: digest, tags: [] })
    expect(await told({ cache: { refresh: true } })).toMatchObject({ status: "refreshed", key: digest })
    const joined = await Promise.all([1, 2].map(() => read({ cache: "k" })().withCacheInfo()))
    expect(joined.map(({ info }) => info.status).sort()).toEqual(["joined", "miss"])
    expect(joined.map(({ data }) => data)).toEqual([truth, truth])
    await prisma.$transaction(async (tx) => {
      const inside = await untyped(tx)["counter"]![operation]!({ ...args, cache: true }).withCacheInfo()
      expect(inside).toEqual({ data: truth, info: { ...nothing, status: "bypass" } })
    })
  })

  it("runs its query once, however often and by whatever way it is waited for", async () => {
    const { prisma } = make()
    const name = await insertCounter(database.base)
    database.sql.reset()
    const told = prisma.counter.findUnique({ where: { name }, cache: false }).withCacheInfo()
    expect(database.sql.count()).toBe(0)
    const [one, other] = await Promise.all([told, told.then(({ data }) => data)])
    let settled = 0
    await told.finally(() => settled++)
    expect([one.data, other, settled, database.sql.count()]).toEqual([{ name, value: 1 }, { name, value: 1 }, 1, 1])
    await expect(
      prisma.user
        .findUniqueOrThrow({ where: { id: 404 }, cache: true })
        .withCacheInfo()
        .catch((error: unknown) => {
          throw error
        })
    ).rejects.toMatchObject({ code: "P2025" })
  })

  it("is there on fluent calls, one and two relations away, whose wish is the deepest that was made", async () => {
    const { prisma } = make()
    const author = (cache: boolean) => prisma.post.findUnique({ where: { id: 1 } }).author({ cache })
    expect(await statusOf(() => author(false))).toBe("off")
    await missThenHit(database.sql, () => author(true))
    await missThenHit(database.sql, () =>
      prisma.post
        .findUnique({ where: { id: 1 } })
        .author()
        .profile({ cache: true })
    )
    await missThenHit(database.sql, () =>
      prisma.post
        .findUnique({ where: { id: 2 }, cache: true })
        .author()
        .profile()
    )
    await missThenHit(database.sql, () =>
      prisma.post
        .findUnique({ where: { id: 1 } })
        .author({ cache: true })
        .posts({ take: 1 })
    )
    expect(
      await statusOf(() =>
        prisma.post
          .findUnique({ where: { id: 2 }, cache: true })
          .author({ cache: false })
          .profile()
      )
    ).toBe("off")
    expect(
      await prisma.post
        .findUnique({ where: { id: 1 }, cache: true })
        .author()
        .profile()
    ).toEqual({ id: 1, bio: "first", userId: 1 })
  })

  it("is there where a relation is asked for with arguments, which are nobody's but the relation's", async () => {
    const { prisma } = make()
    const posts = (take: number) => () =>
      prisma.user
        .findUnique({ where: { id: 1 } })
        .posts({ take, orderBy: { id: "asc" }, include: { tags: true }, cache: { key: undefined, ttl: 60_000 } })
    const [one] = await missThenHit(database.sql, posts(1))
    const [two] = await missThenHit(database.sql, posts(2))
    expect([one?.length, two?.length]).toEqual([1, 2])
  })

  it("is on no write, and on nothing of the client itself", async () => {
    const { prisma } = make()
    for (const [operation, args] of writesOf(await insertCounter(database.base))) {
      const promise = untyped(prisma)["counter"]![operation]!(args)
      expect("withCacheInfo" in promise).toBe(false)
      expect((promise as Partial<Read>).withCacheInfo).toBeUndefined()
    }
    expect(writeNames).toHaveLength(9)
    const raw = prisma.$queryRaw`SELECT 1 AS one`
    expect("withCacheInfo" in raw).toBe(false)
    expect(await raw).toEqual([{ one: 1 }])
  })
})

onMemory(database, "the client behind the extension", (make) => {
  it("has the same functions each time it is asked", () => {
    const { prisma } = make()
    for (const member of ["$disconnect", "$connect", "$transaction", "$queryRaw", "$extends", "$cache"] as const) {
      expect(prisma[member]).toBe(prisma[member])
    }
    expect(prisma.user).toBe(prisma.user)
    expect(prisma.user.findMany).toBe(prisma.user.findMany)
    expect((prisma as unknown as { User: object }).User).toBeDefined()
  })

  it("answers raw queries, has fields and metadata, and may be spread", async () => {
    const { prisma } = make()
    expect(await prisma.$queryRaw`SELECT count(*)::int AS n FROM "User"`).toEqual([{ n: 3 }])
    expect(await prisma.$executeRaw`UPDATE "User" SET name = name WHERE id = 1`).toBe(1)
    expect(prisma.user.fields.email).toMatchObject({ modelName: "User", name: "email" })
    expect((prisma.user as unknown as { $name: string }).$name).toBe("User")
    const parts = { ...prisma }
    expect(Object.keys(parts)).toEqual([...Object.keys(database.base.$extends({})), "$cache", "$accelerate"])
    expect(await parts.user.findMany({ cache: true })).toHaveLength(3)
    expect(Object.prototype.toString.call(prisma.user.findMany())).toBe(
      Object.prototype.toString.call(database.base.user.findMany())
    )
    expect(prisma.constructor).toBe(database.base.$extends({}).constructor)
  })

  it("leaves the client it was given as it was", async () => {
    make()
    expect("withCacheInfo" in database.base.user.findMany()).toBe(false)
    expect("$cache" in database.base).toBe(false)
    await expect(untyped(database.base)["user"]!["findMany"]!({ cache: true })).rejects.toThrow(/cache/)
  })

  it("refuses arguments that are none, as Prisma does", async () => {
    const { prisma } = make()
    await expect((prisma.user.findMany as (args: unknown) => Promise<unknown>)("all")).rejects.toThrow()
    expect(await prisma.user.findMany(undefined)).toHaveLength(3)
  })

  it("has errors that show the caller's line, as Prisma's own do", async () => {
    const { prisma } = make()
    const messages = await Promise.all(
      [prisma, database.base.$extends({}) as unknown as typeof prisma].map(async (client) => {
        const wrong = { where: { nmae: 1 } } as object
        const error: Error = await client.user.findMany(wrong).then(
          () => new Error("none"),
          (error) => error
        )
        const asked = client === prisma ? { ...wrong, cache: true } : wrong
        const cached: Error = await client.user.findFirst(asked).then(
          () => new Error("none"),
          (error) => error
        )
        const written: Error = await client.user.updateMany({ ...wrong, data: {} }).then(
          () => new Error("none"),
          (error) => error
        )
        const fluent: Error = await client.user
          .findUnique({ where: { id: 1 } })
          .posts(wrong)
          .then(
            () => new Error("none"),
            (error) => error
          )
        return [error, cached, written, fluent].map(({ message }) => message).join("\n")
      })
    )
    expect(messages[0]).toBe(messages[1])
    expect(messages[0]).toContain("facade.test.ts")
  })

  it("leaves arguments as they were given: an object that is used again means the same again", async () => {
    const { prisma } = make()
    const args = Object.freeze({ where: Object.freeze({ id: 1 }), cache: Object.freeze({ ttl: 60_000, key: "k" }) })
    expect([
      await statusOf(() => prisma.user.findUnique(args)),
      await statusOf(() => prisma.user.findUnique(args))
    ]).toEqual(["miss", "hit"])
    expect(args).toEqual({ where: { id: 1 }, cache: { ttl: 60_000, key: "k" } })
  })
})

describe("a method that a test puts in the place of another", () => {
  onMemory(database, "on a model", (make) => {
    it("is called, and restored by vi.spyOn", async () => {
      const { prisma } = make()
      const original = prisma.user.findUnique
      const spy = vi.spyOn(prisma.user, "findUnique").mockResolvedValue({ id: 99 } as never)
      expect(await prisma.user.findUnique({ where: { id: 1 }, cache: true })).toEqual({ id: 99 })
      expect(spy).toHaveBeenCalledWith({ where: { id: 1 }, cache: true })
      spy.mockRestore()
      expect(await prisma.user.findUnique({ where: { id: 1 }, cache: true })).toMatchObject({
        email: "ada@example.com"
      })
      expect(await statusOf(() => prisma.user.findUnique({ where: { id: 1 }, cache: true }))).toBe("hit")
      expect(prisma.user.findUnique).toBe(original)
    })

    it("may call the original", async () => {
      const { prisma } = make()
      const spy = vi.spyOn(prisma.user, "findUnique")
      expect(await prisma.user.findUnique({ where: { id: 1 }, cache: true })).toMatchObject({
        email: "ada@example.com"
      })
      expect(await statusOf(() => prisma.user.findUnique({ where: { id: 1 }, cache: true }))).toBe("hit")
      expect(spy.mock.calls.length).toBeGreaterThan(1)
      spy.mockRestore()
      expect(await statusOf(() => prisma.user.findUnique({ where: { id: 1 }, cache: true }))).toBe("hit")
    })

    it("may be assigned, and the original assigned back", async () => {
      const { prisma } = make()
      const model = untyped(prisma)["user"]!
      const original = model["findMany"]!
      model["findMany"] = () => Promise.resolve(["assigned"]) as unknown as Read
      expect(await prisma.user.findMany()).toEqual(["assigned"])
      model["findMany"] = (args) => original(args)
      expect(await prisma.user.findMany()).toHaveLength(3)
      model["findMany"] = original
      expect(await prisma.user.findMany({ cache: true })).toHaveLength(3)
      expect(await statusOf(() => prisma.user.findMany({ cache: true }))).toBe("hit")
    })
  })

  onMemory(database, "on the client", (make) => {
    it("is called, and restored", async () => {
      const { prisma } = make()
      const spy = vi.spyOn(prisma, "$transaction").mockResolvedValue("mocked" as never)
      expect(await prisma.$transaction([])).toBe("mocked")
      spy.mockRestore()
      expect(await prisma.$transaction([prisma.user.count()])).toEqual([3])
    })

    it("may be a whole model", async () => {
      const { prisma } = make()
      const model = prisma.user
      Object.assign(prisma, { user: { findMany: async () => "a fake" } })
      expect(await prisma.user.findMany()).toBe("a fake")
      Object.assign(prisma, { user: model })
      expect(await statusOf(() => prisma.user.findMany())).toBe("off")
    })
  })
})

onEveryStore(database, "stats", (make) => {
  it("count what happened since the extension was made", async () => {
    const { events, prisma } = make()
    const nothing = { hits: 0, stale: 0, misses: 0, joined: 0, fills: 0, errors: 0, invalidations: 0 }
    expect(prisma.$cache.stats()).toEqual(nothing)
    expect(prisma.$cache.health()).toMatchObject({ status: "closed" })
    const name = await insertCounter(database.base)
    await answerTo(() => prisma.counter.findUnique({ where: { name }, cache: "k" }))
    await answerTo(() => prisma.counter.findUnique({ where: { name }, cache: "k" }))
    await prisma.counter.update({ where: { name }, data: { value: 2 }, uncache: "k" })
    await setCounter(database.base, name, 1)
    expect(prisma.$cache.stats()).toMatchObject({ hits: 1, misses: 1, fills: 1, errors: 0, invalidations: 1 })
    expect(prisma.$cache.health()).toMatchObject({ status: "ok" })
    const tags = events.map(({ _tag }) => _tag).filter((tag) => tag !== "Joined")
    expect(tags.sort()).toEqual(["Filled", "Hit", "Invalidated", "Miss"])
    expect(JSON.stringify(events)).not.toContain(name)
  })
})

onMemory(database, "a listener that throws", (make) => {
  it("is no business of a query", async () => {
    const log = vi.spyOn(console, "log").mockImplementation(() => {})
    const { prisma } = make({
      onEvent: () => {
        throw new Error("the listener is broken")
      }
    })
    const name = await insertCounter(database.base)
    await missThenHit(database.sql, () => prisma.counter.findUnique({ where: { name }, cache: true }))
    // Each of these has something to warn of.
    expect(await prisma.counter.update({ where: { name }, data: { value: 2 }, cache: { key: () => "" } })).toEqual({
      name,
      value: 2
    })
    expect(
      await prisma.$extends({ query: { counter: {} } }).counter.findMany({ where: { name }, cache: true })
    ).toHaveLength(1)
    log.mockRestore()
  })
})
