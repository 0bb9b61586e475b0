import { describe, expect, it } from "vitest"
import { CacheOptionsError } from "effect-prisma-cache/CacheError"
import { prismaCache, withAccelerate } from "effect-prisma-cache/PrismaCache"
import type { PrismaCacheOptions } from "effect-prisma-cache/PrismaCache"
import { insertCounter, readNames, readsOf, writeNames, writesOf } from "./counters.js"
import { between, onMemory, untyped, useDatabase } from "./support.js"

const database = useDatabase()

const thrownBy = (body: () => unknown): CacheOptionsError => {
  try {
    body()
  } catch (error) {
    if (error instanceof CacheOptionsError) return error
    throw error
  }
  throw new Error("nothing was thrown")
}

const pathsOf = (error: CacheOptionsError) => error.problems.map(({ path }) => path)

// Options of programs that no compiler has checked.
const make = (options: unknown) => () => prismaCache(options as PrismaCacheOptions)

describe("the options of the extension", () => {
  it("are all refused at once, each problem with its path, what was given and what is allowed", () => {
    const error = thrownBy(
      make({
        cache: 5,
        lock: { ttl: 1, waitTimeout: -1, retryDelay: "40", prefix: "", speed: 1 },
        memory: { maxBytes: 0, maxEntries: "many", maxAge: "soon", minAge: 1 },
        namespace: "",
        defaults: { ttl: "soon", tags: ["", 1] },
        models: { User: { ttl: -1 }, Post: true, Session: false, Tag: { ttl: 1, swr: -1 } },
        varyBy: "tenant",
        serializer: {},
        budget: 0,
        onUnreachable: "ignore",
        maxUndelivered: -1,
        maxEntryBytes: 0,
        onEvent: {},
        unknown: 1
      })
    )
    expect(error.name).toBe("CacheOptionsError")
    expect([...pathsOf(error)].sort()).toEqual([
      "budget",
      "cache",
      "defaults.tags",
      "defaults.ttl",
      "lock.prefix",
      "lock.retryDelay",
      "lock.speed",
      "lock.ttl",
      "lock.waitTimeout",
      "maxEntryBytes",
      "maxUndelivered",
      "memory.maxAge",
      "memory.maxBytes",
      "memory.maxEntries",
      "memory.minAge",
      "models.Post",
      "models.Tag.swr",
      "models.User.ttl",
      "namespace",
      "onEvent",
      "onUnreachable",
      "serializer",
      "unknown",
      "varyBy"
    ])
    expect(error.message).toMatch(/^prismaCache: 24 problems\n/)
    for (const { message, path } of error.problems) {
      expect(error.message).toContain(`${path}: ${message}`)
      expect(message).toMatch(/^got .+, (allowed: |no such option; there are ).+/)
    }
  })

  it("that are not for every cache: a memory without a `maxAge` over one that does not tell of changes", () => {
    const keyv = { opts: {}, get: () => {}, set: () => {}, delete: () => {} }
    const error = thrownBy(make({ cache: keyv, memory: { maxEntries: 5 } }))
    expect(pathsOf(error)).toEqual(["memory"])
    expect(error.message).toContain("got no maxAge, allowed: { maxAge }")
    expect(make({ cache: keyv, memory: { maxAge: "1 second" } })).not.toThrow()
    expect(pathsOf(thrownBy(make({ memory: 5 })))).toEqual(["memory"])
    expect(pathsOf(thrownBy(() => withAccelerate({ url: "https://cache.example.org", memory: true })))).toEqual(["memory"])
  })

  it.each(["swr", "staleIfError"])("that belong elsewhere are refused: %s", (name) => {
    const error = thrownBy(make({ [name]: true }))
    expect(pathsOf(error)).toEqual([name])
    expect(error.message).toContain("no such option")
  })

  it.each([
    ["null", null],
    ["text", "valkey://localhost"],
    ["a list", []],
    ["a function", () => {}]
  ])("are an object and nothing else: %s", (_, options) => {
    expect(pathsOf(thrownBy(make(options)))).toEqual(["options"])
  })

  it.each([
    ["a URL of another protocol", "http://user:hunter2@host"],
    ["no URL", "localhost:6379:hunter2"],
    ["an instance of a class", new Map()],
    ["a Keyv on something else", { opts: { store: new Map() } }],
    ["a list", ["valkey://localhost"]],
    ["null", null]
  ])("name where entries are kept, which cannot be %s", (_, cache) => {
    const error = thrownBy(make({ cache }))
    expect(pathsOf(error)).toEqual(["cache"])
    // A URL may hold a password.
    expect(error.message).not.toContain("hunter2")
  })

  it.each([
    ["nothing", undefined],
    ["an empty object", {}],
    [
      "undefined everywhere",
      {
        cache: undefined,
        lock: undefined,
        namespace: undefined,
        defaults: undefined,
        models: undefined,
        varyBy: undefined
      }
    ],
    ["no lock", { lock: false }],
    [
      "everything",
      {
        lock: { ttl: 5000, waitTimeout: 2000, retryDelay: 40, retryJitter: 20, prefix: "prisma-cache-lock" },
        namespace: "shop",
        defaults: { ttl: "1 minute", softTimeout: 200, hardTimeout: "5 seconds" },
        models: { Session: false, Country: { ttl: "1 day", tags: ["c"] } },
        varyBy: () => null,
        budget: 20,
        onUnreachable: "refuse",
        maxUndelivered: 0,
        maxEntryBytes: 1_000,
        onEvent: () => {}
      }
    ]
  ])("may be %s", (_, options) => {
    expect(make(options)).not.toThrow()
  })

  it("cannot give one client two caches", () => {
    const extended = database.base.$extends(prismaCache({}))
    expect(() => extended.$extends(prismaCache({}))).toThrow(/has a cache already/)
  })
})

onMemory(database, "the options of a query", (makeWorld) => {
  const call = async (prisma: object, operation: string, options: object): Promise<CacheOptionsError> => {
    const name = await insertCounter(database.base)
    const args = Object.fromEntries([...readsOf(name), ...writesOf(name)])[operation]
    database.sql.reset()
    const error: unknown = await untyped(prisma)["counter"]![operation]!({ ...args, ...options }).then(
      () => "no error",
      (error) => error
    )
    expect(error).toBeInstanceOf(CacheOptionsError)
    expect(database.sql.count()).toBe(0)
    return error as CacheOptionsError
  }

  it.each([...readNames, ...writeNames])(
    "are refused before anything is sent, all problems at once: %s",
    async (operation) => {
      const { prisma } = makeWorld()
      const error = await call(prisma, operation, {
        cache: { ttl: -1, key: "", namespace: 1, tags: "users", refresh: "yes", bypass: 1, swr: -5, memory: true }
      })
      expect([...pathsOf(error)].sort()).toEqual([
        "cache.bypass",
        "cache.key",
        "cache.memory",
        "cache.namespace",
        "cache.refresh",
        "cache.swr",
        "cache.tags",
        "cache.ttl"
      ])
      expect(error.message).toMatch(new RegExp(`^Counter\\.${operation}: 8 problems\\n`))
    }
  )

  it.each([
    ["a negative ttl", -1],
    ["no number", NaN],
    ["for ever", Infinity],
    ["an empty key", ""],
    ["a list", [1]],
    ["a function", () => "k"],
    ["a bigint", 1n]
  ])("`cache` cannot be %s", async (_, cache) => {
    const { prisma } = makeWorld()
    expect(pathsOf(await call(prisma, "findMany", { cache }))).toEqual(["cache"])
    expect(pathsOf(await call(prisma, "update", { cache }))).toEqual(["cache"])
  })

  it.each(writeNames)("`uncache` is refused before anything is written: %s", async (operation) => {
    const { prisma } = makeWorld()
    const error = await call(prisma, operation, {
      uncache: ["k", "", { key: 1 }, { key: "k", namespace: "" }, { key: "k", ttl: 1 }, 5]
    })
    expect(pathsOf(error)).toEqual(["uncache[1]", "uncache[2]", "uncache[3]", "uncache[4]", "uncache[5]"])
    expect(pathsOf(await call(prisma, operation, { uncache: 5 }))).toEqual(["uncache"])
  })

  it("are refused in transactions too, which are rolled back", async () => {
    const { prisma } = makeWorld()
    const name = await insertCounter(database.base)
    await expect(
      prisma.$transaction(async (tx) => {
        await tx.counter.update({ where: { name }, data: { value: 2 } })
        await tx.counter.findMany({ cache: -1 })
      })
    ).rejects.toBeInstanceOf(CacheOptionsError)
    await expect(
      prisma.$transaction([
        prisma.counter.update({ where: { name }, data: { value: 2 } }),
        prisma.counter.count({ cache: { ttl: -1 } })
      ])
    ).rejects.toBeInstanceOf(CacheOptionsError)
    expect(await database.base.counter.findUnique({ where: { name } })).toEqual({ name, value: 1 })
  })

  it.each(readNames)("`uncache` is for writes, and refused on %s", async (operation) => {
    const { prisma } = makeWorld()
    expect(pathsOf(await call(prisma, operation, { uncache: "k" }))).toEqual(["uncache"])
    await untyped(prisma)["counter"]![operation]!({
      ...Object.fromEntries(readsOf(await insertCounter(database.base)))[operation],
      uncache: undefined
    })
  })

  it("name a wrong argument of Prisma's in Prisma's own words, with the cache's own taken out", async () => {
    const { prisma } = makeWorld()
    const wrong = untyped(prisma)["counter"]!["findMany"]!({ where: { nmae: "x" }, cache: { key: "secret key" } })
    await expect(wrong).rejects.toMatchObject({
      name: "PrismaClientValidationError",
      message: expect.stringContaining("nmae")
    })
    await expect(wrong).rejects.not.toMatchObject({ message: expect.stringContaining("secret key") })
  })

  it("are read from the arguments that an extension before the cache made", async () => {
    const adding = database.base.$extends({
      query: { counter: { findMany: ({ args, query }) => query({ ...args, cache: true } as never) } }
    })
    const { prisma } = makeWorld({ varyBy: () => null }, adding as unknown as typeof database.base)
    const seen: Array<object> = []
    const watched = prisma.$extends(between(({ args }, run) => (seen.push(args), run())))
    await watched.counter.findMany()
    await watched.counter.findMany()
    expect(seen).toEqual([{}])
  })
})
