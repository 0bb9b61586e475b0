/**
 * The Prisma extension and the types of what it takes and gives.
 *
 * @module
 * @since 0.1.0
 */
export * from "./prisma/effectExtension.js"
export * from "./prisma/prismaCache.js"
export * from "./prisma/withAccelerate.js"
export type { CacheBackend, KeyvLike, PrismaCacheOptions, StandingStrategy, ValkeyClientLike } from "./prisma/options.js"
export type * from "./prisma/types/client.js"
export type * from "./prisma/types/extension.js"
export type * from "./prisma/types/models.js"
export type * from "./prisma/types/options.js"
export type * from "./prisma/types/promise.js"
