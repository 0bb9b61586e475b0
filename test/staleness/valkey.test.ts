import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { Scope } from "effect/Scope"
import { Redis } from "iovalkey"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { CacheStore } from "effect-prisma-cache/CacheStore"
import { DistributedLock } from "effect-prisma-cache/DistributedLock"
import * as ValkeyCache from "effect-prisma-cache/ValkeyCache"
import { seeded } from "../QueryCache/interleavings.js"
import { makeCache, read, readKey, settle } from "../QueryCache/support.js"
import { valkeyUrl } from "../support/servers.js"
import type { ValkeyCluster, ValkeyServer } from "../support/valkey.js"
import { amount } from "../support/amount.js"
import { startValkey, startValkeyCluster } from "../support/valkey.js"
import { observe } from "./history.js"
import type { History, Run, Site } from "./history.js"
import { stampsAfterTheQuery } from "./mutants.js"

/** The services over a connection of their own. A test says nothing about how fast the machine is that it runs on. */
const connect = (connection: ValkeyCache.Connection): Effect.Effect<Site, unknown, Scope> =>
  Effect.map(
    Layer.build(Layer.fresh(ValkeyCache.layerServices(connection, { commandTimeout: 20_000 }))),
    (services) => ({ store: Context.get(services, CacheStore), lock: Context.get(services, DistributedLock) })
  )

const rounds = amount(15, 30)
const [reads, writes] = [3 * 10 * rounds, 3 * 2 * rounds]

/** Three processes over the server, each with a connection of its own. */
const observeAt = (connection: ValkeyCache.Connection, more: Partial<Run> = {}, wrap = (site: Site) => site): Promise<History> => {
  const random = seeded(7)
  const between = (most: number) => Effect.suspend(() => random() < 0.7 ? Effect.void : Effect.sleep(random() * most))
  return Effect.runPromise(Effect.scoped(Effect.gen(function*() {
    const sites = yield* Effect.all([connect(connection), connect(connection), connect(connection)])
    return yield* observe({
      sites: sites.map(wrap),
      consistency: "after-commit",
      random,
      pause: between(3),
      rest: Effect.suspend(() => Effect.sleep(random() * 80)),
      readers: 10,
      writers: 2,
      rounds,
      ...more
    })
  })))
}

const consistencies = ["after-commit", "strict"] as const

describe("readers and writers at random never see anything older than they may", () => {
  describe("on a server", () => {
    let server: ValkeyServer

    // Whoever looks after names that no other test has, and evicts at will, has a server of its own.
    beforeAll(async () => {
      server = await startValkey()
    })
    afterAll(() => server.stop())

    for (const consistency of consistencies) {
      it(consistency, async () => {
        const history = await observeAt(server.url, { consistency })
        expect(history).toMatchObject({ reads, writes, stale: 0 })
        expect(history.hits).toBeGreaterThan(5)
      })
    }

    it("when stamps are evicted all the time", async () => {
      const admin = new Redis(server.url)
      const random = seeded(3)
      let evicted = 0
      const mischief = () =>
        Effect.promise(async () => {
          const names = (await admin.keys("epc1:*")).filter((name) => !/:e:|lock/.test(name))
          const name = names[Math.floor(random() * names.length)]
          if (name !== undefined) evicted += await admin.del(name)
        })
      const history = await observeAt(server.url, { mischief })
      admin.disconnect()
      expect(evicted).toBeGreaterThan(5)
      expect(history).toMatchObject({ reads, stale: 0 })
      expect(history.hits).toBeGreaterThan(5)
    })

    it("when writers die between COMMIT and invalidation, strict", async () => {
      expect(await observeAt(server.url, { consistency: "strict", deaths: true })).toMatchObject({ reads, stale: 0 })
    })

    it("which is seen: they do where stamps are those of after the query", async () => {
      const wrong = (site: Site) => ({ ...site, store: stampsAfterTheQuery(site.store) })
      expect((await observeAt(server.url, {}, wrong)).stale).toBeGreaterThan(0)
    })
  })

  describe("on a cluster of three nodes", () => {
    let cluster: ValkeyCluster
    let connection: ValkeyCache.Connection

    beforeAll(async () => {
      cluster = await startValkeyCluster()
      connection = { cluster: { nodes: cluster.nodes.map(({ host, port }) => ({ host, port })) } }
    })
    afterAll(() => cluster.stop())

    for (const consistency of consistencies) {
      it(consistency, async () => {
        const history = await observeAt(connection, { consistency })
        expect(history).toMatchObject({ reads, writes, stale: 0 })
        expect(history.hits).toBeGreaterThan(5)
      })
    }
  })
})

describe("an entry whose stamps were evicted", () => {
  it("never comes back to life, invalidated before or after", () =>
    Effect.gen(function*() {
      const { lock, store } = yield* connect(valkeyUrl())
      const admin = new Redis(valkeyUrl())
      const namespace = `evicted ${process.pid}`
      const { cache } = yield* makeCache({ store, lock, namespace })
      const stamp = `epc1:${encodeURIComponent(namespace)}:t:=t`
      let value = 0
      const ask = settle(cache, cache.fetch(read("a", { tags: ["t"] }), Effect.sync(() => value)))
      const evict = Effect.promise(() => admin.del(stamp))
      yield* ask
      for (const steps of [[evict, cache.invalidate({ tags: ["t"] })], [cache.invalidate({ tags: ["t"] }), evict], [evict]]) {
        value++
        yield* Effect.all(steps)
        // Others that carry the tag make a stamp for it anew.
        expect(yield* settle(cache, cache.fetch(read(`other ${value}`, { tags: ["t"] }), Effect.succeed(0)))).toBe(0)
        expect(yield* ask).toBe(value)
        expect(yield* ask).toBe(value)
      }
      admin.disconnect()
    }).pipe(Effect.scoped, Effect.runPromise))
})

describe("caches that share a server", () => {
  it("do not meet if their namespaces or their clients' key prefixes differ", () =>
    Effect.gen(function*() {
      const { hostname, port } = new URL(valkeyUrl())
      const own = `meet ${process.pid}`
      const at = (keyPrefix?: string) => ({ host: hostname, port: Number(port), ...(keyPrefix === undefined ? {} : { keyPrefix }) })
      const places = [
        { connection: at(), namespace: own },
        { connection: at(), namespace: `${own}:t` },
        { connection: at(`${own}:`), namespace: own },
        { connection: at("epc1:"), namespace: own },
        { connection: { ...at(), db: 1 }, namespace: own }
      ]
      const caches = yield* Effect.forEach(places, ({ connection, namespace }) =>
        Effect.flatMap(connect(connection), (site) => makeCache({ ...site, namespace })))
      const requests = [read("a", { tags: ["t"] }), readKey("k")]
      const hits = (i: number) =>
        Effect.forEach(requests, (request) =>
          Effect.map(settle(caches[i]!.cache, caches[i]!.cache.answer(request, Effect.succeed(i))), ({ info, value }) => {
            expect(value).toBe(i)
            return info.status === "hit"
          }))
      for (const i of places.keys()) expect(yield* hits(i)).toEqual([false, false])
      for (const i of places.keys()) {
        const { cache } = caches[i]!
        for (const invalidation of [cache.invalidate({ tags: ["t"], keys: [{ key: "k" }] }), cache.invalidateAll()]) {
          yield* invalidation
          for (const other of places.keys()) if (other !== i) expect(yield* hits(other)).toEqual([true, true])
          expect(yield* hits(i)).toEqual([false, false])
        }
      }
    }).pipe(Effect.scoped, Effect.runPromise))
})
