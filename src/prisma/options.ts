/**
 * The options of the extension, read once and made precise.
 *
 * @since 0.1.0
 */
import type { Cluster, Redis, RedisOptions } from "iovalkey"
import type * as Duration from "effect/Duration"
import type * as Layer from "effect/Layer"
import { CacheOptionsError } from "../CacheError.js"
import type { OptionProblem } from "../CacheError.js"
import type { CacheEvent } from "../CacheEvent.js"
import type { CacheStore } from "../CacheStore.js"
import type { DistributedLock } from "../DistributedLock.js"
import type { Consistency, KeyMaterial, LockOptions } from "../QueryCache.js"
import type { Serializer } from "../Serializer.js"
import type { ClusterConnection } from "../valkey/options.js"
import { isName, readTtl, show, ttlForm } from "./queryOptions.js"
import type { QueryStrategy } from "./queryOptions.js"

/**
 * Where entries are kept.
 *
 * - a URL: `valkey://`, `valkeys://`, `redis://`, `rediss://`
 * - iovalkey's own options
 * - a client of yours, `Redis` or `Cluster`: it is used and never closed
 * - a Keyv store on Valkey (`@keyv/valkey`), or a Keyv around one: its client is used
 * - a `Layer` that provides `CacheStore` and `DistributedLock`
 *
 * @since 0.1.0
 * @category options
 */
export type CacheBackend =
  | string
  | RedisOptions
  | ClusterConnection
  | Redis
  | Cluster
  | ValkeyClientLike
  | KeyvLike
  | Layer.Layer<CacheStore | DistributedLock, unknown>

/**
 * A Valkey or Redis client of another copy or make, recognised by its shape.
 *
 * @since 0.1.0
 * @category options
 */
export interface ValkeyClientLike {
  readonly status: string
  readonly defineCommand: (...args: never) => unknown
  readonly duplicate: (...args: never) => unknown
}

/**
 * A Keyv store on Valkey, or a Keyv around one.
 *
 * @since 0.1.0
 * @category options
 */
export type KeyvLike = { readonly redis: unknown } | { readonly opts: { readonly store?: unknown } }

/**
 * A standing strategy. A number as `ttl` is milliseconds.
 *
 * @since 0.1.0
 * @category options
 */
export interface StandingStrategy {
  readonly ttl: Duration.DurationInput
  /** How long after that answers may be served expired while they are queried anew in the background. Default 0. */
  readonly swr?: Duration.DurationInput | undefined
  /** How long after `ttl` answers may be served when the query fails. Default 0. */
  readonly staleIfError?: Duration.DurationInput | undefined
  /**
   * How long the query may take before an answer within `staleIfError` is served in its place; it goes on in the
   * background. A number is in milliseconds. Default: as long as it likes.
   */
  readonly softTimeout?: Duration.DurationInput | undefined
  /**
   * How long the query may take at all before it fails with a `QueryTimeoutError`, or an answer within `staleIfError` is
   * served in its place. The database is not told. A number is in milliseconds. Default: as long as it likes.
   */
  readonly hardTimeout?: Duration.DurationInput | undefined
  /** By how much chance shortens a ttl at the most, as a share of it between 0 and 1. Default 0. */
  readonly jitter?: number | undefined
  readonly tags?: ReadonlyArray<string> | undefined
}

/**
 * What `cacheStrategy` and `$accelerate.invalidate` accept and how often. What is left out has no limit.
 *
 * @since 0.1.0
 * @category options
 */
export interface AccelerateLimits {
  /** Tags of one query, and of one invalidation. */
  readonly tags?: number | undefined
  /** Characters of a tag. */
  readonly tagLength?: number | undefined
  /** What a tag has to match. */
  readonly tagPattern?: RegExp | undefined
  /** Invalidations by `$accelerate` in any 60 seconds, of each client. */
  readonly invalidationsPerMinute?: number | undefined
}

/**
 * Whether writes invalidate what they touched by themselves.
 *
 * @since 0.1.0
 * @category options
 */
export type Invalidation = "auto" | "manual"

/**
 * The options of `prismaCache`.
 *
 * @since 0.1.0
 * @category options
 */
export interface PrismaCacheOptions {
  /** Where entries are kept. Left out: in the memory of this process, which a log line says once. */
  readonly cache?: CacheBackend | undefined
  /** How answers become bytes, e.g. compressed or encrypted. Default `Serializer.layerExact`. */
  readonly serializer?: Layer.Layer<Serializer, unknown> | undefined
  /** How the processes of a fleet share out their queries, in milliseconds; `false`: not at all. */
  readonly lock?: LockOptions | false | undefined
  /** The cache's prefix: clients of one namespace share entries and invalidations. Default `default`. */
  readonly namespace?: string | undefined
  /** Caches every read. Left out: only reads that ask for it. */
  readonly defaults?: StandingStrategy | undefined
  /** The same per model, by its name in the schema; `false`: reads of this model are cached only if they ask for it. */
  readonly models?: { readonly [model: string]: StandingStrategy | false } | undefined
  /**
   * `auto`: a write invalidates what it touched, when it commits. `manual`: only `uncache` and `$cache.invalidate` do.
   * By model, `{ Session: "manual" }`, for those whose writes nobody has to hear of; the others are `auto`. Default `auto`.
   */
  readonly invalidation?: Invalidation | { readonly [model: string]: Invalidation } | undefined
  /**
   * `strict`: the cache is told of a write before the database is, so that a process killed between COMMIT and
   * invalidation leaves nothing stale. `after-commit`: one round trip less per write. Default `strict` where
   * invalidation is automatic, else `after-commit`.
   */
  readonly consistency?: Consistency | undefined
  /**
   * How long what a killed process was writing stays uncached, in milliseconds: more than the database may take to
   * commit for a client that is gone. Default 60,000.
   */
  readonly intentTtl?: number | undefined
  /**
   * Holds out against a server that evicts the announcement of a write whose process is then killed: nothing stale is
   * left later than twice `intentTtl` after the write began. Costs misses a round trip for a while after each write, and
   * writes do not store their results. Default `false`.
   */
  readonly hardened?: boolean | undefined
  /**
   * What raw SQL does that may write and does not declare what: `warn` with an event, `invalidate-all`, or `refuse`.
   * Default `warn`.
   */
  readonly rawWrites?: "warn" | "invalidate-all" | "refuse" | undefined
  /**
   * Caches reads of clients with query extensions that were added after the cache, although it cannot see what they do
   * to a query. Default `false`: such reads are not cached unless `varyBy` says what they depend on.
   */
  readonly trustLaterExtensions?: boolean | undefined
  /** What an answer depends on beside the query: tenant, role, locale. Called per query. If it throws, the query is not cached. */
  readonly varyBy?: (() => KeyMaterial) | undefined
  /**
   * How long a read waits for an answer of the cache before it goes on without it, in milliseconds. Default 50; over HTTP
   * 500.
   */
  readonly budget?: number | undefined
  /**
   * The same for a write, and for each invalidation: others may serve what it made invalid until the cache knows of it.
   * Milliseconds. Default 1,000.
   */
  readonly writeBudget?: number | undefined
  /**
   * What becomes of a write while the cache cannot be reached. `proceed`: it is carried out, and what it makes invalid is
   * remembered and invalidated as soon as the cache answers; this process reads it from the database until then, others
   * that do reach the cache may serve it. `refuse`: it fails with a `CacheError` before it starts. Default `proceed`.
   */
  readonly onUnreachable?: "proceed" | "refuse" | undefined
  /**
   * How many tags are remembered that could not be invalidated. With more, all that the namespace holds is invalidated
   * in their place. Default 10,000.
   */
  readonly maxUndelivered?: number | undefined
  /** A larger entry is not stored. Bytes. Default 4 MiB. */
  readonly maxEntryBytes?: number | undefined
  /**
   * Limits of Accelerate's dialect; `"accelerate"`: those of Prisma Accelerate, 5 tags of 64 characters out of
   * `A-Z a-z 0-9 _`. Default: none.
   */
  readonly limits?: "accelerate" | AccelerateLimits | undefined
  /** What `.withAccelerateInfo()` says of the region. Default `"local"`. */
  readonly region?: string | undefined
  /** Told of everything that happens. What it throws is ignored. */
  readonly onEvent?: ((event: CacheEvent) => void) | undefined
}

/**
 * The options, checked.
 *
 * @internal
 */
export interface Settings {
  readonly cache: CacheBackend | undefined
  readonly serializer: Layer.Layer<Serializer, unknown> | undefined
  readonly lock: LockOptions | false
  readonly namespace: string
  readonly defaults: QueryStrategy | undefined
  readonly models: ReadonlyMap<string, QueryStrategy | false>
  readonly invalidation: Invalidation
  /** Models whose writes do not invalidate by themselves although those of others do. */
  readonly manualModels: ReadonlySet<string>
  readonly consistency: Consistency
  readonly intentTtl: number | undefined
  readonly hardened: boolean
  readonly rawWrites: "warn" | "invalidate-all" | "refuse"
  readonly trustLaterExtensions: boolean
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
  "namespace",
  "defaults",
  "models",
  "invalidation",
  "consistency",
  "intentTtl",
  "hardened",
  "rawWrites",
  "trustLaterExtensions",
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

/** What Prisma Accelerate documents. */
const accelerateLimits: AccelerateLimits = { tags: 5, tagLength: 64, tagPattern: /^[A-Za-z0-9_]*$/ }

const strategyNames = ["ttl", "swr", "staleIfError", "softTimeout", "hardTimeout", "jitter", "tags"]

const lockNames = ["ttl", "waitTimeout", "retryDelay", "retryJitter", "prefix"]

type Fields = { readonly [name: string]: unknown }
const isObject = (value: unknown): value is Fields => typeof value === "object" && value !== null && !Array.isArray(value)

/**
 * Checks the options, and names everything that is wrong with them at once.
 *
 * @internal
 */
export const readOptions = (given: PrismaCacheOptions | undefined): Settings => {
  const trusted: PrismaCacheOptions = given ?? {}
  const problems: Array<OptionProblem> = []
  const problem = (path: string, value: unknown, allowed: string) =>
    void problems.push({ path, message: `got ${show(value)}, allowed: ${allowed}` })
  const unknownNames = (path: string, object: Fields, known: ReadonlyArray<string>) => {
    for (const name of Object.keys(object)) {
      // What stands under a name that nobody knows may be a password.
      if (!known.includes(name)) {
        const message = `got a ${typeof object[name]}, allowed: no such option; there are ${known.join(", ")}`
        problems.push({ path: path + name, message })
      }
    }
  }
  const options: Fields = isObject(given) ? { ...given } : {}
  if (given !== undefined && !isObject(given)) problem("options", given, "an object, or nothing")
  unknownNames("", options, names)

  const strategy = (path: string, value: unknown): QueryStrategy | undefined => {
    if (!isObject(value)) {
      problem(path, value, `{ ${strategyNames.join(", ")} }`)
      return undefined
    }
    unknownNames(`${path}.`, value, strategyNames)
    const duration = (name: string) => {
      const read = readTtl(value[name])
      if (read === undefined) problem(`${path}.${name}`, value[name], ttlForm)
      return read
    }
    const optional = (name: string) => (value[name] === undefined ? undefined : duration(name))
    const ttl = duration("ttl")
    const longer = { swr: optional("swr"), staleIfError: optional("staleIfError") }
    const timeouts = { softTimeout: optional("softTimeout"), hardTimeout: optional("hardTimeout") }
    const jitter = value["jitter"]
    const jitterOk = jitter === undefined || (typeof jitter === "number" && jitter >= 0 && jitter <= 1)
    if (!jitterOk) problem(`${path}.jitter`, jitter, "a number between 0 and 1")
    const tags = value["tags"]
    const tagsOk = tags === undefined || (Array.isArray(tags) && tags.every(isName))
    if (!tagsOk) problem(`${path}.tags`, tags, "an array of strings that are not empty")
    if (ttl === undefined || !tagsOk || !jitterOk) return undefined
    const times = { ttl, ...longer, ...timeouts, jitter: jitter as number | undefined }
    return tags === undefined ? times : { ...times, tags: tags as ReadonlyArray<string> }
  }

  const { cache, defaults, lock, maxEntryBytes, models, namespace, onEvent, varyBy } = options
  if (cache !== undefined && cacheKind(cache) === undefined) {
    // A string may hold a password: it is not repeated.
    const given = typeof cache === "string" ? "a text that is no such URL" : show(cache)
    problems.push({
      path: "cache",
      message: `got ${given}, allowed: a URL (valkey://, valkeys://, redis://, rediss://), iovalkey options, a Redis or Cluster client, a Keyv store on Valkey, or a Layer`
    })
  }
  if (isObject(lock)) {
    unknownNames("lock.", lock, lockNames)
    for (const [name, least] of [["ttl", 50], ["waitTimeout", 0], ["retryDelay", 1], ["retryJitter", 0]] as const) {
      const value = lock[name]
      if (value !== undefined && !(typeof value === "number" && Number.isFinite(value) && value >= least)) {
        problem(`lock.${name}`, value, `milliseconds, ${least} or more`)
      }
    }
    if (lock["prefix"] !== undefined && !isName(lock["prefix"])) problem("lock.prefix", lock["prefix"], "a string that is not empty")
  } else if (lock !== undefined && lock !== false) problem("lock", lock, "{ ttl, waitTimeout, retryDelay, retryJitter, prefix } or false")
  if (namespace !== undefined && !isName(namespace)) problem("namespace", namespace, "a string that is not empty")
  if (varyBy !== undefined && typeof varyBy !== "function") problem("varyBy", varyBy, "a function")
  if (onEvent !== undefined && typeof onEvent !== "function") problem("onEvent", onEvent, "a function")
  for (const [name, unit, least] of [["budget", "milliseconds", 1], ["writeBudget", "milliseconds", 1], ["maxUndelivered", "a number", 0]] as const) {
    const value = options[name]
    const isFine = value === undefined || (typeof value === "number" && Number.isFinite(value) && value >= least)
    if (!isFine) problem(name, value, `${unit}, ${least} or more`)
  }
  if (maxEntryBytes !== undefined && !(typeof maxEntryBytes === "number" && maxEntryBytes > 0)) {
    problem("maxEntryBytes", maxEntryBytes, "a number of bytes above 0")
  }
  const oneOf = (name: string, allowed: ReadonlyArray<unknown>) => {
    const value = options[name]
    if (value !== undefined && !allowed.includes(value)) problem(name, value, allowed.map(show).join(", "))
  }
  const invalidation = readInvalidation(options["invalidation"])
  if (invalidation === undefined) problem("invalidation", options["invalidation"], "\"auto\", \"manual\", or one of them by model")
  oneOf("consistency", ["strict", "after-commit"])
  oneOf("onUnreachable", ["proceed", "refuse"])
  oneOf("rawWrites", ["warn", "invalidate-all", "refuse"])
  oneOf("trustLaterExtensions", [true, false])
  oneOf("hardened", [true, false])
  const { intentTtl, limits, region } = options
  const readLimits = limits === "accelerate" ? accelerateLimits : limits ?? {}
  if (!isObject(readLimits)) problem("limits", limits, "\"accelerate\" or { tags, tagLength, tagPattern, invalidationsPerMinute }")
  else {
    unknownNames("limits.", readLimits, limitNames)
    for (const name of ["tags", "tagLength", "invalidationsPerMinute"]) {
      const value = readLimits[name]
      if (value !== undefined && !(typeof value === "number" && value >= 0)) problem(`limits.${name}`, value, "a number, 0 or more")
    }
    const pattern = readLimits["tagPattern"]
    if (pattern !== undefined && !(pattern instanceof RegExp)) problem("limits.tagPattern", pattern, "a regular expression")
  }
  if (region !== undefined && !isName(region)) problem("region", region, "a string that is not empty")
  if (intentTtl !== undefined && !(typeof intentTtl === "number" && Number.isFinite(intentTtl) && intentTtl >= 300)) {
    problem("intentTtl", intentTtl, "milliseconds, 300 or more")
  }
  const byModel = new Map<string, QueryStrategy | false>()
  if (isObject(models)) {
    for (const [model, value] of Object.entries(models)) {
      const read = value === false ? false : strategy(`models.${model}`, value)
      if (read !== undefined) byModel.set(model, read)
    }
  } else if (models !== undefined) problem("models", models, "an object of strategies by model")

  const standing = defaults === undefined ? undefined : strategy("defaults", defaults)
  const { serializer } = options
  if (serializer !== undefined && !(isObject(serializer) && layerTypeId in serializer)) {
    problem("serializer", serializer, "a Layer that provides a Serializer")
  }
  if (problems.length > 0 || invalidation === undefined) throw new CacheOptionsError("prismaCache", problems)
  return {
    cache: trusted.cache,
    serializer: trusted.serializer,
    lock: trusted.lock ?? {},
    namespace: trusted.namespace ?? "default",
    defaults: standing,
    models: byModel,
    ...invalidation,
    consistency: trusted.consistency ?? (invalidation.invalidation === "auto" ? "strict" : "after-commit"),
    intentTtl: trusted.intentTtl,
    hardened: trusted.hardened ?? false,
    rawWrites: trusted.rawWrites ?? "warn",
    trustLaterExtensions: trusted.trustLaterExtensions ?? false,
    varyBy: trusted.varyBy,
    budget: trusted.budget,
    writeBudget: trusted.writeBudget,
    onUnreachable: trusted.onUnreachable,
    maxUndelivered: trusted.maxUndelivered,
    maxEntryBytes: trusted.maxEntryBytes,
    limits: readLimits as AccelerateLimits,
    region: trusted.region ?? "local",
    onEvent: trusted.onEvent
  }
}

const isInvalidation = (value: unknown): value is Invalidation => value === "auto" || value === "manual"

const readInvalidation = (given: unknown): Pick<Settings, "invalidation" | "manualModels"> | undefined => {
  if (given === undefined) return { invalidation: "auto", manualModels: new Set() }
  if (isInvalidation(given)) return { invalidation: given, manualModels: new Set() }
  if (!isObject(given) || !Object.values(given).every(isInvalidation)) return undefined
  const manual = Object.keys(given).filter((model) => given[model] === "manual")
  return { invalidation: "auto", manualModels: new Set(manual) }
}

/**
 * What kind of backend was given, by its shape: other copies of a package have other classes.
 *
 * @internal
 */
export const cacheKind = (cache: unknown): "url" | "options" | "client" | "keyv" | "layer" | undefined => {
  if (typeof cache === "string") return /^(valkeys?|rediss?):\/\//.test(cache) ? "url" : undefined
  if (!isObject(cache)) return undefined
  if ("defineCommand" in cache && typeof cache["status"] === "string") return "client"
  if (layerTypeId in cache) return "layer"
  if (keyvClient(cache) !== undefined) return "keyv"
  const prototype: unknown = Object.getPrototypeOf(cache)
  // A class instance that is none of the above is something else: a Map, a Keyv store on another database.
  return (prototype === Object.prototype || prototype === null) && !("opts" in cache) ? "options" : undefined
}

const layerTypeId = Symbol.for("effect/Layer")

/**
 * The Valkey client inside a Keyv store or a Keyv, if there is one.
 *
 * @internal
 */
export const keyvClient = (cache: unknown): ValkeyClientLike | undefined => {
  if (!isObject(cache)) return undefined
  const opts = cache["opts"]
  const candidates = [
    cache["redis"],
    isObject(cache["store"]) ? cache["store"]["redis"] : undefined,
    isObject(opts) && isObject(opts["store"]) ? opts["store"]["redis"] : undefined
  ]
  return candidates.find((client) => cacheKind(client) === "client") as ValkeyClientLike | undefined
}
