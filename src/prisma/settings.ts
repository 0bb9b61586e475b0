/**
 * The options of the extension, read once and made precise.
 */
import type * as Layer from "effect/Layer"
import type { CacheEvent } from "../CacheEvent.js"
import type { Consistency, KeyMaterial, LockOptions, MemoryOptions } from "../QueryCache.js"
import type { Serializer } from "../Serializer.js"
import { cacheKind, isLayer } from "./backendKind.js"
import { isAtLeast, isFields, isFunction, isName, makeChecks, show } from "./checks.js"
import type { Checks } from "./checks.js"
import type { AccelerateLimits, CacheBackend, Invalidation, PrismaCacheOptions } from "./options.js"
import { memoryProblems } from "../internal/level.js"
import { readTtl, ttlForm } from "./queryOptions.js"
import type { QueryStrategy } from "./queryOptions.js"

/** @internal */
export interface Settings {
  readonly cache: CacheBackend | undefined
  readonly serializer: Layer.Layer<Serializer, unknown> | undefined
  readonly lock: LockOptions | false
  readonly memory: boolean | MemoryOptions
  readonly namespace: string
  readonly defaults: QueryStrategy | undefined
  readonly models: ReadonlyMap<string, QueryStrategy | false>
  readonly invalidation: Invalidation
  /** Models whose writes do not invalidate by themselves although those of others do. */
  readonly manualModels: ReadonlySet<string>
  /** What was asked for; otherwise it depends on the store. */
  readonly consistency: Consistency | undefined
  readonly intentTtl: number | undefined
  readonly hardened: boolean
  readonly rawWrites: "warn" | "invalidate-all" | "refuse"
  readonly trustLaterExtensions: boolean
  readonly shortCut: boolean
  readonly varyBy: (() => KeyMaterial) | undefined
  readonly budget: number | undefined
  readonly writeBudget: number | undefined
  readonly onUnreachable: "proceed" | "refuse" | undefined
  readonly maxUndelivered: number | undefined
  readonly maxEntryBytes: number | undefined
  readonly limits: AccelerateLimits
  readonly region: string
  readonly onEvent: ((event: CacheEvent) => void) | undefined
}

const names = [
  "cache",
  "serializer",
  "lock",
  "memory",
  "namespace",
  "defaults",
  "models",
  "invalidation",
  "consistency",
  "intentTtl",
  "hardened",
  "rawWrites",
  "trustLaterExtensions",
  "shortCut",
  "varyBy",
  "budget",
  "writeBudget",
  "onUnreachable",
  "maxUndelivered",
  "maxEntryBytes",
  "limits",
  "region",
  "onEvent"
]
const limitNames = ["tags", "tagLength", "tagPattern", "invalidationsPerMinute"]
const strategyNames = ["ttl", "swr", "staleIfError", "softTimeout", "hardTimeout", "jitter", "tags"]
const memoryNames = ["maxBytes", "maxEntries", "maxAge"]
const lockNames = ["ttl", "waitTimeout", "retryDelay", "retryJitter", "prefix"]

const backends = "a URL (valkey://, valkeys://, redis://, rediss://), iovalkey options, a Redis or Cluster client, " +
  "a Keyv store, or a Layer"

/** What Prisma Accelerate documents. */
const accelerateLimits: AccelerateLimits = { tags: 5, tagLength: 64, tagPattern: /^[A-Za-z0-9_]*$/ }

const someName = "a string that is not empty"
const isTags = (value: unknown) => Array.isArray(value) && value.every(isName)
const isShare = (value: unknown) => typeof value === "number" && value >= 0 && value <= 1
const isInvalidation = (value: unknown): value is Invalidation => value === "auto" || value === "manual"

/**
 * Checks the options, and names everything that is wrong with them at once.
 *
 * @internal
 */
export const readOptions = (
  given: PrismaCacheOptions | undefined,
  { tellsChanges = true }: { readonly tellsChanges?: boolean } = {}
): Settings => {
  const checks = makeChecks("prismaCache")
  const { check, noOthers, oneOf, problem } = checks
  const options = fieldsOf(checks, "options", given, "an object, or nothing")
  noOthers("", options, names)

  const { cache, limits } = options
  if (cache !== undefined && cacheKind(cache) === undefined) {
    // A string may hold a password: it is not repeated.
    checks.secret("cache", typeof cache === "string" ? "a text that is no such URL" : show(cache), backends)
  }
  check("serializer", options["serializer"], isLayer, "a Layer that provides a Serializer")
  if (options["lock"] !== false) checkLock(checks, options["lock"])
  checkMemory(checks, options["memory"], tellsChanges && cacheKind(cache) !== "keyv")
  check("namespace", options["namespace"], isName, someName)
  check("intentTtl", options["intentTtl"], isAtLeast(300), "milliseconds, 300 or more")
  check("varyBy", options["varyBy"], isFunction, "a function")
  check("budget", options["budget"], isAtLeast(1), "milliseconds, 1 or more")
  check("writeBudget", options["writeBudget"], isAtLeast(1), "milliseconds, 1 or more")
  check("maxUndelivered", options["maxUndelivered"], isAtLeast(0), "a number, 0 or more")
  check("maxEntryBytes", options["maxEntryBytes"], isAtLeast(1), "a number of bytes above 0")
  check("region", options["region"], isName, someName)
  check("onEvent", options["onEvent"], isFunction, "a function")
  oneOf("consistency", options["consistency"], ["strict", "after-commit"])
  if (cacheKind(cache) === "keyv" && options["consistency"] === "strict") {
    problem("consistency", "strict", "\"after-commit\", since a Keyv store has no atomic steps; \"strict\" needs Valkey")
  }
  oneOf("onUnreachable", options["onUnreachable"], ["proceed", "refuse"])
  oneOf("rawWrites", options["rawWrites"], ["warn", "invalidate-all", "refuse"])
  oneOf("trustLaterExtensions", options["trustLaterExtensions"], [true, false])
  oneOf("shortCut", options["shortCut"], [true, false])
  oneOf("hardened", options["hardened"], [true, false])
  if (limits !== "accelerate") checkLimits(checks, limits)
  const invalidation = readInvalidation(options["invalidation"])
  if (invalidation === undefined) {
    problem("invalidation", options["invalidation"], "\"auto\", \"manual\", or one of them by model")
  }
  const { defaults } = options
  const standing = defaults === undefined ? undefined : readStrategy(checks, "defaults", defaults)
  const models = new Map<string, QueryStrategy | false>()
  for (const [model, value] of Object.entries(fieldsOf(checks, "models", options["models"], "an object of strategies by model"))) {
    const read = value === false ? false : readStrategy(checks, `models.${model}`, value)
    if (read !== undefined) models.set(model, read)
  }
  checks.end()

  const trusted: PrismaCacheOptions = given ?? {}
  const { invalidation: mode, manualModels } = invalidation ?? { invalidation: "auto", manualModels: new Set() }
  return {
    cache: trusted.cache,
    serializer: trusted.serializer,
    lock: trusted.lock ?? {},
    memory: trusted.memory ?? false,
    namespace: trusted.namespace ?? "default",
    defaults: standing,
    models,
    invalidation: mode,
    manualModels,
    consistency: trusted.consistency,
    intentTtl: trusted.intentTtl,
    hardened: trusted.hardened ?? false,
    rawWrites: trusted.rawWrites ?? "warn",
    trustLaterExtensions: trusted.trustLaterExtensions ?? false,
    shortCut: trusted.shortCut ?? true,
    varyBy: trusted.varyBy,
    budget: trusted.budget,
    writeBudget: trusted.writeBudget,
    onUnreachable: trusted.onUnreachable,
    maxUndelivered: trusted.maxUndelivered,
    maxEntryBytes: trusted.maxEntryBytes,
    limits: trusted.limits === "accelerate" ? accelerateLimits : trusted.limits ?? {},
    region: trusted.region ?? "local",
    onEvent: trusted.onEvent
  }
}

/** What was left out has no fields, and what is no object is a problem. */
const fieldsOf = ({ problem }: Checks, path: string, value: unknown, allowed: string): { readonly [name: string]: unknown } => {
  if (isFields(value)) return { ...value }
  if (value !== undefined) problem(path, value, allowed)
  return {}
}

const checkLock = (checks: Checks, value: unknown): void => {
  const lock = fieldsOf(checks, "lock", value, "{ ttl, waitTimeout, retryDelay, retryJitter, prefix } or false")
  checks.noOthers("lock.", lock, lockNames)
  for (const [name, least] of [["ttl", 50], ["waitTimeout", 0], ["retryDelay", 1], ["retryJitter", 0]] as const) {
    checks.check(`lock.${name}`, lock[name], isAtLeast(least), `milliseconds, ${least} or more`)
  }
  checks.check("lock.prefix", lock["prefix"], isName, someName)
}

const checkMemory = ({ add, noOthers, problem }: Checks, value: unknown, tellsChanges: boolean): void => {
  if (value === undefined || value === false) return
  if (value !== true && !isFields(value)) return problem("memory", value, "{ maxBytes, maxEntries, maxAge }, true or false")
  const memory = value === true ? {} : value
  noOthers("memory.", memory, memoryNames)
  add(memoryProblems(memory, tellsChanges))
}

const checkLimits = (checks: Checks, value: unknown): void => {
  const allowed = "\"accelerate\" or { tags, tagLength, tagPattern, invalidationsPerMinute }"
  const limits = fieldsOf(checks, "limits", value, allowed)
  checks.noOthers("limits.", limits, limitNames)
  for (const name of ["tags", "tagLength", "invalidationsPerMinute"]) {
    checks.check(`limits.${name}`, limits[name], isAtLeast(0), "a number, 0 or more")
  }
  checks.check("limits.tagPattern", limits["tagPattern"], (one) => one instanceof RegExp, "a regular expression")
}

const readStrategy = (checks: Checks, path: string, value: unknown): QueryStrategy | undefined => {
  const form = `{ ${strategyNames.join(", ")} }`
  if (value === undefined) checks.problem(path, value, form)
  const given = fieldsOf(checks, path, value, form)
  checks.noOthers(`${path}.`, given, strategyNames)
  const duration = (name: string) => {
    const read = readTtl(given[name])
    if (read === undefined) checks.problem(`${path}.${name}`, given[name], ttlForm)
    return read
  }
  const optional = (name: string) => (given[name] === undefined ? undefined : duration(name))
  const { jitter, tags } = given
  checks.check(`${path}.jitter`, jitter, isShare, "a number between 0 and 1")
  checks.check(`${path}.tags`, tags, isTags, "an array of strings that are not empty")
  const ttl = isFields(value) ? duration("ttl") : undefined
  const times = {
    swr: optional("swr"),
    staleIfError: optional("staleIfError"),
    softTimeout: optional("softTimeout"),
    hardTimeout: optional("hardTimeout"),
    jitter: jitter as number | undefined
  }
  if (ttl === undefined) return undefined
  return tags === undefined ? { ttl, ...times } : { ttl, ...times, tags: tags as ReadonlyArray<string> }
}

const readInvalidation = (given: unknown): Pick<Settings, "invalidation" | "manualModels"> | undefined => {
  if (given === undefined) return { invalidation: "auto", manualModels: new Set() }
  if (isInvalidation(given)) return { invalidation: given, manualModels: new Set() }
  if (!isFields(given) || !Object.values(given).every(isInvalidation)) return undefined
  const manual = Object.keys(given).filter((model) => given[model] === "manual")
  return { invalidation: "auto", manualModels: new Set(manual) }
}
