/**
 * The Prisma extension under the name that Prisma Accelerate's customers import.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { ConnectionOptions } from "../http/options.js"
import { overHttp } from "./cacheLayer.js"
import { makeExtension } from "./extension.js"
import type { PrismaCacheOptions } from "./options.js"
import { readOptions } from "./settings.js"
import { prismaCache } from "./prismaCache.js"
import type { GlobalOmit } from "./types/delegate.js"
import type { CacheExtension } from "./types/extension.js"

/**
 * The options of `withAccelerate`: those of `prismaCache`, or with `url`, `token` and `fetch` in the place of `cache` a
 * server that is spoken to over HTTP.
 *
 * @since 0.1.0
 * @category options
 */
export interface WithAccelerateOptions
  extends PrismaCacheOptions, Pick<ConnectionOptions, "url" | "token" | "fetch">
{}

/**
 * `prismaCache` for those who come from Prisma Accelerate:
 * `new PrismaClient({ adapter }).$extends(withAccelerate())` with this import in the place of theirs. Both dialects work
 * with either function. Without options the cache is on Valkey at `VALKEY_URL`, or where that is not set in the memory
 * of this process.
 *
 * Throws `CacheOptionsError`, which names every problem.
 *
 * @since 0.1.0
 * @category constructors
 */
export const withAccelerate = <Declared extends GlobalOmit = {}>(
  options: WithAccelerateOptions = {}
): CacheExtension<Declared> => {
  const { fetch, token, url, ...rest } = options
  if (fetch === undefined && token === undefined && url === undefined) {
    return prismaCache({ ...rest, cache: rest.cache ?? environment("VALKEY_URL") })
  }
  const settings = readOptions(rest, { tellsChanges: false })
  const services = Layer.unwrapEffect(
    Effect.map(Effect.promise(() => import("../HttpCache.js")), ({ layerServices }) => layerServices({ fetch, token, url }))
  )
  return makeExtension(settings, overHttp(settings, services))
}

const environment = (name: string): string | undefined => globalThis.process?.env?.[name] || undefined
