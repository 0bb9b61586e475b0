/**
 * Counting what happens, in plain calls: a metric is updated without a fiber, and without labels that it has to be looked
 * up by.
 */
import * as CacheMetrics from "../CacheMetrics.js"
import type { Metric } from "effect/Metric"

const noLabels: [] = []

const add = <Type, Out>(metric: Metric<Type, number, Out>, amount = 1): void => metric.unsafeUpdate(amount, noLabels)

/** Of what was served out of the cache. */
interface Served {
  readonly bytes: number
  readonly queryMillis: number
}

const served = ({ bytes, queryMillis }: Served): void => {
  add(CacheMetrics.bytesRead, bytes)
  add(CacheMetrics.databaseTimeSaved, queryMillis)
}

/** @internal */
export const hit = (entry: Served): void => {
  add(CacheMetrics.freshHits)
  served(entry)
}

/** @internal */
export const stale = (entry: Served): void => {
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
