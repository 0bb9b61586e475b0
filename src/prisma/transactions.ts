/**
 * Transactions: inside one nothing is read from the cache or put into it. What its writes touch is announced before
 * each of them, and ends when the outermost transaction ends: with its commit, or with nothing after a rollback.
 */
import * as Effect from "effect/Effect"
import type { OpenWrite, Outcome, Touches } from "../QueryCache.js"
import type { PrismaInternals } from "./client.js"
import { isOver } from "./errors.js"
import type { SharedCache } from "./sharedCache.js"

/** @internal */
export interface Transactions {
  /** To be awaited before the statement that touches this. */
  readonly touch: (id: unknown, touches: Touches) => Promise<void>
  /** What a statement has touched, as known from its result. */
  readonly touched: (id: unknown, touches: Touches) => void
}

/** How a transaction's own client says which one it is; Prisma 7.5 and later, and before. */
const scopeContext = Symbol.for("prisma.client.transaction.scope_context")
const transactionId = Symbol.for("prisma.client.transaction.id")

/** @internal */
export const transactionIdOf = (client: PrismaInternals): unknown => client[scopeContext]?.txId ?? client[transactionId]

type EngineTransaction = (action: "start" | "commit" | "rollback", headers: unknown, argument: unknown) => Promise<unknown>

/** Who wants to know how the transactions of an engine end. To be awaited before anybody is told. */
type Listener = (id: unknown, outcome: Outcome) => Promise<void>

const listeners = new WeakMap<object, Set<Listener>>()

const idOf = (value: unknown): unknown =>
  typeof value === "object" && value !== null ? (value as { readonly id?: unknown }).id : undefined

/**
 * Prisma's engine is where every transaction passes, whichever client of the family it was started on. A nested one
 * is a savepoint in the outermost, and has its id.
 */
const watch = (engine: { transaction?: EngineTransaction }, listener: Listener): void => {
  const known = listeners.get(engine)
  if (known !== undefined) {
    known.add(listener)
    return
  }
  const original = engine.transaction
  if (typeof original !== "function") return
  const told = new Set([listener])
  listeners.set(engine, told)
  const depths = new Map<unknown, number>()

  const ended = async (id: unknown, outcome: Outcome) => {
    depths.delete(id)
    await Promise.all(Array.from(told, (one) => one(id, outcome)))
  }

  engine.transaction = async function(action, headers, argument) {
    if (action === "start") {
      const started = await original.call(this, action, headers, argument)
      const id = idOf(started)
      depths.set(id, (depths.get(id) ?? 0) + 1)
      return started
    }
    const id = idOf(argument)
    const depth = depths.get(id) ?? 1
    if (depth > 1) {
      depths.set(id, depth - 1)
      return original.call(this, action, headers, argument)
    }
    if (action === "rollback") {
      // What was never asked to commit is not committed, whatever is said of its rollback.
      return original.call(this, action, headers, argument).finally(() => ended(id, "rolledBack"))
    }
    try {
      const answer = await original.call(this, action, headers, argument)
      await ended(id, "committed")
      return answer
    } catch (error) {
      // It may have been carried out all the same.
      await ended(id, isOver(error) ? "committed" : "unknown")
      throw error
    }
  }
}

/** @internal */
export const makeTransactions = (base: PrismaInternals, shared: SharedCache): Transactions => {
  const writes = new Map<unknown, Promise<OpenWrite | undefined>>()

  const open = (id: unknown): Promise<OpenWrite | undefined> => {
    const known = writes.get(id)
    if (known !== undefined) return known
    const made = shared.run(base, (cache) => Effect.succeed(cache?.openWrite()))
    writes.set(id, made)
    return made
  }

  watch(base["_engine"], async (id, outcome) => {
    const write = await writes.get(id)
    writes.delete(id)
    if (write !== undefined) await shared.run(base, () => write.settle(outcome))
  })

  return {
    touch: async (id, touches) => {
      const write = await open(id)
      if (write !== undefined) await shared.run(base, () => write.touch(touches))
    },
    touched: (id, touches) => void writes.get(id)?.then((write) => write?.touched(touches))
  }
}
