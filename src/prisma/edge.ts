/**
 * The Prisma extension where there is no TCP.
 *
 * @since 0.1.0
 */
import * as Either from "effect/Either"
import { CacheOptionsError } from "../CacheError.js"
import type { OptionProblem } from "../CacheError.js"
import * as HttpCache from "../HttpCache.js"
import { readOptions as readConnection, takeConnection } from "../http/options.js"
import { overHttp } from "./cacheLayer.js"
import { makeExtension } from "./extension.js"
import type { PrismaCacheOptions } from "./options.js"
import { readOptions } from "./settings.js"
import type { Settings } from "./settings.js"
import type { GlobalOmit } from "./types/delegate.js"
import type { CacheExtension } from "./types/extension.js"

/**
 * The options of `prismaCache` where there is no TCP: those of everywhere, with the server in the place of `cache`.
 *
 * @since 0.1.0
 * @category options
 */
export interface EdgeCacheOptions extends Omit<PrismaCacheOptions, "cache">, HttpCache.ConnectionOptions {}

/**
 * Caches the queries of a Prisma client over HTTP: `new PrismaClient({ adapter }).$extends(prismaCache({ url, token }))`.
 *
 * Add it last: a query extension that is added after it changes queries where the cache cannot see it. `Declared` is as
 * in `prismaCache` of the package's main entry.
 *
 * The clients that one extension is given to share one cache. Throws `CacheOptionsError`, which names every problem.
 *
 * @since 0.1.0
 * @category constructors
 */
export const prismaCache = <Declared extends GlobalOmit = {}>(options: EdgeCacheOptions = {}): CacheExtension<Declared> => {
  const { connection, rest } = takeConnection(options)
  const settings = readAll(connection, rest)
  return makeExtension(settings, overHttp(settings, HttpCache.layerServices(connection)))
}

/**
 * `prismaCache` for those who come from Prisma Accelerate: `withAccelerate({ url, token, fetch })` with this import in the
 * place of theirs. Both dialects work with either function.
 *
 * @since 0.1.0
 * @category constructors
 */
export const withAccelerate: typeof prismaCache = prismaCache

const noCache: OptionProblem = {
  path: "cache",
  message: "no such option here, where there is no TCP; the server is said by `url` and `token`"
}

/** What is wrong with either half, in one error. */
const readAll = (connection: HttpCache.ConnectionOptions, policy: Omit<PrismaCacheOptions, "cache">): Settings => {
  const problems: Array<OptionProblem> = []
  const read = readConnection(connection)
  if (Either.isLeft(read)) problems.push(...read.left.problems)
  if ("cache" in policy) problems.push(noCache)
  try {
    const settings = readOptions(policy, { tellsChanges: false })
    if (problems.length === 0) return settings
  } catch (error) {
    if (!(error instanceof CacheOptionsError)) throw error
    problems.push(...error.problems)
  }
  throw new CacheOptionsError("prismaCache", problems)
}
