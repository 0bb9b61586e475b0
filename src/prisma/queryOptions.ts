/**
 * What stands in a query's `cache` and `uncache`, read once and made precise.
 */
import * as Duration from "effect/Duration"
import { CacheOptionsError } from "../CacheError.js"
import type { OptionProblem } from "../CacheError.js"
import type { CacheStrategy } from "../CacheStrategy.js"
import type { KeyRef } from "../QueryCache.js"
import { isFields, isName, show } from "./checks.js"

/**
 * A strategy, and how long the query itself may take.
 *
 * @internal
 */
export interface QueryStrategy extends CacheStrategy {
  readonly hardTimeout?: Duration.DurationInput | undefined
}

/**
 * What a query asks of the cache: nothing, to be left alone, or an answer under a strategy.
 *
 * @internal
 */
export type Wish =
  | { readonly _tag: "Off" }
  | { readonly _tag: "Bypass" }
  | {
    readonly _tag: "Cached"
    readonly strategy: QueryStrategy
    readonly key: string | ((result: unknown) => string) | undefined
    readonly namespace: string | undefined
    readonly refresh: boolean
  }

/** @internal */
export type Cached = Extract<Wish, { readonly _tag: "Cached" }>

/** @internal */
export type UncacheWish = ReadonlyArray<KeyRef> | ((result: unknown) => ReadonlyArray<KeyRef>)

const off: Wish = { _tag: "Off" }
const optionNames = ["ttl", "swr", "staleIfError", "softTimeout", "hardTimeout", "key", "namespace", "tags", "refresh", "bypass"]

/**
 * A ttl as users may write it: milliseconds or a Duration. `undefined` if it is neither.
 *
 * @internal
 */
export const readTtl = (value: unknown): Duration.Duration | undefined => {
  if (typeof value === "number") return Number.isFinite(value) && value >= 0 ? Duration.millis(value) : undefined
  try {
    const duration = Duration.decodeUnknown(value)
    return duration._tag === "Some" && Duration.toMillis(duration.value) >= 0 ? duration.value : undefined
  } catch {
    return undefined
  }
}

/** @internal */
export const ttlForm = "milliseconds (0 or more) or a Duration such as \"5 minutes\""

/** The default ttl of `cache: true`. */
const defaultStrategy: QueryStrategy = { ttl: Duration.minutes(1) }

/**
 * What stands in a query's `cacheStrategy`, beside what stands in its `cache`.
 *
 * @internal
 */
export class AccelerateWish {
  constructor(readonly strategy: unknown, readonly cache: unknown) {}
}

/**
 * What a query's arguments say about the cache, in either dialect.
 *
 * @internal
 */
export const wishIn = (args: { readonly cache?: unknown; readonly cacheStrategy?: unknown }): unknown =>
  args.cacheStrategy === undefined ? args.cache : new AccelerateWish(args.cacheStrategy, args.cache)

const strategyNames = ["ttl", "swr", "tags"]

/** Seconds, none left out: what is not said is 0. */
const readStrategy = (subject: string, { cache, strategy }: AccelerateWish, standing: QueryStrategy | undefined, limits: TagLimits): Wish => {
  const problems: Array<OptionProblem> = []
  const problem = (path: string, given: unknown, allowed: string) =>
    void problems.push({ path, message: `got ${show(given)}, allowed: ${allowed}` })
  if (cache !== undefined) problem("cache", cache, "nothing beside cacheStrategy; either says how the read is cached")
  const given = isFields(strategy) ? strategy : {}
  if (!isFields(strategy)) problem("cacheStrategy", strategy, "{ ttl, swr, tags }")
  for (const name of Object.keys(given)) {
    if (!strategyNames.includes(name)) problem(`cacheStrategy.${name}`, given[name], `no such option; there are ${strategyNames.join(", ")}`)
  }
  const seconds = (name: string): number => {
    const value = given[name] ?? 0
    if (typeof value === "number" && Number.isFinite(value) && value >= 0) return value * 1_000
    problem(`cacheStrategy.${name}`, value, "seconds, 0 or more")
    return 0
  }
  const ttl = seconds("ttl")
  const swr = seconds("swr")
  const tags = given["tags"] ?? []
  for (const message of tagProblems(tags, limits)) problems.push({ path: "cacheStrategy.tags", message })
  if (problems.length > 0) throw new CacheOptionsError(subject, problems)
  const all = [...(standing?.tags ?? []), ...(tags as ReadonlyArray<string>)]
  return { _tag: "Cached", strategy: { softTimeout: standing?.softTimeout, hardTimeout: standing?.hardTimeout, ttl, swr, tags: all }, key: undefined, namespace: undefined, refresh: false }
}

/**
 * What tags may be, where not everything may.
 *
 * @internal
 */
export interface TagLimits {
  readonly tags?: number | undefined
  readonly tagLength?: number | undefined
  readonly tagPattern?: RegExp | undefined
}

/** @internal */
export const tagProblems = (tags: unknown, { tagLength, tagPattern, tags: most }: TagLimits): ReadonlyArray<string> => {
  if (!Array.isArray(tags) || !tags.every(isName)) return [`got ${show(tags)}, allowed: an array of strings that are not empty`]
  const problems: Array<string> = []
  if (most !== undefined && tags.length > most) problems.push(`got ${tags.length} tags, allowed: ${most} at the most`)
  for (const tag of tags) {
    if (tagLength !== undefined && tag.length > tagLength) problems.push(`got a tag of ${tag.length} characters, allowed: ${tagLength} at the most`)
    if (tagPattern !== undefined && !tagPattern.test(tag)) problems.push(`got ${show(tag)}, allowed: ${tagPattern.source}`)
  }
  return problems
}

/**
 * Reads a query's `cache`. `standing` is the strategy that this model's reads have without one.
 *
 * @internal
 */
export const readCache = (
  subject: string,
  cache: unknown,
  standing: QueryStrategy | undefined,
  fallback: QueryStrategy | undefined,
  limits: TagLimits = {}
): Wish => {
  if (cache instanceof AccelerateWish) return readStrategy(subject, cache, standing ?? fallback, limits)
  if (cache === false || cache === null) return off
  const inherited = standing ?? fallback ?? defaultStrategy
  const plain = { _tag: "Cached" as const, strategy: inherited, key: undefined, namespace: undefined, refresh: false }
  if (cache === undefined) return standing === undefined ? off : plain
  if (cache === true) return plain
  const problems: Array<OptionProblem> = []
  const problem = (path: string, given: unknown, allowed: string) =>
    problems.push({ path, message: `got ${show(given)}, allowed: ${allowed}` })
  const fail = (): never => {
    throw new CacheOptionsError(subject, problems)
  }
  if (typeof cache === "number") {
    const ttl = readTtl(cache)
    if (ttl === undefined) problem("cache", cache, "milliseconds, 0 or more")
    return ttl === undefined ? fail() : { ...plain, strategy: own(inherited, { ttl }) }
  }
  if (typeof cache === "string") {
    if (cache.length === 0) problem("cache", cache, "a key that is not empty")
    return problems.length > 0 ? fail() : { ...plain, key: cache }
  }
  if (!isFields(cache)) {
    problem("cache", cache, "true, false, milliseconds, a key, null, undefined or { " + optionNames.join(", ") + " }")
    return fail()
  }
  for (const name of Object.keys(cache)) {
    if (!optionNames.includes(name)) problem(`cache.${name}`, cache[name], `no such option; there are ${optionNames.join(", ")}`)
  }
  const { bypass, key, namespace, refresh, tags } = cache
  const duration = (name: string) => {
    const value = cache[name] === undefined ? undefined : readTtl(cache[name])
    if (cache[name] !== undefined && value === undefined) problem(`cache.${name}`, cache[name], ttlForm)
    return value
  }
  const durations = {
    ttl: duration("ttl"),
    swr: duration("swr"),
    staleIfError: duration("staleIfError"),
    softTimeout: duration("softTimeout"),
    hardTimeout: duration("hardTimeout")
  }
  if (key !== undefined && typeof key !== "function" && !isName(key)) problem("cache.key", key, "a string that is not empty, or a function of the result")
  if (namespace !== undefined && !isName(namespace)) problem("cache.namespace", namespace, "a string that is not empty")
  if (refresh !== undefined && typeof refresh !== "boolean") problem("cache.refresh", refresh, "true or false")
  if (bypass !== undefined && typeof bypass !== "boolean") problem("cache.bypass", bypass, "true or false")
  if (tags !== undefined && !(Array.isArray(tags) && tags.every(isName))) problem("cache.tags", tags, "an array of strings that are not empty")
  if (problems.length > 0) return fail()
  if (bypass === true) return { _tag: "Bypass" }
  return {
    _tag: "Cached",
    strategy: own(inherited, durations, tags as ReadonlyArray<string> | undefined),
    key: key as Extract<Wish, { _tag: "Cached" }>["key"],
    namespace: namespace as string | undefined,
    refresh: refresh === true
  }
}

type Durations = { readonly [Name in Exclude<keyof QueryStrategy, "jitter" | "tags">]?: Duration.Duration | undefined }

/** Who gives a ttl of their own means it: what is served beyond it is not inherited. */
const own = (
  inherited: QueryStrategy,
  { hardTimeout, softTimeout, staleIfError, swr, ttl }: Durations,
  tags: ReadonlyArray<string> = []
): QueryStrategy => ({
  ttl: ttl ?? inherited.ttl,
  swr: swr ?? (ttl === undefined ? inherited.swr : undefined),
  staleIfError: staleIfError ?? (ttl === undefined ? inherited.staleIfError : undefined),
  softTimeout: softTimeout ?? inherited.softTimeout,
  hardTimeout: hardTimeout ?? inherited.hardTimeout,
  jitter: inherited.jitter,
  tags: tags.length === 0 ? inherited.tags : [...(inherited.tags ?? []), ...tags]
})

/**
 * Reads custom keys: one or several, each a name or `{ key, namespace }`.
 *
 * @internal
 */
export const readKeys = (subject: string, path: string, given: unknown): ReadonlyArray<KeyRef> => {
  const list = Array.isArray(given) ? given : given === undefined || given === null ? [] : [given]
  const problems: Array<OptionProblem> = []
  const keys = list.map((item: unknown, i): KeyRef => {
    if (isName(item)) return { key: item }
    if (
      isFields(item) && isName(item["key"]) && (item["namespace"] === undefined || isName(item["namespace"])) &&
      Object.keys(item).every((name) => name === "key" || name === "namespace")
    ) return { key: item["key"], namespace: item["namespace"] as string | undefined }
    const at = Array.isArray(given) ? `${path}[${i}]` : path
    problems.push({ path: at, message: `got ${show(item)}, allowed: a key that is not empty, or { key, namespace }` })
    return { key: "" }
  })
  if (problems.length > 0) throw new CacheOptionsError(subject, problems)
  return keys
}

/**
 * Reads a query's `uncache`: keys, or a function of the result that gives keys.
 *
 * @internal
 */
export const readUncache = (subject: string, uncache: unknown): UncacheWish =>
  typeof uncache === "function"
    ? (result) => readKeys(subject, "uncache(result)", uncache(result))
    : readKeys(subject, "uncache", uncache)

/**
 * A write has no `cacheStrategy`, and Prisma, which would say so, does not get to see it.
 *
 * @internal
 */
export const rejectStrategy = (subject: string, cache: unknown): void => {
  if (!(cache instanceof AccelerateWish)) return
  throw new CacheOptionsError(subject, [{
    path: "cacheStrategy",
    message: `got ${show(cache.strategy)}, allowed: nothing; only reads have it`
  }])
}

/**
 * A read makes nothing invalid: `uncache` on one is a mistake, and Prisma, which would say so, does not get to see it.
 *
 * @internal
 */
export const rejectUncache = (subject: string, uncache: unknown): void => {
  if (uncache === undefined || uncache === null) return
  throw new CacheOptionsError(subject, [{ path: "uncache", message: `got ${show(uncache)}, allowed: nothing; only writes have it` }])
}
