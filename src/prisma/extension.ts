/**
 * The Prisma extension.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type * as QueryCache from "../QueryCache.js"
import { cacheLayer } from "./backend.js"
import { extensionName, hasLaterResultExtensions, laterQueryExtensions, valueTypes } from "./client.js"
import type { PrismaInternals } from "./client.js"
import { makeFacade } from "./facade.js"
import type { FacadeOptions } from "./facade.js"
import { makeHook } from "./hook.js"
import { readOptions } from "./options.js"
import type { PrismaCacheOptions } from "./options.js"
import { readKeys } from "./queryOptions.js"
import { makeSharedCache } from "./sharedCache.js"
import type { SharedCache } from "./sharedCache.js"
import { idOf, makeTransactions } from "./transactions.js"
import type { Collected } from "./transactions.js"
import type { CacheClient, CacheStats, InvalidationTargets } from "./types/client.js"
import type { CacheExtension } from "./types/extension.js"

/**
 * Caches the queries of a Prisma client: `new PrismaClient({ adapter }).$extends(prismaCache({ cache: url }))`.
 *
 * Add it last: a query extension that is added after it changes queries where the cache cannot see it.
 * The clients that one extension is given to share one cache. Throws `CacheOptionsError`, which names every problem.
 *
 * @since 0.1.0
 * @category constructors
 */
export const prismaCache = (options?: PrismaCacheOptions): CacheExtension => {
  const settings = readOptions(options)
  const tell = (message: string) => {
    Effect.runSync(Effect.logWarning(`${extensionName}: ${message}`))
    settings.onEvent?.({ _tag: "Warning", message })
  }
  const shared = makeSharedCache(cacheLayer(settings), (error) =>
    tell(`the cache could not be made, queries go to the database (${error instanceof Error ? error.name : typeof error})`))
  return ((client: PrismaInternals) => extend(client, settings, shared, tell)) as CacheExtension
}

const extend = (
  client: PrismaInternals,
  settings: ReturnType<typeof readOptions>,
  shared: SharedCache,
  tell: (message: string) => void
): PrismaInternals => {
  if (client["$cache"] !== undefined) throw new Error(`${extensionName}: this client has a cache already`)
  const transactions = makeTransactions()
  const warned = new Set<string>()
  let ambiguous = false

  const facade: FacadeOptions = {
    onExtended: (extended) => {
      ambiguous ||= hasLaterResultExtensions(extended)
      for (const name of laterQueryExtensions(extended)) {
        if (warned.has(name)) continue
        warned.add(name)
        if (settings.varyBy === undefined) {
          tell(
            `the query extension "${name}" was added after the cache, which cannot see what it does to a query. ` +
              `Add the cache last, or say with \`varyBy\` what answers depend on`
          )
        }
      }
    }
  }

  const commit = (collected: Collected) =>
    shared.run(client, (cache) => {
      if (cache === undefined) return Effect.void
      return Effect.ignore(collected.all ? cache.invalidateAll() : cache.invalidate({ keys: collected.keys }))
    })

  const hook = makeHook({
    settings,
    shared,
    transactions,
    base: client,
    types: valueTypes(client),
    ambiguous: () => ambiguous
  })

  const base = { $disconnect: client["$disconnect"], $transaction: client["$transaction"] }

  const extended = client["$extends"]({
    name: extensionName,
    query: { $allModels: { $allOperations: hook } },
    client: {
      $cache: cacheClient(client, shared),
      async $disconnect(this: PrismaInternals) {
        await shared.leave(client)
        return base.$disconnect.call(this)
      },
      $transaction(this: PrismaInternals, input: unknown, options: unknown) {
        if (typeof input !== "function") return base.$transaction.call(this, input, options)
        const body = (tx: PrismaInternals) => input(makeFacade(tx, facade))
        // A transaction inside another one belongs to the outermost: only that one commits.
        if (idOf(this) !== undefined) return base.$transaction.call(this, body, options)
        return transactions.interactive((run) => base.$transaction.call(this, run, options), body, commit)
      }
    }
  })
  return makeFacade(extended, facade)
}

const noStats: CacheStats = { hits: 0, misses: 0, joined: 0, fills: 0, errors: 0, invalidations: 0 }

const cacheClient = (client: PrismaInternals, shared: SharedCache): CacheClient => {
  const use = (body: (cache: QueryCache.QueryCache) => Effect.Effect<void, unknown>) =>
    shared.run(client, (cache) => cache === undefined ? Effect.fail(new Error("there is no cache to invalidate")) : body(cache))
  return {
    invalidate: async (targets: InvalidationTargets) => {
      const request = {
        keys: readKeys("$cache.invalidate", "keys", targets.keys),
        tags: readKeys("$cache.invalidate", "tags", targets.tags).map(({ key }) => key),
        mode: targets.mode
      }
      return use((cache) => cache.invalidate(request))
    },
    invalidateAll: (options) => use((cache) => cache.invalidateAll(options)),
    stats: () => {
      const cache = shared.peek()
      return cache === undefined ? noStats : Effect.runSync(cache.stats)
    },
    health: () => ({ status: shared.peek() === undefined ? "closed" : "ok" }),
    close: () => shared.close()
  }
}
