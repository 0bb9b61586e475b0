import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { expect, it, vi } from "vitest"
import * as CacheStore from "effect-prisma-cache/CacheStore"
import type { PrismaCacheOptions } from "effect-prisma-cache/PrismaCache"
import { insertPeople } from "./rows.js"
import { answerTo, exactly, isMemoryOn, memoryLayer, missThenHit, onEveryStore, untyped, useDatabase, watchPrisma } from "./support.js"
import type { Read } from "./support.js"

const database = useDatabase(insertPeople)

const one = { where: { id: 1 }, cache: true } as const

onEveryStore(database, "the short cut", (make) => {
  const found = async (options: PrismaCacheOptions = {}) => {
    const { prisma } = make(options)
    await missThenHit(database.sql, () => prisma.user.findUnique(one))
    return prisma
  }

  it("answers a hit without Prisma's machinery, and the hook does where it is turned off", async () => {
    const prisma = watchPrisma(database.base)
    const short = await found()
    expect(await prisma.entered(() => short.user.findUnique(one))).toBe(0)
    expect(await prisma.entered(() => short.user.findUnique(one).withCacheInfo())).toBe(0)
    const long = await found({ shortCut: false })
    expect(await prisma.entered(() => long.user.findUnique(one))).toBe(1)
  })

  it("is taken by nobody in whose client something else has a say", async () => {
    const prisma = watchPrisma(database.base)
    const short = await found({ trustLaterExtensions: true })
    const query = short.$extends({ query: { $allModels: { $allOperations: ({ args, query }) => query(args) } } })
    const result = short.$extends({ result: { user: { shout: { needs: { name: true }, compute: () => "!" } } } })
    const neither = short.$extends({ client: { hello: () => "hello" }, model: { user: { hi: () => "hi" } } })
    for (const client of [query, result]) {
      await client.user.findUnique(one)
      expect(await prisma.entered(() => client.user.findUnique(one))).toBe(1)
    }
    expect(await prisma.entered(() => neither.user.findUnique(one))).toBe(0)
  })

  it("is not taken in transactions, for reads that are to be queried anew, nor with a key that is a function", async () => {
    const prisma = watchPrisma(database.base)
    const client = await found()
    const refresh = { ...one, cache: { refresh: true } }
    const named = { ...one, cache: { key: () => "a" } }
    expect(await prisma.entered(() => client.user.findUnique(refresh))).toBe(1)
    await client.user.findUnique(named)
    expect(await prisma.entered(() => client.user.findUnique(named))).toBe(1)
    expect(await prisma.entered(() => client.$transaction((tx) => tx.user.findUnique(one)))).toBeGreaterThan(0)
    database.sql.reset()
    await client.$transaction([client.user.findUnique(one), client.user.findUnique({ where: { id: 2 }, cache: true })])
    expect(database.sql.count()).toBeGreaterThan(0)
  })

  it("gives what the hook gives, and shares its entries", async () => {
    const { options, prisma } = make()
    const long = make({ ...options, shortCut: false }).prisma
    const reads = (client: object): ReadonlyArray<() => Read> => [
      () => untyped(client)["user"]!["findUnique"]!(one),
      () => untyped(client)["user"]!["findMany"]!({ where: { id: { lt: 3 } }, include: { posts: true }, cache: true }),
      () => untyped(client)["user"]!["count"]!({ cache: "people" }),
      () => untyped(client)["user"]!["findFirst"]!({ where: { id: 404 }, cache: { ttl: 60_000, tags: ["nobody"] } })
    ]
    for (const [i, read] of reads(prisma).entries()) {
      const [miss, hit] = await missThenHit(database.sql, read)
      const other = await answerTo(reads(long)[i]!)
      expect(other.info.status).toBe("hit")
      expect(new Set([miss, hit, other.data].map(exactly)).size).toBe(1)
    }
  })

  // A memory in front of the store saves it that look.
  it.skipIf(isMemoryOn)("does nothing until it is waited for, and then looks once", async () => {
    const lookups = vi.fn()
    const counting = Layer.effect(
      CacheStore.CacheStore,
      Effect.map(CacheStore.CacheStore, (store) =>
        CacheStore.make({
          ...store,
          lookup: Object.assign(
            (entry: string, tags: ReadonlyArray<string>) => (lookups(), store.lookup(entry, tags)),
            {
              unsafe: ((...args) => (lookups(), void store.lookup.unsafe?.(...args))) satisfies CacheStore.UnsafeLookup
            }
          )
        }))
    )
    const cache = memoryLayer()
    const { prisma } = make({ cache: Layer.merge(cache, Layer.provide(counting, cache)) })
    await missThenHit(database.sql, () => prisma.user.findUnique(one))
    for (const args of [one, { where: { id: 2 }, cache: true }]) {
      lookups.mockClear()
      const read = prisma.user.findUnique(args)
      expect(lookups).not.toHaveBeenCalled()
      const [first, second] = await Promise.all([read, read.then((row) => row)])
      expect(first).toEqual(second)
      await read.finally(() => {})
      // A miss looks a second time when it has the lock.
      expect(lookups).toHaveBeenCalledTimes(args === one ? 1 : 2)
    }
  })

  it.each([false, true])("asks for what it named, whatever becomes of the arguments meanwhile: short cut %s", async (shortCut) => {
    const { prisma } = make({ shortCut })
    const select = { id: true }
    await missThenHit(database.sql, () => prisma.user.count({ cache: true }))
    const where = { id: 1 }
    const moved = prisma.user.findMany({ where, select, cache: true }).then((rows) => rows)
    where.id = 2
    await moved
    let turn = 2
    const turning = {
      get id() {
        return ++turn
      }
    }
    await prisma.user.findMany({ where: turning, select, cache: true })
    const lt = new Date(0)
    const later = prisma.user.count({ where: { createdAt: { lt } }, cache: true }).then((count) => count)
    lt.setTime(4e12)
    await later
    for (const id of [1, 2, 3]) {
      const { data } = await answerTo(() => prisma.user.findMany({ where: { id }, select, cache: true }))
      expect(data).toEqual(await database.base.user.findMany({ where: { id }, select }))
    }
    const { data } = await answerTo(() => prisma.user.count({ where: { createdAt: { lt: new Date(0) } }, cache: true }))
    expect(data).toBe(0)
  })
})
