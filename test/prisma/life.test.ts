import { Redis } from "iovalkey"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { prismaCache } from "effect-prisma-cache/PrismaCache"
import { spawn } from "node:child_process"
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest"
import type { Bundle } from "../support/bundle.js"
import { bundle } from "../support/bundle.js"
import { makePrisma } from "../support/database.js"
import { exited } from "../support/process.js"
import { uniqueName, valkeyUrl } from "../support/servers.js"
import { insertCounter } from "./counters.js"
import { answerTo, memoryLayer, missThenHit, onEveryStore, statusOf, useDatabase } from "./support.js"
import type { BaseClient, CachedClient } from "./support.js"
import { unhurried } from "../support/unhurried.js"

const database = useDatabase()

/** A client of the test's own, on the file's database. */
const ownClient = (): BaseClient => {
  const { close, prisma } = makePrisma(database.url)
  onTestFinished(close)
  return prisma
}

const reading = (prisma: CachedClient) => () => prisma.counter.findMany({ take: 1, cache: true })

describe("a program that has closed its clients exits by itself", () => {
  let program: Bundle

  beforeAll(async () => {
    program = await bundle(new URL("./program.ts", import.meta.url))
  })
  afterAll(() => program?.remove())

  it.each([
    ["in memory, which it says once", false],
    ["on Valkey", true]
  ])("%s", async (_, onValkey) => {
    const args = [program.file, database.url, ...(onValkey ? [valkeyUrl()] : [])]
    const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"] })
    let said = ""
    let errors = ""
    let closedAt = Number.NaN
    child.stdout.on("data", (chunk: Buffer) => {
      said += chunk.toString()
      if (said.includes("closed") && Number.isNaN(closedAt)) closedAt = performance.now()
    })
    child.stderr.on("data", (chunk: Buffer) => (errors += chunk.toString()))
    await exited(child)
    expect([child.exitCode, errors]).toEqual([0, ""])
    // A pool of Prisma's or a timer left running would hold it for ten seconds and more.
    expect(performance.now() - closedAt).toBeLessThan(3_000)
    const lines = said.trim().split("\n")
    expect(lines.at(-1)).toBe("closed")
    expect(lines.filter((line) => line.includes("no `cache` was given"))).toHaveLength(onValkey ? 0 : 1)
    expect(lines).toHaveLength(onValkey ? 1 : 2)
  })
})

onEveryStore(database, "after $disconnect", (make) => {
  it("a query connects again, and caches again", async () => {
    const { prisma } = make({}, ownClient())
    await missThenHit(database.sql, reading(prisma))
    for (let time = 0; time < 3; time++) {
      await prisma.$disconnect()
      expect(prisma.$cache.health()).toMatchObject({ status: "closed" })
      expect(await prisma.counter.findMany({ take: 1, cache: true })).toEqual(
        await database.base.counter.findMany({ take: 1 })
      )
      expect(await statusOf(reading(prisma))).toBe("hit")
      expect(prisma.$cache.health()).toMatchObject({ status: "ok" })
    }
    await prisma.$disconnect()
    await prisma.$disconnect()
  })

  it("queries that were under way have their answers", async () => {
    const { prisma } = make({}, ownClient())
    const name = await insertCounter(database.base)
    await prisma.$connect()
    const answers = Promise.all(
      Array.from({ length: 10 }, () => prisma.counter.findUnique({ where: { name }, cache: true }))
    )
    await prisma.$cache.close()
    expect(await answers).toEqual(Array.from({ length: 10 }, () => ({ name, value: 1 })))
  })

  it("what was counted before stays counted", async () => {
    const { prisma } = make({}, ownClient())
    await missThenHit(database.sql, reading(prisma))
    const before = prisma.$cache.stats()
    expect(before).toMatchObject({ hits: 1, misses: 1, fills: 1 })
    await prisma.$disconnect()
    expect(prisma.$cache.stats()).toEqual(before)
    expect(await statusOf(reading(prisma))).toBe("hit")
    expect(prisma.$cache.stats()).toEqual({ ...before, hits: 2 })
  })

  it("$cache.close alone leaves the client connected", async () => {
    const { prisma } = make({}, ownClient())
    await answerTo(reading(prisma))
    await prisma.$cache.close()
    await prisma.$cache.close()
    expect(prisma.$cache.health()).toMatchObject({ status: "closed" })
    expect(await prisma.counter.count({ where: { name: "nobody" } })).toBe(0)
    expect(prisma.$cache.health()).toMatchObject({ status: "closed" })
    expect(await statusOf(reading(prisma))).toBe("hit")
  })
})

describe("two clients that were given one extension", () => {
  it("share a cache, which is opened for the first and closed with the last", async () => {
    const life: Array<string> = []
    const cache = Layer.merge(
      memoryLayer(),
      Layer.scopedDiscard(
        Effect.acquireRelease(
          Effect.sync(() => life.push("opened")),
          () => Effect.sync(() => life.push("closed"))
        )
      )
    )
    const extension = prismaCache({ ...unhurried, cache })
    const one: CachedClient = ownClient().$extends(extension)
    const other: CachedClient = ownClient().$extends(extension)
    expect(life).toEqual([])
    expect(await statusOf(reading(one))).toBe("miss")
    expect(await statusOf(reading(other))).toBe("hit")
    await one.$disconnect()
    expect(other.$cache.health()).toMatchObject({ status: "ok" })
    expect(await statusOf(reading(other))).toBe("hit")
    expect(life).toEqual(["opened"])
    await other.$disconnect()
    expect(life).toEqual(["opened", "closed"])
    expect(await statusOf(reading(one))).toBe("hit")
    await one.$disconnect()
    expect(life).toEqual(["opened", "closed", "opened", "closed"])
  })

  it("are not counted twice for what is made of them", async () => {
    const client: CachedClient = ownClient().$extends(prismaCache({ cache: memoryLayer() }))
    const further = client.$extends({ model: { counter: { nothing: () => 0 } } })
    await answerTo(reading(client))
    await answerTo(reading(further as unknown as CachedClient))
    await further.$disconnect()
    expect(client.$cache.health()).toMatchObject({ status: "closed" })
  })

  it("open it once, however many queries come first", async () => {
    let opened = 0
    const cache = Layer.merge(memoryLayer(), Layer.effectDiscard(Effect.sync(() => opened++)))
    const prisma: CachedClient = ownClient().$extends(prismaCache({ ...unhurried, cache }))
    await Promise.all(Array.from({ length: 20 }, (_, take) => prisma.counter.findMany({ take, cache: true })))
    expect(opened).toBe(1)
    await prisma.$disconnect()
  })
})

describe("where entries are kept", () => {
  const roundTrip = async (cache: NonNullable<Parameters<typeof prismaCache>[0]>["cache"]) => {
    const prisma: CachedClient = ownClient().$extends(prismaCache({ ...unhurried, cache, namespace: uniqueName("life") }))
    const name = await insertCounter(database.base)
    const read = () => prisma.counter.findUnique({ where: { name }, cache: "k" })
    await missThenHit(database.sql, read)
    await prisma.counter.update({ where: { name }, data: { value: 2 }, uncache: "k" })
    expect(await read()).toEqual({ name, value: 2 })
    await prisma.$disconnect()
  }

  it("may be a client of the caller's, which stays open", async () => {
    const client = new Redis(valkeyUrl())
    onTestFinished(() => client.disconnect())
    await roundTrip(client)
    await roundTrip(client)
    expect([client.status, await client.ping()]).toEqual(["ready", "PONG"])
  })

  it("may be a Keyv store on Valkey, or a Keyv around one, whose client stays open", async () => {
    const [{ default: KeyvValkey }, { default: Keyv }] = await Promise.all([import("@keyv/valkey"), import("keyv")])
    const store = new KeyvValkey(valkeyUrl())
    onTestFinished(() => store.disconnect())
    await roundTrip(store)
    await roundTrip(new Keyv({ store: store as never }) as never)
    expect(await store.redis.ping()).toBe("PONG")
  })

  it("may be options of the driver's", async () => {
    const { hostname, port } = new URL(valkeyUrl())
    await roundTrip({ host: hostname, port: Number(port) })
  })

  it("may be a layer of the application's", () => roundTrip(memoryLayer()))
})

onEveryStore(database, "an answer that is too large to keep", (make) => {
  it("is answered all the same, and not kept", async () => {
    const { events, prisma } = make({ maxEntryBytes: 2_000 })
    const name = `${await insertCounter(database.base)}${"x".repeat(4_000)}`
    await database.base.counter.create({ data: { name } })
    const read = () => prisma.counter.findUnique({ where: { name }, cache: "k" })
    for (let time = 0; time < 2; time++)
      expect(await answerTo(read)).toMatchObject({ data: { name }, info: { status: "miss" } })
    expect(events).toContainEqual({ _tag: "NotStored", label: "Counter.findUnique", why: "TooLarge" })
    await prisma.counter.update({ where: { name }, data: { value: 2 }, cache: "k" })
    expect(await answerTo(read)).toMatchObject({ data: { value: 2 }, info: { status: "miss" } })
    const small = await insertCounter(database.base)
    await missThenHit(database.sql, () => prisma.counter.findUnique({ where: { name: small }, cache: true }))
  })
})
