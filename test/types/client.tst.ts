import { describe, expect, test } from "tstyche"
import type { CacheClient } from "../../src/prisma/types/client.js"
import { base, prisma } from "./client.js"

describe("`$cache`", () => {
  test("is on the client that has the extension", () => {
    expect(prisma.$cache).type.toBe<CacheClient>()
    expect(base).type.not.toHaveProperty("$cache")
  })

  test("is inside an interactive transaction too", () => {
    prisma.$transaction(async (tx) => {
      expect(tx.$cache).type.toBe<CacheClient>()
    })
  })

  test("invalidates by tags and keys", () => {
    expect(prisma.$cache.invalidate({ tags: ["users"] })).type.toBe<Promise<void>>()
    expect(prisma.$cache.invalidate).type.toBeCallableWith({
      keys: ["user_count", { key: "users", namespace: "shop" }]
    })
    expect(prisma.$cache.invalidate).type.toBeCallableWith({ tags: ["users"], keys: ["user_count"], mode: "expire" })
    expect(prisma.$cache.invalidate).type.toBeCallableWith({ tags: ["users"], mode: "invalidate" })
    expect(prisma.$cache.invalidate).type.toBeCallableWith({ tags: undefined, keys: undefined, mode: undefined })
  })

  test("refuses targets that it does not know", () => {
    expect(prisma.$cache.invalidate).type.not.toBeCallableWith()
    expect(prisma.$cache.invalidate).type.not.toBeCallableWith("users")
    expect(prisma.$cache.invalidate).type.not.toBeCallableWith({ tags: "users" })
    expect(prisma.$cache.invalidate).type.not.toBeCallableWith({ tag: ["users"] })
    expect(prisma.$cache.invalidate).type.not.toBeCallableWith({ keys: [{ namespace: "shop" }] })
    expect(prisma.$cache.invalidate).type.not.toBeCallableWith({ tags: ["users"], mode: "soon" })
  })

  test("invalidates a whole namespace", () => {
    expect(prisma.$cache.invalidateAll()).type.toBe<Promise<void>>()
    expect(prisma.$cache.invalidateAll).type.toBeCallableWith({ namespace: "shop" })
    expect(prisma.$cache.invalidateAll).type.not.toBeCallableWith("shop")
    expect(prisma.$cache.invalidateAll).type.not.toBeCallableWith({ name: "shop" })
  })

  test("tells what it counted and how it is", () => {
    const stats = prisma.$cache.stats()
    expect(stats.hits).type.toBe<number>()
    expect(stats.misses).type.toBe<number>()
    expect(stats.joined).type.toBe<number>()
    expect(stats.fills).type.toBe<number>()
    expect(stats.errors).type.toBe<number>()
    expect(stats.invalidations).type.toBe<number>()
    expect(prisma.$cache.health().status).type.toBe<"ok" | "degraded" | "down" | "closed">()
  })

  test("closes", () => {
    expect(prisma.$cache.close()).type.toBe<Promise<void>>()
  })
})
