/**
 * What the caches of this process have done together, as metrics of Effect: `Metric.snapshot`, and what exports it, has
 * them as soon as there is something to count. Keeping them costs a hit a tenth or two of a microsecond.
 *
 * @module
 * @since 0.1.0
 */
import * as Metric from "effect/Metric"
import * as MetricBoundaries from "effect/MetricBoundaries"
import * as MetricKey from "effect/MetricKey"
import * as MetricLabel from "effect/MetricLabel"

const name = (what: string) => `effect_prisma_cache_${what}`

const counter = (what: string, description: string): Metric.Metric.Counter<number> =>
  Metric.counter(name(what), { description, incremental: true })

/** With its label in the key, since a label that is given to an update costs ten times the update. */
const hitsOf = (kind: "fresh" | "stale"): Metric.Metric.Counter<number> =>
  Metric.fromMetricKey(MetricKey.taggedWithLabels(
    MetricKey.counter(name("hits"), { description: "Answers from the cache", incremental: true }),
    [MetricLabel.make("kind", kind)]
  ))

/**
 * Answers from the cache that were fresh: `effect_prisma_cache_hits` with the label `kind="fresh"`.
 *
 * @since 0.1.0
 * @category metrics
 */
export const freshHits: Metric.Metric.Counter<number> = hitsOf("fresh")

/**
 * Answers from the cache that were expired, and served as their strategy allows: `effect_prisma_cache_hits` with the
 * label `kind="stale"`.
 *
 * @since 0.1.0
 * @category metrics
 */
export const staleHits: Metric.Metric.Counter<number> = hitsOf("stale")

/**
 * Answers that the database gave to the caller that was told.
 *
 * @since 0.1.0
 * @category metrics
 */
export const misses: Metric.Metric.Counter<number> = counter("misses", "Answers from the database")

/**
 * Callers who shared the query of another one in this process.
 *
 * @since 0.1.0
 * @category metrics
 */
export const joined: Metric.Metric.Counter<number> = counter("joined", "Callers who shared another one's query")

/**
 * Answers that were stored.
 *
 * @since 0.1.0
 * @category metrics
 */
export const fills: Metric.Metric.Counter<number> = counter("fills", "Answers that were stored")

/**
 * Invalidations that the store has carried out, whatever number of tags they named.
 *
 * @since 0.1.0
 * @category metrics
 */
export const invalidations: Metric.Metric.Counter<number> = counter("invalidations", "Invalidations carried out")

/**
 * What the store or the lock was asked for and did not do.
 *
 * @since 0.1.0
 * @category metrics
 */
export const errors: Metric.Metric.Counter<number> = counter("errors", "What the cache was asked for and did not do")

/**
 * How long queries waited for that of another process, in milliseconds. Its count is how many did.
 *
 * @since 0.1.0
 * @category metrics
 */
export const lockWaits: Metric.Metric.Histogram<number> = Metric.histogram(
  name("lock_wait_milliseconds"),
  MetricBoundaries.fromIterable([1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000]),
  "How long queries waited for that of another process"
)

/**
 * Bytes of the answers that were stored, as the serializer made them.
 *
 * @since 0.1.0
 * @category metrics
 */
export const bytesStored: Metric.Metric.Counter<number> = counter("bytes_stored", "Bytes of the answers that were stored")

/**
 * Bytes of the answers that were served from the cache.
 *
 * @since 0.1.0
 * @category metrics
 */
export const bytesRead: Metric.Metric.Counter<number> = counter("bytes_read", "Bytes of the answers from the cache")

/**
 * How long the queries took whose answers were served from the cache, in milliseconds: the time of the database that it
 * saved.
 *
 * @since 0.1.0
 * @category metrics
 */
export const databaseTimeSaved: Metric.Metric.Counter<number> = counter(
  "database_milliseconds_saved",
  "How long the queries took whose answers came from the cache"
)
