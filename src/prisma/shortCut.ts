/**
 * The short way to an answer that is in the cache: past Prisma's own machinery, which costs several times what the
 * look-up does. Taken only where the hook would give the same answer: nothing else in the client has a say in queries
 * or results, and no transaction is under way. What is not found goes the long way, and is not looked for again.
 */
import type { CacheInfo } from "../CacheInfo.js"
import { canonical } from "../internal/canonical.js"
import type { QueryCache } from "../QueryCache.js"
import type { Call, Looked } from "./call.js"
import { canonicalArgs } from "./canonicalArgs.js"
import { isAlone } from "./client.js"
import type { Arguments } from "./entryKeys.js"
import { makeStanding } from "./hook.js"
import type { HookContext } from "./hook.js"
import { readCache } from "./queryOptions.js"
import type { Prepared, Reader } from "./read.js"
import type { Entered } from "./sharedCache.js"

/** @internal */
export type Attempt =
  | { readonly _tag: "Hit"; readonly value: unknown; readonly info: CacheInfo }
  | { readonly _tag: "Missed"; readonly looked: Looked | undefined }

/**
 * Looks for the answer to a query, which may be there at once; `undefined` where the long way has to be gone from the
 * start.
 *
 * @internal
 */
export type ShortCut = (
  call: Call,
  model: string,
  operation: string,
  args: object | undefined
) => Attempt | Promise<Attempt> | undefined

/** Of how many reads that were in the cache it is remembered what was found out about them, and how long their texts are. */
const maxKnown = 2_000
const maxText = 1_000

type Look = ReturnType<QueryCache["unsafePrepare"]>

/** A read that was in the cache before, and what looks for it once it has come again. */
interface Known {
  readonly cache: QueryCache
  readonly signature: string | undefined
  readonly request: Prepared["request"]
  look: Look | undefined
}

const nothing = () => {}

/** @internal */
export const makeShortCut = (context: HookContext, { prepare }: Reader): ShortCut => {
  const { settings, shared } = context
  const standing = makeStanding(settings)
  const types = context.types
  const knownReads = new Map<string, Known>()
  const remember = (text: string, known: Known) => {
    if (text.length > maxText) return
    // The oldest goes first, and is back when it is found the next time.
    if (knownReads.size === maxKnown) for (const oldest of knownReads.keys()) if (knownReads.delete(oldest)) break
    knownReads.set(text, known)
  }

  return (call, model, operation, args = {}) => {
    const made = types()
    if (made instanceof Promise || "uncache" in args || !isAlone(call.client)) return undefined
    const label = `${model}.${operation}`
    try {
      // Whatever is wrong, the hook finds out again, and says it.
      const wish = readCache(label, call.cache, standing(model), settings.defaults, settings.limits)
      // A function of the caller's is run where the caller is.
      if (wish._tag !== "Cached" || wish.refresh || typeof wish.key === "function") return undefined
      const beside = context.surroundings(call.client, label, nothing)
      if (beside === undefined) return undefined
      // All that decides what is looked for, its wish for the cache included. Each part says itself where it ends.
      const text = canonical(label) + beside.map((part) => canonical(part)).join("") + canonical(canonicalArgs(args))
      const prepared = (own: Arguments): Prepared | undefined =>
        prepare({ model, operation, label, args: own, dataPath: [] }, wish, call, made, beside, nothing)

      const known = knownReads.get(text)
      const entered = known && shared.enter(context.base)
      if (known !== undefined && entered?.cache === known.cache) {
        call.signature = known.signature
        // The caller may change its arguments while they are looked for: what is asked for must be what was named.
        let own: Arguments | undefined
        known.look ??= known.cache.unsafePrepare(known.request)
        const attempt = lookWith(entered, known.look, () => prepared(own ?? ownArguments(args)))
        if (attempt instanceof Promise) own = ownArguments(args)
        return attempt
      }

      const first = prepared(ownArguments(args))
      const open = first && shared.enter(context.base)
      if (first === undefined || open === undefined) return undefined
      const { cache } = open
      const request = { ...first.request, late: undefined }
      return lookWith(open, cache.unsafePrepare(first.request), () => first, () =>
        remember(text, { cache, signature: call.signature, request, look: undefined }))
    } catch {
      return undefined
    }
  }
}

/** Looks; what is to be asked for if that was in vain is made out only then. */
const lookWith = (
  { run }: Entered,
  look: Look,
  prepared: () => Prepared | undefined,
  found: () => void = nothing
): Attempt | Promise<Attempt> => {
  let told: Attempt | undefined
  let resolve: ((attempt: Attempt) => void) | undefined
  let missed: Prepared | undefined
  const tell = (attempt: Attempt) => resolve === undefined ? void (told = attempt) : resolve(attempt)
  look({
    hit: ({ info, value }) => {
      found()
      tell({ _tag: "Hit", info, value })
    },
    otherwise: (rest) => {
      try {
        missed = prepared()
      } catch {
        // Goes the long way from its start.
      }
      tell({ _tag: "Missed", looked: missed && { rest, load: missed.load, run } })
    }
  }, () => (missed as Prepared).request) // asked of what is looked for in vain, after that was told
  return told ?? new Promise((settle) => (resolve = settle))
}

/** The arguments without the cache's own, as a copy. */
const ownArguments = (args: object): Arguments => {
  const { cache: _, cacheStrategy: __, ...own } = args as Arguments
  return copyPlain(own) as Arguments
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
