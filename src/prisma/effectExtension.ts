/**
 * The Prisma extension over the cache of an Effect application.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { CacheOptionsError } from "../CacheError.js"
import type { QueryCache } from "../QueryCache.js"
import { extensionOver, makeTell } from "./extension.js"
import { givenCache } from "./givenCache.js"
import type { PrismaCacheOptions } from "./options.js"
import { readOptions } from "./settings.js"
import type { GlobalOmit } from "./types/delegate.js"
import type { CacheExtension } from "./types/extension.js"

/**
 * The options of `prismaCache` that are about queries. Those about the cache itself (where it is, its namespace, lock,
 * consistency, budgets) are given where its layer is made.
 *
 * @since 0.1.0
 * @category options
 */
export interface ExtensionOptions extends
  Pick<
    PrismaCacheOptions,
    | "defaults"
    | "models"
    | "invalidation"
    | "rawWrites"
    | "trustLaterExtensions"
    | "shortCut"
    | "varyBy"
    | "limits"
    | "region"
  >
{
  /** Told of the extension's warnings. What the cache does it tells by an `onEvent` of its own. */
  readonly onEvent?: PrismaCacheOptions["onEvent"]
}

const names: { readonly [Name in keyof ExtensionOptions]-?: true } = {
  defaults: true,
  models: true,
  invalidation: true,
  rawWrites: true,
  trustLaterExtensions: true,
  shortCut: true,
  varyBy: true,
  limits: true,
  region: true,
  onEvent: true
}

/**
 * The extension over the cache of an Effect application, `QueryCache`: what a Prisma client caches and invalidates and
 * what effects do with the service is one, and queries have the application's tracer, metrics, loggers and clock.
 *
 * When the scope is closed the clients do without a cache: reads go to the database, and writes invalidate nothing.
 * Neither `$disconnect` nor `$cache.close()` closes the cache, which is its layer's. Options that cannot be used are a
 * defect, `CacheOptionsError`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const extension = <Declared extends GlobalOmit = {}>(
  options: ExtensionOptions = {}
): Effect.Effect<CacheExtension<Declared>, never, QueryCache | Scope.Scope> =>
  Effect.gen(function*() {
    const settings = yield* Effect.sync(() => {
      const read = readOptions(options)
      const others = Object.keys(options).filter((name) => !Object.hasOwn(names, name))
      if (others.length === 0) return read
      throw new CacheOptionsError(
        "PrismaCache.extension",
        others.map((path) => ({ path, message: "it is the cache's, allowed: where its layer is made" }))
      )
    })
    const cache = yield* Effect.acquireRelease(givenCache, ({ detach }) => detach)
    return extensionOver<Declared>(settings, cache, makeTell(settings, cache.tell))
  })
