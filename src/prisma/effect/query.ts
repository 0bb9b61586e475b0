/**
 * A query as an effect. What is called is remembered, and called on the client each time the effect is run: Prisma's
 * own promises are sent once, however often they are waited for.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Effectable from "effect/Effectable"
import { CacheError } from "../../CacheError.js"
import type { PrismaInternals } from "../client.js"
import { isWrite } from "../operations.js"
import { tagsOf } from "./errors.js"
import type { Tags } from "./errors.js"
import { toPrismaError } from "./toPrismaError.js"
import type { Within } from "./types.js"

/**
 * @since 0.1.0
 * @category type ids
 */
export const QueryTypeId: unique symbol = Symbol.for("effect-prisma-cache/EffectPrisma/Query")

/**
 * What stays the same for all queries of one operation.
 *
 * @internal
 */
export interface Kind {
  /** Names the query in errors and spans, e.g. `User.findMany`. */
  readonly label: string
  readonly model: string | undefined
  readonly operation: string
  readonly tags: Partial<Tags>
  /** Whether the cache may refuse it. */
  readonly refusable: boolean
  readonly spans: boolean
}

/** @internal */
export const makeKind = (model: string | undefined, operation: string, within: Within, spans: boolean): Kind => {
  const raw = model === undefined
  return {
    label: raw ? operation : `${model}.${operation}`,
    model,
    operation,
    tags: tagsOf(raw ? "raw" : operation, within),
    refusable: raw || isWrite(operation),
    spans
  }
}

/**
 * What a query fails with that was rejected with this.
 *
 * @internal
 */
export const failure = (thrown: unknown, label: string, tags: Partial<Tags>, refusable: boolean): unknown =>
  refusable && thrown instanceof CacheError ? thrown : toPrismaError(thrown, label, tags)

/**
 * Waits for what a client does, and for no longer than somebody wants to know.
 *
 * @internal
 */
export const waitFor = <A>(
  start: () => PromiseLike<A>,
  toError: (thrown: unknown) => unknown
): Effect.Effect<A, unknown> =>
  Effect.async((resume) => {
    const fail = (thrown: unknown) => resume(Effect.fail(toError(thrown)))
    try {
      start().then((value) => resume(Effect.succeed(value)), fail)
    } catch (thrown) {
      fail(thrown)
    }
  })

/** Who names the relations of a model, and the model at the other end. */
type RelationsOf = (model: string) => ReadonlyArray<readonly [relation: string, model: string]>

const Start = Symbol("start")
const About = Symbol("about")

/**
 * What it remembers stands under symbols, since relations are called whatever somebody has called them.
 *
 * @internal
 */
export class PrismaQuery extends Effectable.Class<unknown, unknown> {
  readonly [QueryTypeId] = QueryTypeId

  /** Makes Prisma's promise, which is sent when it is waited for. */
  readonly [Start]: () => PrismaInternals
  readonly [About]: Kind

  constructor(start: () => PrismaInternals, kind: Kind) {
    super()
    this[Start] = start
    this[About] = kind
  }

  override commit(): Effect.Effect<unknown, unknown> {
    const { label, model, operation, refusable, spans, tags } = this[About]
    const query = waitFor(
      () => this[Start]() as unknown as PromiseLike<unknown>,
      (thrown) => failure(thrown, label, tags, refusable)
    )
    return spans
      ? Effect.withSpan(query, `prisma.${label}`, {
        kind: "client",
        captureStackTrace: false,
        attributes: { "db.operation.name": operation, ...(model === undefined ? {} : { "db.collection.name": model }) }
      })
      : query
  }

  withCacheInfo(): PrismaQuery {
    return derived(this, "withCacheInfo", [])
  }

  withAccelerateInfo(): PrismaQuery {
    return derived(this, "withAccelerateInfo", [])
  }
}

/** @internal */
export class RawPrismaQuery extends PrismaQuery {
  touches(...models: ReadonlyArray<string>): PrismaQuery {
    return derived(this, "touches", models)
  }

  cached(options: unknown): PrismaQuery {
    return derived(this, "cached", [options])
  }
}

/** The query that something of the promise's own makes of it. */
const derived = (
  query: PrismaQuery,
  method: string,
  args: ReadonlyArray<unknown>,
  Query: QueryClass = PrismaQuery
): PrismaQuery => new Query(() => query[Start]()[method](...args), query[About])

/**
 * The promise that a query would wait for, made now.
 *
 * @internal
 */
export const promiseOf = (query: PrismaQuery): PrismaInternals => query[Start]()

/** @internal */
export const kindOf = (query: PrismaQuery): Kind => query[About]

type QueryClass = new(start: () => PrismaInternals, kind: Kind) => PrismaQuery

/**
 * Queries for one row, which have the relations of its model as methods.
 *
 * @internal
 */
export const makeRowQueries = (relationsOf: RelationsOf): (model: string) => QueryClass => {
  const classes = new Map<string, QueryClass>()
  const classOf = (model: string): QueryClass => {
    const known = classes.get(model)
    if (known !== undefined) return known
    class RowQuery extends PrismaQuery {}
    classes.set(model, RowQuery)
    for (const [relation, target] of relationsOf(model)) {
      if (relation in RowQuery.prototype) continue
      Reflect.defineProperty(RowQuery.prototype, relation, {
        value(this: PrismaQuery, ...args: ReadonlyArray<unknown>) {
          return derived(this, relation, args, classOf(target))
        }
      })
    }
    return RowQuery
  }
  return classOf
}
