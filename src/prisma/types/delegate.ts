/**
 * What a model of a Prisma client (`prisma.user`) says about itself in its type.
 *
 * A model method of an extension receives that type as `this` and nothing else, so all other types start here.
 *
 * @since 0.1.0
 */
import type * as Runtime from "@prisma/client/runtime/client"

/**
 * An operation of a model, by the name of its method.
 *
 * @since 0.1.0
 * @category models
 */
export type Operation = Runtime.Types.Public.Operation

/**
 * What Prisma knows of a model before a selection is applied: its fields, its computed fields and its relations.
 *
 * @since 0.1.0
 * @category models
 */
export type Payload = Runtime.Types.Payload

/**
 * The payload of the model behind `Delegate`, or `never` when that is no model.
 *
 * @since 0.1.0
 * @category type-level
 */
export type PayloadOf<Delegate> = Delegate extends { [key: symbol]: { types: { payload: infer Found extends Payload } } }
  ? Found
  : never

/**
 * A delegate whose model has the operation `Op`. `any` matches whatever arguments it takes and is read by nobody.
 *
 * @since 0.1.0
 * @category type-level
 */
export type HasOperation<Op extends Operation> = {
  [key: symbol]: { types: { operations: { [K in Op]: { args: any } } } }
}

/**
 * The arguments that `Op` takes on the model behind `Delegate`, or `never` when the database has no such operation
 * (`createManyAndReturn` on MySQL): a call then fails to compile instead of failing at run time.
 *
 * It is an indexed access and no `infer` for a reason. While a call's type arguments are still being inferred,
 * TypeScript looks through the first but not through the second, and would widen an `omit` of `{ secret: true }` to
 * `{ secret: boolean }`, which omits nothing.
 *
 * @since 0.1.0
 * @category type-level
 */
export type ArgsOf<Delegate, Op extends Operation> = Delegate extends HasOperation<Op>
  ? Delegate[symbol]["types"]["operations"][Op]["args"]
  : never

/**
 * What a client may leave out of every result: the `omit` of `new PrismaClient({ omit })`.
 *
 * @since 0.1.0
 * @category models
 */
export type GlobalOmit = { readonly [model: string]: { readonly [field: string]: boolean } }

/**
 * The global `omit` of the client behind `Delegate`, in the form that Prisma's result types take it.
 *
 * A delegate carries it only as an argument of the alias that made its type, so it is found by matching that alias.
 * That works where the client uses this very copy of Prisma's run-time types, which the `prisma-client` generator
 * does and `prisma-client-js` with a custom output (or Prisma 6's library engine) does not. There, `Declared` counts.
 *
 * @since 0.1.0
 * @category type-level
 */
export type GlobalOmitOf<Delegate, Declared> = Delegate extends
  // `any` for what the alias takes besides: it plays no part in the match.
  Runtime.Types.Extensions.DynamicModelExtensionThis<infer TypeMap, any, any>
  ? TypeMap extends { globalOmitOptions: infer Found } ? Found : { omit: Declared }
  : { omit: Declared }

/**
 * What `Op` resolves to on the model behind `Delegate` when it is called with `Args`.
 *
 * @since 0.1.0
 * @category type-level
 */
export type ResultOf<Delegate, Args, Op extends Operation, Declared> = Runtime.Types.Result.GetResult<
  PayloadOf<Delegate>,
  Args,
  Op,
  GlobalOmitOf<Delegate, Declared>
>
