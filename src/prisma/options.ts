/**
 * The options of the extension.
 *
 * @since 0.1.0
 */
import type { Cluster, Redis, RedisOptions } from "iovalkey"
import type * as Duration from "effect/Duration"
import type * as Layer from "effect/Layer"
import type { CacheEvent } from "../CacheEvent.js"
import type * as KeyvStore from "../CacheStore/Keyv.js"
import type { CacheStore } from "../CacheStore.js"
import type { DistributedLock } from "../DistributedLock.js"
import type { Consistency, KeyMaterial, LockOptions, MemoryOptions } from "../QueryCache.js"
import type { Serializer } from "../Serializer.js"
import type { ClusterConnection } from "../valkey/options.js"

/**
 * Where entries are kept.
 *
 * - a URL: `valkey://`, `valkeys://`, `redis://`, `rediss://`
 * - iovalkey's own options
 * - a client of yours, `Redis` or `Cluster`: it is used and never closed
 * - a Keyv store on Valkey (`@keyv/valkey`), or a Keyv around one: its client is used
 * - any other Keyv, or a store made for one, *best effort*: with `consistency: "after-commit"`, and without a lock
 *   between processes
 * - a `Layer` that provides `CacheStore` and `DistributedLock`
 *
 * @since 0.1.0
 * @category options
 */
export type CacheBackend =
  | string
  | RedisOptions
  | ClusterConnection
  | Redis
  | Cluster
  | ValkeyClientLike
  | KeyvLike
  | Layer.Layer<CacheStore | DistributedLock, unknown>

/**
 * A Valkey or Redis client of another copy or make, recognised by its shape.
 *
 * @since 0.1.0
 * @category options
 */
export interface ValkeyClientLike {
  readonly status: string
  /** Makes a command of a script. */
  readonly defineCommand: (...args: never) => unknown
  /** Opens a second connection with the same options. */
  readonly duplicate: (...args: never) => unknown
}

/**
 * A Keyv store on Valkey, a Keyv around one, or any other.
 *
 * @since 0.1.0
 * @category options
 */
export type KeyvLike = { readonly redis: unknown } | { readonly opts: { readonly store?: unknown } } | AnyKeyv

/**
 * A Keyv, or a store made for one.
 *
 * @since 0.1.0
 * @category options
 */
export interface AnyKeyv extends KeyvStore.KeyvLike {
  readonly opts: unknown
}

/**
 * A standing strategy. A number as `ttl` is milliseconds.
 *
 * @since 0.1.0
 * @category options
 */
export interface StandingStrategy {
  readonly ttl: Duration.DurationInput
  /** How long after that answers may be served expired while they are queried anew in the background. Default 0. */
  readonly swr?: Duration.DurationInput | undefined
  /** How long after `ttl` answers may be served when the query fails. Default 0. */
  readonly staleIfError?: Duration.DurationInput | undefined
  /**
   * How long the query may take before an answer within `staleIfError` is served in its place; it goes on in the
   * background. A number is in milliseconds. Default: as long as it likes.
   */
  readonly softTimeout?: Duration.DurationInput | undefined
  /**
   * How long the query may take at all before it fails with a `QueryTimeoutError`, or an answer within `staleIfError` is
   * served in its place. The database is not told. A number is in milliseconds. Default: as long as it likes.
   */
  readonly hardTimeout?: Duration.DurationInput | undefined
  /** By how much chance shortens a ttl at the most, as a share of it between 0 and 1. Default 0. */
  readonly jitter?: number | undefined
  readonly tags?: ReadonlyArray<string> | undefined
}

/**
 * What `cacheStrategy` and `$accelerate.invalidate` accept and how often. What is left out has no limit.
 *
 * @since 0.1.0
 * @category options
 */
export interface AccelerateLimits {
  /** Tags of one query, and of one invalidation. */
  readonly tags?: number | undefined
  /** Characters of a tag. */
  readonly tagLength?: number | undefined
  /** What a tag has to match. */
  readonly tagPattern?: RegExp | undefined
  /** Invalidations by `$accelerate` in any 60 seconds, of each client. */
  readonly invalidationsPerMinute?: number | undefined
}

/**
 * Whether writes invalidate what they touched by themselves.
 *
 * @since 0.1.0
 * @category options
 */
export type Invalidation = "auto" | "manual"

/**
 * The options of `prismaCache`.
 *
 * @since 0.1.0
 * @category options
 */
export interface PrismaCacheOptions {
  /** Where entries are kept. Left out: in the memory of this process, which a log line says once. */
  readonly cache?: CacheBackend | undefined
  /** How answers become bytes, e.g. compressed or encrypted. Default `Serializer.layerExact`. */
  readonly serializer?: Layer.Layer<Serializer, unknown> | undefined
  /** How the processes of a fleet share out their queries, in milliseconds; `false`: not at all. */
  readonly lock?: LockOptions | false | undefined
  /**
   * A memory tier: what this process has seen lately it answers without asking the cache, until it hears that it has
   * changed. This process always reads its own writes. Those of others it may miss for as long as the cache takes to tell,
   * usually a millisecond, and two seconds if the connection on which it listens has died without a word. `true`: with all
   * defaults. A cache that does not tell of changes, a Keyv or over HTTP, needs a `maxAge`. Default `false`.
   */
  readonly memory?: boolean | MemoryOptions | undefined
  /** The cache's prefix: clients of one namespace share entries and invalidations. Default `default`. */
  readonly namespace?: string | undefined
  /** Caches every read. Left out: only reads that ask for it. */
  readonly defaults?: StandingStrategy | undefined
  /** The same per model, by its name in the schema; `false`: reads of this model are cached only if they ask for it. */
  readonly models?: { readonly [model: string]: StandingStrategy | false } | undefined
  /**
   * `auto`: a write invalidates what it touched, when it commits. `manual`: only `uncache` and `$cache.invalidate` do.
   * By model, `{ Session: "manual" }`, for those whose writes nobody has to hear of; the others are `auto`. Default
   * `auto`.
   */
  readonly invalidation?: Invalidation | { readonly [model: string]: Invalidation } | undefined
  /**
   * `strict`: the cache is told of a write before the database is, so that a process killed between COMMIT and
   * invalidation leaves nothing stale; refused where the store is best effort only. `after-commit`: one round trip less
   * per write. Default `strict` where invalidation is automatic and the store is not best effort, else `after-commit`.
   */
  readonly consistency?: Consistency | undefined
  /**
   * How long what a killed process was writing stays uncached, in milliseconds: more than the database may take to
   * commit for a client that is gone. Default 60,000.
   */
  readonly intentTtl?: number | undefined
  /**
   * Holds out against a server that evicts the announcement of a write whose process is then killed: nothing stale is
   * left later than twice `intentTtl` after the write began. Costs misses a round trip for a while after each write, and
   * writes do not store their results. Default `false`.
   */
  readonly hardened?: boolean | undefined
  /**
   * What raw SQL does that may write and does not declare what: `warn` with an event, `invalidate-all`, or `refuse`.
   * Default `warn`.
   */
  readonly rawWrites?: "warn" | "invalidate-all" | "refuse" | undefined
  /**
   * Caches reads of clients with query extensions that were added after the cache, although it cannot see what they do
   * to a query. Default `false`: such reads are not cached unless `varyBy` says what they depend on.
   */
  readonly trustLaterExtensions?: boolean | undefined
  /**
   * Answers reads that are in the cache past Prisma's own machinery, where nothing else in the client has a say in
   * queries or results. Prisma's tracing then sees queries that miss only. Default `true`.
   */
  readonly shortCut?: boolean | undefined
  /**
   * What an answer depends on beside the query: tenant, role, locale. Called per query. If it throws, the query is not
   * cached.
   */
  readonly varyBy?: (() => KeyMaterial) | undefined
  /**
   * How long a read waits for an answer of the cache before it goes on without it, in milliseconds. Default 50; over HTTP
   * 500.
   */
  readonly budget?: number | undefined
  /**
   * The same for a write, and for each invalidation: others may serve what it made invalid until the cache knows of it.
   * Milliseconds. Default 1,000.
   */
  readonly writeBudget?: number | undefined
  /**
   * What becomes of a write while the cache cannot be reached. `proceed`: it is carried out, and what it makes invalid is
   * remembered and invalidated as soon as the cache answers; this process reads it from the database until then, others
   * that do reach the cache may serve it. `refuse`: it fails with a `CacheError` before it starts. Default `proceed`.
   */
  readonly onUnreachable?: "proceed" | "refuse" | undefined
  /**
   * How many tags are remembered that could not be invalidated. With more, all that the namespace holds is invalidated
   * in their place. Default 10,000.
   */
  readonly maxUndelivered?: number | undefined
  /** A larger entry is not stored. Bytes. Default 4 MiB. */
  readonly maxEntryBytes?: number | undefined
  /**
   * Limits of Accelerate's dialect; `"accelerate"`: those of Prisma Accelerate, 5 tags of 64 characters out of
   * `A-Z a-z 0-9 _`. Default: none.
   */
  readonly limits?: "accelerate" | AccelerateLimits | undefined
  /** What `.withAccelerateInfo()` says of the region. Default `"local"`. */
  readonly region?: string | undefined
  /** Told of everything that happens. What it throws is ignored. */
  readonly onEvent?: ((event: CacheEvent) => void) | undefined
}
