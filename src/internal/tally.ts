/**
 * Counting what happens, in plain calls: a metric is updated without a fiber, and without labels that it has to be looked
 * up by.
 */
import type { CacheEntry } from "../CacheEntry.js"
import * as CacheMetrics from "../CacheMetrics.js"
import type { Metric } from "effect/Metric"

const noLabels: [] = []

const add = <Type, Out>(metric: Metric<Type, number, Out>, amount = 1): void => metric.unsafeUpdate(amount, noLabels)

const served = ({ payload, queryMillis }: CacheEntry): void => {
  add(CacheMetrics.bytesRead, payload.length)
  add(CacheMetrics.databaseTimeSaved, queryMillis)
}

/** @internal */
export const hit = (entry: CacheEntry): void => {
  add(CacheMetrics.freshHits)
  served(entry)
}

/** @internal */
export const stale = (entry: CacheEntry): void => {
  add(CacheMetrics.staleHits)
  served(entry)
}

/** @internal */
export const miss = (): void => add(CacheMetrics.misses)

/** @internal */
export const joined = (): void => add(CacheMetrics.joined)

/** @internal */
export const filled = (payload: Uint8Array): void => {
  add(CacheMetrics.fills)
  add(CacheMetrics.bytesStored, payload.length)
}

/** @internal */
export const invalidated = (): void => add(CacheMetrics.invalidations)

/** @internal */
export const failed = (): void => add(CacheMetrics.errors)

/** @internal */
export const waited = (millis: number): void => add(CacheMetrics.lockWaits, millis)
