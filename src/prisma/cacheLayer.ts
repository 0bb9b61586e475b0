/**
 * From a store and a lock to the cache.
 */
import * as Layer from "effect/Layer"
import type { CacheStore } from "../CacheStore.js"
import * as MemoryLock from "../DistributedLock/Memory.js"
import type { DistributedLock } from "../DistributedLock.js"
import * as QueryCache from "../QueryCache.js"
import { layerExact } from "../Serializer.js"
import { budgetMillis } from "../http/options.js"
import type { Settings } from "./settings.js"

/** @internal */
export type Services = Layer.Layer<CacheStore | DistributedLock, unknown>

/** @internal */
export const cacheLayer = (settings: Settings, given: Services): Layer.Layer<QueryCache.QueryCache, unknown> => {
  const backend = settings.lock === false ? Layer.merge(given, MemoryLock.layerNoop) : given
  const standing = settings.invalidation === "auto" ? undefined : "after-commit"
  const policy = QueryCache.layer({
    namespace: settings.namespace,
    lock: settings.lock === false ? undefined : settings.lock,
    consistency: settings.consistency ?? standing,
    intentTtl: settings.intentTtl,
    hardened: settings.hardened,
    budget: settings.budget,
    writeBudget: settings.writeBudget,
    onUnreachable: settings.onUnreachable,
    maxUndelivered: settings.maxUndelivered,
    memory: settings.memory,
    maxEntryBytes: settings.maxEntryBytes,
    onEvent: settings.onEvent
  })
  return Layer.provide(policy, Layer.merge(backend, settings.serializer ?? layerExact))
}

/**
 * The same over HTTP, where answers take longer.
 *
 * @internal
 */
export const overHttp = (settings: Settings, given: Services): Layer.Layer<QueryCache.QueryCache, unknown> =>
  cacheLayer({ ...settings, budget: settings.budget ?? budgetMillis }, given)
