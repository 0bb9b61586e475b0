/**
 * From what the `cache` option may be to the layers of the cache.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as MemoryStore from "../CacheStore/Memory.js"
import type { CacheStore } from "../CacheStore.js"
import * as MemoryLock from "../DistributedLock/Memory.js"
import type { DistributedLock } from "../DistributedLock.js"
import * as QueryCache from "../QueryCache.js"
import { layerExact } from "../Serializer.js"
import * as ValkeyCache from "../ValkeyCache.js"
import { cacheKind, keyvClient } from "./options.js"
import type { CacheBackend, Settings } from "./options.js"

type Services = Layer.Layer<CacheStore | DistributedLock, unknown>

/** Nobody else shares this memory: the flights of the one cache over it are all the lock it needs. */
const memory: Services = Layer.merge(MemoryStore.layer(), MemoryLock.layerNoop)

const saidOnce = Effect.runSync(Effect.cached(Effect.logInfo(
  "effect-prisma-cache: no `cache` was given, entries are kept in the memory of this process"
)))

const services = (cache: CacheBackend | undefined): Services => {
  if (cache === undefined) return Layer.merge(Layer.effectDiscard(saidOnce), memory)
  switch (cacheKind(cache)) {
    case "layer":
      return cache as Services
    case "keyv":
      return ValkeyCache.layerServices(keyvClient(cache) as ValkeyCache.Connection)
    default:
      return ValkeyCache.layerServices(cache as ValkeyCache.Connection)
  }
}

/** @internal */
export const cacheLayer = (settings: Settings): Layer.Layer<QueryCache.QueryCache, unknown> => {
  const given = services(settings.cache)
  const backend = settings.lock === false ? Layer.merge(given, MemoryLock.layerNoop) : given
  return QueryCache.layer({
    namespace: settings.namespace,
    lock: settings.lock === false ? undefined : settings.lock,
    consistency: settings.consistency,
    intentTtl: settings.intentTtl,
    maxEntryBytes: settings.maxEntryBytes,
    onEvent: settings.onEvent
  }).pipe(Layer.provide(Layer.merge(backend, layerExact)))
}
