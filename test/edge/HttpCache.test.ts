import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as HttpClient from "@effect/platform/HttpClient"
import { describe, expect, it } from "@effect/vitest"
import * as Config from "effect/Config"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { CacheStore } from "../../src/CacheStore.js"
import { DistributedLock } from "../../src/DistributedLock.js"
import * as HttpCache from "../../src/HttpCache.js"
import * as QueryCache from "../../src/QueryCache.js"
import * as ValkeyCache from "../../src/ValkeyCache.js"
import { uniqueName, valkeyUrl } from "../support/servers.js"
import { nowhere, useBridge } from "./support.js"
import { unhurried } from "../support/unhurried.js"

const bridge = useBridge()
const at = () => ({ url: bridge.current.url, token: bridge.current.token, commandTimeout: 20_000 })

const strategy = { ttl: "1 minute", tags: ["shared"] } as const

const oddBytes = new Uint8Array([0, 127, 255])

type Cache = Layer.Layer<QueryCache.QueryCache, unknown>

/** Asks each cache for the same answer, one after the other, and counts how often it had to be worked out. */
const loadsOf = (...layers: ReadonlyArray<Cache>) => {
  let loads = 0
  const key = uniqueName("answer")
  const ask = Effect.flatMap(QueryCache.QueryCache, (cache) =>
    cache.fetch({ key, strategy }, Effect.sync(() => ({ loads: ++loads, text: "\u00fc\u{1F600}", bytes: oddBytes }))))
  return Effect.map(
    Effect.forEach(layers, (layer) => Effect.provide(ask, Layer.fresh(layer))),
    (answers) => ({ loads, answers: answers.map((answer) => answer.loads) })
  )
}
const shared = { loads: 1, answers: [1, 1] }

describe("HttpCache", () => {
  it.live("layer: what it stores is found over TCP, and the other way round, in the same namespace only", () =>
    Effect.gen(function*() {
      const [namespace, other] = [uniqueName("n"), uniqueName("n")]
      const tcp = ValkeyCache.layer({ ...unhurried, connection: valkeyUrl(), namespace })
      const http = HttpCache.layer({ ...at(), namespace })
      expect(yield* loadsOf(http, tcp)).toEqual(shared)
      expect(yield* loadsOf(tcp, http)).toEqual(shared)
      expect(yield* loadsOf(http, http)).toEqual(shared)
      expect((yield* loadsOf(tcp, HttpCache.layer({ ...at(), namespace: other }))).loads).toBe(2)
    }))

  it.live("an invalidation over HTTP ends what is served over TCP, and the other way round", () =>
    Effect.gen(function*() {
      const namespace = uniqueName("n")
      const tcp = Layer.fresh(ValkeyCache.layer({ ...unhurried, connection: valkeyUrl(), namespace }))
      const http = Layer.fresh(HttpCache.layer({ ...at(), namespace }))
      for (const [one, other] of [[tcp, http], [http, tcp]] as const) {
        let loads = 0
        const key = uniqueName("answer")
        const ask = Effect.flatMap(QueryCache.QueryCache, (cache) =>
          cache.fetch({ key, strategy }, Effect.sync(() => ++loads)))
        const invalidate = Effect.flatMap(QueryCache.QueryCache, (cache) => cache.invalidate({ tags: ["shared"] }))
        expect(yield* Effect.provide(Effect.zipRight(ask, ask), one)).toBe(1)
        yield* Effect.provide(invalidate, other)
        expect(yield* Effect.provide(ask, one)).toBe(2)
      }
    }))

  it.live("a lock held over HTTP keeps TCP waiting, and wakes it when it is released", () =>
    Effect.gen(function*() {
      const news = (name: string) =>
        Effect.scoped(Effect.gen(function*() {
          const lock = yield* DistributedLock
          const waiting = yield* lock.news(name)
          expect(yield* lock.acquire(name, uniqueName("token"), 60_000)).toBe(false)
          yield* release(name)
          return yield* waiting.take
        }))
      const owner = uniqueName("token")
      const overHttp = <A, E>(effect: Effect.Effect<A, E, DistributedLock>) =>
        Effect.provide(effect, HttpCache.layerServices(at()))
      const release = (name: string) =>
        overHttp(Effect.flatMap(DistributedLock, (lock) => lock.release(name, owner, "failed")))
      const name = `${uniqueName("lock")}:{digest}:generation`
      yield* overHttp(Effect.flatMap(DistributedLock, (lock) => lock.acquire(name, owner, 60_000)))
      expect(yield* Effect.provide(news(name), ValkeyCache.layerServices(valkeyUrl()))).toBe("failed")
    }))

  it.live("one query for a cold key: a process that waits looks again until the answer is there", () =>
    Effect.gen(function*() {
      const namespace = uniqueName("n")
      const key = uniqueName("answer")
      let loads = 0
      const ask = Effect.flatMap(QueryCache.QueryCache, (cache) =>
        cache.fetch({ key, strategy }, Effect.delay(Effect.sync(() => ++loads), "300 millis")))
      const processes = [
        ...Array.from({ length: 3 }, () => HttpCache.layer({ ...at(), namespace })),
        ValkeyCache.layer({ ...unhurried, connection: valkeyUrl(), namespace })
      ]
      const answers = yield* Effect.forEach(processes, (layer) => Effect.provide(ask, Layer.fresh(layer)), {
        concurrency: "unbounded"
      })
      expect(answers).toEqual([1, 1, 1, 1])
    }))

  it.live("layer without a lock, and layer without a server: the query's answer all the same", () =>
    Effect.gen(function*() {
      const lockless = HttpCache.layer({ ...at(), namespace: uniqueName("n"), lock: false })
      expect(yield* loadsOf(lockless, lockless)).toEqual(shared)
      const away = HttpCache.layer({ ...at(), url: yield* Effect.promise(nowhere) })
      expect((yield* loadsOf(away, away)).loads).toBe(2)
    }))

  it.live("layerFromClient: a client of the caller's sends the requests", () =>
    Effect.gen(function*() {
      let sent = 0
      const client = Effect.map(HttpClient.HttpClient, HttpClient.tapRequest(() => Effect.sync(() => void sent++)))
      const layer = HttpCache.layerFromClient(yield* Effect.provide(client, FetchHttpClient.layer), {
        ...at(),
        namespace: uniqueName("n")
      })
      expect(yield* loadsOf(layer, layer)).toEqual(shared)
      expect(sent).toBeGreaterThan(1)
    }))

  it.live("layerConfig and live: the configuration may say everything", () =>
    Effect.gen(function*() {
      const namespace = uniqueName("n")
      const { token, url } = at()
      const from = (layer: Cache, variables: { readonly [name: string]: string }): Cache =>
        Layer.provide(layer, Layer.setConfigProvider(ConfigProvider.fromMap(new Map(Object.entries(variables)))))
      const configured = HttpCache.layerConfig({
        url: Config.string("SHOP_URL"),
        token: Config.redacted("SHOP_TOKEN"),
        namespace: Config.succeed(namespace)
      })
      const live = { UPSTASH_REDIS_REST_URL: url, UPSTASH_REDIS_REST_TOKEN: token, CACHE_NAMESPACE: namespace }
      expect(yield* loadsOf(from(configured, { SHOP_URL: url, SHOP_TOKEN: token }), from(HttpCache.live, live))).toEqual(shared)
      expect(String(yield* Effect.flip(loadsOf(from(HttpCache.live, {}))))).toContain("UPSTASH_REDIS_REST_URL")
    }))

  it.live("layerServices: the store and the lock alone, what `cache` takes everywhere", () =>
    Effect.gen(function*() {
      const name = uniqueName("e:")
      const layer = HttpCache.layerServices({ ...at(), token: Redacted.make(at().token) })
      const put = Effect.flatMap(CacheStore, (store) => store.replace(name, new Uint8Array([1, 2, 255]), 60_000, null))
      expect(yield* Effect.provide(put, layer)).toBe(true)
      const get = Effect.flatMap(CacheStore, (store) => store.lookup(name, []))
      expect(yield* Effect.provide(get, ValkeyCache.layerServices(valkeyUrl()))).toEqual({
        entry: new Uint8Array([1, 2, 255]),
        states: []
      })
    }))
})
