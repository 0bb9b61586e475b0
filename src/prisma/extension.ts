/**
 * The Prisma extension, whatever the cache behind it.
 */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type * as Layer from "effect/Layer"
import { CacheError, CacheOptionsError } from "../CacheError.js"
import type * as QueryCache from "../QueryCache.js"
import type { ValueTypes } from "../Serializer.js"
import { makeAccelerate } from "./accelerate.js"
import { extensionName, hasLaterResultExtensions, laterQueryExtensions, valueTypes } from "./client.js"
import type { PrismaInternals } from "./client.js"
import { makeFacade } from "./facade.js"
import type { FacadeOptions } from "./facade.js"
import { makeDerivation } from "./derivation.js"
import { queryKey } from "./entryKeys.js"
import type { Arguments, Query } from "./entryKeys.js"
import { makeHook, makeSurroundings, makeWarn } from "./hook.js"
import type { HookContext } from "./hook.js"
import type { Settings } from "./options.js"
import { readKeys } from "./queryOptions.js"
import { isRead } from "./operations.js"
import { makeRaw } from "./raw.js"
import { makeSharedCache } from "./sharedCache.js"
import type { SharedCache } from "./sharedCache.js"
import { makeTransactions } from "./transactions.js"
import type { CacheClient, InvalidationTargets } from "./types/client.js"
import type { GlobalOmit } from "./types/delegate.js"
import type { CacheExtension } from "./types/extension.js"

/**
 * The extension over a cache. The clients that it is given to share that cache.
 *
 * @internal
 */
export const makeExtension = <Declared extends GlobalOmit = {}>(
  settings: Settings,
  layer: Layer.Layer<QueryCache.QueryCache, unknown>
): CacheExtension<Declared> => {
  const warn = makeWarn(settings.onEvent)
  const tell = (message: string) => {
    Effect.runSync(Effect.logWarning(`${extensionName}: ${message}`))
    warn(message)
  }
  const shared = makeSharedCache(layer, (error) =>
    tell(`the cache could not be made, queries go to the database (${error instanceof Error ? error.name : typeof error})`))
  return ((client: PrismaInternals) => extend(client, settings, shared, tell)) as CacheExtension<Declared>
}

const extend = (
  client: PrismaInternals,
  settings: Settings,
  shared: SharedCache,
  tell: (message: string) => void
): PrismaInternals => {
  if (client["$cache"] !== undefined) throw new Error(`${extensionName}: this client has a cache already`)
  const derivation = makeDerivation(settings, client)
  const named = [
    ...Array.from(settings.models.keys(), (model) => ({ option: "models", model })),
    ...Array.from(settings.manualModels, (model) => ({ option: "invalidation", model }))
  ]
  const problems = named.filter(({ model }) => !derivation.models.has(model)).map(({ model, option }) => ({
    path: `${option}.${model}`,
    message: `there is no such model; there are ${Array.from(derivation.models).join(", ")}`
  }))
  if (problems.length > 0) throw new CacheOptionsError("prismaCache", problems)
  const transactions = makeTransactions(client, shared)
  const warned = new Set<string>()
  const family = { results: false, queries: false }
  const warn = makeWarn(settings.onEvent)

  let known: ValueTypes | undefined
  const finding = valueTypes(client).then((found) => (known = found))

  const context: HookContext = {
    ...derivation,
    settings,
    shared,
    transactions,
    base: client,
    types: () => known ?? finding,
    family,
    warn,
    surroundings: makeSurroundings(settings, client, family, warn)
  }

  const facade: FacadeOptions = {
    raw: makeRaw(context),
    region: settings.region,
    onExtended: (extended) => {
      family.results ||= hasLaterResultExtensions(extended)
      for (const name of laterQueryExtensions(extended)) {
        family.queries = true
        if (warned.has(name)) continue
        warned.add(name)
        if (settings.varyBy === undefined && !settings.trustLaterExtensions) {
          tell(
            `the query extension "${name}" was added after the cache, which cannot see what it does to a query: ` +
              "reads of that client are not cached. Add the cache last, or say with `varyBy` what answers depend on"
          )
        }
      }
    }
  }

  const base = { $disconnect: client["$disconnect"], $transaction: client["$transaction"] }

  const extended = client["$extends"]({
    name: extensionName,
    query: { $allModels: { $allOperations: makeHook(context) } },
    client: {
      $cache: cacheClient(client, shared, context),
      $accelerate: makeAccelerate(client, shared, settings),
      async $disconnect(this: PrismaInternals) {
        await shared.leave(client)
        return base.$disconnect.call(this)
      },
      $transaction(this: PrismaInternals, input: unknown, options: unknown) {
        const body = typeof input === "function" ? (tx: PrismaInternals) => input(makeFacade(tx, facade)) : input
        return base.$transaction.call(this, body, options)
      }
    }
  })
  return makeFacade(extended, facade)
}

const targetNames = ["tags", "keys", "models", "mode"]

/** What the entry of a read without a custom key is found by. */
const keyOf = (context: HookContext, model: string, operation: string, args: Arguments): string | undefined => {
  if (!isRead(operation)) return undefined
  const label = `${model}.${operation}`
  const around = context.surroundings(context.base, label)
  if (around === undefined) return undefined
  const query: Query = { model, operation, label, args, dataPath: [], send: () => Promise.resolve() }
  return Either.getOrUndefined(Either.map(queryKey(query, around, undefined), ({ digest }) => digest))
}

const cacheClient = (client: PrismaInternals, shared: SharedCache, context: HookContext): CacheClient => {
  const use = (body: (cache: QueryCache.QueryCache) => Effect.Effect<void, unknown>) =>
    shared.run(client, (cache) => cache === undefined ? Effect.fail(new CacheError({ reason: "Unavailable", operation: "invalidate" })) : body(cache))
  return {
    invalidate: async (targets: InvalidationTargets) => {
      const wrong = Object.keys(targets).filter((name) => !targetNames.includes(name))
      if (wrong.length > 0) {
        throw new CacheOptionsError(
          "$cache.invalidate",
          wrong.map((path) => ({ path, message: `no such option; there are ${targetNames.join(", ")}` }))
        )
      }
      const models = readKeys("$cache.invalidate", "models", targets.models).map(({ key }) => key)
      const { first = [], rest = [] } = models.length === 0 ? {} : context.declaredTouches(models)
      const request = {
        keys: readKeys("$cache.invalidate", "keys", targets.keys),
        tags: readKeys("$cache.invalidate", "tags", targets.tags).map(({ key }) => key),
        dependencies: [...first, ...rest],
        mode: targets.mode
      }
      return use((cache) => cache.invalidate(request))
    },
    invalidateAll: (options) => use((cache) => cache.invalidateAll(options)),
    stats: shared.stats,
    explain: (model, operation, given) => {
      // What stands there for the cache is no argument of the query.
      const { cache: _, cacheStrategy: __, uncache: ___, ...args } = (given ?? {}) as Arguments
      return { ...context.explain(model, operation, args), key: keyOf(context, model, operation, args) }
    },
    health: () => ({ status: shared.peek() === undefined ? "closed" : "ok" }),
    close: () => shared.close()
  }
}
