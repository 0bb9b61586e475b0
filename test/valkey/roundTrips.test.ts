import * as Effect from "effect/Effect"
import { Redis } from "iovalkey"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { CacheStore } from "../../src/CacheStore.js"
import { DistributedLock } from "../../src/DistributedLock.js"
import { makeStamp } from "../../src/internal/stamp.js"
import * as ValkeyCache from "../../src/ValkeyCache.js"
import { uniqueName } from "../support/servers.js"
import type { ValkeyServer } from "../support/valkey.js"
import { startValkey } from "../support/valkey.js"
import type { Proxy } from "./proxy.js"
import { startProxy } from "./proxy.js"

const minute = 60_000
const names = (count: number) => Array.from({ length: count }, () => uniqueName("round-trips"))
const entry = Buffer.alloc(200, "e")

describe("what the server is asked", () => {
  let server: ValkeyServer
  let proxy: Proxy
  let admin: Redis

  beforeAll(async () => {
    server = await startValkey()
    proxy = await startProxy(server.port)
    admin = new Redis(server.url)
  })
  afterAll(async () => {
    admin.disconnect()
    await proxy.stop()
    await server.stop()
  })

  /** How often each command was carried out since the server started, those of scripts included. */
  const calls = async (): Promise<ReadonlyMap<string, number>> => {
    const stats = await admin.info("commandstats")
    return new Map(Array.from(stats.matchAll(/^cmdstat_([^:]+):calls=(\d+)/gm), ([, name, count]) => [String(name), Number(count)]))
  }

  interface Cost {
    readonly commands: { readonly [name: string]: number }
    readonly roundTrips: number
  }

  const costOf = async <A, E>(effect: Effect.Effect<A, E>): Promise<Cost> => {
    const before = await calls()
    const tripsBefore = proxy.roundTrips()
    await Effect.runPromise(effect)
    const roundTrips = proxy.roundTrips() - tripsBefore
    const after = await calls()
    const commands = Array.from(after, ([name, count]) => [name, count - (before.get(name) ?? 0)] as const)
    return {
      commands: Object.fromEntries(commands.filter(([name, count]) => count > 0 && !["info", "ping"].includes(name))),
      roundTrips
    }
  }

  const run = (body: (store: CacheStore, lock: DistributedLock) => Promise<void>) =>
    Effect.all([CacheStore, DistributedLock]).pipe(
      Effect.tap(([store, lock]) =>
        // The connection is made and the scripts are known before anything is counted.
        Effect.gen(function*() {
          const [tag = "", name = ""] = names(2)
          yield* store.obtain([tag], minute)
          yield* store.replace(name, entry, minute, null)
          yield* store.remove(name, entry)
          yield* store.invalidate([{ _tag: "kill", tag }], minute)
          yield* lock.acquire(name, "t", minute)
          yield* lock.extend(name, "t", minute)
          yield* lock.release(name, "t", "stored")
        })
      ),
      Effect.flatMap(([store, lock]) => Effect.promise(() => body(store, lock))),
      Effect.provide(ValkeyCache.layerServices({ host: "127.0.0.1", port: proxy.port }, { commandTimeout: 20_000 })),
      Effect.runPromise
    )

  it("a lookup is one MGET and one round trip, tags included", () =>
    run(async (store) => {
      const [name = "", ...tags] = names(4)
      expect(await costOf(store.lookup(name, tags))).toEqual({ commands: { mget: 1 }, roundTrips: 1 })
    }))

  it("all lookups of a tick are one MGET, however many started them", () =>
    run(async (store) => {
      const entries = names(200)
      const tags = names(3)
      const asFibers = Effect.forEach(entries, (name) => store.lookup(name, tags), { concurrency: "unbounded" })
      expect(await costOf(asFibers)).toEqual({ commands: { mget: 1 }, roundTrips: 1 })
      const asPromises = Effect.promise(() =>
        Promise.all(entries.map(async (name, i) => {
          for (let turns = i % 5; turns > 0; turns--) await undefined
          return Effect.runPromise(store.lookup(name, tags))
        }))
      )
      expect(await costOf(asPromises)).toEqual({ commands: { mget: 1 }, roundTrips: 1 })
    }))

  it("a tick with too many keys for one MGET is still one round trip", () =>
    run(async (store) => {
      const lookups = Effect.forEach(names(1_100), (name) => store.lookup(name, []), { concurrency: "unbounded" })
      const { commands, roundTrips } = await costOf(lookups)
      expect(commands).toEqual({ mget: 3 })
      // So much may arrive in two pieces, with the answer to the first in between.
      expect(roundTrips).toBeLessThan(3)
    }))

  it("what was large the last time is read apart from the rest of its tick, until it is small again", () =>
    run(async (store) => {
      const [small = "", large = ""] = names(2)
      const both = Effect.all([store.lookup(large, []), store.lookup(small, [])], { concurrency: 2 })
      const bytes = new Uint8Array(100_000)
      await Effect.runPromise(Effect.all([store.replace(small, entry, minute, null), store.replace(large, bytes, minute, null)]))
      expect((await costOf(both)).commands).toEqual({ mget: 1 })
      expect((await costOf(both)).commands).toEqual({ mget: 2 })
      expect(await Effect.runPromise(both)).toMatchObject([{ entry: { length: 100_000 } }, { entry: { length: entry.length } }])
      await Effect.runPromise(store.remove(large, bytes.subarray(0, 17)))
      expect((await costOf(both)).commands).toEqual({ mget: 2 })
      expect((await costOf(both)).commands).toEqual({ mget: 1 })
    }))

  it("what is asked for together goes out together: stamps, entries, locks and lookups", () =>
    run(async (store, lock) => {
      const [name = "", other = "", lockName = "", ...tags] = names(6)
      const all = Effect.all([
        lock.acquire(lockName, "t", minute),
        store.lookup(name, tags),
        store.obtain(tags, minute),
        store.replace(other, entry, minute, null)
      ], { concurrency: "unbounded" })
      const { commands, roundTrips } = await costOf(all)
      expect(commands).toMatchObject({ evalsha: 4, mget: 1 })
      expect(roundTrips).toBe(1)
    }))

  it("a lock that is asked for before a look is asked for first, so that what its last holder stored is seen", () =>
    run(async (store, lock) => {
      const [name = "", lockName = ""] = names(2)
      // A lookup of the lock's own key tells which of the two the server carried out first.
      const [held, seen] = await Effect.runPromise(
        Effect.all([lock.acquire(lockName, "token", minute), store.lookup(lockName, [])], { concurrency: 2 })
      )
      expect(held).toBe(true)
      expect(Buffer.from(seen.entry ?? []).toString()).toBe("token")
      const both = Effect.all([store.replace(name, entry, minute, null), lock.release(lockName, "token", "stored")], {
        concurrency: 2
      })
      expect((await costOf(both)).roundTrips).toBe(1)
    }))

  it("invalidating a tag is one script and one round trip, however many entries carry it", () =>
    run(async (store) => {
      const [tag = ""] = names(1)
      await Effect.runPromise(store.obtain([tag], minute))
      await Effect.runPromise(
        Effect.forEach(names(500), (name) => store.replace(name, entry, minute, null), { concurrency: "unbounded" })
      )
      const { commands, roundTrips } = await costOf(store.invalidate([{ _tag: "kill", tag }], minute))
      expect(commands).toEqual({ evalsha: 1, get: 1, unlink: 1, publish: 1 })
      expect(roundTrips).toBe(1)
    }))

  it("many steps of an invalidation are one round trip", () =>
    run(async (store) => {
      const tags = names(20)
      const stamps = await Effect.runPromise(store.obtain(tags, minute))
      const steps = tags.map((tag, i) =>
        i === 0 ? { _tag: "swap" as const, tag, expected: String(stamps[0]), next: makeStamp() } : { _tag: "kill" as const, tag }
      )
      const { commands, roundTrips } = await costOf(store.invalidate(steps, minute))
      expect(commands).toMatchObject({ evalsha: 20, get: 20, set: 1, unlink: 19 })
      expect(roundTrips).toBe(1)
    }))

  it("is never to look through its keys", async () => {
    const asked = await calls()
    expect(asked.get("mget")).toBeGreaterThan(0)
    for (const command of ["keys", "scan", "randomkey", "dbsize"]) expect(asked.get(command)).toBeUndefined()
  })
})
