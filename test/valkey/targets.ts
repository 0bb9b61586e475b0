/** The kinds of Valkey that everything here has to work on, each as a layer with a way in for the tests. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Cluster, Redis } from "iovalkey"
import type { CacheStore } from "../../src/CacheStore.js"
import { DistributedLock } from "../../src/DistributedLock.js"
import * as ValkeyCache from "../../src/ValkeyCache.js"
import { Backdoor } from "../conformance/backdoor.js"
import { OtherLock } from "../conformance/lock.js"
import { valkeyUrl } from "../support/servers.js"
import type { ValkeyCluster } from "../support/valkey.js"
import { startValkeyCluster } from "../support/valkey.js"

type Services = Layer.Layer<CacheStore | DistributedLock, unknown>

/** A test says nothing about how fast the machine is that it runs on. */
const patient = { commandTimeout: 20_000 }

interface Plain {
  get(key: string): Promise<string | null>
  set(key: string, value: string, px: "PX", ttl: number): Promise<unknown>
  pttl(key: string): Promise<number>
  disconnect(): void
}

/** A client with no other cleverness than the prefix that the one under test has. */
const backdoor = (connect: () => Plain, prefix = ""): Layer.Layer<Backdoor> =>
  Layer.scoped(
    Backdoor,
    Effect.map(
      Effect.acquireRelease(Effect.sync(connect), (client) => Effect.sync(() => client.disconnect())),
      (client): Backdoor => ({
        get: (name) => Effect.promise(() => client.get(prefix + name)),
        set: (name, value, ttlMillis) => Effect.promise(() => client.set(prefix + name, value, "PX", ttlMillis)),
        ttl: (name) => Effect.promise(() => client.pttl(prefix + name))
      })
    )
  )

/** A client of the caller's: when the layer that borrowed it is closed, it works as before, with its own listeners only. */
const borrowed = <C extends Redis | Cluster>(connect: () => C): Services =>
  Layer.unwrapScoped(Effect.gen(function*() {
    const client = yield* Effect.acquireRelease(Effect.sync(connect), (made) => Effect.sync(() => made.disconnect()))
    if (client.status !== "wait") yield* Effect.promise(() => new Promise((resolve) => client.once("ready", resolve)))
    const listeners = () => client.eventNames().reduce((sum, event) => sum + client.listenerCount(event), 0)
    const before = listeners()
    yield* Effect.addFinalizer(() =>
      Effect.promise(async () => {
        if (client.status === "wait") await client.connect()
        if (await client.echo("still open") !== "still open" || listeners() !== before) {
          throw new Error("A client of the caller's was left in another state than it was in")
        }
      })
    )
    return ValkeyCache.layerServices(client, patient)
  }))

/** With a second connection to the same place, as another process has one. */
const twice = (services: Services) =>
  Layer.merge(services, Layer.effect(OtherLock, DistributedLock).pipe(Layer.provide(Layer.fresh(services))))

const nodesOf = (cluster: ValkeyCluster) => cluster.nodes.map(({ host, port }) => ({ host, port }))

class TestCluster extends Context.Tag("test/Cluster")<TestCluster, ValkeyCluster>() {}

const testCluster = Layer.scoped(
  TestCluster,
  Effect.acquireRelease(Effect.promise(() => startValkeyCluster()), (cluster) => Effect.promise(() => cluster.stop()))
)

const onCluster = (services: (cluster: ValkeyCluster) => Services, prefix = "") =>
  Layer.unwrapEffect(Effect.map(TestCluster, (cluster) =>
    Layer.merge(twice(services(cluster)), backdoor(() => new Cluster(nodesOf(cluster)), prefix)))).pipe(Layer.provide(testCluster))

const at = () => {
  const { hostname, port } = new URL(valkeyUrl())
  return { host: hostname, port: Number(port) }
}

export interface Kind {
  readonly name: string
  readonly layer: Layer.Layer<CacheStore | DistributedLock | OtherLock | Backdoor, unknown>
}

const onServer = (services: Services, prefix = "") =>
  Layer.merge(twice(services), backdoor(() => new Redis(valkeyUrl()), prefix))

/** Made when it is called, in a test file: only there is it known where the server is. */
export const kinds = (): ReadonlyArray<Kind> => [
  { name: "one server, by URL", layer: onServer(ValkeyCache.layerServices(valkeyUrl(), patient)) },
  {
    name: "one server, with a key prefix",
    layer: onServer(ValkeyCache.layerServices({ ...at(), keyPrefix: "shop {a}:" }, patient), "shop {a}:")
  },
  { name: "a client of the caller's", layer: onServer(borrowed(() => new Redis(valkeyUrl()))) },
  {
    name: "a client of the caller's that is not connected yet, with every option another way",
    layer: onServer(
      borrowed(() =>
        new Redis(valkeyUrl(), {
          lazyConnect: true,
          enableOfflineQueue: false,
          enableAutoPipelining: true,
          stringNumbers: true,
          keyPrefix: "theirs:"
        })
      ),
      "theirs:"
    )
  },
  {
    name: "a cluster",
    layer: onCluster((cluster) => ValkeyCache.layerServices({ cluster: { nodes: nodesOf(cluster) } }, patient))
  },
  {
    name: "a cluster client of the caller's, with a key prefix",
    layer: onCluster((cluster) => borrowed(() => new Cluster(nodesOf(cluster), { keyPrefix: "theirs:" })), "theirs:")
  }
]
