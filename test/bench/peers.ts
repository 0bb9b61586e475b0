import { createCache } from "async-cache-dedupe"
import { BentoCache, bentostore } from "bentocache"
import { memoryDriver } from "bentocache/drivers/memory"
import { redisBusDriver, redisDriver } from "bentocache/drivers/redis"
import { cachified } from "@epic-web/cachified"
import type { Cache, CacheEntry } from "@epic-web/cachified"
import { Redis as IORedis } from "ioredis"
import { Redis } from "iovalkey"
import { PrismaExtensionRedis } from "prisma-extension-redis"
import superjson from "superjson"
import type { Contestant } from "./contestant.js"
import { textOf } from "./json.js"
import { ask, change, keyOf } from "./world.js"
import type { Query } from "./world.js"

const hour = 3_600

/** bentocache as it comes, but for a serializer that does not throw on a BigInt. */
export const bento = (name: string, tiers: "valkey" | "memory and valkey"): Contestant => ({
  name,
  tags: true,
  inMemory: tiers === "memory and valkey",
  open: async ({ valkey, world: { prisma } }) => {
    const { hostname: host, pathname, port } = new URL(valkey)
    const connection = { host, port: Number(port), db: Number(pathname.slice(1)) }
    const remote = bentostore().useL2Layer(redisDriver({ connection }))
    const cache = new BentoCache({
      default: "rows",
      serializer: { serialize: textOf, deserialize: (text) => JSON.parse(text) },
      ttl: "1h",
      stores: {
        rows: tiers === "valkey"
          ? remote
          : remote.useL1Layer(memoryDriver()).useBus(redisBusDriver({ connection }))
      }
    })
    return {
      read: (query) =>
        cache.getOrSet({
          key: keyOf(query),
          factory: () => ask(prisma, query),
          ...(query.tags === undefined ? {} : { tags: [...query.tags] })
        }),
      update: async (at) => {
        const answer = await prisma.everything.update(change(at))
        await cache.delete({ key: keyOf({ rows: 1, at }) })
        return answer
      },
      put: (tag, name) => cache.set({ key: `put:${tag}:${name}`, value: { name }, tags: [tag] }),
      invalidate: (tag) => cache.deleteByTag({ tags: [tag] }),
      close: () => cache.disconnectAll()
    }
  }
})

const transformers = {
  // Its default is JSON without this replacer, with which a row that holds a BigInt is never cached.
  JSON: { serialize: textOf, deserialize: (text: unknown) => JSON.parse(text as string) as unknown },
  superjson: { serialize: superjson.stringify, deserialize: (text: unknown) => superjson.parse<unknown>(text as string) }
}

/** prisma-extension-redis, caching every read and dropping a model's reads on a write to it. */
export const extensionRedis = (name: string, form: keyof typeof transformers): Contestant => ({
  name,
  open: async ({ failed, valkey, world: { prisma } }) => {
    const redis = new Redis(valkey)
    const extended = prisma.$extends(
      PrismaExtensionRedis({
        config: {
          type: "STRING",
          ttl: hour,
          stale: 0,
          auto: { ttl: hour, stale: 0, invalidateOnWrite: true },
          transformer: transformers[form],
          onError: (error) => failed(`${name}: ${String(error)}`)
        },
        client: redis
      })
    ) as unknown as typeof prisma
    return {
      read: (query) => ask(extended, query),
      update: (at) => extended.everything.update(change(at)),
      // It has no tags. What it has instead is a pattern, for which it looks at every key of the server.
      put: (tag, name) => redis.set(`put:${tag}:${name}`, textOf({ name })),
      invalidate: (tag) =>
        (extended as unknown as { uncache: (options: object) => Promise<unknown> })
          .uncache({ uncacheKeys: [`put:${tag}:*`], hasPattern: true }),
      close: async () => redis.disconnect()
    }
  }
})

/** async-cache-dedupe on Valkey, with its references for tags. */
export const asyncCacheDedupe = (name: string): Contestant => ({
  name,
  tags: true,
  open: async ({ failed, valkey, world: { prisma } }) => {
    const client = new IORedis(valkey.replace("valkey:", "redis:"))
    const cache = createCache({
      ttl: hour,
      storage: { type: "redis", options: { client, invalidation: { referencesTTL: hour } } },
      onError: (error) => failed(`${name}: ${String(error)}`)
    })
      .define("rows", {}, (query: Query) => ask(prisma, query))
      .define("tagged", { references: (query) => [...(query.tags ?? [])] }, (query: Query) => ask(prisma, query))
      .define("put", { references: ({ tag }) => [tag] }, async ({ name }: { tag: string; name: string }) => ({ name }))
    return {
      read: (query) => query.tags === undefined ? cache.rows(query) : cache.tagged(query),
      update: async (at) => {
        const answer = await prisma.everything.update(change(at))
        await cache.clear("rows", { rows: 1, at })
        return answer
      },
      put: (tag, name) => cache.put({ tag, name }),
      invalidate: (tag) => cache.invalidateAll(tag),
      close: async () => client.disconnect()
    }
  }
})

/** cachified, which is brought to Valkey by a few lines of ours. */
export const cachifiedOnValkey = (name: string): Contestant => ({
  name,
  open: async ({ valkey, world: { prisma } }) => {
    const redis = new Redis(valkey)
    const cache: Cache<unknown> = {
      get: async (key) => {
        const found = await redis.get(key)
        return found === null ? null : JSON.parse(found) as CacheEntry<unknown>
      },
      set: (key, entry) => redis.set(key, textOf(entry), "PX", hour * 1_000),
      delete: (key) => redis.del(key)
    }
    return {
      read: (query) =>
        cachified({ key: keyOf(query), cache, ttl: hour * 1_000, getFreshValue: () => ask(prisma, query) }),
      update: async (at) => {
        const answer = await prisma.everything.update(change(at))
        await cache.delete(keyOf({ rows: 1, at }))
        return answer
      },
      close: async () => redis.disconnect()
    }
  }
})
