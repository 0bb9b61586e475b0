/**
 * What the extension adds to the client itself.
 *
 * @since 0.1.0
 */
import type { CustomKey, ReadCacheOptions } from "./options.js"
import type { PrismaPromise } from "./promise.js"

/**
 * What to invalidate: every entry that carries one of the cache tags, and every shape stored under one of the keys.
 *
 * @since 0.1.0
 * @category models
 */
export interface InvalidationTargets {
  /** Cache tags. Default: none. */
  readonly tags?: ReadonlyArray<string> | undefined
  /** Custom keys; a plain string is a key in the namespace of the extension. Default: none. */
  readonly keys?: ReadonlyArray<string | CustomKey> | undefined
  /** Models, by their names in the schema: everything that was read from them. Default: none. */
  readonly models?: ReadonlyArray<string> | undefined
  /**
   * `"invalidate"`: the entries are never served again. `"expire"`: they count as expired, and may still be served
   * while they are being refreshed. Default: `"invalidate"`.
   */
  readonly mode?: "expire" | "invalidate" | undefined
}

/**
 * What this process has counted since the extension was made.
 *
 * @since 0.1.0
 * @category models
 */
export interface CacheStats {
  /** Reads answered from the cache. */
  readonly hits: number
  /** Reads answered from the cache with what had expired. */
  readonly stale: number
  /** Reads that queried the database because the cache had no answer. */
  readonly misses: number
  /** Reads that shared the query of another caller. */
  readonly joined: number
  /** Answers stored. */
  readonly fills: number
  /** Cache operations that failed. The queries they served did not. */
  readonly errors: number
  /** Invalidations asked for, by writes and by hand. */
  readonly invalidations: number
}

/**
 * The state of the cache as this process sees it.
 *
 * @since 0.1.0
 * @category models
 */
export interface CacheHealth {
  /**
   * - `"ok"`: in use
   * - `"degraded"`: some nodes of a cluster are not asked, or something that was invalidated is not yet so on the server
   * - `"down"`: the cache is not asked; every query goes to the database
   * - `"closed"`: not opened yet, or closed by `close` or by `$disconnect`
   */
  readonly status: "ok" | "degraded" | "down" | "closed"
  /** The nodes that are not asked; an empty name stands for the one server there is. */
  readonly suspended: ReadonlyArray<string>
  /** How many tags are to be invalidated as soon as the cache can be reached. Reads of these go to the database. */
  readonly undelivered: number
}

/**
 * What is derived from a query.
 *
 * @since 0.1.0
 * @category models
 */
export interface Explanation {
  readonly kind: "read" | "write"
  /**
   * What a read's entry is found by, if no custom key is given: the SHA-256 that `.withCacheInfo()` tells too. `undefined`
   * for a write, and where arguments cannot be told apart.
   */
  readonly key: string | undefined
  /** `row`: it is about rows that it names by a unique key. `model`: about all rows of its models. */
  readonly precision: "row" | "model"
  /** The models that a read is made of, or of which a write may change rows. */
  readonly models: ReadonlyArray<string>
  /** The derived tags: `m:Model`, `b:Model` (writes of many rows), `a:Model` (rows that are not there), `r:Model:key:values`. */
  readonly tags: ReadonlyArray<string>
  /** In words, what invalidates a read. Empty for a write. */
  readonly invalidatedBy: ReadonlyArray<string>
}

/**
 * The cache behind a client, for what is no query: `prisma.$cache`.
 *
 * @since 0.1.0
 * @category models
 */
export interface CacheClient {
  /**
   * Invalidates by cache tags and custom keys. Reads that start after it has resolved see the database, or something
   * newer. When it rejects, with a `CacheError`, that holds for this process only, and for others as soon as the cache
   * can be reached: it is then carried out by itself.
   */
  invalidate(targets: InvalidationTargets): Promise<void>
  /** Invalidates every entry of a namespace. Default: the namespace of the extension. */
  invalidateAll(options?: { readonly namespace?: string | undefined }): Promise<void>
  /** What a read depends on, or what a write touches, as derived from the schema and the arguments. Nothing is sent. */
  explain(model: string, operation: string, args?: unknown): Explanation
  /** What has been counted so far, as a snapshot. */
  stats(): CacheStats
  /** Whether the cache is in use, as a snapshot. */
  health(): CacheHealth
  /** Closes what the extension opened, and no connection that it was given. The next query opens it again. */
  close(): Promise<void>
}

/**
 * What came of an invalidation, as Prisma Accelerate says it.
 *
 * @since 0.1.0
 * @category models
 */
export interface AccelerateInvalidation {
  /** A name that no other call has: a random UUID. */
  readonly requestId: string
}

/**
 * Invalidation as Prisma Accelerate has it: `prisma.$accelerate`. What goes wrong is a `PrismaClientKnownRequestError`:
 *
 * - `P6003`: more invalidations than `limits` allows
 * - `P6005`: tags that are no names, or beyond `limits`
 * - `P6008`: the cache did not answer
 *
 * @since 0.1.0
 * @category models
 */
export interface AccelerateClient {
  /** Invalidates every answer that carries one of the tags: reads that start after it has resolved see the database. */
  invalidate(input: { readonly tags: ReadonlyArray<string> }): Promise<AccelerateInvalidation>
  /** Invalidates every answer in the namespace of the extension. */
  invalidateAll(): Promise<AccelerateInvalidation>
}

/**
 * SQL with its values, as `Prisma.sql` makes it.
 *
 * @since 0.1.0
 * @category raw SQL
 */
export interface SqlLike {
  readonly strings: ReadonlyArray<string>
  readonly values: ReadonlyArray<unknown>
}

/**
 * What a raw query that reads says of itself, to be cached.
 *
 * @since 0.1.0
 * @category raw SQL
 */
export interface RawReadOptions extends Omit<ReadCacheOptions, "key"> {
  /** The models whose tables it reads, by their names in the schema. At least one. */
  readonly reads: ReadonlyArray<string>
  /** A name to invalidate the answer by. Default: none, text and values tell answers apart. */
  readonly key?: string | undefined
}

/**
 * Raw SQL, not sent yet, that says what it writes: a statement that does not is treated as `rawWrites` says.
 *
 * @since 0.1.0
 * @category raw SQL
 */
export interface RawPromise<Result> extends PrismaPromise<Result> {
  /** Invalidates these models when it has been carried out, by their names in the schema. None: it writes nothing. */
  touches(...models: ReadonlyArray<string>): PrismaPromise<Result>
}

/**
 * Raw SQL that answers with rows.
 *
 * @since 0.1.0
 * @category raw SQL
 */
export interface RawRowsPromise<Result> extends RawPromise<Result> {
  /** Keeps the answer, until a model that it reads is written. Inside a transaction it is simply sent. */
  cached(options: RawReadOptions): PrismaPromise<Result>
}

/**
 * `$queryRaw` and `$queryRawUnsafe`.
 *
 * @since 0.1.0
 * @category raw SQL
 */
export interface RawQuery<Text, Default> {
  <Result = Default>(query: Text, ...values: ReadonlyArray<unknown>): RawRowsPromise<Result>
}

/**
 * `$executeRaw` and `$executeRawUnsafe`.
 *
 * @since 0.1.0
 * @category raw SQL
 */
export interface RawStatement<Text> {
  (query: Text, ...values: ReadonlyArray<unknown>): RawPromise<number>
}

/**
 * The properties that the extension adds to the client. It is a type and no interface, as Prisma maps over it.
 *
 * @since 0.1.0
 * @category models
 */
export type ClientProperties = {
  readonly $cache: CacheClient
  readonly $accelerate: AccelerateClient
  readonly $queryRaw: RawQuery<TemplateStringsArray | SqlLike, unknown>
  readonly $queryRawUnsafe: RawQuery<string, unknown>
  readonly $executeRaw: RawStatement<TemplateStringsArray | SqlLike>
  readonly $executeRawUnsafe: RawStatement<string>
}
