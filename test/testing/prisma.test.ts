import * as Effect from "effect/Effect"
import * as MemoryCache from "effect-prisma-cache/MemoryCache"
import { prismaCache } from "effect-prisma-cache/PrismaCache"
import type { PrismaCacheOptions } from "effect-prisma-cache/PrismaCache"
import { EventLog, Faults, TestCache } from "effect-prisma-cache/testing"
import { describe, expect, it, onTestFinished } from "vitest"
import { insertCounter } from "../prisma/counters.js"
import { answerTo, missThenHit, useDatabase } from "../prisma/support.js"

const database = useDatabase()

/** A client, and a read that anybody may cache. */
const make = async (options: PrismaCacheOptions) => {
  const name = await insertCounter(database.base)
  const prisma = database.base.$extends(prismaCache(options))
  onTestFinished(() => prisma.$cache.close())
  return { prisma, name, read: () => prisma.counter.findUnique({ where: { name }, cache: true }) }
}

describe("the tools for tests, around the Prisma extension", () => {
  it("log what it tells", async () => {
    const log = EventLog.make()
    const { read } = await make({ cache: MemoryCache.layerServices(), onEvent: log.onEvent })
    await missThenHit(database.sql, read)
    expect(Effect.runSync(log.of("Hit"))).toMatchObject([{ label: "Counter.findUnique" }])
    expect(Effect.runSync(log.take).length).toBeGreaterThan(1)
    expect(Effect.runSync(log.all)).toEqual([])
  })

  it("keep it from caching", async () => {
    const { name, prisma, read } = await make({ cache: TestCache.layerServicesNever })
    for (let i = 0; i < 3; i++) {
      database.sql.reset()
      expect(await answerTo(read)).toMatchObject({ data: { value: 1 }, info: { status: "bypass" } })
      expect(database.sql.count()).toBe(1)
    }
    await prisma.counter.update({ where: { name }, data: { value: 2 } })
    expect(await read()).toEqual({ name, value: 2 })
    await prisma.$cache.invalidateAll()
  })

  it("put its store out of order and back", async () => {
    const faults = Faults.make()
    const { read } = await make({ cache: faults.around(MemoryCache.layerServices()) })
    await missThenHit(database.sql, read)
    Effect.runSync(faults.every(Faults.operations, Faults.fail("Unavailable", "ECONNREFUSED")))
    database.sql.reset()
    expect((await answerTo(read)).data).toMatchObject({ value: 1 })
    expect(database.sql.count()).toBe(1)
    expect(Effect.runSync(faults.struck("lookup"))).toBeGreaterThan(0)
    Effect.runSync(faults.heal())
    expect((await answerTo(read)).info.status).toBe("hit")
  })
})
