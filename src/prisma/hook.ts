/**
 * The query hook. It says of each query which entry it is, what it depends on and what it makes invalid; what is done
 * about that is the cache's business.
 */
import type { CacheEvent } from "../CacheEvent.js"
import type { ValueTypes } from "../Serializer.js"
import { callersContext } from "./asyncContext.js"
import { unwrap } from "./call.js"
import type { Call } from "./call.js"
import { show } from "./checks.js"
import { fingerprint } from "./client.js"
import type { PrismaInternals } from "./client.js"
import type { Derivation } from "./derivation.js"
import type { Arguments, SentQuery } from "./entryKeys.js"
import { arityOf, isRead } from "./operations.js"
import { readCache, readTtl, rejectStrategy, rejectUncache, wishIn } from "./queryOptions.js"
import type { QueryStrategy, Wish } from "./queryOptions.js"
import { bypassed, untouched } from "./read.js"
import type { Reader } from "./read.js"
import type { Settings } from "./settings.js"
import type { SharedCache } from "./sharedCache.js"
import type { Transactions } from "./transactions.js"
import { makeWrite } from "./write.js"

/** What Prisma gives to a hook on all operations of all models. */
interface HookInput {
  readonly model: string
  readonly operation: string
  readonly args: Arguments
  readonly query: (args: Arguments) => PromiseLike<unknown>
  readonly __internalParams: {
    readonly dataPath?: ReadonlyArray<string>
    readonly transaction?: Transaction | undefined
    /** Where Prisma thinks that it was called. */
    readonly callsite?: { _error?: Error } | undefined
  }
}

/** @internal */
export interface Transaction {
  readonly kind: "itx" | "batch"
  readonly id: unknown
}

/**
 * What is known of the clients that were made from this one by further extensions.
 *
 * @internal
 */
export interface Family {
  /** Some compute fields, so that a query of unknown origin cannot be told apart. */
  readonly results: boolean
  /** Some change queries after the cache has seen them. */
  readonly queries: boolean
}

/** @internal */
export interface HookContext extends Derivation {
  readonly settings: Settings
  readonly shared: SharedCache
  readonly transactions: Transactions
  /** The client that the extension was given to. */
  readonly base: PrismaInternals
  readonly types: () => ValueTypes | Promise<ValueTypes>
  readonly family: Family
  readonly warn: (message: string) => void
  /** Everything beside the query that decides its result; `undefined` when that cannot be told. */
  readonly surroundings: (
    client: PrismaInternals | undefined,
    label: string,
    say?: (message: string) => void
  ) => ReadonlyArray<unknown> | undefined
}

const isArguments = (value: unknown): value is Arguments =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const takeWish = (args: Arguments): { readonly call: Call | undefined; readonly cache: unknown } => {
  const call = unwrap(args["cache"])
  const cache = call === undefined ? wishIn(args) : call.cache
  delete args["cache"]
  delete args["cacheStrategy"]
  return { call, cache }
}

/**
 * Takes the cache's own arguments away: Prisma must not see them. In a fluent call (`dataPath`: `select`, `posts`, …)
 * the wish that stands deepest is the one that was meant.
 */
const takeOptions = (args: Arguments, dataPath: ReadonlyArray<string>) => {
  const uncache = args["uncache"]
  delete args["uncache"]
  let { call, cache } = takeWish(args)
  let parent: Arguments | undefined = args
  for (let i = 0; i + 1 < dataPath.length && parent !== undefined; i += 2) {
    const selection: unknown = parent[dataPath[i] as string]
    const relation = dataPath[i + 1] as string
    if (!isArguments(selection) || !isArguments(selection[relation])) break
    const inner: Arguments = selection[relation]
    if ("cache" in inner || "cacheStrategy" in inner) {
      const taken = takeWish(inner)
      if (taken.call !== undefined || call === undefined) cache = taken.cache
      call = taken.call ?? call
      if (Object.keys(inner).length === 0) selection[relation] = true
    }
    parent = isArguments(selection[relation]) ? selection[relation] : undefined
  }
  return { call, cache: call === undefined ? cache : call.cache, uncache }
}

/** @internal */
export const makeSurroundings = (
  settings: Settings,
  base: PrismaInternals,
  family: Family,
  warn: (message: string) => void
): HookContext["surroundings"] =>
(client, label, say = warn) => {
  if (client === undefined && family.results) return undefined
  try {
    return [fingerprint(client ?? base), settings.varyBy?.()]
  } catch (error) {
    say(`${label}: varyBy threw (${error instanceof Error ? error.name : typeof error}); the query is not cached`)
    return undefined
  }
}

/** @internal */
export const makeWarn = (onEvent: ((event: CacheEvent) => void) | undefined) => (message: string): void => {
  try {
    onEvent?.({ _tag: "Warning", message })
  } catch {
    // A listener is the application's; what it does wrong must not reach a query.
  }
}

/** @internal */
export const makeStanding = (settings: Settings) => (model: string): QueryStrategy | undefined => {
  const own = settings.models.get(model)
  return own === false ? undefined : own ?? settings.defaults
}

/** @internal */
export const makeHook = (context: HookContext, { read }: Reader) => {
  const { settings } = context
  const write = makeWrite(context)
  const standing = makeStanding(settings)

  const suspicious = new Set<string>()

  /** A text is a key, whatever it says: "5 minutes" too, which is rarely what was meant. */
  const question = (label: string, cache: unknown) => {
    if (typeof cache !== "string" || readTtl(cache) === undefined || suspicious.has(label)) return
    suspicious.add(label)
    context.warn(`${label}: cache: ${show(cache)} is a custom key; a ttl in words is { ttl: ${show(cache)} }`)
  }

  return async (input: HookInput): Promise<unknown> => {
    const { __internalParams, args, model, operation } = input
    const { dataPath = [], transaction } = __internalParams
    const { cache, call, uncache } = takeOptions(args, dataPath)
    if (call?.site !== undefined && __internalParams.callsite?._error !== undefined) {
      __internalParams.callsite._error = call.site
    }
    const within = callersContext()
    const send = (sent: Arguments) => within(async () => input.query(sent))
    const label = `${model}.${operation}`
    const query: SentQuery = { model, operation, label, args, dataPath, send }
    if (arityOf(operation) === undefined) return send(args)
    question(label, cache)

    const inContext = (wish: Wish): Wish => {
      if (wish._tag !== "Cached" || typeof wish.key !== "function") return wish
      const key = wish.key
      return { ...wish, key: (result) => within(() => key(result)) }
    }
    if (!isRead(operation)) {
      rejectStrategy(label, cache)
      const wish = inContext(readCache(label, cache, undefined, standing(model)))
      const keys = typeof uncache === "function" ? (result: unknown) => within((): unknown => uncache(result)) : uncache
      return write(query, wish, keys, call, transaction)
    }
    rejectUncache(label, uncache)
    const wish = inContext(readCache(label, cache, standing(model), settings.defaults, settings.limits))
    if (wish._tag === "Cached" && transaction === undefined) return read(query, wish, call)
    if (call !== undefined) call.info = wish._tag === "Off" ? untouched : bypassed
    return send(args)
  }
}
