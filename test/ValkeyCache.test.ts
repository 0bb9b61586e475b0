import { describe, expect, it } from "@effect/vitest"
import * as Config from "effect/Config"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Redacted from "effect/Redacted"
import { Cluster, Redis } from "iovalkey"
import * as QueryCache from "../src/QueryCache.js"
import * as ValkeyCache from "../src/ValkeyCache.js"
import { freePort } from "./support/process.js"
import { uniqueName, valkeyUrl } from "./support/servers.js"
import { unhurried } from "./support/unhurried.js"

const strategy = { ttl: "1 minute" } as const

/** Asks each cache for the same answer, one after the other, and counts how often it had to be worked out. */
const loadsOf = <E>(...layers: ReadonlyArray<Layer.Layer<ValkeyCache.Services, E>>) => {
  let loads = 0
  const key = uniqueName("answer")
  const ask = Effect.flatMap(QueryCache.QueryCache, (cache) =>
    cache.fetch({ key, strategy }, Effect.sync(() => ({ loads: ++loads }))))
  return Effect.map(
    Effect.forEach(layers, (layer) => Effect.provide(ask, Layer.fresh(layer))),
    (answers) => ({ loads, answers })
  )
}
const shared = { loads: 1, answers: [{ loads: 1 }, { loads: 1 }] }

describe("ValkeyCache", () => {
  it.live("layer: what one cache has stored another one finds, in the same namespace only", () =>
    Effect.gen(function*() {
      const [namespace, other] = [uniqueName("n"), uniqueName("n")]
      const layer = ValkeyCache.layer({ ...unhurried, connection: valkeyUrl(), namespace })
      expect(yield* loadsOf(layer, ValkeyCache.layer({ ...unhurried, connection: Redacted.make(valkeyUrl()), namespace }))).toEqual(shared)
      expect((yield* loadsOf(layer, ValkeyCache.layer({ ...unhurried, connection: valkeyUrl(), namespace: other }))).loads).toBe(2)
    }))

  it.live("layer without a lock, and layer without a server: the query's answer all the same", () =>
    Effect.gen(function*() {
      const namespace = uniqueName("n")
      const lockless = ValkeyCache.layer({ ...unhurried, connection: valkeyUrl(), namespace, lock: false })
      expect(yield* loadsOf(lockless, lockless)).toEqual(shared)
      const away = ValkeyCache.layer({ ...unhurried, connection: { host: "127.0.0.1", port: yield* Effect.promise(freePort) } })
      expect((yield* loadsOf(away, away)).loads).toBe(2)
    }))

  it.live("layerFromClient: the caller's client goes on working when the cache is closed", () =>
    Effect.gen(function*() {
      const client = new Redis(valkeyUrl(), { keyPrefix: `${uniqueName("p")}:` })
      const layer = ValkeyCache.layerFromClient(client, unhurried)
      expect(yield* loadsOf(layer, layer)).toEqual(shared)
      expect(yield* Effect.promise(() => client.ping())).toBe("PONG")
      client.disconnect()
    }))

  it.live("layerFromClient: a client that waits for ever for a server that hangs is warned of, and no other", () =>
    Effect.gen(function*() {
      const said: Array<unknown> = []
      const listening = Logger.replace(Logger.defaultLogger, Logger.make(({ message }) => void said.push(message)))
      const clients = [
        new Redis(valkeyUrl(), { lazyConnect: true, commandTimeout: 500 }),
        new Cluster([{ host: "127.0.0.1", port: 1 }], { lazyConnect: true, redisOptions: { commandTimeout: 500 } }),
        new Redis(valkeyUrl(), { lazyConnect: true })
      ]
      const warnings: Array<number> = []
      for (const client of clients) {
        yield* Effect.provide(Effect.scoped(Layer.build(Layer.fresh(ValkeyCache.layerFromClient(client)))), listening)
        warnings.push(said.splice(0).length)
        client.disconnect()
      }
      expect(warnings).toEqual([0, 0, 1])
    }))

  it.live("layerConfig: every option may come from the configuration", () =>
    Effect.gen(function*() {
      const layer = ValkeyCache.layerConfig({
        connection: Config.redacted("SHOP_CACHE"),
        namespace: Config.string("SHOP_NAMESPACE"),
        commandTimeout: Config.integer("SHOP_TIMEOUT")
      })
      const configured = (timeout: string) =>
        Layer.provide(layer, Layer.setConfigProvider(ConfigProvider.fromMap(new Map([
          ["SHOP_CACHE", valkeyUrl()],
          ["SHOP_NAMESPACE", uniqueName("n")],
          ["SHOP_TIMEOUT", timeout]
        ]))))
      expect((yield* loadsOf(configured("5000"))).loads).toBe(1)
      const error = yield* Effect.flip(loadsOf(configured("0")))
      expect(error).toMatchObject({ problems: [{ path: "commandTimeout" }] })
    }))

  it.live("live: the environment names the server, and the namespace if it likes", () =>
    Effect.gen(function*() {
      const described = (variables: { readonly [name: string]: string }) =>
        Layer.provide(ValkeyCache.live, Layer.setConfigProvider(ConfigProvider.fromMap(new Map(Object.entries(variables)))))
      const namespace = uniqueName("n")
      const layer = described({ VALKEY_URL: valkeyUrl(), CACHE_NAMESPACE: namespace })
      expect(yield* loadsOf(layer, ValkeyCache.layer({ ...unhurried, connection: valkeyUrl(), namespace }))).toEqual(shared)
      const name = Effect.map(QueryCache.QueryCache, (cache) => cache.namespace)
      expect(yield* Effect.provide(name, described({ VALKEY_URL: valkeyUrl() }))).toBe("default")
      expect(String(yield* Effect.flip(loadsOf(described({}))))).toContain("VALKEY_URL")
      expect(String(yield* Effect.flip(loadsOf(described({ VALKEY_URL: "secret" }))))).not.toContain("secret")
    }))
})
