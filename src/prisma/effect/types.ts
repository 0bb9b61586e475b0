/**
 * A Prisma client as effects: its type, made from the type of the client.
 *
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"
import type { CacheError } from "../../CacheError.js"
import type {
  CacheClient,
  CacheHealth,
  CacheStats,
  Explanation,
  InvalidationTargets,
  RawReadOptions,
  SqlLike
} from "../types/client.js"
import type { ArgsOf, GlobalOmit, GlobalOmitOf, Operation, Payload, PayloadOf, ResultOf } from "../types/delegate.js"
import type { Exact } from "../types/exact.js"
import type { RelatedPayload, RelationArgs, RelationResult, SelectOf } from "../types/fluent.js"
import type { ReadOptions, WriteOptions } from "../types/options.js"
import type { WithAccelerateInfo, WithCacheInfo } from "../types/promise.js"
import type { QueryTypeId } from "./query.js"
import type { ErrorOf, OperationErrors, PrismaError, Refusal, TransactionError } from "./errors.js"

// ---------------------------------------------------------------------------------------------------------------------
// queries
// ---------------------------------------------------------------------------------------------------------------------

/**
 * A query of Prisma's, as an effect: sent each time it is run, and never before. It can stand in a batch,
 * `db.$transaction([...])`, as long as nothing has been made of it.
 *
 * Interrupting it leaves the query to the database and to whoever shares it, and drops the answer.
 *
 * @since 0.1.0
 * @category models
 */
export interface Query<A, E = never> extends Effect.Effect<A, E> {
  readonly [QueryTypeId]: { readonly _A: A; readonly _E: E }
}

/**
 * A query that may be answered from the cache.
 *
 * @since 0.1.0
 * @category models
 */
export interface CachedQuery<A, E = never> extends Query<A, E> {
  /** The answer together with where it came from. */
  withCacheInfo(): Query<WithCacheInfo<A>, E>
  /** The same in Prisma Accelerate's words. */
  withAccelerateInfo(): Query<WithAccelerateInfo<A>, E>
}

/**
 * Raw SQL that says what it writes: a statement that does not is treated as the cache's `rawWrites` says.
 *
 * @since 0.1.0
 * @category models
 */
export interface RawQuery<A, E = never> extends Query<A, E> {
  /** Invalidates these models when it has been carried out, by their names in the schema. None: it writes nothing. */
  touches(...models: ReadonlyArray<string>): Query<A, E>
}

/**
 * Raw SQL that answers with rows.
 *
 * @since 0.1.0
 * @category models
 */
export interface RawRowsQuery<A, E = never> extends RawQuery<A, E> {
  /** Keeps the answer, until a model that it reads is written. Inside a transaction it is simply sent. */
  cached(options: RawReadOptions): Query<A, E>
}

// ---------------------------------------------------------------------------------------------------------------------
// what is known of a client
// ---------------------------------------------------------------------------------------------------------------------

/**
 * Whether the queries of a client are sent in a transaction.
 *
 * @since 0.1.0
 * @category models
 */
export type Within = "client" | "transaction"

/**
 * What decides how the operations of a client are typed, beside its models.
 *
 * @since 0.1.0
 * @category models
 */
export interface Setting {
  /** Whether it has a cache. */
  readonly cached: boolean
  readonly within: Within
  /** What it omits from every result. */
  readonly omit: object
}

/**
 * @since 0.1.0
 * @category type-level
 */
export type SettingOf<Client, W extends Within, Declared extends GlobalOmit> = {
  readonly cached: Client extends { readonly $cache: CacheClient } ? true : false
  readonly within: W
  readonly omit: OmittedBy<Client> & Declared
}

/**
 * The same inside of a transaction.
 *
 * @since 0.1.0
 * @category type-level
 */
export type SettingWithin<S extends Setting> = {
  readonly cached: S["cached"]
  readonly within: "transaction"
  readonly omit: S["omit"]
}

/**
 * The names under which a client has models.
 *
 * @since 0.1.0
 * @category type-level
 */
export type ModelName<Client> = {
  [Name in keyof Client]: Name extends `$${string}` | symbol ? never
    : Client[Name] extends { [key: symbol]: { types: { payload: Payload } } } ? Name
    : never
}[keyof Client]

/**
 * The fields that a client omits from every result, by model. A client without extensions carries them in what its
 * operations return only. One with a cache tells them by its models, or else they have to be declared here too.
 *
 * @since 0.1.0
 * @category type-level
 */
export type OmittedBy<Client> = Client extends { readonly $cache: CacheClient } ? {}
  : { readonly [Name in ModelName<Client>]: OmittedFrom<Client[Name]> }

/**
 * The fields of a model that are in no row unless one asks for them.
 *
 * @since 0.1.0
 * @category type-level
 */
export type OmittedFrom<Delegate> = Delegate extends { findFirstOrThrow: (...args: never) => PromiseLike<infer Row> }
  ? { readonly [Field in Exclude<keyof PayloadOf<Delegate>["scalars"], keyof Row>]: true }
  : {}

// ---------------------------------------------------------------------------------------------------------------------
// operations of a model
// ---------------------------------------------------------------------------------------------------------------------

/** The cache's options of a read, where the client has a cache. */
type ReadsOptions<S extends Setting, Result> = S["cached"] extends true ? ReadOptions<Result> : {}
/** The same of a write. */
type WritesOptions<S extends Setting, Result> = S["cached"] extends true ? WriteOptions<Result> : {}

/**
 * The arguments of a read: Prisma's, and where the client has a cache, its options.
 *
 * @since 0.1.0
 * @category type-level
 */
export type ReadArgs<Delegate, Args, Op extends Operation, S extends Setting> = Exact<
  Args,
  ArgsOf<Delegate, Op>,
  ReadsOptions<S, ResultOf<Delegate, Args, Op, S["omit"]>>
>

/**
 * The arguments of a write: Prisma's, and where the client has a cache, its options.
 *
 * @since 0.1.0
 * @category type-level
 */
export type WriteArgs<Delegate, Args, Op extends Operation, S extends Setting> = Exact<
  Args,
  ArgsOf<Delegate, Op>,
  WritesOptions<S, ResultOf<Delegate, Args, Op, S["omit"]>>
>

/**
 * What a read is: with a cache, it can tell where its answer came from.
 *
 * @since 0.1.0
 * @category type-level
 */
export type Read<A, E, S extends Setting> = S["cached"] extends true ? CachedQuery<A, E> : Query<A, E>

/**
 * What a write can fail with.
 *
 * @since 0.1.0
 * @category type-level
 */
export type WriteErrorOf<Op extends keyof OperationErrors, S extends Setting> =
  | ErrorOf<Op, S["within"]>
  | Refusal<S["cached"]>

/**
 * The relations of a row, as methods of the query for it: `db.post.findUnique({ where }).author()`. `Null` is `null`
 * when something earlier in the chain may be missing, else `never`.
 *
 * @since 0.1.0
 * @category type-level
 */
export type Relations<P extends Payload, Select, Null, Omitted, E, S extends Setting> = {
  readonly [R in Exclude<keyof P["objects"], keyof CachedQuery<unknown> | "commit">]: <Args>(
    args?: Exact<
      Args,
      RelationArgs<Select, R>,
      ReadsOptions<S, RelationResult<P["objects"][R], Args, Omitted> | Null>
    >
  ) =>
    & Read<RelationResult<P["objects"][R], Args, Omitted> | Null, E, S>
    & ([P["objects"][R]] extends [ReadonlyArray<unknown>] ? unknown
      : Relations<
        RelatedPayload<P["objects"][R]>,
        SelectOf<RelationArgs<Select, R>>,
        Null | Extract<P["objects"][R], null>,
        Omitted,
        E,
        S
      >)
}

/** The fluent calls behind an operation. */
type RelationsOf<Delegate, Op extends Operation, Null, E, S extends Setting> = Relations<
  PayloadOf<Delegate>,
  SelectOf<ArgsOf<Delegate, Op>>,
  Null,
  GlobalOmitOf<Delegate, S["omit"]>,
  E,
  S
>

/**
 * Reads the row of a unique key. `Null` is `null` when a missing row is an answer, else `never`.
 *
 * @since 0.1.0
 * @category models
 */
export interface FindUnique<Delegate, Op extends "findUnique" | "findUniqueOrThrow", Null, S extends Setting> {
  <Args>(
    args: ReadArgs<Delegate, Args, Op, S>
  ):
    & Read<ResultOf<Delegate, Args, Op, S["omit"]>, ErrorOf<Op, S["within"]>, S>
    & RelationsOf<Delegate, Op, Null, ErrorOf<Op, S["within"]>, S>
}

/**
 * Reads the first row that matches. `Null` is `null` when a missing row is an answer, else `never`.
 *
 * @since 0.1.0
 * @category models
 */
export interface FindFirst<Delegate, Op extends "findFirst" | "findFirstOrThrow", Null, S extends Setting> {
  <Args>(
    args?: ReadArgs<Delegate, Args, Op, S>
  ):
    & Read<ResultOf<Delegate, Args, Op, S["omit"]>, ErrorOf<Op, S["within"]>, S>
    & RelationsOf<Delegate, Op, Null, ErrorOf<Op, S["within"]>, S>
}

/**
 * Reads the rows that match, or how many there are.
 *
 * @since 0.1.0
 * @category models
 */
export interface FindMany<Delegate, Op extends "findMany" | "count", S extends Setting> {
  <Args>(
    args?: ReadArgs<Delegate, Args, Op, S>
  ): Read<ResultOf<Delegate, Args, Op, S["omit"]>, ErrorOf<Op, S["within"]>, S>
}

/**
 * Reads figures about the rows that match, as a whole or by group.
 *
 * @since 0.1.0
 * @category models
 */
export interface Aggregate<Delegate, Op extends "aggregate" | "groupBy", S extends Setting> {
  <Args>(
    args: ReadArgs<Delegate, Args, Op, S>
  ): Read<ResultOf<Delegate, Args, Op, S["omit"]>, ErrorOf<Op, S["within"]>, S>
}

/**
 * Writes one row and returns it.
 *
 * @since 0.1.0
 * @category models
 */
export interface WriteOne<Delegate, Op extends "create" | "update" | "upsert" | "delete", S extends Setting> {
  <Args>(
    args: WriteArgs<Delegate, Args, Op, S>
  ): Query<ResultOf<Delegate, Args, Op, S["omit"]>, WriteErrorOf<Op, S>>
}

/**
 * Writes many rows and returns them or their number.
 *
 * @since 0.1.0
 * @category models
 */
export interface WriteMany<
  Delegate,
  Op extends "createMany" | "createManyAndReturn" | "updateMany" | "updateManyAndReturn",
  S extends Setting
> {
  <Args>(
    args: WriteArgs<Delegate, Args, Op, S>
  ): Query<ResultOf<Delegate, Args, Op, S["omit"]>, WriteErrorOf<Op, S>>
}

/**
 * Deletes the rows that match, which are all when nothing is said, and returns their number.
 *
 * @since 0.1.0
 * @category models
 */
export interface DeleteMany<Delegate, S extends Setting> {
  <Args>(
    args?: WriteArgs<Delegate, Args, "deleteMany", S>
  ): Query<ResultOf<Delegate, Args, "deleteMany", S["omit"]>, WriteErrorOf<"deleteMany", S>>
}

/**
 * The operations of a model, as effects.
 *
 * @since 0.1.0
 * @category models
 */
export interface Operations<Delegate, S extends Setting> {
  /** Finds the row of a unique key; `null` when there is none. */
  readonly findUnique: FindUnique<Delegate, "findUnique", null, S>
  /** Finds the row of a unique key; fails with `RecordNotFound` when there is none. */
  readonly findUniqueOrThrow: FindUnique<Delegate, "findUniqueOrThrow", never, S>
  /** Finds the first row that matches; `null` when there is none. */
  readonly findFirst: FindFirst<Delegate, "findFirst", null, S>
  /** Finds the first row that matches; fails with `RecordNotFound` when there is none. */
  readonly findFirstOrThrow: FindFirst<Delegate, "findFirstOrThrow", never, S>
  /** Finds every row that matches. */
  readonly findMany: FindMany<Delegate, "findMany", S>
  /** Counts rows, or the values of the selected fields. */
  readonly count: FindMany<Delegate, "count", S>
  /** Aggregates the rows that match. */
  readonly aggregate: Aggregate<Delegate, "aggregate", S>
  /** Groups the rows that match and aggregates each group. */
  readonly groupBy: Aggregate<Delegate, "groupBy", S>
  /** Creates a row. */
  readonly create: WriteOne<Delegate, "create", S>
  /** Creates rows and counts them. */
  readonly createMany: WriteMany<Delegate, "createMany", S>
  /** Creates rows and returns them. Not on every database. */
  readonly createManyAndReturn: WriteMany<Delegate, "createManyAndReturn", S>
  /** Updates the row of a unique key. */
  readonly update: WriteOne<Delegate, "update", S>
  /** Updates the rows that match and counts them. */
  readonly updateMany: WriteMany<Delegate, "updateMany", S>
  /** Updates the rows that match and returns them. Not on every database. */
  readonly updateManyAndReturn: WriteMany<Delegate, "updateManyAndReturn", S>
  /** Updates the row of a unique key or creates it. */
  readonly upsert: WriteOne<Delegate, "upsert", S>
  /** Deletes the row of a unique key and returns it. */
  readonly delete: WriteOne<Delegate, "delete", S>
  /** Deletes the rows that match and counts them. */
  readonly deleteMany: DeleteMany<Delegate, S>
}

/**
 * What a model has besides, by other extensions: methods are effects, what is no method stays what it is. A method that
 * is generic loses that; `db.$run` keeps it.
 *
 * @since 0.1.0
 * @category type-level
 */
export type Additions<Delegate> = {
  readonly [Name in Exclude<keyof Delegate, keyof Operations<unknown, Setting> | symbol>]: Delegate[Name] extends
    (...args: infer Args) => infer Result ? (...args: Args) => Query<Awaited<Result>, PrismaError>
    : Delegate[Name]
}

/**
 * A model, as effects.
 *
 * @since 0.1.0
 * @category models
 */
export type Model<Delegate, S extends Setting> =
  & Pick<Operations<Delegate, S>, Extract<keyof Operations<Delegate, S>, keyof Delegate>>
  & Additions<Delegate>

// ---------------------------------------------------------------------------------------------------------------------
// the client
// ---------------------------------------------------------------------------------------------------------------------

/**
 * The cache behind a client, as effects.
 *
 * @since 0.1.0
 * @category models
 */
export interface Cache {
  /**
   * Invalidates by cache tags, custom keys and models. Reads that start after it has succeeded see the database, or
   * something newer. When it fails, that holds for this process only, and for others as soon as the cache can be
   * reached. Targets that there are not are a defect, `CacheOptionsError`.
   */
  readonly invalidate: (targets: InvalidationTargets) => Effect.Effect<void, CacheError>
  /** Invalidates every entry of a namespace. Default: the namespace of the cache. */
  readonly invalidateAll: (options?: { readonly namespace?: string | undefined }) => Effect.Effect<void, CacheError>
  /** What a read depends on, or what a write touches, as derived from the schema and the arguments. Nothing is sent. */
  readonly explain: (model: string, operation: string, args?: unknown) => Explanation
  /** What has been counted so far. */
  readonly stats: Effect.Effect<CacheStats>
  /** Whether the cache is in use. */
  readonly health: Effect.Effect<CacheHealth>
  /** Closes what the extension opened, and nothing that it was given. The next query opens it again. */
  readonly close: Effect.Effect<void>
}

/**
 * What can be said of a transaction: `maxWait`, `timeout` (milliseconds) and `isolationLevel`, as its client has them.
 *
 * @since 0.1.0
 * @category type-level
 */
export type TransactionOptions<Client> = Client extends
  { $transaction: (run: never, options?: infer Options) => unknown } ? Exclude<Options, undefined>
  : never

/** What a client inside a transaction does not have. The types of Prisma 7.5 and later leave it `$transaction`. */
type OnlyOutside = "$connect" | "$disconnect" | "$on" | "$use" | "$extends"

/**
 * The client inside a transaction.
 *
 * @since 0.1.0
 * @category type-level
 */
export type TransactionClient<Client> = Client extends
  { $transaction: (run: (tx: infer Tx) => never, options?: never) => unknown }
  ? Omit<Client, OnlyOutside | ("$transaction" extends keyof Tx ? never : "$transaction")>
  : never

/**
 * Begins, commits and rolls back.
 *
 * @since 0.1.0
 * @category models
 */
export interface Transaction<Client, S extends Setting> {
  /** Sends queries as one: all of them are carried out or none. */
  <const Queries extends ReadonlyArray<Query<unknown, unknown>>>(
    queries: Queries,
    options?: TransactionOptions<Client>
  ): Effect.Effect<
    { -readonly [I in keyof Queries]: Effect.Effect.Success<Queries[I]> },
    Effect.Effect.Error<Queries[number]> | TransactionError
  >
  /**
   * Runs an effect in a transaction: its own value, errors and requirements. Commits when the effect has succeeded;
   * rolls back when it fails, dies or is interrupted, and fails, dies or is interrupted as the effect was.
   */
  <A, E, R>(
    body: (tx: Database<TransactionClient<Client>, SettingWithin<S>>) => Effect.Effect<A, E, R>,
    options?: TransactionOptions<Client>
  ): Effect.Effect<A, E | TransactionError, R>
}

/**
 * What a client has besides models.
 *
 * @since 0.1.0
 * @category models
 */
export interface ClientMembers<Client, S extends Setting> {
  /** The client itself. */
  readonly $client: Client
  /**
   * Anything that the client can do and this has no words for: methods of other extensions, above all. What it rejects
   * with is mapped as for any query.
   */
  readonly $run: <A>(body: (client: Client) => PromiseLike<A>) => Effect.Effect<A, PrismaError | Refusal<S["cached"]>>
  /** Sends SQL with its values, and returns rows. */
  readonly $queryRaw: RawRows<TemplateStringsArray | SqlLike, S>
  /** Sends SQL as it stands, and returns rows. Values belong into the parameters. */
  readonly $queryRawUnsafe: RawRows<string, S>
  /** Sends SQL with its values, and returns how many rows it changed. */
  readonly $executeRaw: RawStatement<TemplateStringsArray | SqlLike, S>
  /** Sends SQL as it stands, and returns how many rows it changed. Values belong into the parameters. */
  readonly $executeRawUnsafe: RawStatement<string, S>
  /** Runs an effect, or sends queries, as a transaction. */
  readonly $transaction: Transaction<Client, S>
  /** The cache behind the client. */
  readonly $cache: Cache
}

/**
 * `$queryRaw` and `$queryRawUnsafe`.
 *
 * @since 0.1.0
 * @category models
 */
export interface RawRows<Text, S extends Setting> {
  <Result = unknown>(query: Text, ...values: ReadonlyArray<unknown>): S["cached"] extends true
    ? RawRowsQuery<Result, WriteErrorOf<"raw", S>>
    : Query<Result, WriteErrorOf<"raw", S>>
}

/**
 * `$executeRaw` and `$executeRawUnsafe`.
 *
 * @since 0.1.0
 * @category models
 */
export interface RawStatement<Text, S extends Setting> {
  (query: Text, ...values: ReadonlyArray<unknown>): S["cached"] extends true ? RawQuery<number, WriteErrorOf<"raw", S>>
    : Query<number, WriteErrorOf<"raw", S>>
}

/**
 * A client whose operations are effects.
 *
 * @since 0.1.0
 * @category models
 */
export type Database<Client, S extends Setting> =
  & { readonly [Name in ModelName<Client>]: Model<Client[Name], S> }
  & Pick<ClientMembers<Client, S>, Extract<keyof ClientMembers<Client, S>, keyof Client | "$client" | "$run">>

/**
 * The Prisma client `Client`, with every operation as an effect: `EffectPrisma<typeof prisma>`.
 *
 * `Declared` is needed where it is for `prismaCache`: it is the type of the client's global `omit` where a client with
 * a cache has run-time types of its own.
 *
 * @since 0.1.0
 * @category models
 */
export type EffectPrisma<Client, Declared extends GlobalOmit = {}> = Database<
  Client,
  SettingOf<Client, "client", Declared>
>

/**
 * What `$transaction` hands to the effect that runs inside: `TransactionOf<typeof prisma>`.
 *
 * @since 0.1.0
 * @category models
 */
export type TransactionOf<Client, Declared extends GlobalOmit = {}> = Database<
  TransactionClient<Client>,
  SettingWithin<SettingOf<Client, "client", Declared>>
>
