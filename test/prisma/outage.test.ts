import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { CacheStore } from "effect-prisma-cache/CacheStore"
import type { DistributedLock } from "effect-prisma-cache/DistributedLock"
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest"
import { freePort, until } from "../support/process.js"
import { startValkey } from "../support/valkey.js"
import type { ValkeyServer } from "../support/valkey.js"
import { insertCounter } from "./counters.js"
import { answerTo, memoryLayer, missThenHit, onValkey, statusOf, useDatabase } from "./support.js"
import type { CachedClient } from "./support.js"

const database = useDatabase()

/** What a cache that does not answer may add to a query: milliseconds, its bound on one operation for each of a few. */
const patience = 4_000

const within = async <A>(body: () => PromiseLike<A>): Promise<A> => {
  const start = performance.now()
  const result = await body()
  expect(performance.now() - start).toBeLessThan(patience)
  return result
}

const everyKindOfQuery = async (prisma: CachedClient) => {
  const name = await insertCounter(database.base)
  const read = () => prisma.counter.findUnique({ where: { name }, cache: "k" })
  expect(await within(read)).toEqual({ name, value: 1 })
  expect(await within(() => prisma.counter.update({ where: { name }, data: { value: 2 }, uncache: "other" }))).toEqual({
    name,
    value: 2
  })
  expect(await within(() => prisma.counter.findMany({ where: { name }, cache: { key: () => "many" } }))).toEqual([
    { name, value: 2 }
  ])
  expect(
    await within(() => prisma.counter.update({ where: { name }, data: { value: 3 }, cache: { key: () => "own" } }))
  ).toEqual({ name, value: 3 })
  expect(
    await within(() =>
      prisma.$transaction((tx) => tx.counter.update({ where: { name }, data: { value: 4 }, uncache: "k" }))
    )
  ).toEqual({ name, value: 4 })
  expect(await within(() => prisma.$transaction([prisma.counter.count({ where: { name }, cache: true })]))).toEqual([1])
  const rows = await within(() =>
    Promise.all(Array.from({ length: 20 }, () => prisma.counter.findMany({ where: { name }, cache: true })))
  )
  expect(rows).toEqual(Array.from({ length: 20 }, () => [{ name, value: 4 }]))
  await expect(
    within(() => prisma.counter.findUniqueOrThrow({ where: { name: "nobody" }, cache: true }))
  ).rejects.toMatchObject({ code: "P2025" })
}

describe("a Valkey that is out of order", () => {
  let server: ValkeyServer

  beforeAll(async () => {
    server = await startValkey()
  })
  afterAll(() => server.stop())

  onValkey(database, "costs latency within a bound, and nothing else", (make) => {
    it("where nobody listens", async () => {
      const { events, prisma } = make({ cache: `valkey://127.0.0.1:${await freePort()}` })
      await everyKindOfQuery(prisma)
      expect(events.some(({ _tag }) => _tag === "Failed")).toBe(true)
      expect(prisma.$cache.stats().errors).toBeGreaterThan(0)
      await within(() => prisma.$cache.close())
    })

    it("where it dies, and until it comes back", async () => {
      const { prisma } = make({ cache: server.url })
      const name = await insertCounter(database.base)
      await missThenHit(database.sql, () => prisma.counter.findUnique({ where: { name }, cache: true }))
      await server.kill("SIGKILL")
      await everyKindOfQuery(prisma)
      await expect(prisma.$cache.invalidate({ tags: ["t"] })).rejects.toMatchObject({ _tag: "CacheError" })
      await server.restart()
      await until(
        "the cache is in use again",
        async () => (await statusOf(() => prisma.counter.findUnique({ where: { name }, cache: true }))) === "hit"
      )
    })

    it("where it accepts connections and does not answer", async () => {
      const { prisma } = make({ cache: server.url })
      const name = await insertCounter(database.base)
      const read = () => prisma.counter.findUnique({ where: { name }, cache: true })
      await missThenHit(database.sql, read)
      await server.kill("SIGSTOP")
      try {
        expect(await within(() => answerTo(read))).toMatchObject({ data: { name, value: 1 } })
        expect(
          await within(() => prisma.counter.update({ where: { name }, data: { value: 2 }, uncache: "k" }))
        ).toMatchObject({ value: 2 })
      } finally {
        await server.kill("SIGCONT")
      }
      await until("the cache is in use again", async () => (await statusOf(read)) === "hit")
    })
  })
})

describe("a cache that cannot be made", () => {
  const broken: ReadonlyArray<readonly [string, Layer.Layer<CacheStore | DistributedLock, unknown>]> = [
    ["fails", Layer.fail(new Error("no such thing"))],
    ["dies", Layer.die(new Error("no such thing"))],
    [
      "fails later",
      Layer.effect(CacheStore, Effect.andThen(Effect.yieldNow(), Effect.fail("no such thing"))).pipe(
        Layer.merge(memoryLayer())
      )
    ]
  ]

  onValkey(database, "leaves queries as they are", (make) => {
    it.each(broken)("where its layer %s", async (_, cache) => {
      const log = vi.spyOn(console, "log").mockImplementation(() => {})
      const { events, prisma } = make({ cache })
      const name = await insertCounter(database.base)
      const read = () => prisma.counter.findUnique({ where: { name }, cache: "k" })
      const answers = await Promise.all([answerTo(read), answerTo(read)])
      expect(answers.map(({ data, info }) => [data?.value, info.status])).toEqual([
        [1, "bypass"],
        [1, "bypass"]
      ])
      expect(
        await prisma.counter.update({ where: { name }, data: { value: 2 }, cache: "k", uncache: () => "k" })
      ).toMatchObject({ value: 2 })
      expect(
        await prisma.$transaction((tx) => tx.counter.update({ where: { name }, data: { value: 3 }, uncache: "k" }))
      ).toMatchObject({ value: 3 })
      await expect(prisma.$cache.invalidateAll()).rejects.toThrow()
      expect(prisma.$cache.health()).toMatchObject({ status: "closed" })
      log.mockRestore()
      // It is tried again after a while, and then said again.
      expect(events.length).toBeGreaterThan(0)
      for (const event of events)
        expect(event).toEqual({ _tag: "Warning", message: expect.stringContaining("the cache could not be made") })
    })
  })
})
