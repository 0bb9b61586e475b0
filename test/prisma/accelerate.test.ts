import { describe, expect, it, onTestFinished } from "vitest"
import { withAccelerate } from "effect-prisma-cache/PrismaCache"
import { until } from "../support/process.js"
import { Prisma } from "./generated/client/client.js"
import { adjustableStore, isMemoryOn, memoryLayer, onEveryStore, onMemory, untyped, useDatabase } from "./support.js"
import type { CachedClient } from "./support.js"

const database = useDatabase((base) => base.user.create({ data: { email: "alice@prisma.io", name: "Alice" } }))

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

const where = { email: { contains: "alice@prisma.io" } }

onEveryStore(database, "cacheStrategy", (make) => {
  it("caches every read that it can stand on, and the info says how it was answered", async () => {
    const { prisma } = make()
    const cacheStrategy = { ttl: 60, swr: 60, tags: ["emails_with_alice"] }
    const reads = {
      findUnique: () => prisma.user.findUnique({ where: { email: "alice@prisma.io" }, cacheStrategy }),
      findUniqueOrThrow: () => prisma.user.findUniqueOrThrow({ where: { email: "alice@prisma.io" }, cacheStrategy }),
      findFirst: () => prisma.user.findFirst({ where, cacheStrategy }),
      findFirstOrThrow: () => prisma.user.findFirstOrThrow({ where, cacheStrategy }),
      findMany: () => prisma.user.findMany({ where, cacheStrategy }),
      count: () => prisma.user.count({ where, cacheStrategy }),
      aggregate: () => prisma.user.aggregate({ where, _max: { id: true }, cacheStrategy }),
      groupBy: () => prisma.user.groupBy({ by: ["name"], where, cacheStrategy }),
      "a fluent call": () => prisma.user.findUnique({ where: { email: "alice@prisma.io" } }).posts({ cacheStrategy })
    }
    for (const [name, read] of Object.entries(reads)) {
      const before = Date.now()
      const miss = await read().withAccelerateInfo()
      expect(miss.info, name).toEqual({
        cacheStatus: "miss",
        lastModified: expect.any(Date),
        region: "local",
        requestId: expect.stringMatching(uuid),
        signature: expect.stringMatching(/^[\w-]{43}$/)
      })
      expect(miss.info.lastModified.getTime()).toBeGreaterThanOrEqual(before)
      await until("it is stored", async () => (await read().withAccelerateInfo()).info.cacheStatus === "ttl")
      const hit = await read().withAccelerateInfo()
      expect(hit.data, name).toEqual(miss.data)
      expect(hit.info.lastModified.getTime()).toBeLessThanOrEqual(Date.now())
      expect([hit.info.signature, hit.info.requestId === miss.info.requestId]).toEqual([miss.info.signature, false])
    }
    expect(await prisma.$accelerate.invalidate({ tags: ["emails_with_alice"] })).toEqual({ requestId: expect.stringMatching(uuid) })
    for (const [name, read] of Object.entries(reads)) expect((await read().withAccelerateInfo()).info.cacheStatus, name).toBe("miss")
  })

  it("without one, inside a transaction, and in a batch the info says that nothing was cached", async () => {
    const { prisma } = make()
    const cacheStrategy = { ttl: 60 }
    expect((await prisma.user.findMany({ where }).withAccelerateInfo()).info.cacheStatus).toBe("none")
    const inside = await prisma.$transaction((tx) => tx.user.findMany({ where, cacheStrategy }).withAccelerateInfo())
    expect([inside.data.length, inside.info.cacheStatus]).toEqual([1, "none"])
    const [batch] = await prisma.$transaction([prisma.user.findMany({ where, cacheStrategy }).withAccelerateInfo()])
    expect([batch.data.length, batch.info.cacheStatus]).toEqual([1, "none"])
  })

  it("is there after further extensions too", async () => {
    const { prisma } = make()
    const extended = prisma.$extends({ model: { user: { first: () => "first" } } })
    const { data, info } = await extended.user.findMany({ where, cacheStrategy: { ttl: 60 } }).withAccelerateInfo()
    expect([data.length, info.cacheStatus, extended.user.first()]).toEqual([1, "miss", "first"])
  })

  it("invalidateAll drops everything", async () => {
    const { prisma } = make()
    const read = () => prisma.user.count({ where, cacheStrategy: { ttl: 60 } }).withAccelerateInfo()
    await read()
    await until("it is stored", async () => (await read()).info.cacheStatus === "ttl")
    expect(await prisma.$accelerate.invalidateAll()).toEqual({ requestId: expect.stringMatching(uuid) })
    expect((await read()).info.cacheStatus).toBe("miss")
  })
})

onMemory(database, "a strategy in time", (make) => {
  // The clock is that of the store, which a memory in front of it does not ask.
  it.skipIf(isMemoryOn)("is fresh for ttl, then expired for swr, by seconds", async () => {
    const { advance, cache } = adjustableStore()
    const { prisma } = make({ cache })
    const read = () => prisma.user.count({ where, cacheStrategy: { ttl: 60, swr: 60 } }).withAccelerateInfo()
    const first = await read()
    await until("it is stored", async () => (await read()).info.cacheStatus === "ttl")
    advance(61_000)
    // The store is a minute ahead of this process, which says how old an answer is.
    expect((await read()).info).toMatchObject({ cacheStatus: "ttl", lastModified: first.info.lastModified })
    advance(60_000)
    expect((await read()).info.cacheStatus).toBe("miss")
  })
})

onEveryStore(database, "what is served expired", (make) => {
  it("is queried anew in the background, by its row and by its model, and is not served once it was written", async () => {
    const { prisma } = make({ invalidation: "auto" })
    const { id } = await prisma.user.create({ data: { email: `swr${Math.random()}@prisma.io`, name: "0" } })
    const cacheStrategy = { ttl: 0, swr: 60 }
    const reads = {
      row: () => prisma.user.findUnique({ where: { id }, cacheStrategy }).withAccelerateInfo(),
      rows: () => prisma.user.findMany({ where: { id }, cacheStrategy }).withAccelerateInfo()
    }
    for (const [name, read] of Object.entries(reads)) {
      const names = async () => [(await read()).data].flat().map((row) => row?.name)
      for (let version = 1; version <= 5; version++) {
        expect((await read()).info.cacheStatus, name).toMatch(/miss|swr/)
        await until("it is served expired", async () => (await read()).info.cacheStatus === "swr")
        // Behind the cache's back: the refresh that this read begins sees it, sooner or later.
        await database.base.user.update({ where: { id }, data: { name: `unseen ${version}` } })
        await until("it was queried anew", async () => (await names())[0] === `unseen ${version}`)
        // Through the cache: no read that begins afterwards misses it.
        await prisma.user.update({ where: { id }, data: { name: `${version}` } })
        expect(await names()).toEqual([`${version}`])
      }
    }
  })
})

onMemory(database, "options that cannot be used", (make) => {
  const rejected = async (call: (prisma: CachedClient) => PromiseLike<unknown>, message: string | RegExp) => {
    const { prisma } = make()
    await expect(call(prisma)).rejects.toThrow(message)
  }

  it("say which, what was given and what is allowed", async () => {
    const find = (cacheStrategy: unknown, more = {}) => (prisma: CachedClient) => untyped(prisma)["user"]!["findMany"]!({ cacheStrategy, ...more })
    await rejected(find({ ttl: -1 }), "cacheStrategy.ttl: got -1, allowed: seconds, 0 or more")
    await rejected(find({ ttl: "1 minute" }), "cacheStrategy.ttl")
    await rejected(find({ swr: NaN }), "cacheStrategy.swr")
    await rejected(find({ ttl: 1, max: 2 }), "cacheStrategy.max: got 2, allowed: no such option; there are ttl, swr, tags")
    await rejected(find({ tags: "a" }), 'cacheStrategy.tags: got "a"')
    await rejected(find(60), "cacheStrategy: got 60")
    await rejected(find({ ttl: 1 }, { cache: true }), "nothing beside cacheStrategy")
  })

  it("a write has none", async () => {
    const create = (prisma: CachedClient) => untyped(prisma)["user"]!["create"]!({ data: { email: "never@prisma.io" }, cacheStrategy: { ttl: 60 } })
    await rejected(create, "cacheStrategy: got an object, allowed: nothing; only reads have it")
    expect(await database.base.user.count({ where: { email: "never@prisma.io" } })).toBe(0)
  })
})

describe("errors of $accelerate", () => {
  const open = (options: Parameters<typeof withAccelerate>[0] = {}) => {
    const prisma = database.base.$extends(withAccelerate({ cache: memoryLayer(), ...options }))
    onTestFinished(() => prisma.$cache.close())
    return prisma
  }
  const code = async (promise: Promise<unknown>): Promise<string> => {
    const error: unknown = await promise.then(() => undefined, (reason: unknown) => reason)
    if (!(error instanceof Prisma.PrismaClientKnownRequestError)) throw new Error("no error that Prisma knows", { cause: error })
    expect(error.clientVersion).toBe(Prisma.prismaVersion.client)
    return error.code
  }

  it("are those of Prisma, with a code, where invalidations are limited", async () => {
    const prisma = open({ limits: { invalidationsPerMinute: 2 } })
    await prisma.$accelerate.invalidate({ tags: ["a"] })
    await prisma.$accelerate.invalidateAll()
    expect(await code(prisma.$accelerate.invalidate({ tags: ["a"] }))).toBe("P6003")
    expect(await code(prisma.$accelerate.invalidateAll())).toBe("P6003")
  })

  it("where tags are none, or beyond Accelerate's limits if those are asked for", async () => {
    const six = ["a", "b", "c", "d", "e", "f"]
    const free = open()
    await free.$accelerate.invalidate({ tags: [...six, "with spaces", "x".repeat(65)] })
    expect(await code(free.$accelerate.invalidate({ tags: [""] }))).toBe("P6005")
    expect(await code(free.$accelerate.invalidate({} as never))).toBe("P6005")
    const limited = open({ limits: "accelerate" })
    await limited.$accelerate.invalidate({ tags: ["emails_with_alice"] })
    for (const tags of [six, ["with spaces"], ["x".repeat(65)]]) expect(await code(limited.$accelerate.invalidate({ tags }))).toBe("P6005")
    await expect(limited.user.findMany({ cacheStrategy: { ttl: 1, tags: six } })).rejects.toThrow("got 6 tags, allowed: 5 at the most")
  })

  it("where the cache cannot be reached", async () => {
    const prisma = open({ cache: "valkey://127.0.0.1:1" })
    expect(await code(prisma.$accelerate.invalidate({ tags: ["a"] }))).toBe("P6008")
    expect(await prisma.user.count({ where, cacheStrategy: { ttl: 60 } })).toBe(1)
  })
})
