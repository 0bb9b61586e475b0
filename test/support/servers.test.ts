import { Cluster, Redis } from "iovalkey"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { makePrisma6 } from "../prisma-6/database.js"
import type { Database } from "./database.js"
import { makePrisma } from "./database.js"
import { postgresUrl, uniqueName, valkeyUrl } from "./servers.js"
import type { ValkeyCluster } from "./valkey.js"
import { startValkey, startValkeyCluster } from "./valkey.js"

describe("PostgreSQL", () => {
  let database: Database

  beforeAll(async () => {
    database = makePrisma(await postgresUrl("servers"))
  })
  afterAll(() => database.close())

  it("answers through Prisma, in the version that the tests are written for", async () => {
    const [row] = await database.prisma.$queryRaw<
      Array<{ one: number; version: string }>
    >`select 1 as one, current_setting('server_version_num') as version`
    expect(row?.one).toBe(1)
    expect(Number(row?.version)).toBeGreaterThanOrEqual(180_000)
  })

  it("has a table for every model, with its relations and cascades", async () => {
    const { prisma } = database
    const user = await prisma.user.create({
      data: {
        email: "ada@example.com",
        profile: { create: { bio: "first" } },
        posts: { create: { title: "one", tags: { create: { name: "new" } } } },
        memberships: { create: { team: { create: { tenant: "a", slug: "b", name: "c" } } } },
        sessions: { create: { token: new Uint8Array([1, 2]), expiresAt: new Date(0) } }
      }
    })
    await prisma.user.delete({ where: { id: user.id } })
    expect(await prisma.userProfile.count()).toBe(0)
    expect(await prisma.membership.count()).toBe(0)
    expect(await prisma.post.findFirstOrThrow({ include: { tags: true } })).toMatchObject({
      authorId: null,
      tags: [{ name: "new" }]
    })
    for (const model of ["user_profile", "category", "setting", "country", "everything", "counter"] as const) {
      // Each model has its own signature, of which a union cannot be called: narrowed to the part all of them share.
      const { count } = prisma[model] as { count: () => Promise<number> }
      expect(await count()).toBe(0)
    }
  })

  it("gives every database of its own name, empty", async () => {
    const other = makePrisma(await postgresUrl("servers_other"))
    expect(await other.prisma.post.count()).toBe(0)
    await other.close()
  })

  it("counts the statements that were really sent, without those that control a transaction", async () => {
    const { prisma, sql } = database
    sql.reset()
    await prisma.counter.count()
    expect(sql.count()).toBe(1)
    await prisma.$transaction([prisma.counter.count(), prisma.counter.count()])
    expect(sql.count()).toBe(3)
    expect(sql.statements.length).toBeGreaterThan(3)
    await Promise.all([1, 2, 3, 4].map((id) => prisma.user.findUnique({ where: { id } })))
    expect(sql.count()).toBe(4)
    sql.reset()
    expect(sql.count()).toBe(0)
  })

  it("takes a global omit", async () => {
    const omitting = makePrisma(await postgresUrl("servers_omit"), { omit: { user: { secret: true } } })
    const user = await omitting.prisma.user.create({ data: { email: "ada@example.com", secret: "s" } })
    expect(user).not.toHaveProperty("secret")
    await omitting.close()
  })
})

describe("Prisma 6", () => {
  it("reads and writes the same tables through its own client", async () => {
    const { close, prisma, sql } = makePrisma6(await postgresUrl("servers_prisma_6"))
    await prisma.user.create({ data: { email: "ada@example.com", posts: { create: { title: "one" } } } })
    sql.reset()
    expect(await prisma.user.count()).toBe(1)
    expect(sql.count()).toBe(1)
    await close()
  })
})

describe("the prisma-client-js generator", () => {
  it.each([["7", "../prisma/generated/client-js/index.js"], ["6", "../prisma-6/generated/client-js/index.js"]])(
    "of Prisma %s makes a client of that version",
    async (version, file) => {
      const { Prisma } = await import(file)
      expect(Prisma.prismaVersion.client).toMatch(new RegExp(`^${version}\\.`))
    }
  )
})

describe("Valkey", () => {
  it("answers PING and keeps a value", async () => {
    const client = new Redis(valkeyUrl())
    const key = uniqueName("servers")
    expect(await client.ping()).toBe("PONG")
    await client.set(key, "1", "PX", 10_000)
    expect(await client.get(key)).toBe("1")
    client.disconnect()
  })

  it("of a test's own can be configured, killed and started again on the same port", async () => {
    const server = await startValkey({ args: ["--maxmemory", "64mb"] })
    const client = new Redis(server.url, { lazyConnect: true })
    client.on("error", () => {})
    expect(await client.config("GET", "maxmemory")).toEqual(["maxmemory", String(64 * 1024 * 1024)])
    client.disconnect()
    const before = server.pid
    await server.kill("SIGKILL")
    expect(() => process.kill(before, 0)).toThrow()
    await server.restart()
    expect(server.pid).not.toBe(before)
    await client.connect()
    expect(await client.ping()).toBe("PONG")
    client.disconnect()
    await server.stop()
  })
})

describe("a Valkey cluster", () => {
  let cluster: ValkeyCluster

  beforeAll(async () => {
    cluster = await startValkeyCluster()
  })
  afterAll(() => cluster.stop())

  it("has three masters that hold all slots between them", async () => {
    expect(cluster.nodes).toHaveLength(3)
    const client = new Cluster(cluster.nodes.map(({ host, port }) => ({ host, port })))
    const keys = Array.from({ length: 30 }, (_, index) => `key-${index}`)
    await Promise.all(keys.map((key) => client.set(key, key)))
    expect(await Promise.all(keys.map((key) => client.get(key)))).toEqual(keys)
    expect(client.nodes("master")).toHaveLength(3)
    client.disconnect()
  })
})
