/**
 * The query hook. It says of each query which entry it is, what it depends on and what it makes invalid; what is done
 * about that is the cache's business.
 */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type { CacheEvent } from "../CacheEvent.js"
import type { CacheInfo } from "../CacheInfo.js"
import * as CacheKey from "../CacheKey.js"
import type { CacheStrategy } from "../CacheStrategy.js"
import type { Answer, KeyRef, OwnResult, Request, WriteRequest } from "../QueryCache.js"
import type { ValueTypes } from "../Serializer.js"
import { callersContext } from "./asyncContext.js"
import { unwrap } from "./call.js"
import type { Call } from "./call.js"
import { canonicalArgs } from "./canonicalArgs.js"
import { fingerprint } from "./client.js"
import type { PrismaInternals } from "./client.js"
import { arityOf, isRead, selectionArguments } from "./operations.js"
import type { Settings } from "./options.js"
import { isName, readCache, readUncache } from "./queryOptions.js"
import type { Wish } from "./queryOptions.js"
import type { SharedCache } from "./sharedCache.js"
import type { Transactions } from "./transactions.js"

/** What Prisma gives to a hook on all operations of all models. */
interface HookInput {
  readonly model: string
  readonly operation: string
  readonly args: Arguments
  readonly query: (args: Arguments) => PromiseLike<unknown>
  readonly __internalParams: {
    readonly dataPath?: ReadonlyArray<string>
    readonly transaction?: { readonly kind: "itx" | "batch"; readonly id: unknown } | undefined
  }
}

interface Arguments {
  [name: string]: unknown
}

/** @internal */
export interface HookContext {
  readonly settings: Settings
  readonly shared: SharedCache
  readonly transactions: Transactions
  /** The client that the extension was given to. */
  readonly base: PrismaInternals
  readonly types: Promise<ValueTypes>
  /** Whether some client made from this one computes fields, so that a query of unknown origin cannot be told apart. */
  readonly ambiguous: () => boolean
}

type Cached = Extract<Wish, { readonly _tag: "Cached" }>

const isArguments = (value: unknown): value is Arguments =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/**
 * Takes the cache's own arguments away: Prisma must not see them. In a fluent call (`dataPath`: `select`, `posts`, …)
 * the wish that stands deepest is the one that was meant.
 */
const takeOptions = (args: Arguments, dataPath: ReadonlyArray<string>) => {
  let cache = args["cache"]
  let call = unwrap(cache)
  const uncache = args["uncache"]
  delete args["cache"]
  delete args["uncache"]
  let parent: Arguments | undefined = args
  for (let i = 0; i + 1 < dataPath.length && parent !== undefined; i += 2) {
    const selection: unknown = parent[dataPath[i] as string]
    const relation = dataPath[i + 1] as string
    if (!isArguments(selection) || !isArguments(selection[relation])) break
    const inner: Arguments = selection[relation]
    if ("cache" in inner) {
      const innerCall = unwrap(inner["cache"])
      if (innerCall !== undefined || call === undefined) cache = inner["cache"]
      call = innerCall ?? call
      delete inner["cache"]
      if (Object.keys(inner).length === 0) selection[relation] = true
    }
    parent = isArguments(selection[relation]) ? selection[relation] : undefined
  }
  return { call, cache: call === undefined ? cache : call.cache, uncache }
}

/** @internal */
export const makeHook = (context: HookContext) => {
  const { settings, shared, transactions } = context
  let types: ValueTypes | undefined
  const emit = (event: CacheEvent) => {
    try {
      settings.onEvent?.(event)
    } catch {
      // A listener is the application's; what it does wrong must not reach a query.
    }
  }
  const warn = (message: string) => emit({ _tag: "Warning", message })

  const standing = (model: string): CacheStrategy | undefined => {
    const own = settings.models.get(model)
    return own === false ? undefined : own ?? settings.defaults
  }

  /** Everything beside the query that decides its result; `undefined` when that cannot be told. */
  const surroundings = (client: PrismaInternals | undefined, label: string): ReadonlyArray<unknown> | undefined => {
    if (client === undefined && context.ambiguous()) return undefined
    try {
      return [fingerprint(client ?? context.base), settings.varyBy?.()]
    } catch (error) {
      warn(`${label}: varyBy threw (${error instanceof Error ? error.name : typeof error}); the query is not cached`)
      return undefined
    }
  }

  /** The entry that a query's own arguments name. */
  const queryKey = (input: HookInput, around: ReadonlyArray<unknown>, dataPath: ReadonlyArray<string>, namespace: string | undefined) =>
    CacheKey.make(["query", ...around, input.model, input.operation, dataPath, canonicalArgs(input.args)], {
      namespace,
      label: `${input.model}.${input.operation}`
    })

  /** The entry that a custom key names: one for each model, selection and arity. */
  const customKey = (input: HookInput, around: ReadonlyArray<unknown>, dataPath: ReadonlyArray<string>) => {
    const selection = Object.fromEntries(
      selectionArguments.filter((name) => name in input.args).map((name) => [name, input.args[name]])
    )
    const shape = ["key", ...around, input.model, arityOf(input.operation), dataPath, canonicalArgs(selection)]
    return (ref: KeyRef) =>
      CacheKey.make([...shape, ref.key], { namespace: ref.namespace, label: `${input.model}.${input.operation}` })
  }

  const read = async (input: HookInput, wish: Cached, call: Call | undefined, run: () => Promise<unknown>) => {
    const label = `${input.model}.${input.operation}`
    const dataPath = input.__internalParams.dataPath ?? []
    const around = surroundings(call?.client, label)
    if (around === undefined) return bypass(call, run)
    const named = customKey(input, around, dataPath)
    const { key, namespace } = wish
    const made = typeof key === "string"
      ? named({ key, namespace })
      : queryKey(input, around, dataPath, namespace)
    if (Either.isLeft(made)) {
      // Prisma will say what is wrong with such arguments.
      warn(`${label}: ${made.left.message}`)
      return bypass(call, run)
    }
    types ??= await context.types
    const request: Request<unknown> = {
      key: made.right,
      strategy: wish.strategy,
      keys: typeof key === "string" ? [{ key, namespace }] : undefined,
      late: typeof key !== "function" ? undefined : (value) => {
        const name = nameOf(label, key, value)
        if (name === undefined) return undefined
        const ref = { key: name, namespace }
        const entry = named(ref)
        return { keys: [ref], entries: Either.isRight(entry) ? [entry.right] : [] }
      },
      mode: wish.refresh ? "refresh" : "use",
      types,
      accepts: input.operation.endsWith("OrThrow") ? (value) => value !== null : undefined,
      isDefinite
    }
    const load = Effect.tryPromise({ try: run, catch: (error) => error })
    const answer = await shared.run<Answer<unknown>, unknown>(context.base, (cache) =>
      cache === undefined
        ? Effect.map(load, (value) => ({ value, info: { ...untouched, status: "bypass" } }))
        : cache.answer(request, load))
    if (call !== undefined) call.info = answer.info
    return answer.value
  }

  const nameOf = (label: string, key: (result: unknown) => unknown, value: unknown): string | undefined => {
    try {
      const name = key(value)
      if (isName(name)) return name
      warn(`${label}: the key function did not return a string that is not empty; the result is not stored`)
    } catch (error) {
      warn(`${label}: the key function threw (${error instanceof Error ? error.name : typeof error}); the result is not stored`)
    }
    return undefined
  }

  const bypass = (call: Call | undefined, run: () => Promise<unknown>) => {
    if (call !== undefined) call.info = { ...untouched, status: "bypass" }
    return run()
  }

  const write = async (input: HookInput, wish: Wish, uncache: unknown, call: Call | undefined, run: () => Promise<unknown>) => {
    const label = `${input.model}.${input.operation}`
    const keys = readUncache(label, uncache)
    const staticKeys = typeof keys === "function" ? [] : keys
    const lateKeys = typeof keys === "function" ? keys : undefined
    const transaction = input.__internalParams.transaction
    const open = transaction?.kind === "itx" ? transactions.of(transaction.id) : undefined
    const ownKey = wish._tag === "Cached" ? wish.key : undefined
    const touchesOwn = ownKey !== undefined && wish._tag === "Cached"

    if (open !== undefined) {
      open.keys.push(...staticKeys)
      if (touchesOwn && typeof ownKey === "string") open.keys.push({ key: ownKey, namespace: wish.namespace })
      const result = await run()
      try {
        open.keys.push(...(lateKeys?.(result) ?? []))
        if (touchesOwn && typeof ownKey === "function") open.keys.push({ key: ownKey(result), namespace: wish.namespace })
      } catch {
        warn(`${label}: a function that names cache keys threw; the whole namespace is invalidated at commit`)
        open.all = true
      }
      return result
    }
    if (staticKeys.length === 0 && lateKeys === undefined && !touchesOwn) return run()

    const around = touchesOwn && transaction === undefined && fillsByWriting(input.operation)
      ? surroundings(call?.client, label)
      : undefined
    types ??= await context.types
    const request: WriteRequest<unknown> = {
      label,
      keys: touchesOwn && typeof ownKey === "string"
        ? [...staticKeys, { key: ownKey, namespace: wish.namespace }]
        : staticKeys,
      lateKeys: touchesOwn && typeof ownKey === "function"
        ? (value) => [...(lateKeys?.(value) ?? []), { key: ownKey(value), namespace: wish.namespace }]
        : lateKeys,
      own: around === undefined || !touchesOwn ? undefined : ownResult(input, wish, ownKey, around, types),
      isRolledBack
    }
    const effect = Effect.tryPromise({ try: run, catch: (error) => error })
    return shared.run(context.base, (cache) => cache === undefined ? effect : cache.write(request, effect))
  }

  const ownResult = (
    input: HookInput,
    wish: Cached,
    key: NonNullable<Cached["key"]>,
    around: ReadonlyArray<unknown>,
    valueTypes: ValueTypes
  ): OwnResult<unknown> | undefined => {
    const named = customKey(input, around, [])
    const { namespace } = wish
    // Whether the shape can be told apart does not depend on the name.
    if (Either.isLeft(named({ key: "", namespace }))) return undefined
    return {
      key: typeof key === "function" ? (value) => ({ key: key(value), namespace }) : { key, namespace },
      strategy: wish.strategy,
      entry: (ref) => Either.getOrThrow(named(ref)),
      types: valueTypes
    }
  }

  return async (input: HookInput): Promise<unknown> => {
    const { __internalParams, args, model, operation, query } = input
    const { cache, call, uncache } = takeOptions(args, __internalParams.dataPath ?? [])
    const within = callersContext()
    const run = () => within(async () => query(args))
    if (arityOf(operation) === undefined) return run()
    const label = `${model}.${operation}`
    const inContext = (wish: Wish): Wish => {
      if (wish._tag !== "Cached" || typeof wish.key !== "function") return wish
      const key = wish.key
      return { ...wish, key: (result) => within(() => key(result)) }
    }
    if (!isRead(operation)) {
      const wish = inContext(readCache(label, cache, undefined, standing(model)))
      const keys = typeof uncache === "function" ? (result: unknown) => within((): unknown => uncache(result)) : uncache
      return write(input, wish, keys, call, run)
    }
    const wish = inContext(readCache(label, cache, standing(model), settings.defaults))
    if (wish._tag === "Cached" && __internalParams.transaction === undefined) return read(input, wish, call, run)
    if (call !== undefined) call.info = wish._tag === "Off" ? untouched : { ...untouched, status: "bypass" }
    return run()
  }
}

/** `delete` names a row that is gone; batches answer with a count, which no read asks for. */
const fillsByWriting = (operation: string) => operation !== "delete" && arityOf(operation) !== "batch"

const untouched: CacheInfo = { status: "off", key: undefined, tags: [], age: undefined, ttl: undefined }

const isPrismaError = (error: unknown, name: string): error is { readonly code?: unknown } =>
  typeof error === "object" && error !== null && (error as { readonly name?: unknown }).name === name

/** Errors that every caller of the same query gets: the row is not there, or the query is wrong in itself. */
const isDefinite = (error: unknown): boolean =>
  isPrismaError(error, "PrismaClientValidationError") ||
  (isPrismaError(error, "PrismaClientKnownRequestError") && error.code === "P2025")

/**
 * Errors after which nothing of a write remains: Prisma refused it, or the database did. `P2028` is about a
 * transaction that Prisma lost sight of; `P1xxx`, unknown errors and panics say nothing about what was committed.
 */
const isRolledBack = (error: unknown): boolean =>
  isPrismaError(error, "PrismaClientValidationError") ||
  (isPrismaError(error, "PrismaClientKnownRequestError") && typeof error.code === "string" &&
    error.code.startsWith("P2") && error.code !== "P2028")
