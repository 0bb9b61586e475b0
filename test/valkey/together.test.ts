import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import { describe, expect, it } from "vitest"
import { CacheStore } from "../../src/CacheStore.js"
import { DistributedLock } from "../../src/DistributedLock.js"
import * as ValkeyCache from "../../src/ValkeyCache.js"
import { uniqueName, valkeyUrl } from "../support/servers.js"
import { startValkeyCluster } from "../support/valkey.js"

const minute = 60_000

/** How many have gone on when the first of them calls upon the others as a database client does for its batches. */
const companyOfTheFirst = (store: CacheStore, count: number) =>
  Effect.gen(function*() {
    let arrived = 0
    let company = 0
    yield* Effect.forEach(Array.from({ length: count }, () => uniqueName("e")), (name) =>
      Effect.map(store.lookup(name, []), () => {
        if (++arrived === 1) process.nextTick(() => (company = arrived))
      }), { concurrency: "unbounded" })
    yield* Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))
    return company
  })

describe("reads that start together go on together, so that their queries still meet in one batch", () => {
  const settings = { commandTimeout: 20_000 }

  it("on one server", () =>
    Effect.flatMap(CacheStore, (store) => companyOfTheFirst(store, 50)).pipe(
      Effect.map((company) => expect(company).toBe(50)),
      Effect.provide(ValkeyCache.layerServices(valkeyUrl(), settings)),
      Effect.runPromise
    ))

  it("on a cluster, whose nodes answer one by one", async () => {
    const cluster = await startValkeyCluster()
    const nodes = cluster.nodes.map(({ host, port }) => ({ host, port }))
    const companies = await Effect.flatMap(CacheStore, (store) =>
      // Not in one piece when the machine is so busy that the nodes are far apart: that bound is meant to be.
      Effect.all(Array.from({ length: 5 }, () => companyOfTheFirst(store, 50)))).pipe(
        Effect.provide(ValkeyCache.layerServices({ cluster: { nodes } }, settings)),
        Effect.runPromise
      )
    expect(Math.max(...companies)).toBe(50)
    await cluster.stop()
  })

  it("on a cluster that has lost a node: those on the others are not held up", async () => {
    const cluster = await startValkeyCluster({ args: ["--cluster-require-full-coverage", "no"] })
    const nodes = cluster.nodes.map(({ host, port }) => ({ host, port }))
    await Effect.gen(function*() {
      const store = yield* CacheStore
      const names = Array.from({ length: 30 }, () => uniqueName("e"))
      yield* Effect.forEach(names, (name) => store.lookup(name, []), { concurrency: "unbounded" })
      yield* Effect.promise(async () => cluster.nodes[0]?.kill("SIGSTOP"))
      const order: Array<"answered" | "failed"> = []
      const exits = yield* Effect.forEach(names, (name) =>
        Effect.tapBoth(store.lookup(name, []), {
          onSuccess: () => Effect.sync(() => order.push("answered")),
          onFailure: () => Effect.sync(() => order.push("failed"))
        }).pipe(Effect.exit), { concurrency: "unbounded" })
      expect(exits).toHaveLength(30)
      expect(order).toContain("answered")
      expect(order).toContain("failed")
      // All who could be answered were, before the first was given up.
      expect(order.lastIndexOf("answered")).toBeLessThan(order.indexOf("failed"))
      yield* Effect.promise(async () => cluster.nodes[0]?.kill("SIGCONT"))
    }).pipe(
      Effect.provide(ValkeyCache.layerServices({ cluster: { nodes } }, { commandTimeout: 1_000 })),
      Effect.runPromise
    )
    await cluster.stop()
  })
})

describe("caches that share a server and nothing else", () => {
  const lockOf = (services: Layer.Layer<CacheStore | DistributedLock, unknown>) =>
    Effect.map(Layer.build(services), (context) => Effect.provide(DistributedLock, context)).pipe(Effect.flatten)

  for (const [how, other] of [["key prefix", { keyPrefix: "other:" }], ["database", { db: 1 }]] as const) {
    it(`do not wake each other: another ${how}, the same lock`, () => {
      const { hostname, port } = new URL(valkeyUrl())
      const mineAt = { host: hostname, port: Number(port), keyPrefix: "mine:" }
      const name = `${uniqueName("lock")}:{l}`
      return Effect.scoped(Effect.gen(function*() {
        const mine = yield* lockOf(ValkeyCache.layerServices(mineAt))
        const theirs = yield* lockOf(ValkeyCache.layerServices({ ...mineAt, ...other }))
        const waiting = yield* mine.news(name)
        expect(yield* mine.acquire(name, "t", minute)).toBe(true)
        expect(yield* theirs.acquire(name, "t", minute)).toBe(true)
        yield* theirs.release(name, "t", "failed")
        yield* mine.release(name, "t", "stored")
        expect(yield* Queue.take(waiting)).toBe("stored")
      })).pipe(Effect.runPromise)
    })
  }
})
