import { prismaCache } from "effect-prisma-cache/PrismaCache"
import type { PrismaCacheOptions } from "effect-prisma-cache/PrismaCache"
import * as QueryCache from "effect-prisma-cache/QueryCache"
import type { ValueType } from "effect-prisma-cache/Serializer"
import * as ValkeyCache from "effect-prisma-cache/ValkeyCache"
import * as Effect from "effect/Effect"
import * as ManagedRuntime from "effect/ManagedRuntime"
import { Prisma } from "../prisma/generated/client/client.js"
import { unhurried } from "../support/unhurried.js"
import { until } from "../support/process.js"
import type { Contestant } from "./contestant.js"
import { ask, byId, change, keyOf, page } from "./world.js"

const hour = 3_600_000

/** Nothing here is about how long a cache waits for a slow machine. */
const patient = { commandTimeout: 20_000 }

/** The cache as an extension of Prisma's client. */
export const throughPrisma = (name: string, options: PrismaCacheOptions = {}): Contestant => ({
  name,
  tags: true,
  inMemory: options.memory === true,
  open: async ({ failed, valkey, world }) => {
    const prisma = world.prisma.$extends(prismaCache({
      ...unhurried,
      cache: ValkeyCache.layerServices(valkey, patient),
      onEvent: (event) => {
        if (event._tag === "Failed") failed(`${name}: ${event.error.message}`)
      },
      ...options
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
})

const decimal: ValueType<Prisma.Decimal> = {
  code: "decimal",
  is: (value) => value instanceof Prisma.Decimal,
  encode: (value) => value.valueOf(),
  decode: (text) => new Prisma.Decimal(text),
  copy: (value) => new Prisma.Decimal(value)
}

/** The cache as a service, in front of a client that has no cache. */
export const throughEffect = (name: string, options: QueryCache.Options = {}): Contestant => ({
  name,
  tags: true,
  inMemory: options.memory === true,
  open: async ({ failed, valkey, world: { prisma } }) => {
    const runtime = ManagedRuntime.make(ValkeyCache.layer({
      ...unhurried,
      ...patient,
      connection: valkey,
      onEvent: (event) => {
        if (event._tag === "Failed") failed(`${name}: ${event.error.message}`)
      },
      ...options
    }))
    const cache = await runtime.runPromise(QueryCache.QueryCache)
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
