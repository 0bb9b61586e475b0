import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { Redis } from "iovalkey"
import { describe, expect, it } from "vitest"
import { CacheStore } from "../../src/CacheStore.js"
import * as ValkeyCache from "../../src/ValkeyCache.js"
import { uniqueName } from "../support/servers.js"
import { startValkeyCluster } from "../support/valkey.js"

const minute = 60_000

describe("on a cluster, whose nodes know nothing of each other", () => {
  it("no step is carried out while one that is to be first has not been", async () => {
    const cluster = await startValkeyCluster()
    const [slow, quick] = cluster.nodes.map(({ url }) => new Redis(url))
    /** A name that this node keeps: any other node's it sends elsewhere. */
    const nameOn = async (node: Redis | undefined): Promise<string> => {
      const name = uniqueName("tag")
      return await node?.get(name).then(() => true, () => false) === true ? name : nameOn(node)
    }
    const [first, rest] = [await nameOn(slow), await nameOn(quick)]
    const steps = {
      invalidate: (store: CacheStore) =>
        store.invalidate([{ _tag: "kill", tag: rest }, { _tag: "kill", tag: first, first: true }], minute),
      begin: (store: CacheStore) => store.begin([{ tag: rest }, { tag: first, first: true }], "token", minute),
      end: (store: CacheStore) => store.end([{ tag: rest }, { tag: first, first: true }], "token", true, minute)
    }
    await Effect.gen(function*() {
      const store = yield* CacheStore
      const state = Effect.map(store.lookup(rest, [rest]), ({ states }) => states[0])
      // The nodes know the scripts before it counts.
      for (const step of Object.values(steps)) yield* step(store)
      yield* store.obtain([first, rest], minute)
      for (const [name, step] of Object.entries(steps)) {
        const before = yield* state
        yield* Effect.promise(async () => cluster.nodes[0]?.kill("SIGSTOP"))
        const underWay = yield* Effect.fork(step(store))
        // The other node answers meanwhile, many times.
        for (let i = 0; i < 20; i++) expect(yield* state, name).toBe(before)
        yield* Effect.promise(async () => cluster.nodes[0]?.kill("SIGCONT"))
        yield* Fiber.join(underWay)
        if (name === "end") expect(yield* state, name).toBeNull()
        else yield* store.obtain([first, rest], minute)
      }
    }).pipe(
      Effect.provide(ValkeyCache.layerServices(
        { cluster: { nodes: cluster.nodes.map(({ host, port }) => ({ host, port })) } },
        { commandTimeout: 20_000 }
      )),
      Effect.runPromise
    )
    slow?.disconnect()
    quick?.disconnect()
    await cluster.stop()
  })
})
