import { Redis } from "iovalkey"
import { describe, expect, it, onTestFinished } from "vitest"
import { makePrisma } from "../support/database.js"
import { until } from "../support/process.js"
import { valkeyUrl } from "../support/servers.js"
import { insertCounter, readNames, readsOf, setCounter, writeNames, writesOf } from "./counters.js"
import {
  adjustableStore,
  between,
  exactly,
  isMemoryOn,
  missThenHit,
  onEveryStore,
  onMemory,
  onValkey,
  statusOf,
  untyped,
  useDatabase
} from "./support.js"
import type { Untyped } from "./support.js"

const database = useDatabase()

const counters = (client: object): Untyped[string] => untyped(client)["counter"] as Untyped[string]

const argsOf = (operations: typeof readsOf, name: string, operation: string): object =>
  Object.fromEntries(operations(name))[operation] as object

onEveryStore(database, "on every read", (make) => {
  const forms: ReadonlyArray<readonly [string, unknown]> = [
    ["true", true],
    ["a ttl in milliseconds", 60_000],
    ["a key", "a key"],
    ["a ttl in words", { ttl: "1 minute" }],
    [
      "everything at once",
      { ttl: 60_000, key: "a key", namespace: "elsewhere", tags: ["a", "b"], refresh: false, bypass: false }
    ],
    ["a function as key", { key: () => "a key" }],
    ["no more than an object", {}]
  ]

  it.each(readNames)("%s with any form of `cache` misses, then hits", async (operation) => {
    const name = await insertCounter(database.base)
    const args = argsOf(readsOf, name, operation)
    const truth = await counters(database.base)[operation]!(args)
    for (const [form, cache] of forms) {
      const { prisma } = make()
      const seen = await missThenHit(database.sql, () => counters(prisma)[operation]!({ ...args, cache }))
      expect(seen.map(exactly), form).toEqual([exactly(truth), exactly(truth)])
    }
  })

  it.each(readNames)("%s with `false`, `null`, `undefined` or no `cache` queries each time", async (operation) => {
    const name = await insertCounter(database.base)
    const args = argsOf(readsOf, name, operation)
    const { prisma } = make()
    database.sql.reset()
    for (const off of [{ cache: false }, { cache: null }, { cache: undefined }, {}]) {
      for (let time = 0; time < 2; time++) {
        expect(await statusOf(() => counters(prisma)[operation]!({ ...args, ...off }))).toBe("off")
      }
    }
    expect(database.sql.count()).toBe(8)
    expect(prisma.$cache.stats()).toMatchObject({ hits: 0, misses: 0, fills: 0 })
  })

  it.each(readNames)("%s with a ttl of nothing queries each time, and stores nothing", async (operation) => {
    const name = await insertCounter(database.base)
    const args = argsOf(readsOf, name, operation)
    const { prisma } = make()
    for (const cache of [0, { ttl: 0 }, { ttl: "0 millis", key: "k" }]) {
      for (let time = 0; time < 2; time++) {
        expect(await statusOf(() => counters(prisma)[operation]!({ ...args, cache }))).toBe("bypass")
      }
    }
    expect(prisma.$cache.stats()).toMatchObject({ hits: 0, fills: 0 })
  })
})

describe("what is the cache's never reaches Prisma", () => {
  const wishes = [true, false, null, undefined, 0, 1_000, "key", { ttl: 1_000 }, { key: () => "key" }]
  const uncaches = ["key", ["key"], { key: "key" }, [], null, undefined, () => "key", () => undefined]

  /** A client that refuses an argument which is there and undefined, as Prisma does where a schema asks for it. */
  const makeStrict = () => {
    const { close, prisma } = makePrisma(database.url)
    onTestFinished(close)
    return Object.assign(prisma, { _previewFeatures: ["strictUndefinedChecks"] })
  }

  it("and Prisma would refuse it", async () => {
    const strict = counters(makeStrict())
    await expect(strict["count"]!({ cache: undefined })).rejects.toThrow(/cache/)
    await expect(strict["deleteMany"]!({ where: { name: "nobody" }, uncache: undefined })).rejects.toThrow(/uncache/)
  })

  onEveryStore(database, "on every operation", (make) => {
    it.each([...readNames, ...writeNames])("%s", async (operation) => {
      const seen = new Set<string>()
      const prisma = make({ varyBy: () => null }, makeStrict()).prisma.$extends(
        between(({ args }, run) => {
          Object.keys(args).forEach((name) => seen.add(name))
          return run()
        })
      )
      const isRead = readNames.includes(operation)
      const options = isRead
        ? wishes.map((cache) => ({ cache }))
        : [
            ...wishes.map((cache) => ({ cache })),
            ...uncaches.map((uncache) => ({ uncache })),
            { cache: "key", uncache: "other" }
          ]
      for (const option of options) {
        const args = argsOf(isRead ? readsOf : writesOf, await insertCounter(database.base), operation)
        await counters(prisma)[operation]!({ ...args, ...option })
      }
      expect(seen.size).toBeGreaterThan(0)
      expect(["cache", "uncache"].filter((name) => seen.has(name))).toEqual([])
    })
  })
})

describe("an answer expires", () => {
  const waysToSay: ReadonlyArray<readonly [string, unknown, number]> = [
    ["`cache: true`, after a minute", true, 60_000],
    ["a key alone, after a minute", "key", 60_000],
    ["an object without a ttl, after a minute", { tags: ["a"] }, 60_000],
    ["a ttl in milliseconds", 90_000, 90_000],
    ["a ttl in words", { ttl: "2 hours" }, 7_200_000]
  ]

  onMemory(database, "under a clock of the test's", (make) => {
    // It is the clock of the store, which a memory in front of it does not ask.
    it.skipIf(isMemoryOn).each(waysToSay)("%s", async (_, cache, ttl) => {
      const aging = adjustableStore()
      const { prisma } = make({ cache: aging.cache })
      const name = await insertCounter(database.base)
      const read = () => counters(prisma)["findUnique"]!({ where: { name }, cache })
      await missThenHit(database.sql, read)
      // Some time has passed beside what the clock was put ahead by, so not to the millisecond.
      aging.advance(ttl * 0.9)
      expect(await statusOf(read)).toBe("hit")
      aging.advance(ttl * 0.1)
      expect(await statusOf(read)).toBe("miss")
    })
  })

  onEveryStore(database, "in real time", (make) => {
    it("once, and is then queried anew", async () => {
      const { prisma } = make()
      const name = await insertCounter(database.base)
      await prisma.counter.findUnique({ where: { name }, cache: 150 })
      await setCounter(database.base, name, 2)
      await until(
        "the answer has expired",
        async () => (await prisma.counter.findUnique({ where: { name }, cache: 60_000 }))?.value === 2
      )
    })
  })

  onValkey(database, "and nothing is kept for ever", (make) => {
    it("of all that the cache puts there", async () => {
      const { options, prisma } = make({ defaults: { ttl: "10 minutes", tags: ["all"] } })
      const name = await insertCounter(database.base)
      for (const [operation, args] of readsOf(name))
        await missThenHit(database.sql, () => counters(prisma)[operation]!({ ...args }))
      for (const [operation, args] of writesOf(name))
        await counters(prisma)[operation]!({ ...args, cache: "own", uncache: "other" })
      const client = new Redis(valkeyUrl())
      onTestFinished(() => client.disconnect())
      const keys = await client.keys(`*${options.namespace}*`)
      expect(keys.length).toBeGreaterThan(8)
      for (const key of keys) expect(await client.pttl(key), key).toBeGreaterThan(0)
    })
  })
})

onMemory(database, "a key that reads like a ttl", (make) => {
  it("is a key, and a warning says so once", async () => {
    const { events, prisma } = make()
    const name = await insertCounter(database.base)
    for (let time = 0; time < 3; time++) await prisma.counter.findUnique({ where: { name }, cache: "5 minutes" })
    await prisma.counter.findUnique({ where: { name }, cache: "counter-5" })
    const message = 'Counter.findUnique: cache: "5 minutes" is a custom key; a ttl in words is { ttl: "5 minutes" }'
    expect(events.filter(({ _tag }) => _tag === "Warning")).toEqual([{ _tag: "Warning", message }])
  })
})
