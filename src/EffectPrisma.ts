/**
 * A Prisma client whose operations are effects: their results typed as those of the client, their errors by tag, and
 * only those that can happen.
 *
 * @module
 * @since 0.1.0
 */
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import type { PrismaInternals } from "./prisma/client.js"
import { makeDatabase } from "./prisma/effect/database.js"
import type { EffectPrisma } from "./prisma/effect/types.js"
import type { GlobalOmit } from "./prisma/types/delegate.js"

export {
  CheckConstraint,
  ConnectionFailed,
  ForeignKeyConstraint,
  NullConstraint,
  RecordNotFound,
  Timeout,
  TransactionConflict,
  TransactionExpired,
  UniqueConstraint,
  UnknownPrismaError,
  ValidationError
} from "./prisma/effect/errors.js"
export type {
  DeleteError,
  DeleteManyError,
  Details,
  ErrorOf,
  FindOrThrowError,
  OperationErrors,
  PrismaError,
  QueryError,
  Refusal,
  TransactionError,
  WriteError,
  WriteOneError
} from "./prisma/effect/errors.js"
export { QueryTypeId } from "./prisma/effect/query.js"
export type * from "./prisma/effect/types.js"

/**
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /**
   * A span for every query, e.g. `prisma.User.findMany`, with the names of model and operation and nothing of the
   * arguments. Default `false`: it costs more than a hit in memory.
   */
  readonly spans?: boolean | undefined
}

/**
 * What can be made effects of: any Prisma client, with extensions or without.
 *
 * @since 0.1.0
 * @category models
 */
export interface AnyClient {
  /** Closes its connections. Called by `layerScoped` alone. */
  $disconnect(): PromiseLike<void>
}

const unsafeMake = <Client extends AnyClient, Declared extends GlobalOmit>(
  client: Client,
  options: Options
): EffectPrisma<Client, Declared> =>
  makeDatabase(
    client as unknown as PrismaInternals,
    { spans: options.spans ?? false, within: "client" }
  ) as EffectPrisma<Client, Declared>

/**
 * The operations of a client as effects. Nothing is sent by this, and the client stays its owner's.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = <Client extends AnyClient, Declared extends GlobalOmit = {}>(
  client: Client,
  options: Options = {}
): Effect.Effect<EffectPrisma<Client, Declared>> => Effect.sync(() => unsafeMake<Client, Declared>(client, options))

/**
 * The operations of a client as a service. The client stays its owner's, who disconnects it.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = <Self, Client extends AnyClient, Declared extends GlobalOmit = {}>(
  tag: Context.Tag<Self, EffectPrisma<Client, Declared>>,
  client: Client,
  options: Options = {}
): Layer.Layer<Self> => Layer.sync(tag, () => unsafeMake<Client, Declared>(client, options))

/**
 * The same for a client that is made with the layer, and disconnected when its scope is closed.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerScoped = <Self, Client extends AnyClient, E, R, Declared extends GlobalOmit = {}>(
  tag: Context.Tag<Self, EffectPrisma<Client, Declared>>,
  client: Effect.Effect<Client, E, R>,
  options: Options = {}
): Layer.Layer<Self, E, Exclude<R, Scope.Scope>> =>
  Layer.scoped(
    tag,
    Effect.map(
      Effect.acquireRelease(client, (made) => Effect.promise(() => Promise.resolve(made.$disconnect()))),
      (made) => unsafeMake<Client, Declared>(made, options)
    )
  )
