/**
 * The Prisma extension with every backend.
 *
 * @since 0.1.0
 */
import { services } from "./backend.js"
import { cacheLayer } from "./cacheLayer.js"
import { makeExtension } from "./extension.js"
import type { PrismaCacheOptions } from "./options.js"
import { readOptions } from "./settings.js"
import type { GlobalOmit } from "./types/delegate.js"
import type { CacheExtension } from "./types/extension.js"

/**
 * Caches the queries of a Prisma client: `new PrismaClient({ adapter }).$extends(prismaCache({ cache: url }))`.
 *
 * Add it last: a query extension that is added after it changes queries where the cache cannot see it.
 * Where a client carries run-time types of its own (`prisma-client-js` with a custom output) and omits fields globally,
 * `Declared` is the type of that `omit`: `prismaCache<typeof omit>(...)`. It has no effect elsewhere.
 *
 * The clients that one extension is given to share one cache. Throws `CacheOptionsError`, which names every problem.
 *
 * @since 0.1.0
 * @category constructors
 */
export const prismaCache = <Declared extends GlobalOmit = {}>(options?: PrismaCacheOptions): CacheExtension<Declared> => {
  const settings = readOptions(options)
  return makeExtension(settings, cacheLayer(settings, services(settings.cache)))
}
