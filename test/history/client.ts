import { PrismaPg } from "@prisma/adapter-pg"
import type { SqlDriverAdapterFactory } from "@prisma/client/runtime/client"
import { prismaCache } from "effect-prisma-cache/PrismaCache"
import type { PrismaCacheOptions } from "effect-prisma-cache/PrismaCache"
import { PrismaClient } from "../prisma/generated/client/client.js"
import { unhurried } from "../support/unhurried.js"

/** Something that takes a while, before and after whatever the database is asked. */
const slowed = (factory: SqlDriverAdapterFactory, pause: () => Promise<void>): SqlDriverAdapterFactory => {
  const slow = <A extends object>(queryable: A): A =>
    new Proxy(queryable, {
      get: (target, member) => {
        const value: unknown = Reflect.get(target, member, target)
        if (typeof value !== "function") return value
        if (member !== "queryRaw" && member !== "executeRaw" && member !== "commit" && member !== "startTransaction") return value.bind(target)
        return async (...args: ReadonlyArray<unknown>) => {
          await pause()
          const result: unknown = await value.apply(target, args)
          await pause()
          return member === "startTransaction" ? slow(result as object) : result
        }
      }
    })
  return {
    adapterName: factory.adapterName,
    provider: factory.provider,
    connect: async () => slow(await factory.connect())
  }
}

/** A client whose database may take its time at every step. */
export const makeClient = (url: string, pause: () => Promise<void>, options: PrismaCacheOptions) =>
  new PrismaClient({ adapter: slowed(new PrismaPg({ connectionString: url, max: 8 }), pause), transactionOptions: { maxWait: 60_000, timeout: 60_000 } })
    .$extends(prismaCache({ ...unhurried, ...options }))

export type CachedClient = ReturnType<typeof makeClient>
