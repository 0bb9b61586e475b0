import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import { Redis } from "iovalkey"
import { afterAll, beforeAll, onTestFinished } from "vitest"
import { CacheStore } from "../../src/CacheStore.js"
import { DistributedLock } from "../../src/DistributedLock.js"
import * as HttpCache from "../../src/HttpCache.js"
import { Backdoor } from "../conformance/backdoor.js"
import { OtherLock } from "../conformance/lock.js"
import { freePort } from "../support/process.js"
import { valkeyUrl } from "../support/servers.js"
import type { Bridge, BridgeOptions } from "./bridge.js"
import { startBridge } from "./bridge.js"

/** A bridge for the test file that calls this. */
export const useBridge = (options?: BridgeOptions): { readonly current: Bridge } => {
  let bridge: Bridge | undefined
  beforeAll(async () => {
    bridge = await startBridge(valkeyUrl(), options)
  })
  afterAll(() => bridge?.stop())
  return {
    get current() {
      if (bridge === undefined) throw new Error("the bridge is there in tests and hooks only")
      return bridge
    }
  }
}

class TestBridge extends Context.Tag("test/Bridge")<TestBridge, Bridge>() {}

const backdoor: Layer.Layer<Backdoor> = Layer.scoped(
  Backdoor,
  Effect.map(
    Effect.acquireRelease(Effect.sync(() => new Redis(valkeyUrl())), (client) => Effect.sync(() => client.disconnect())),
    (client): Backdoor => ({
      get: (name) => Effect.promise(() => client.get(name)),
      set: (name, value, ttlMillis) => Effect.promise(() => client.set(name, value, "PX", ttlMillis)),
      ttl: (name) => Effect.promise(() => client.pttl(name))
    })
  )
)

/** The store and the lock over a bridge of their own, with a second connection as another process has one. */
export const overHttp = (
  options?: BridgeOptions
): Layer.Layer<CacheStore | DistributedLock | OtherLock | Backdoor, unknown> => {
  const services = Layer.unwrapEffect(Effect.map(TestBridge, ({ token, url }) =>
    // A test says nothing about how fast the machine is that it runs on.
    HttpCache.layerServices({ url, token, commandTimeout: 20_000 })))
  const other = Layer.effect(OtherLock, DistributedLock).pipe(Layer.provide(Layer.fresh(services)))
  return Layer.mergeAll(services, other, backdoor).pipe(
    Layer.provide(Layer.scoped(
      TestBridge,
      Effect.acquireRelease(Effect.promise(() => startBridge(valkeyUrl(), options)), (bridge) =>
        Effect.promise(() => bridge.stop()))
    ))
  )
}

/** A store over HTTP, until the test is over. */
export const openStore = async (options: HttpCache.ConnectionOptions): Promise<CacheStore> => {
  const runtime = ManagedRuntime.make(HttpCache.layerServices(options))
  onTestFinished(() => runtime.dispose())
  return runtime.runPromise(CacheStore)
}

/** An address where nobody answers. */
export const nowhere = async (): Promise<string> => `http://127.0.0.1:${await freePort()}`
