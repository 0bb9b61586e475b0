import type { CacheStore } from "effect-prisma-cache/CacheStore"
import type { DistributedLock } from "effect-prisma-cache/DistributedLock"
import * as MemoryCache from "effect-prisma-cache/MemoryCache"
import { prismaCache } from "effect-prisma-cache/PrismaCache"
import type { PrismaCacheOptions } from "effect-prisma-cache/PrismaCache"
import { QueryCache } from "effect-prisma-cache/QueryCache"
import type { ValueType } from "effect-prisma-cache/Serializer"
import * as ValkeyCache from "effect-prisma-cache/ValkeyCache"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import { Prisma } from "../prisma/generated/client/client.js"
import { unhurried } from "../support/unhurried.js"
import { until } from "../support/process.js"
import type { Contestant, Place } from "./contestant.js"
import { ask, byId, change, keyOf, page } from "./world.js"

const hour = 3_600_000

/** Nothing here is about how long a cache waits for a slow machine. */
const patient = { commandTimeout: 20_000 }

type Services = Layer.Layer<CacheStore | DistributedLock, unknown>

/** The services on the Valkey of a place. */
export const onValkey = ({ valkey }: Place): Services => ValkeyCache.layerServices(valkey, patient)

/** The services in the memory of this process. */
export const inMemory = (): Services => MemoryCache.layerServices()

/** The cache as an extension of Prisma's client. */
export const throughPrisma = (
  name: string,
  cache: (place: Place) => Services,
  options: PrismaCacheOptions & { readonly inMemory?: boolean } = {}
): Contestant => {
  const { inMemory = false, ...given } = options
  return {
    name,
    tags: true,
    inMemory,
    open: async (place) => {
      const prisma = place.world.prisma.$extends(prismaCache({
        ...unhurried,
        cache: cache(place) as Exclude<PrismaCacheOptions["cache"], undefined>,
        onEvent: (event) => {
          if (event._tag === "Failed") place.failed(`${name}: ${event.error.message}`)
        },
        ...given
      }))
      return {
        read: (query) => {
          const strategy = query.tags === undefined ? hour : { ttl: hour, tags: query.tags }
          return query.rows === 1
            ? prisma.everything.findUnique({ ...byId(query.at), cache: strategy })
            : prisma.everything.findMany({ ...page(query), cache: strategy })
        },
        update: (at) => prisma.everything.update(change(at)),
        close: () => prisma.$cache.close()
      }
    }
  }
}

const decimal: ValueType<Prisma.Decimal> = {
  code: "decimal",
  is: (value) => value instanceof Prisma.Decimal,
  encode: (value) => value.valueOf(),
  decode: (text) => new Prisma.Decimal(text)
}

/** The cache as a service, in front of a client that has no cache. */
export const throughEffect = (
  name: string,
  layer: (place: Place) => Layer.Layer<QueryCache, unknown>,
  options: { readonly inMemory?: boolean } = {}
): Contestant => ({
  name,
  tags: true,
  inMemory: options.inMemory ?? false,
  open: async (place) => {
    const { prisma } = place.world
    const runtime = ManagedRuntime.make(layer(place))
    const cache = await runtime.runPromise(QueryCache)
    const types = [decimal]
    return {
      read: (query) => {
        const dependencies = query.rows === 1 ? [`row:${query.at}`] : ["rows"]
        const strategy = query.tags === undefined ? { ttl: hour } : { ttl: hour, tags: query.tags }
        const request = { key: keyOf(query), strategy, dependencies, types }
        return Effect.runPromise(cache.fetch(request, Effect.promise(() => ask(prisma, query))))
      },
      update: (at) => {
        const touches = { first: [`row:${at}`], rest: ["rows"] }
        const write = Effect.promise(() => prisma.everything.update(change(at)))
        return Effect.runPromise(cache.write({ label: "update", touches }, write))
      },
      put: async (tag, name) => {
        await Effect.runPromise(
          cache.fetch({ key: ["put", tag, name], strategy: { ttl: hour, tags: [tag] } }, Effect.succeed({ name }))
        )
      },
      settled: () =>
        until("all is stored", async () => {
          const { flights } = await Effect.runPromise(cache.activity)
          return flights === 0
        }),
      invalidate: async (tag) => {
        await Effect.runPromise(cache.invalidate({ tags: [tag] }))
      },
      close: () => runtime.dispose()
    }
  }
})

/** The policy on the Valkey of a place. */
export const valkeyLayer = ({ failed, valkey }: Place): Layer.Layer<QueryCache, unknown> =>
  ValkeyCache.layer({
    ...unhurried,
    ...patient,
    connection: valkey,
    consistency: "strict",
    onEvent: (event) => {
      if (event._tag === "Failed") failed(`QueryCache: ${event.error.message}`)
    }
  })

/** The policy in the memory of this process. */
export const memoryLayer = (): Layer.Layer<QueryCache> => MemoryCache.layer({ ...unhurried, consistency: "strict" })
