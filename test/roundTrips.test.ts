import * as Effect from "effect/Effect"
import * as ManagedRuntime from "effect/ManagedRuntime"
import { Redis } from "iovalkey"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import * as CacheEntry from "effect-prisma-cache/CacheEntry"
import { QueryCache } from "effect-prisma-cache/QueryCache"
import * as ValkeyCache from "effect-prisma-cache/ValkeyCache"
import { until } from "./support/process.js"
import type { ValkeyServer } from "./support/valkey.js"
import { startValkey } from "./support/valkey.js"
import { amount } from "./support/amount.js"
import type { Proxy } from "./valkey/proxy.js"
import { startProxy } from "./valkey/proxy.js"
import { unhurried } from "./support/unhurried.js"

/** How many entries carry a tag that is invalidated. */
const many = amount(200_000, 1_000_000)

interface Cost {
  readonly commands: { readonly [name: string]: number }
  readonly roundTrips: number
}

describe("what the server is asked, by its own count", () => {
  let server: ValkeyServer
  let proxy: Proxy
  let admin: Redis
  const table: Array<object> = []

  beforeAll(async () => {
    server = await startValkey()
    proxy = await startProxy(server.port)
    admin = new Redis(server.url)
  })
  afterAll(async () => {
    console.table(table)
    admin.disconnect()
    await proxy.stop()
    await server.stop()
  })

  const calls = async (): Promise<ReadonlyMap<string, number>> => {
    const stats = await admin.info("commandstats")
    return new Map(Array.from(stats.matchAll(/^cmdstat_([^:|]+)[^:]*:calls=(\d+)/gm), ([, name, count]) => [String(name), Number(count)]))
  }

  /** What one operation costs, told of in the table. */
  const costOf = async (what: string, run: () => Promise<unknown>): Promise<Cost> => {
    const before = await calls()
    const tripsBefore = proxy.roundTrips()
    await run()
    const roundTrips = proxy.roundTrips() - tripsBefore
    const after = await calls()
    // Whether a stamp is given more time to live depends on whether a millisecond has passed since it was made.
    const commands = Object.fromEntries(
      Array.from(after, ([name, count]) => [name, count - (before.get(name) ?? 0)] as const)
        .filter(([name, count]) => count > 0 && !["info", "ping", "pexpire"].includes(name))
    )
    table.push({ operation: what, "round trips": roundTrips, commands: JSON.stringify(commands) })
    return { commands, roundTrips }
  }

  const withCache = async (
    options: Omit<ValkeyCache.Options, "connection">,
    body: (cache: QueryCache, run: <A, E>(effect: Effect.Effect<A, E>) => Promise<A>) => Promise<void>
  ) => {
    const runtime = ManagedRuntime.make(ValkeyCache.layer({ connection: { host: "127.0.0.1", port: proxy.port }, commandTimeout: 20_000, ...unhurried, ...options }))
    const run = <A, E>(effect: Effect.Effect<A, E>) => runtime.runPromise(effect)
    try {
      await body(await runtime.runPromise(QueryCache), run)
    } finally {
      await runtime.dispose()
    }
  }

  /** The fill keeps nobody waiting, but it is part of what a miss costs. */
  const idle = (cache: QueryCache) =>
    until("nothing is under way", async () => Effect.runSync(cache.activity).flights === 0)

  const request = (name: string) => ({ key: name, strategy: { ttl: "1 minute", tags: ["a", "b"] } }) as const

  it("for a hit, a miss and an invalidation", () =>
    withCache({ namespace: "trips" }, async (cache, run) => {
      const read = (name: string) => async () => {
        await run(cache.fetch(request(name), Effect.succeed(1)))
        await idle(cache)
      }
      await read("warm connection")()
      await run(cache.invalidate({ tags: ["c"] }))
      expect(await costOf("a hit", read("warm connection"))).toEqual({ roundTrips: 1, commands: { mget: 1 } })

      // Before the query the look, and the lock with a second look; then, with nobody waiting, the entry, and the release.
      const miss = { mget: 2, evalsha: 2, set: 2, strlen: 1, get: 1, unlink: 1, publish: 1 }
      expect(await costOf("a miss", read("another"))).toEqual({ roundTrips: 4, commands: miss })

      // The look, and stamps for all of the entry's three tags, before that.
      await run(cache.invalidate({ tags: ["a"] }))
      expect(await costOf("a miss, one stamp missing", read("another"))).toEqual({
        roundTrips: 5,
        // Two stamps are there and given more time to live; and the dead entry is told from what else may be there.
        commands: { ...miss, evalsha: 5, get: 4, set: 3, pttl: 2, getrange: 1 }
      })

      const one = { evalsha: 1, get: 1, unlink: 1, publish: 1 }
      expect(await costOf("an invalidation of one tag", () => run(cache.invalidate({ tags: ["a"] }))))
        .toEqual({ roundTrips: 1, commands: one })
      expect(await costOf("an invalidation of everything", () => run(cache.invalidateAll())))
        .toEqual({ roundTrips: 1, commands: one })
    }))

  const writes = {
    "after-commit": { roundTrips: 1, commands: { evalsha: 2, get: 2, unlink: 2, publish: 2 } },
    strict: { roundTrips: 2, commands: { evalsha: 4, get: 4, set: 2, time: 4, unlink: 2, publish: 4 } }
  }
  it.each(["after-commit", "strict"] as const)("for a write that uncaches a key, %s", (consistency) =>
    withCache({ namespace: "trips", consistency }, async (cache, run) => {
      const read = cache.fetch({ ...request("by key"), keys: [{ key: "k" }], late: () => ({ keys: [], entries: [] }) }, Effect.succeed(1))
      const write = cache.write({ label: "write", touches: { keys: [{ key: "k" }] } }, Effect.succeed(1))
      await run(Effect.zipRight(read, write))
      await run(read)
      await idle(cache)
      // The key, and before it what guards keys that are not known yet.
      expect(await costOf(`a write that uncaches a key, ${consistency}`, () => run(write))).toEqual(writes[consistency])
    }))

  it(`for a tag that ${many.toLocaleString("en")} entries carry: as much as for one that one entry carries`, () =>
    withCache({ namespace: "million" }, async (cache, run) => {
      const read = (tag: string) => cache.fetch({ key: tag, strategy: { ttl: "1 minute", tags: [tag] } }, Effect.succeed(1))
      for (const tag of ["one", "million"]) {
        await run(read(tag))
        await idle(cache)
      }
      const one = await costOf("an invalidation of a tag that one entry carries", () => run(cache.invalidate({ tags: ["one"] })))

      const entries = await Promise.all((await admin.keys("epc1:million:e:*")).map((key) => admin.getBuffer(key)))
      const carrying = entries.find((bytes) => bytes !== null && bytes.includes(":t:=million"))
      // Copies of an entry that carries the tag, under names of their own.
      const copy = "for i = tonumber(ARGV[2]), tonumber(ARGV[3]) do redis.call('SET', KEYS[1] .. i, ARGV[1], 'PX', 60000) end"
      for (let at = 1; at <= many; at += 50_000) {
        await admin.eval(copy, 1, "epc1:million:e:copies:", carrying as Buffer, at, at + 49_999)
      }
      expect(await admin.dbsize()).toBeGreaterThan(many)
      expect(CacheEntry.identity(carrying as Buffer)).toHaveLength(CacheEntry.identityLength)

      const million = await costOf(`an invalidation of a tag that ${many.toLocaleString("en")} entries carry`, () =>
        run(cache.invalidate({ tags: ["million"] })))
      expect(million).toEqual(one)
      expect(million).toEqual({ roundTrips: 1, commands: { evalsha: 1, get: 1, unlink: 1, publish: 1 } })
      let queried = false
      await run(cache.fetch({ key: "million", strategy: { ttl: "1 minute", tags: ["million"] } }, Effect.sync(() => (queried = true))))
      expect(queried).toBe(true)
    }), 300_000)

  it("never to look through its keys", async () => {
    const counts = await calls()
    // The one time was this file's own.
    expect([counts.get("keys"), counts.get("scan")]).toEqual([1, undefined])
  })
})
