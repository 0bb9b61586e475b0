/**
 * Transactions: inside one nothing is read from the cache or put into it, and what its writes make invalid becomes so
 * when it commits, not before.
 */
import type { KeyRef } from "../QueryCache.js"
import type { PrismaInternals } from "./client.js"

/**
 * What the writes of an open transaction have made invalid so far.
 *
 * @internal
 */
export interface Collected {
  readonly keys: Array<KeyRef>
  /** Something was touched whose name is not known. */
  all: boolean
}

/** @internal */
export interface Transactions {
  /** What an open interactive transaction has collected; `undefined` for one that was not started through the extension. */
  readonly of: (id: unknown) => Collected | undefined
  /** Runs an interactive transaction and hands over what it collected, once it has committed or may have. */
  readonly interactive: <A>(
    start: (body: (tx: PrismaInternals) => Promise<A>) => Promise<A>,
    body: (tx: PrismaInternals) => Promise<A>,
    commit: (collected: Collected) => Promise<void>
  ) => Promise<A>
}

/** How a transaction's own client says which one it is; Prisma 7.5 and later, and before. */
const scopeContext = Symbol.for("prisma.client.transaction.scope_context")
const transactionId = Symbol.for("prisma.client.transaction.id")

/** @internal */
export const idOf = (client: PrismaInternals): unknown => client[scopeContext]?.txId ?? client[transactionId]

/** @internal */
export const makeTransactions = (): Transactions => {
  const open = new Map<unknown, Collected>()
  return {
    of: (id) => open.get(id),
    interactive: async (start, body, commit) => {
      const collected: Collected = { keys: [], all: false }
      let id: unknown
      let returned = false
      // Between "the body returned" and "Prisma answered" lies the COMMIT: when that fails nobody knows what it did.
      const settle = () => returned && (collected.all || collected.keys.length > 0) ? commit(collected) : Promise.resolve()
      try {
        const result = await start(async (tx) => {
          id = idOf(tx)
          open.set(id, collected)
          const value = await body(tx)
          returned = true
          return value
        })
        await settle()
        return result
      } catch (error) {
        await settle()
        throw error
      } finally {
        open.delete(id)
      }
    }
  }
}
