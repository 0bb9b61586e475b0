/**
 * The Prisma extension, whatever the cache behind it.
 */
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import { CacheOptionsError } from "../CacheError.js"
import type * as QueryCache from "../QueryCache.js"
import type { ValueTypes } from "../Serializer.js"
import { makeAccelerate } from "./accelerate.js"
import { makeCacheClient } from "./cacheClient.js"
import { extensionName, hasLaterResultExtensions, laterQueryExtensions, valueTypes } from "./client.js"
import type { PrismaInternals } from "./client.js"
import { makeFacade } from "./facade.js"
import type { FacadeOptions } from "./facade.js"
import { makeDerivation } from "./derivation.js"
import { makeHook, makeSurroundings, makeWarn } from "./hook.js"
import type { HookContext } from "./hook.js"
import { makeRaw } from "./raw.js"
import { makeReader } from "./read.js"
import type { Settings } from "./settings.js"
import { makeSharedCache } from "./sharedCache.js"
import type { SharedCache } from "./sharedCache.js"
import { makeShortCut } from "./shortCut.js"
import { makeTransactions } from "./transactions.js"
import type { GlobalOmit } from "./types/delegate.js"
import type { CacheExtension } from "./types/extension.js"

/** Says something to whoever reads the logs, and to whoever listens. */
type Tell = (message: string) => void

/** @internal */
export const makeTell = (settings: Settings, log: (effect: Effect.Effect<void>) => void): Tell => {
  const warn = makeWarn(settings.onEvent)
  return (message) => {
    log(Effect.logWarning(`${extensionName}: ${message}`))
    warn(message)
  }
}

/** Only of our own errors is it known that they hold no secrets. */
const nameOf = (error: unknown): string =>
  error instanceof CacheOptionsError ? error.message : error instanceof Error ? error.name : typeof error

/**
 * The extension over a cache that it makes. The clients that it is given to share that cache.
 *
 * @internal
 */
export const makeExtension = <Declared extends GlobalOmit = {}>(
  settings: Settings,
  layer: Layer.Layer<QueryCache.QueryCache, unknown>
): CacheExtension<Declared> => {
  const tell = makeTell(settings, Effect.runSync)
  const shared = makeSharedCache(layer, (error) =>
    tell(`the cache could not be made, queries go to the database (${nameOf(error)})`))
  return extensionOver(settings, shared, tell)
}

/**
 * The extension over a cache that there is.
 *
 * @internal
 */
export const extensionOver = <Declared extends GlobalOmit = {}>(
  settings: Settings,
  shared: SharedCache,
  tell: Tell
): CacheExtension<Declared> =>
  ((client: PrismaInternals) => extend(client, settings, shared, tell)) as CacheExtension<Declared>

const extend = (
  client: PrismaInternals,
  settings: Settings,
  shared: SharedCache,
  tell: Tell
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

  const reader = makeReader(context)
  const facade: FacadeOptions = {
    shortCut: settings.shortCut ? makeShortCut(context, reader) : undefined,
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
    query: { $allModels: { $allOperations: makeHook(context, reader) } },
    client: {
      $cache: makeCacheClient(client, shared, context),
      $accelerate: makeAccelerate(client, shared, settings),
      async $disconnect(this: PrismaInternals) {
        await shared.leave(client)
        return base.$disconnect.call(this)
      },
      $transaction(this: PrismaInternals, input: unknown, options: unknown) {
        const inside: FacadeOptions = { ...facade, shortCut: undefined }
        const body = typeof input === "function" ? (tx: PrismaInternals) => input(makeFacade(tx, inside)) : input
        return base.$transaction.call(this, body, options)
      }
    }
  })
  return makeFacade(extended, facade)
}
