import * as Effect from "effect/Effect"
import { describe, expect, it, onTestFinished } from "vitest"
import { CacheError, QueryTimeoutError } from "effect-prisma-cache/CacheError"
import * as MemoryCache from "effect-prisma-cache/MemoryCache"
import { prismaCache } from "effect-prisma-cache/PrismaCache"
import type { PrismaCacheOptions } from "effect-prisma-cache/PrismaCache"
import { EventLog, Faults } from "effect-prisma-cache/testing"
import { makePrisma } from "../support/database.js"
import { until } from "../support/process.js"
import { uniqueName } from "../support/servers.js"
import { useDatabase } from "./support.js"

const database = useDatabase()

/** A client whose store can be put out of order. */
const make = (options: PrismaCacheOptions = {}) => {
  const { close, prisma, sql } = makePrisma(database.url)
  const faults = Faults.make()
  const log = EventLog.make()
  const cache = faults.around(MemoryCache.layerServices())
  const extended = prisma.$extends(prismaCache({ cache, budget: 30_000, writeBudget: 30_000, onEvent: log.onEvent, ...options }))
  onTestFinished(async () => {
    Effect.runSync(faults.heal())
    await close()
  })
  return {
    prisma: extended,
    sql,
    events: (tag: Parameters<typeof log.of>[0]) => Effect.runSync(log.of(tag)).length,
    fail: () => Effect.runSync(faults.every(Faults.operations, Faults.fail())),
    heal: () => Effect.runSync(faults.heal())
  }
}

const insertCounter = async (): Promise<string> => {
  const { name } = await database.base.counter.create({ data: { name: uniqueName("counter"), value: 1 } })
  return name
}

const readOf = (prisma: ReturnType<typeof make>["prisma"], name: string) => () =>
  prisma.counter.findUnique({ where: { name }, cache: { ttl: "1 hour" } }).withCacheInfo()

describe("while the cache is out of order", () => {
  it("queries cost what they cost without one, and it is used again when it is well", async () => {
    const { events, fail, heal, prisma, sql } = make()
    const name = await insertCounter()
    const read = readOf(prisma, name)
    expect(prisma.$cache.health()).toEqual({ status: "closed", suspended: [], undelivered: 0 })
    await read()
    expect(prisma.$cache.health().status).toBe("ok")
    fail()
    for (let time = 0; time < 20; time++) expect((await read()).data).toMatchObject({ value: 1 })
    expect(prisma.$cache.health()).toEqual({ status: "down", suspended: [""], undelivered: 0 })
    sql.reset()
    expect((await read()).info.status).toBe("bypass")
    expect(sql.count()).toBe(1)
    await prisma.counter.update({ where: { name }, data: { value: 2 } })
    expect(prisma.$cache.health().undelivered).toBeGreaterThan(0)
    heal()
    await until("the cache is well", () => prisma.$cache.health().status === "ok")
    await until("the row is cached", async () => (await read()).info.status === "hit")
    expect((await read()).data).toMatchObject({ value: 2 })
    expect([events("BreakerOpened"), events("BreakerClosed")]).toEqual([1, 1])
  })

  it("writes are carried out, and what they made invalid is read from the database", async () => {
    const { fail, heal, prisma } = make()
    const name = await insertCounter()
    const read = readOf(prisma, name)
    await until("the row is cached", async () => (await read()).info.status === "hit")
    fail()
    await prisma.counter.update({ where: { name }, data: { value: 2 } })
    heal()
    expect((await read()).data).toMatchObject({ value: 2 })
  })

  it.each(["strict", "after-commit"] as const)("writes are refused where that is asked for: %s", async (consistency) => {
    const { fail, heal, prisma, sql } = make({ onUnreachable: "refuse", consistency })
    const name = uniqueName("refused")
    await prisma.counter.create({ data: { name, value: 1 } })
    fail()
    sql.reset()
    const update = { where: { name }, data: { value: 2 } }
    for (let time = 0; time < 15; time++) await expect(prisma.counter.update(update)).rejects.toBeInstanceOf(CacheError)
    await expect(prisma.$transaction([prisma.counter.update(update)])).rejects.toBeInstanceOf(CacheError)
    await expect(prisma.$transaction(async (tx) => tx.counter.update(update))).rejects.toBeInstanceOf(CacheError)
    await expect(prisma.$executeRaw`UPDATE "Counter" SET value = 2 WHERE name = ${name}`.touches("Counter")).rejects.toBeInstanceOf(CacheError)
    expect(sql.statements.filter((statement) => statement.includes("UPDATE"))).toEqual([])
    expect(await prisma.counter.findUnique({ where: { name } })).toMatchObject({ value: 1 })
    heal()
    await until("writes go on", () => prisma.counter.update(update).then(() => true, () => false))
    expect(await prisma.counter.findUnique({ where: { name } })).toMatchObject({ value: 2 })
  })

  it("an invalidation by hand says that it was not delivered, and is made up for", async () => {
    const { fail, heal, prisma } = make()
    const name = await insertCounter()
    const read = readOf(prisma, name)
    await until("the row is cached", async () => (await read()).info.status === "hit")
    fail()
    await expect(prisma.$cache.invalidate({ models: ["Counter"] })).rejects.toMatchObject({ _tag: "CacheError", reason: "Unavailable" })
    await expect(prisma.$accelerate.invalidateAll()).rejects.toMatchObject({ code: "P6008" })
    heal()
    await until("it is made up for", () => prisma.$cache.health().undelivered === 0)
    expect((await read()).info.status).toBe("miss")
  })
})

describe("a query that takes too long", () => {
  it("fails where it has a hard timeout, and names the query and the time", async () => {
    const { base } = database
    const slow = base.$extends(prismaCache({ cache: MemoryCache.layerServices(), trustLaterExtensions: true })).$extends({
      name: "slow",
      query: {
        counter: {
          findMany: async ({ args, query }) => {
            await base.$queryRaw`SELECT pg_sleep(1)::text`
            return query(args)
          }
        }
      }
    })
    const error: unknown = await slow.counter.findMany({ take: 1, cache: { hardTimeout: 50 } }).catch((error: unknown) => error)
    expect(error).toBeInstanceOf(QueryTimeoutError)
    expect(error).toMatchObject({ label: "Counter.findMany", millis: 50 })
  })
})
