/**
 * Transactions around effects. Prisma wants a function that returns a promise; what it does before it calls that and
 * after the promise is settled is taken apart here, so that the effect in between runs in the fiber of its caller, with
 * all that is in there.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { PrismaInternals } from "../client.js"
import { tagsOf } from "./errors.js"
import type { Tags, TransactionError } from "./errors.js"
import { failure, kindOf, promiseOf, waitFor } from "./query.js"
import type { PrismaQuery } from "./query.js"
import { toPrismaError } from "./toPrismaError.js"

/** What makes Prisma roll back. Nobody else throws it, and nobody sees it. */
class RollBack {}

/** @internal */
export const label = "$transaction"

const tags = tagsOf("transaction", "client")

const toError = (thrown: unknown) => toPrismaError(thrown, label, tags) as TransactionError

interface Opened {
  readonly tx: PrismaInternals
  readonly commit: () => void
}

/** @internal */
export const runInTransaction = <A, E, R>(
  client: PrismaInternals,
  body: (tx: PrismaInternals) => Effect.Effect<A, E, R>,
  options: object | undefined
): Effect.Effect<A, E | TransactionError, R> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.suspend(() => {
      let rollBack = (): void => {
        abandoned = true
      }
      let abandoned = false
      let ended: Promise<void> | undefined

      const begin = restore(Effect.async<Opened, TransactionError>((resume) => {
        const run = (tx: PrismaInternals) =>
          new Promise<void>((commit, reject) => {
            rollBack = () => reject(new RollBack())
            if (abandoned) rollBack()
            else resume(Effect.succeed({ tx, commit }))
          })
        // Failures before the function is called are those to begin; all others meet somebody who waits for the end.
        ended = Promise.resolve().then(() => client["$transaction"](run, options))
        ended.catch((thrown: unknown) => resume(Effect.fail(toError(thrown))))
      }))

      const end = Effect.tryPromise({ try: () => ended ?? Promise.resolve(), catch: (thrown) => thrown })

      return Effect.matchCauseEffect(begin, {
        onFailure: (cause) => {
          // Who is interrupted here does not wait for a connection that may be long in coming. It is given back at once.
          rollBack()
          return Effect.failCause(cause)
        },
        onSuccess: ({ commit, tx }) =>
          Effect.flatMap(Effect.exit(restore(Effect.suspend(() => body(tx)))), (exit): Effect.Effect<A, E | TransactionError> => {
            if (Exit.isSuccess(exit)) {
              commit()
              return Effect.as(Effect.mapError(end, toError), exit.value)
            }
            rollBack()
            return Effect.flatMap(Effect.ignore(end), () => exit)
          })
      })
    })
  )

/** @internal */
export const sendBatch = (
  client: PrismaInternals,
  queries: ReadonlyArray<PrismaQuery>,
  options: object | undefined
): Effect.Effect<unknown, unknown> => {
  const kinds = queries.map(kindOf)
  const every: Partial<Tags> = Object.assign({}, tags, ...kinds.map((kind) => kind.tags))
  return waitFor(
    () => client["$transaction"](queries.map(promiseOf), options) as PromiseLike<unknown>,
    (thrown) => failure(thrown, label, every, kinds.some(({ refusable }) => refusable))
  )
}
