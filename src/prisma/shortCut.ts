/**
 * The short way to an answer that is in the cache: past Prisma's own machinery, which costs several times what the
 * look-up does. Taken only where the hook would give the same answer: nothing else in the client has a say in queries
 * or results, and no transaction is under way. What is not found goes the long way, and is not looked for again.
 */
import type { CacheInfo } from "../CacheInfo.js"
import type { Call, Looked } from "./call.js"
import { isAlone } from "./client.js"
import { makeStanding } from "./hook.js"
import type { HookContext } from "./hook.js"
import { readCache } from "./queryOptions.js"
import type { Prepare } from "./read.js"

/** @internal */
export type Attempt =
  | { readonly _tag: "Hit"; readonly value: unknown; readonly info: CacheInfo }
  | { readonly _tag: "Missed"; readonly looked: Looked }

/**
 * Looks for the answer to a query; `undefined` where the long way has to be gone from the start.
 *
 * @internal
 */
export type ShortCut = (
  call: Call,
  model: string,
  operation: string,
  args: object | undefined
) => Promise<Attempt> | undefined

/** @internal */
export const makeShortCut = (context: HookContext, prepare: Prepare): ShortCut => {
  const { settings, shared } = context
  const standing = makeStanding(settings)
  const types = context.types

  return (call, model, operation, args = {}) => {
    const cache = shared.peek(context.base)
    const known = types()
    if (cache === undefined || known instanceof Promise || "uncache" in args || !isAlone(call.client)) return undefined
    const label = `${model}.${operation}`
    try {
      const wish = readCache(label, call.cache, standing(model), settings.defaults, settings.limits)
      // A function of the caller's is run where the caller is.
      if (wish._tag !== "Cached" || wish.refresh || typeof wish.key === "function") return undefined
      const { cache: _, cacheStrategy: __, ...own } = args as Record<string, unknown>
      const prepared = prepare({ model, operation, label, args: own, dataPath: [] }, wish, call, known)
      if (prepared === undefined) return undefined
      return new Promise((resolve) =>
        cache.unsafeAnswer(prepared.request, {
          hit: ({ info, value }) => resolve({ _tag: "Hit", info, value }),
          otherwise: (rest) => resolve({ _tag: "Missed", looked: { rest, load: prepared.load } })
        })
      )
    } catch {
      // Whatever is wrong with the arguments, the hook says it, or Prisma.
      return undefined
    }
  }
}
