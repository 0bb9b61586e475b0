/**
 * The short way to an answer that is in the cache: past Prisma's own machinery, which costs several times what the
 * look-up does. Taken only where the hook would give the same answer: nothing else in the client has a say in queries
 * or results, and no transaction is under way. What is not found goes the long way, and is not looked for again.
 */
import type { CacheInfo } from "../CacheInfo.js"
import type { Call, Looked } from "./call.js"
import { isAlone } from "./client.js"
import type { Arguments } from "./entryKeys.js"
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
    const known = types()
    if (known instanceof Promise || "uncache" in args || !isAlone(call.client)) return undefined
    const label = `${model}.${operation}`
    try {
      const wish = readCache(label, call.cache, standing(model), settings.defaults, settings.limits)
      // A function of the caller's is run where the caller is.
      if (wish._tag !== "Cached" || wish.refresh || typeof wish.key === "function") return undefined
      const { cache: _, cacheStrategy: __, ...own } = args as Record<string, unknown>
      // The caller may change its arguments while they are looked for: what is asked for must be what was named.
      const query = { model, operation, label, args: copyPlain(own) as Arguments, dataPath: [] }
      // Whatever is wrong, the hook finds out again, and says it.
      const prepared = prepare(query, wish, call, known, () => {})
      const entered = prepared && shared.enter(context.base)
      if (prepared === undefined || entered === undefined) return undefined
      return new Promise((resolve) =>
        entered.cache.unsafeAnswer(prepared.request, {
          hit: ({ info, value }) => resolve({ _tag: "Hit", info, value }),
          otherwise: (rest) =>
            resolve({ _tag: "Missed", looked: { rest, load: prepared.load, run: entered.run } })
        })
      )
    } catch {
      return undefined
    }
  }
}

/** A copy of plain data, such as arguments mostly are. Throws on anything else, which is for Prisma to copy. */
const copyPlain = (value: unknown): unknown => {
  if (typeof value === "function" || typeof value === "symbol") throw new TypeError("no plain data")
  if (typeof value !== "object" || value === null) return value
  if (Array.isArray(value)) return value.map(copyPlain)
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype === Date.prototype) return new Date(value as Date)
  if (prototype === Uint8Array.prototype) return (value as Uint8Array).slice()
  if (prototype !== Object.prototype) throw new TypeError("no plain data")
  const copy: Record<string, unknown> = {}
  for (const [name, member] of Object.entries(value)) {
    // Plain assignment would set the prototype instead.
    if (name === "__proto__") throw new TypeError("no plain data")
    copy[name] = copyPlain(member)
  }
  return copy
}
