/**
 * The code of the documents of both APIs that this package takes the place of, as it stands there. What a reader of
 * those has to change is the import and the connection; what is marked as completed is incomplete in the documents.
 */
import { PrismaPg } from "@prisma/adapter-pg"
import KeyvValkey from "@keyv/valkey"
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest"
import cacheExtension, { withAccelerate } from "effect-prisma-cache"
import { postgresUrl, uniqueName, valkeyUrl } from "../support/servers.js"
import { Prisma, PrismaClient } from "./generated/client/client.js"

let url = ""
beforeAll(async () => {
  url = await postgresUrl("prisma_snippets")
})

describe("the cache manager's README", () => {
  it("runs", async () => {
    const adapter = new PrismaPg({ connectionString: url })
    const cache = new KeyvValkey(valkeyUrl())
    const prisma = new PrismaClient({ adapter }).$extends(
      cacheExtension({
        cache,
        lock: {
          ttl: 5000,
          waitTimeout: 2000,
          retryDelay: 40,
          retryJitter: 20,
          prefix: "prisma-cache-lock"
        },
        // Completed: the server is shared with other tests.
        namespace: uniqueName("snippets")
      })
    )
    // Completed: there is a user.
    const user = await prisma.user.create({ data: { email: "user@example.org" } })

    const found = await prisma.user.findUniqueOrThrow({
      where: {
        email: user.email
      },
      cache: true
    })
    expect(found.email).toBe(user.email)

    const all = await prisma.user.findMany({
      cache: 5000
    })
    expect(all.length).toBe(1)

    const count = await prisma.user.count({
      cache: {
        ttl: 2000,
        key: "user_count"
      }
    })
    expect(count).toBe(1)

    await prisma.user.update({
      // Completed: `where`.
      where: { id: user.id },
      data: {},
      cache: {
        ttl: 2000,
        key: (result) => `user-${user.id}`
      }
    })

    await prisma.user.create({
      // Completed: an e-mail address.
      data: { email: "second@example.org" },
      uncache: `user_count`
    })
    expect(await prisma.user.count({ cache: { ttl: 2000, key: "user_count" } })).toBe(2)

    await prisma.user.create({
      data: { email: "third@example.org" },
      cache: {
        ttl: 2000,
        key: (result) => `user-${user.id}`
      },
      uncache: [`user_count`, `users`]
    })
    expect(await prisma.user.count({ cache: { ttl: 2000, key: "user_count" } })).toBe(3)

    await prisma.$disconnect()
    await cache.disconnect()
  })

  it("takes `lock: false`", async () => {
    const cache = new KeyvValkey(valkeyUrl())
    cacheExtension({
      cache,
      lock: false
    })
    await cache.disconnect()
  })
})

describe("Accelerate's API reference", () => {
  const open = () =>
    new PrismaClient({ adapter: new PrismaPg({ connectionString: url }) })
      .$extends(withAccelerate({ cache: valkeyUrl(), namespace: uniqueName("snippets") }))
  let prisma: ReturnType<typeof open>
  beforeAll(() => {
    prisma = open()
  })
  afterAll(() => prisma.$disconnect())

  it("cacheStrategy", async () => {
    const rows = await prisma.user.findMany({
      where: {
        email: {
          contains: "alice@prisma.io"
        }
      },
      cacheStrategy: {
        swr: 60,
        ttl: 60,
        tags: ["emails_with_alice"]
      }
    })
    expect(rows).toEqual([])
  })

  it("withAccelerateInfo", async () => {
    const dir = vi.spyOn(console, "dir").mockImplementation(() => {})
    const { data, info } = await prisma.user
      .count({
        cacheStrategy: { ttl: 60, swr: 600 },
        // Completed: a field that there is.
        where: { name: "value" }
      })
      .withAccelerateInfo()

    console.dir(info)
    expect(data).toBe(0)
    expect(dir).toHaveBeenCalledWith(expect.objectContaining({ cacheStatus: "miss" }))
    dir.mockRestore()
  })

  it("$accelerate.invalidate", async () => {
    try {
      await prisma.$accelerate.invalidate({
        tags: ["emails_with_alice"]
      })
    } catch (e) {
      if (e instanceof Prisma.PrismaClientKnownRequestError) {
        // The .code property can be accessed in a type-safe manner
        if (e.code === "P6003") {
          console.log(
            "The cache invalidation rate limit has been reached. Please try again later."
          )
        }
      }
      throw e
    }
  })

  it("$accelerate.invalidateAll", async () => {
    try {
      await prisma.$accelerate.invalidateAll()
    } catch (e) {
      if (e instanceof Prisma.PrismaClientKnownRequestError) {
        if (e.code === "P6003") {
          console.log(
            "The cache invalidation rate limit has been reached. Please try again later."
          )
        }
      }
      throw e
    }
  })

  it("a fetch of one's own", async () => {
    let requests = 0
    const myFetch = (input: URL, init?: RequestInit): Promise<Response> => {
      // Your custom fetch logic here
      requests++
      return fetch(input, init)
    }

    const adapter = new PrismaPg({ connectionString: url })
    // Completed: an adapter, as any client has one now; and where the cache is, which nobody listens at.
    const own = new PrismaClient({ adapter }).$extends(
      withAccelerate({ fetch: myFetch, url: "http://127.0.0.1:1", token: "secret" })
    )
    expect(await own.user.count({ cacheStrategy: { ttl: 60 } })).toBeGreaterThanOrEqual(0)
    expect(requests).toBeGreaterThan(0)
    await own.$disconnect()
  })
})
