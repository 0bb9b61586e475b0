/**
 * Writes: what they touch, and where their own result is kept.
 */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type { OwnResult, Touches, WriteRequest } from "../QueryCache.js"
import type { Call } from "./call.js"
import { isName } from "./checks.js"
import { customKeys } from "./entryKeys.js"
import type { Query, SentQuery } from "./entryKeys.js"
import { isOver, isRolledBack } from "./errors.js"
import type { HookContext, Transaction } from "./hook.js"
import { arityOf } from "./operations.js"
import { readUncache } from "./queryOptions.js"
import type { Cached, Wish } from "./queryOptions.js"

/** What a write touches: before it is sent, when its result is there, and when nobody knows how it ended. */
interface Reached {
  readonly touches: Touches
  readonly late: ((value: unknown) => Touches) | undefined
  readonly unknown: Touches | undefined
}

/** The name that a function gives to a write's result. Throws where it gives none: nobody knows which one was meant. */
const nameFrom = (key: (result: unknown) => unknown, result: unknown): string => {
  const name = key(result)
  if (!isName(name)) throw new TypeError("a key function did not return a string that is not empty")
  return name
}

/** `delete` names a row that is gone; batches answer with a count, which no read asks for. */
const fillsByWriting = (operation: string) => operation !== "delete" && arityOf(operation) !== "batch"

/** @internal */
export const makeWrite = (context: HookContext) => {
  const { shared, transactions, warn } = context

  const reached = (query: Query, wish: Wish, uncache: unknown): Reached | undefined => {
    const given = readUncache(query.label, uncache)
    const key = wish._tag === "Cached" ? wish.key : undefined
    const namespace = wish._tag === "Cached" ? wish.namespace : undefined
    const keys = [
      ...(typeof given === "function" ? [] : given),
      ...(typeof key === "string" ? [{ key, namespace }] : [])
    ]
    const reach = context.reach(query)
    const derived = reach?.late
    const isLate = typeof given === "function" || typeof key === "function"
    if (keys.length === 0 && !isLate && reach === undefined) return undefined
    return {
      touches: { first: reach?.first, rest: reach?.rest, keys },
      late: isLate || derived !== undefined
        ? (value) => ({
          rest: derived?.(value),
          keys: [
            ...(typeof given === "function" ? given(value) : []),
            ...(typeof key === "function" ? [{ key: nameFrom(key, value), namespace }] : [])
          ]
        })
        : undefined,
      // What was written whose result nobody has is not known either, except that it is in the namespace.
      unknown: isLate ? { all: true } : reach?.unknown === undefined ? undefined : { rest: reach.unknown }
    }
  }

  const ownResult = async (query: Query, wish: Wish, call: Call | undefined): Promise<OwnResult<unknown> | undefined> => {
    if (wish._tag !== "Cached" || wish.key === undefined || !fillsByWriting(query.operation)) return undefined
    const { key, namespace, strategy }: Cached = wish
    const around = context.surroundings(call?.client, query.label)
    if (around === undefined || key === undefined) return undefined
    const named = customKeys(query, around)
    // Whether the shape can be told apart does not depend on the name.
    if (Either.isLeft(named({ key: "", namespace }))) return undefined
    return {
      key: typeof key === "function" ? (value) => ({ key: nameFrom(key, value), namespace }) : { key, namespace },
      strategy,
      entry: (ref) => Either.getOrThrow(named(ref)),
      dependencies: context.selectionDependencies(query),
      types: await context.types()
    }
  }

  const inTransaction = async (query: SentQuery, id: unknown, { late, touches }: Reached) => {
    await transactions.touch(id, touches)
    const result = await query.send(query.args)
    try {
      if (late !== undefined) transactions.touched(id, late(result))
    } catch {
      warn(`${query.label}: a function that names cache keys threw; the whole namespace is invalidated at commit`)
      transactions.touched(id, { all: true })
    }
    return result
  }

  return async (
    query: SentQuery,
    wish: Wish,
    uncache: unknown,
    call: Call | undefined,
    transaction: Transaction | undefined
  ): Promise<unknown> => {
    const reach = reached(query, wish, uncache)
    if (reach === undefined) return query.send(query.args)
    if (transaction?.kind === "itx") return inTransaction(query, transaction.id, reach)
    const request: WriteRequest<unknown> = {
      label: query.label,
      touches: reach.touches,
      late: reach.late,
      unknown: reach.unknown,
      own: transaction === undefined ? await ownResult(query, wish, call) : undefined,
      // An item of a batch does not learn how the batch ended.
      isRolledBack: transaction === undefined ? isRolledBack : undefined,
      isOver
    }
    // A query that was sent cannot be taken back: nothing may be said of it before it has ended.
    const effect = Effect.uninterruptible(Effect.tryPromise({ try: () => query.send(query.args), catch: (error) => error }))
    return shared.run(context.base, (cache) => cache === undefined ? effect : cache.write(request, effect))
  }
}
