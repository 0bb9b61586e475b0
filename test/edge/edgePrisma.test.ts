import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from "vitest"
import { prismaCache as prismaCacheOverTcp } from "effect-prisma-cache"
import { CacheError, HttpCache, prismaCache, withAccelerate } from "effect-prisma-cache/edge"
import type { CacheEvent, EdgeCacheOptions } from "effect-prisma-cache/edge"
import { answerTo, expectHitEqualsMiss, statusOf, useDatabase } from "../prisma/support.js"
import { uniqueName, valkeyUrl } from "../support/servers.js"
import type { Fault } from "./bridge.js"
import { nowhere, useBridge } from "./support.js"
import { unhurried } from "../support/unhurried.js"

const database = useDatabase()
const bridge = useBridge()

beforeEach(() => {
  bridge.current.reset()
  database.sql.reset()
})
afterEach(() => bridge.current.fail(undefined))

let users = 0
const email = () => `edge${++users}@example.org`

/** Waits for everything that was announced, and for what is announced meanwhile. */
const settled = async (waiting: ReadonlyArray<Promise<void>>) => {
  for (let known = 0; known < waiting.length; known++) await waiting[known]
}

const make = (options: EdgeCacheOptions = {}) => {
  const events: Array<CacheEvent.CacheEvent> = []
  const all: EdgeCacheOptions = {
    url: bridge.current.url,
    token: bridge.current.token,
    commandTimeout: 20_000,
    namespace: uniqueName("edge"),
    onEvent: (event) => void events.push(event),
    ...options
  }
  const prisma = database.base.$extends(prismaCache({ ...unhurried, ...all }))
  onTestFinished(() => prisma.$cache.close())
  return { events, options: all, prisma }
}

describe("prismaCache over HTTP", () => {
  it("hits are what the database would say", async () => {
    const { prisma } = make()
    const { id } = await database.base.user.create({
      data: {
        email: email(),
        name: "\u00fc\u{1F600}\u007f41",
        balance: "12345678901234.5678",
        posts: { create: [{ title: "first", metadata: { $type: "x", list: [1.5, null, "2020-01-01T00:00:00Z"] } }] }
      }
    })
    const query = { where: { id }, include: { posts: true, profile: true } }
    await expectHitEqualsMiss(database.sql, await database.base.user.findUnique(query), () =>
      prisma.user.findUnique({ ...query, cache: { ttl: "1 minute" } }))
  })

  it("withAccelerate is the same in Accelerate's words", async () => {
    const { url, token } = bridge.current
    const waiting: Array<Promise<void>> = []
    const prisma = database.base.$extends(
      withAccelerate({ ...unhurried, url, token, namespace: uniqueName("edge"), waitUntil: (promise) => void waiting.push(promise) })
    )
    onTestFinished(() => prisma.$cache.close())
    const read = () => prisma.user.count({ cacheStrategy: { ttl: 60, tags: ["users"] } }).withAccelerateInfo()
    expect((await read()).info.cacheStatus).toBe("miss")
    await settled(waiting)
    expect((await read()).info.cacheStatus).toBe("ttl")
    await prisma.$accelerate.invalidate({ tags: ["users"] })
    expect((await read()).info.cacheStatus).toBe("miss")
  })

  it("a hit is one request with one command", async () => {
    const waiting: Array<Promise<void>> = []
    const { prisma } = make({ waitUntil: (promise) => void waiting.push(promise) })
    const read = () => prisma.user.count({ cache: { ttl: "1 minute" } })
    await answerTo(read)
    await settled(waiting)
    bridge.current.reset()
    expect(await statusOf(read)).toBe("hit")
    expect(bridge.current.requests.map(({ commands }) => commands.map(([name]) => name))).toEqual([["mget"]])
  })

  it("a write invalidates what it touched, tags and keys what they name, and invalidateAll everything", async () => {
    const { prisma } = make()
    const user = await prisma.user.create({ data: { email: email() } })
    const reads = {
      row: () => prisma.user.findUnique({ where: { id: user.id }, cache: { ttl: "1 minute" } }),
      tagged: () => prisma.post.count({ cache: { ttl: "1 minute", tags: ["posts"] } }),
      keyed: () => prisma.post.findMany({ cache: { ttl: "1 minute", key: "posts" } })
    }
    const statuses = async () => [await statusOf(reads.row), await statusOf(reads.tagged), await statusOf(reads.keyed)]
    await statuses()
    expect(await statuses()).toEqual(["hit", "hit", "hit"])
    await prisma.user.update({ where: { id: user.id }, data: { name: "Ada" } })
    expect((await answerTo(reads.row)).data?.name).toBe("Ada")
    await prisma.$cache.invalidate({ tags: ["posts"] })
    expect(await statuses()).toEqual(["hit", "miss", "hit"])
    await prisma.$cache.invalidate({ keys: ["posts"] })
    expect(await statuses()).toEqual(["hit", "hit", "miss"])
    await prisma.$transaction((tx) => tx.user.update({ where: { id: user.id }, data: { name: "Grace" } }))
    expect((await answerTo(reads.row)).data?.name).toBe("Grace")
    await prisma.$cache.invalidateAll()
    expect(await statuses()).toEqual(["miss", "miss", "miss"])
  })

  it("shares entries and invalidations with the extension over TCP", async () => {
    const { options, prisma } = make()
    const tcp = database.base.$extends(prismaCacheOverTcp({ ...unhurried, cache: valkeyUrl(), namespace: options.namespace }))
    onTestFinished(() => tcp.$cache.close())
    const user = await prisma.user.create({ data: { email: email() } })
    const query = { where: { id: user.id }, cache: { ttl: "1 minute" } } as const
    expect([
      await statusOf(() => tcp.user.findUnique(query)),
      await statusOf(() => prisma.user.findUnique(query)),
      await statusOf(() => tcp.user.findUnique(query))
    ]).toEqual(["miss", "hit", "hit"])
    await prisma.user.update({ where: { id: user.id }, data: { name: "by HTTP" } })
    expect((await answerTo(() => tcp.user.findUnique(query))).data?.name).toBe("by HTTP")
    await tcp.user.update({ where: { id: user.id }, data: { name: "by TCP" } })
    expect((await answerTo(() => prisma.user.findUnique(query))).data?.name).toBe("by TCP")
  })

  it("the store over HTTP is one more `cache` of the extension of the main entry", async () => {
    const { token, url } = bridge.current
    const cache = HttpCache.layerServices({ url, token, commandTimeout: 20_000 })
    const prisma = database.base.$extends(prismaCacheOverTcp({ ...unhurried, cache, namespace: uniqueName("edge") }))
    onTestFinished(() => prisma.$cache.close())
    const read = () => prisma.user.count({ cache: { ttl: "1 minute" } })
    expect([await statusOf(read), await statusOf(read)]).toEqual(["miss", "hit"])
  })

  it("a fetch of one's own sends everything", async () => {
    let sent = 0
    const { prisma } = make({
      fetch: (input, init) => {
        sent++
        return fetch(input, init)
      }
    })
    await prisma.user.count({ cache: true })
    await prisma.$cache.close()
    expect(sent).toBe(bridge.current.requests.length)
    expect(sent).toBeGreaterThan(0)
  })

  it("what a query leaves to be stored is stored when $disconnect is over, and waitUntil knows until when", async () => {
    const waiting: Array<Promise<void>> = []
    const { options, prisma } = make({ waitUntil: (promise) => void waiting.push(promise) })
    await prisma.user.count({ cache: true })
    await settled(waiting)
    expect(await statusOf(() => make(options).prisma.user.count({ cache: true }))).toBe("hit")

    const other = make()
    await other.prisma.user.count({ cache: true })
    await other.prisma.$cache.close()
    expect(await statusOf(() => make(other.options).prisma.user.count({ cache: true }))).toBe("hit")
  })
})

describe("a server that is out of order fails no query", () => {
  const everyKindOfQuery = async ({ events, prisma }: ReturnType<typeof make>) => {
    const address = email()
    const user = await prisma.user.create({ data: { email: address } })
    expect(await prisma.user.findUnique({ where: { email: address }, cache: true })).toEqual(user)
    const named = await prisma.user.update({ where: { id: user.id }, data: { name: "Ada" }, uncache: "somebody" })
    expect(await prisma.user.findUnique({ where: { email: address }, cache: true })).toEqual(named)
    expect(await prisma.$transaction([prisma.user.findMany({ where: { id: user.id }, cache: true })])).toEqual([[named]])
    const counts = await Promise.all(
      Array.from({ length: 10 }, () => prisma.user.count({ where: { id: user.id }, cache: true }))
    )
    expect(counts).toEqual(Array.from({ length: 10 }, () => 1))
    await expect(prisma.$cache.invalidateAll()).rejects.toBeInstanceOf(CacheError.CacheError)
    return new Set(events.flatMap((event) => event._tag === "Failed" ? [event.error.reason] : []))
  }

  it("a wrong token", async () => {
    expect(await everyKindOfQuery(make({ token: "wrong" }))).toEqual(new Set(["Rejected"]))
  })

  it("nobody there", async () => {
    expect(await everyKindOfQuery(make({ url: await nowhere() }))).toEqual(new Set(["Unavailable"]))
  })

  const faults: ReadonlyArray<readonly [what: string, fault: Fault, reason: string]> = [
    ["500", (response) => void response.writeHead(500).end("oops"), "Unavailable"],
    ["a page instead of an answer", (response) => void response.writeHead(200).end("<html></html>"), "Unavailable"],
    ["half an answer", (response, { commands }) =>
      void response.writeHead(200).end(JSON.stringify(commands.map(() => ({})))), "Unavailable"],
    ["a connection that breaks", (response) => void response.destroy(), "Unavailable"],
    ["a body without an end", (response) => void response.writeHead(200).write("[{"), "Timeout"],
    ["no answer", () => {}, "Timeout"]
  ]
  for (const [what, fault, reason] of faults) {
    it(what, async () => {
      bridge.current.fail(fault)
      const world = make({ commandTimeout: reason === "Timeout" ? 50 : 20_000 })
      const start = performance.now()
      expect(await everyKindOfQuery(world)).toEqual(new Set([reason]))
      expect(performance.now() - start).toBeLessThan(10_000)
    })
  }
})

describe("options of prismaCache over HTTP", () => {
  afterEach(() => vi.unstubAllEnvs())

  const problemsOf = (options: object): ReadonlyArray<string> => {
    try {
      prismaCache(options)
    } catch (error) {
      if (error instanceof CacheError.CacheOptionsError) return error.problems.map(({ path }) => path)
    }
    return []
  }

  it("are named all at once where they cannot be used", () => {
    expect(problemsOf({})).toEqual(["url", "token"])
    expect(problemsOf({ url: "valkey://localhost", token: "t", namespace: "", lock: { ttl: 1 }, cache: "valkey://localhost" }))
      .toEqual(["url", "cache", "lock.ttl", "namespace"])
  })

  it("may be the environment's", () => {
    vi.stubEnv("UPSTASH_REDIS_REST_URL", "https://cache.example.com")
    vi.stubEnv("UPSTASH_REDIS_REST_TOKEN", "token")
    expect(problemsOf({})).toEqual([])
  })
})
