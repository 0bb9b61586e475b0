/**
 * From what the `cache` option may be to the store and the lock.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as MemoryStore from "../CacheStore/Memory.js"
import * as MemoryLock from "../DistributedLock/Memory.js"
import * as KeyvCache from "../KeyvCache.js"
import * as ValkeyCache from "../ValkeyCache.js"
import type { Services } from "./cacheLayer.js"
import { cacheKind, keyvClient } from "./backendKind.js"
import type { AnyKeyv, CacheBackend } from "./options.js"

/** Nobody else shares this memory: the flights of the one cache over it are all the lock it needs. */
const memory: Services = Layer.merge(MemoryStore.layer(), MemoryLock.layerNoop)

const saidOnce = Effect.runSync(Effect.cached(Effect.logInfo(
  "effect-prisma-cache: no `cache` was given, entries are kept in the memory of this process"
)))

/** @internal */
export const services = (cache: CacheBackend | undefined): Services => {
  if (cache === undefined) return Layer.merge(Layer.effectDiscard(saidOnce), memory)
  switch (cacheKind(cache)) {
    case "layer":
      return cache as Services
    case "keyv":
      return KeyvCache.layerServices(cache as AnyKeyv)
    case "keyv on Valkey":
      return ValkeyCache.layerServices(keyvClient(cache) as ValkeyCache.Connection)
    default:
      return ValkeyCache.layerServices(cache as ValkeyCache.Connection)
  }
}
