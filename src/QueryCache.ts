/**
 * The policy: what may be served, what may be stored, who loads, and what a write makes invalid. Written once against
 * the services below it; which store, lock and serializer they are is the layers' business.
 *
 * @module
 * @since 0.1.0
 */
import * as Config from "effect/Config"
import type * as ConfigError from "effect/ConfigError"
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Queue from "effect/Queue"
import type { AST } from "effect/SchemaAST"
import type * as Scope from "effect/Scope"
import type { CacheError } from "./CacheError.js"
import type { CacheEvent } from "./CacheEvent.js"
import type { CacheInfo } from "./CacheInfo.js"
import type { CacheKey } from "./CacheKey.js"
import type { CacheStore } from "./CacheStore.js"
import type { CacheStrategy } from "./CacheStrategy.js"
import type { DistributedLock } from "./DistributedLock.js"
import * as internalCached from "./internal/cached.js"
import * as internal from "./internal/queryCache.js"
import type { Serializer, ValueTypes } from "./Serializer.js"

/**
 * @since 0.1.0
 * @category type ids
 */
export const TypeId: unique symbol = Symbol.for("effect-prisma-cache/QueryCache")

/**
 * @since 0.1.0
 * @category type ids
 */
export type TypeId = typeof TypeId

/**
 * A custom key: a user's name for rows, in the cache's own namespace or in another.
 *
 * @since 0.1.0
 * @category models
 */
export interface KeyRef {
  readonly key: string
  readonly namespace?: string | undefined
}

/**
 * What a read asks the cache for.
 *
 * @since 0.1.0
 * @category models
 */
export interface Request<A> {
  /** The entry: a `CacheKey`, or any plain data that tells this answer from every other. */
  readonly key: CacheKey | KeyMaterial
  readonly strategy: CacheStrategy
  /** Custom keys that this answer is known by: invalidating one of them invalidates the answer. */
  readonly keys?: ReadonlyArray<KeyRef> | undefined
  /** What else the answer depends on, as derived from the query: models, rows. */
  readonly dependencies?: ReadonlyArray<string> | undefined
  /**
   * What the answer depends on that is known from it only, and further entries that it is to be found under. Keys are
   * in the cache's own namespace or in that of `key`: with others it is not stored. `undefined`: do not store it.
   */
  readonly late?: ((value: A) => Late | undefined) | undefined
  /**
   * What invalidates everything that `late` may name, before it invalidates that: all custom keys, and these
   * dependencies. Compared where late names were not foreseen. Default: all custom keys, if there is `late`.
   */
  readonly guards?: {
    readonly keys?: boolean | undefined
    readonly dependencies?: ReadonlyArray<string> | undefined
  } | undefined
  /** `refresh`: query and store, whatever is there. Default `use`. */
  readonly mode?: "use" | "refresh" | undefined
  /** How values that are no plain data are written and read, e.g. `Decimal`. */
  readonly types?: ValueTypes | undefined
  /**
   * For values that are no plain data, such as an `Option` or an instance of a class: their encoded form is what is
   * stored. An entry that does not decode is a miss. Who asks for one entry gives it the same schema.
   */
  readonly schema?: ValueSchema<A> | undefined
  /** What spans of its query say of it, e.g. `db.operation.name`: nothing that only some may know. */
  readonly attributes?: Readonly<Record<string, string>> | undefined
  /** Whether a cached answer will do for this caller. Default: any will. */
  readonly accepts?: ((value: A) => boolean) | undefined
  /** Whether an error is an answer that every caller would get, so that nobody need wait for another try. Default: none is. */
  readonly isDefinite?: ((error: unknown) => boolean) | undefined
}

/**
 * A `Schema` of Effect that needs no services, by its shape: whatever it encodes to.
 *
 * @since 0.1.0
 * @category models
 */
export interface ValueSchema<A> {
  readonly Type: A
  readonly Context: never
  readonly ast: AST
}

/**
 * Plain data that can be told apart: what a key may be made of.
 *
 * @since 0.1.0
 * @category models
 */
export type KeyMaterial =
  | string
  | number
  | bigint
  | boolean
  | null
  | undefined
  | Date
  | Uint8Array
  | ReadonlyArray<KeyMaterial>
  | { readonly [name: string]: KeyMaterial }

/**
 * What is known of an answer only when it is there.
 *
 * @since 0.1.0
 * @category models
 */
export interface Late {
  readonly keys: ReadonlyArray<KeyRef>
  readonly dependencies?: ReadonlyArray<string> | undefined
  readonly entries: ReadonlyArray<CacheKey>
}

/**
 * An answer, and how it came about.
 *
 * @since 0.1.0
 * @category models
 */
export interface Answer<A> {
  readonly value: A
  readonly info: CacheInfo
}

/**
 * What a write makes invalid.
 *
 * @since 0.1.0
 * @category models
 */
export interface Touches {
  /**
   * Derived from the query: models, rows. Those of `first` are dealt with before those of `rest`, so that who finds
   * one of `first` unchanged knows that none of `rest` had changed by then.
   */
  readonly first?: ReadonlyArray<string> | undefined
  readonly rest?: ReadonlyArray<string> | undefined
  readonly keys?: ReadonlyArray<KeyRef> | undefined
  readonly tags?: ReadonlyArray<string> | undefined
  /** Everything in the cache's namespace. */
  readonly all?: boolean | undefined
}

/**
 * What a write means to the cache.
 *
 * @since 0.1.0
 * @category models
 */
export interface WriteRequest<A> {
  /** Names the write in events, e.g. `User.update`. */
  readonly label: string
  /** What it makes invalid, as far as is known before it runs. */
  readonly touches: Touches
  /** What it makes invalid, as known from its result. */
  readonly late?: ((value: A) => Touches) | undefined
  /** What else to take for touched when the write failed and nobody knows whether it was carried out. */
  readonly unknown?: Touches | undefined
  /** Where its own result is kept. A key that is known from the result only is a function. */
  readonly own?: OwnResult<A> | undefined
  /** Whether the database said that nothing of the write remains. When in doubt it is not certain. Default: never certain. */
  readonly isRolledBack?: ((error: unknown) => boolean) | undefined
  /** Whether the database is done with the write, one way or the other. Default: never certain. */
  readonly isOver?: ((error: unknown) => boolean) | undefined
}

/**
 * How a write ended. `unknown` counts as committed, and as something that may still be committed.
 *
 * @since 0.1.0
 * @category models
 */
export type Outcome = "committed" | "rolledBack" | "unknown"

/**
 * A write under way, of one statement or many.
 *
 * @since 0.1.0
 * @category models
 */
export interface OpenWrite {
  /** To be awaited before the database is asked to change any of this. Fails only under `onUnreachable: "refuse"`. */
  readonly touch: (touches: Touches) => Effect.Effect<void, CacheError>
  /** What the database has changed already, as known from its answer. */
  readonly touched: (touches: Touches) => void
  /** To be awaited before anybody is told that the write is done. Succeeds once, whatever the store says. */
  readonly settle: (outcome: Outcome) => Effect.Effect<void>
}

/**
 * A write's own result, kept under a custom key.
 *
 * @since 0.1.0
 * @category models
 */
export interface OwnResult<A> {
  /** The key to store it under, or what makes one of it. */
  readonly key: KeyRef | ((value: A) => KeyRef)
  readonly strategy: CacheStrategy
  /** The entry that reads by this key look for. */
  readonly entry: (key: KeyRef) => CacheKey
  /** What a read of the same selection depends on. */
  readonly dependencies?: ReadonlyArray<string> | undefined
  readonly types?: ValueTypes | undefined
}

/**
 * What an invalidation names.
 *
 * @since 0.1.0
 * @category models
 */
export interface Targets {
  readonly tags?: ReadonlyArray<string> | undefined
  readonly keys?: ReadonlyArray<KeyRef> | undefined
  /** Derived names: models, rows. */
  readonly dependencies?: ReadonlyArray<string> | undefined
  /** `invalidate`: never served again (default). `expire`: counts as expired. */
  readonly mode?: "invalidate" | "expire" | undefined
}

/**
 * Counts since the cache was made.
 *
 * @since 0.1.0
 * @category models
 */
export interface Stats {
  readonly hits: number
  /** Answers that were served expired. */
  readonly stale: number
  readonly misses: number
  readonly joined: number
  readonly fills: number
  readonly invalidations: number
  readonly errors: number
}

/**
 * What is under way in this process at this moment.
 *
 * @since 0.1.0
 * @category models
 */
export interface Activity {
  readonly flights: number
}

/**
 * How the cache is doing, as a snapshot.
 *
 * @since 0.1.0
 * @category models
 */
export interface Health {
  /**
   * - `ok`
   * - `degraded`: some of the nodes are not asked, or something that was invalidated is not yet so in the store
   * - `down`: the store is not asked; queries go to the database
   */
  readonly status: "ok" | "degraded" | "down"
  /** The nodes that are not asked; an empty name stands for a store that has no nodes. */
  readonly suspended: ReadonlyArray<string>
  /** How many tags are to be invalidated as soon as the store can be reached. Reads of these go to the database. */
  readonly undelivered: number
}

/**
 * What is left to be done for an answer that was looked for in vain: given the query, the effect that answers.
 *
 * @since 0.1.0
 * @category models
 */
export type AnswerRest<A> = <E, R>(load: Effect.Effect<A, E, R>) => Effect.Effect<Answer<A>, E, R>

/**
 * Who is told what came of looking for an answer: one of the two, once.
 *
 * @since 0.1.0
 * @category models
 */
export interface AnswerTold<A> {
  /** It is in the cache. */
  readonly hit: (answer: Answer<A>) => void
  /** It is not, or the cache is not to be asked. */
  readonly otherwise: (rest: AnswerRest<A>) => void
}

/**
 * A query cache. Reads never fail because of the cache: whatever is wrong with it, the query is run.
 *
 * @since 0.1.0
 * @category models
 */
export interface QueryCache {
  readonly [TypeId]: TypeId
  readonly namespace: string
  /** The effect's own value, errors and requirements: from the cache, from a flight under way, or by running the effect. */
  readonly fetch: <A, E, R>(request: Request<A>, load: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  /** The same, with how the answer came about. */
  readonly answer: <A, E, R>(request: Request<A>, load: Effect.Effect<A, E, R>) => Effect.Effect<Answer<A>, E, R>
  /**
   * The same for adapters in a hurry: looks in plain code, and tells either a hit, at once or later, or what is to be
   * made of the query otherwise. A hit so needs no fiber.
   */
  readonly unsafeAnswer: <A>(request: Request<A>, tell: AnswerTold<A>) => void
  /**
   * The same for a request that comes again and again: what is to be found out about it is found out once. What is not
   * found is asked for by `complete`, if that is given, which must be the same request in all but `late`.
   */
  readonly unsafePrepare: <A>(request: Request<A>) => (tell: AnswerTold<A>, complete?: () => Request<A>) => void
  /**
   * Runs a write between telling the store what it is about to touch and invalidating that. Fails because of the cache
   * only under `onUnreachable: "refuse"`, and then before it starts.
   */
  readonly write: <A, E, R>(request: WriteRequest<A>, effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E | CacheError, R>
  /** The same for a write that no single effect can stand for, such as a transaction. */
  readonly openWrite: () => OpenWrite
  /**
   * Reads that start after this has succeeded see none of what carries these tags and keys. When it fails, that holds
   * for this process only, and for others as soon as the store can be reached.
   */
  readonly invalidate: (targets: Targets) => Effect.Effect<void, CacheError>
  /** The same for all that was ever cached in a namespace. */
  readonly invalidateAll: (options?: { readonly namespace?: string | undefined }) => Effect.Effect<void, CacheError>
  readonly stats: Effect.Effect<Stats>
  readonly activity: Effect.Effect<Activity>
  readonly health: Effect.Effect<Health>
  /**
   * What happens from now on, until the scope or the cache closes. Who does not keep up misses the oldest: 1,024 events
   * wait. Costs nothing as long as nobody listens.
   */
  readonly events: Effect.Effect<Queue.Dequeue<CacheEvent>, never, Scope.Scope>
}

/**
 * The service tag of the cache.
 *
 * @since 0.1.0
 * @category service tags
 */
export const QueryCache: Context.Tag<QueryCache, QueryCache> = Context.GenericTag("effect-prisma-cache/QueryCache")

/**
 * How a fleet shares out its queries: lock options in milliseconds.
 *
 * @since 0.1.0
 * @category models
 */
export interface LockOptions {
  /** How long a holder that has died keeps the lock. Extended while its query runs. Default 5,000. */
  readonly ttl?: number | undefined
  /** How long a process waits for another's query before it queries for itself, once. Default 10,000. */
  readonly waitTimeout?: number | undefined
  /** The first pause between two attempts. Default 40. */
  readonly retryDelay?: number | undefined
  /** What chance adds to a pause at the most. Default 20. */
  readonly retryJitter?: number | undefined
  /** The beginning of the lock's name in the store. Default `prisma-cache-lock`. */
  readonly prefix?: string | undefined
}

/**
 * @since 0.1.0
 * @category models
 */
export type Consistency = "strict" | "after-commit"

/**
 * Bounds of what one query or one process may take up. A query beyond one of them is run without the cache, and a
 * `Limited` event says so.
 *
 * @since 0.1.0
 * @category models
 */
export interface Limits {
  /** Names that an entry depends on: tags, keys, and what is derived from the query. Default 1,000. */
  readonly tags?: number | undefined
  /** Characters of a tag or of a key. Default 4,096. */
  readonly tagLength?: number | undefined
  /** Queries under way in this process that others can join. Default 10,000. */
  readonly flights?: number | undefined
  /** Callers that wait for one of them. Default 100,000. */
  readonly waiters?: number | undefined
}

/**
 * Options of the policy.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** The cache's prefix: caches of one namespace share entries and invalidations. Default `default`. */
  readonly namespace?: string | undefined
  readonly lock?: LockOptions | undefined
  /**
   * What a write does against its own sudden end. `strict`: the store is told before the write, so that nothing stale
   * is left even if the process is killed between COMMIT and invalidation; building the cache dies with a
   * `CacheOptionsError` if the store is best effort only. `after-commit`: one round trip less. Default `strict`, where
   * the store is best effort only `after-commit`.
   */
  readonly consistency?: Consistency | undefined
  /**
   * How long what a killed process was writing stays uncached, in milliseconds: more than the database may take to
   * commit for a client that is gone. Prolonged while a write is under way. Default 60,000.
   */
  readonly intentTtl?: number | undefined
  /**
   * Holds out against an intent that the store has evicted, followed by a kill of its writer: what is stored under a
   * stamp that was made where nothing was lives no longer than `intentTtl`, so that nothing stale is left later than
   * twice that after the write began. A miss costs a round trip more meanwhile, and a write's own result is not
   * stored. On a cluster it relies on the clocks of the nodes. Default `false`.
   */
  readonly hardened?: boolean | undefined
  /** How long a read waits for an answer of the store before it goes on without it, in milliseconds. Default 50. */
  readonly budget?: number | undefined
  /**
   * The same for a write, and for each invalidation: others may serve what it made invalid until the store knows of it.
   * Milliseconds. Default 1,000.
   */
  readonly writeBudget?: number | undefined
  /**
   * What becomes of a write while the store cannot be reached. `proceed`: it is carried out; what it makes invalid is
   * remembered, read from the database by this process, and invalidated as soon as the store answers, while other
   * processes that do reach it may serve it until then. `refuse`: it fails with a `CacheError` before it starts; together
   * with `strict`, none that starts is ever unknown to the store. Default `proceed`.
   */
  readonly onUnreachable?: "proceed" | "refuse" | undefined
  /**
   * How many tags are remembered that could not be invalidated. With more, all that the namespace holds is invalidated
   * in their place. Default 10,000.
   */
  readonly maxUndelivered?: number | undefined
  readonly limits?: Limits | undefined
  /**
   * A memory tier: what this process has seen lately it answers without asking the store, until it hears that it has
   * changed. This process always reads its own writes. Those of others it may miss for as long as the store takes to tell,
   * usually a millisecond, and two seconds if the connection on which it listens has died without a word. `true`: with all
   * defaults. A store that cannot tell of changes needs a `maxAge`. Default: none.
   */
  readonly memory?: boolean | MemoryOptions | undefined
  /** A larger entry is not stored. Bytes, header included. Default 4 MiB. */
  readonly maxEntryBytes?: number | undefined
  /** Told of everything that happens, synchronously. What it throws is ignored. */
  readonly onEvent?: ((event: CacheEvent) => void) | undefined
}

/**
 * Bounds of a memory tier. At a bound the least recently used goes first.
 *
 * @since 0.1.0
 * @category models
 */
export interface MemoryOptions {
  /** Bytes of all entries together, what is needed to keep them included, as far as can be told. Default 32 MiB. */
  readonly maxBytes?: number | undefined
  /** Number of entries. Default 10,000. */
  readonly maxEntries?: number | undefined
  /**
   * How long an answer is served without the store being asked again. Where changes are told a bound for what goes wrong,
   * default one minute; where they are not, how old answers may become. A number is in milliseconds.
   */
  readonly maxAge?: Duration.DurationInput | undefined
}

/**
 * The cache over whatever store, lock and serializer the layers below provide.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (options: Options = {}): Layer.Layer<QueryCache, never, CacheStore | DistributedLock | Serializer> =>
  Layer.scoped(QueryCache, internal.make(options))

/**
 * The same with options that are read from Effect's `Config`.
 *
 * @example
 * ```ts
 * import * as Config from "effect/Config"
 * import { QueryCache } from "effect-prisma-cache"
 *
 * const PolicyLive = QueryCache.layerConfig({
 *   namespace: Config.string("CACHE_NAMESPACE"),
 *   budget: Config.integer("CACHE_BUDGET").pipe(Config.withDefault(50))
 * })
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layerConfig = (
  options: Config.Config.Wrap<Options>
): Layer.Layer<QueryCache, ConfigError.ConfigError, CacheStore | DistributedLock | Serializer> =>
  Layer.unwrapEffect(Effect.map(Config.unwrap(options), layer))

/**
 * How a function is cached: what tells its answers apart, how long they are kept, and what they are known by.
 *
 * @since 0.1.0
 * @category models
 */
export interface CachedOptions<Args extends ReadonlyArray<unknown>, A> {
  /** Names the function: in keys, so no two functions have the same, and in events and spans. */
  readonly name: string
  readonly strategy: CacheStrategy
  /**
   * What tells one call from another: plain data, or whatever has `toJSON`. Default: all arguments. Calls that cannot be
   * told apart are not cached, and a line of the log says so.
   */
  readonly key?: ((...args: Args) => unknown) | undefined
  /** Cache tags of a call's answer, beside those of the strategy. */
  readonly tags?: ((...args: Args) => ReadonlyArray<string>) | undefined
  /** Custom keys that a call's answer is known by. */
  readonly keys?: ((...args: Args) => ReadonlyArray<KeyRef>) | undefined
  /** Custom keys that are known from the answer only. They are in the cache's own namespace. */
  readonly lateKeys?: ((value: A, ...args: Args) => ReadonlyArray<KeyRef>) | undefined
  /** For answers that are no plain data, such as an `Option` or an instance of a class. */
  readonly schema?: ValueSchema<A> | undefined
}

/**
 * The function, cached: calls with the same arguments share an answer, whichever process asks. Its errors stay its own
 * and are not cached.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import { QueryCache } from "effect-prisma-cache"
 *
 * const rate = QueryCache.cached(
 *   (from: string, to: string) => Effect.succeed({ from, to, rate: 162.5 }),
 *   { name: "exchange rate", strategy: { ttl: "1 hour" }, tags: (from) => [`currency ${from}`] }
 * )
 * const program = rate("EUR", "JPY")
 * ```
 *
 * @since 0.1.0
 * @category combining
 */
export const cached: <Args extends ReadonlyArray<unknown>, A, E, R>(
  f: (...args: Args) => Effect.Effect<A, E, R>,
  options: CachedOptions<Args, NoInfer<A>>
) => (...args: Args) => Effect.Effect<A, E, R | QueryCache> = internalCached.cached
