import { PrismaPg } from "@prisma/adapter-pg"
import { AsyncLocalStorage } from "node:async_hooks"
import pg from "pg"
import { expect, it, vi } from "vitest"
import { makePrisma } from "../support/database.js"
import { postgresUrl } from "../support/servers.js"
import { Prisma, PrismaClient } from "./generated/client/client.js"
import { insertCounter } from "./counters.js"
import { insertPeople } from "./rows.js"
import { answerTo, between, exactly, missThenHit, onEveryStore, statusOf, untyped, useDatabase } from "./support.js"
import type { BaseClient } from "./support.js"

const database = useDatabase(async (base) => {
  await insertPeople(base)
  await base.setting.createMany({
    data: [
      { scope: "s", key: "database null", value: Prisma.DbNull },
      { scope: "s", key: "json null", value: Prisma.JsonNull },
      { scope: "s", key: "one", value: 1 },
      { scope: "s", key: "text", value: "1" }
    ]
  })
})

onEveryStore(database, "queries that differ never share an answer", (make) => {
  it("in the operation: count and findFirst with the same arguments, and all others too", async () => {
    const { prisma } = make()
    const operations = [
      "count",
      "findFirst",
      "findMany",
      "findUnique",
      "findFirstOrThrow",
      "findUniqueOrThrow",
      "count"
    ]
    for (const operation of operations) {
      const args = { where: { id: 1 } }
      const truth = await untyped(database.base)["user"]![operation]!(args)
      expect(exactly(await untyped(prisma)["user"]![operation]!({ ...args, cache: true }))).toBe(exactly(truth))
    }
  })

  it("in the way: a fluent call and a selection", async () => {
    const { prisma } = make()
    const posts = await prisma.user
      .findUnique({ where: { id: 1 } })
      .posts({ take: 1, orderBy: { id: "asc" }, cache: true })
    expect(posts).toMatchObject([{ title: "Notes" }])
    const selected = () =>
      prisma.user.findUnique({ where: { id: 1 }, select: { posts: { take: 1, orderBy: { id: "asc" } } }, cache: true })
    expect(await selected()).toMatchObject({ posts: [{ title: "Notes" }] })
    expect(await selected()).toMatchObject({ posts: [{ title: "Notes" }] })
    expect(await statusOf(selected)).toBe("hit")
  })

  it("in numbers that a short hash takes for the same", async () => {
    const { prisma } = make()
    const read = (teamId: number, userId: number) =>
      prisma.membership.findMany({ where: { teamId, userId }, cache: true })
    await read(142, 287)
    expect(await statusOf(() => read(145, 0))).toBe("miss")
  })

  it("in the kind of null", async () => {
    const { prisma } = make()
    const keysWith = async (equals: typeof Prisma.DbNull | typeof Prisma.JsonNull | typeof Prisma.AnyNull) => {
      const rows = await prisma.setting.findMany({ where: { value: { equals } }, orderBy: { key: "asc" }, cache: true })
      return rows.map(({ key }) => key)
    }
    for (let time = 0; time < 2; time++) {
      expect(await keysWith(Prisma.DbNull)).toEqual(["database null"])
      expect(await keysWith(Prisma.JsonNull)).toEqual(["json null"])
      expect(await keysWith(Prisma.AnyNull)).toEqual(["database null", "json null"])
    }
  })

  it("in the type of a value inside Json", async () => {
    const { prisma } = make()
    const keyOf = async (equals: string | number) =>
      (await prisma.setting.findFirst({ where: { value: { equals } }, cache: true }))?.key
    expect([await keyOf(1), await keyOf("1"), await keyOf(1)]).toEqual(["one", "text", "one"])
  })

  it("in a column where a value could stand", async () => {
    const { prisma } = make()
    const where = (equals: unknown) =>
      ({ where: { title: { equals } }, cache: true }) as Prisma.PostFindManyArgs & { cache: true }
    await prisma.post.findMany(where("content"))
    expect(await statusOf(() => prisma.post.findMany(where(database.base.post.fields.content)))).toBe("miss")
  })

  it("in the model, where only the case convention tells two apart", async () => {
    const { prisma } = make()
    for (let time = 0; time < 2; time++) {
      expect(await prisma.userProfile.findUnique({ where: { id: 1 }, cache: true })).toMatchObject({ bio: "first" })
      expect(await prisma.user_profile.findUnique({ where: { id: 1 }, cache: true })).toMatchObject({ bio: "legacy" })
    }
    const byKey = { where: { id: 1 }, cache: "profile" }
    expect(await prisma.userProfile.findUnique(byKey)).toMatchObject({ bio: "first" })
    expect(await prisma.user_profile.findUnique(byKey)).toMatchObject({ bio: "legacy" })
  })

  it("in the order of what is selected, which is the order of what is answered", async () => {
    const { prisma } = make()
    const one = await prisma.user.findFirst({ select: { id: true, email: true }, orderBy: { id: "asc" }, cache: true })
    const other = await prisma.user.findFirst({
      select: { email: true, id: true },
      orderBy: { id: "asc" },
      cache: true
    })
    expect([Object.keys(one ?? {}), Object.keys(other ?? {})]).toEqual([
      ["id", "email"],
      ["email", "id"]
    ])
  })
})

onEveryStore(database, "queries that are the same share an answer", (make) => {
  it("whatever is undefined in one of them, and in whatever order conditions stand", async () => {
    const { prisma } = make()
    await prisma.user.findMany({ where: { name: "Ada", role: "ADMIN" }, cache: true })
    const same = [
      () => prisma.user.findMany({ where: { role: "ADMIN", name: "Ada" }, cache: true }),
      // The compiler is told to refuse what programs may do.
      () => prisma.user.findMany({ where: { name: "Ada", role: "ADMIN", email: undefined as never }, cache: true }),
      () => prisma.user.findMany({ cache: 77_000, where: { name: "Ada", role: "ADMIN" } })
    ]
    for (const read of same) expect(await statusOf(read)).toBe("hit")
  })

  it("on whatever client they are called: another one of the same database, with another extension", async () => {
    const one = make()
    const again = makePrisma(database.url)
    const other = make(one.options, again.prisma)
    await one.prisma.user.findMany({ cache: true })
    expect(await statusOf(() => other.prisma.user.findMany({ cache: true }))).toBe("hit")
    await again.close()
  })
})

onEveryStore(database, "clients that differ never share an answer", (make) => {
  it("in what they omit: one that omits a field never receives it, one that does not always does", async () => {
    const omitting = makePrisma(database.url, { omit: { user: { secret: true } } })
    const plain = make()
    const { prisma } = make(plain.options, omitting.prisma as unknown as BaseClient)
    const args = { where: { id: 1 }, cache: "ada" }
    for (const cache of [true, "ada"]) {
      expect(await plain.prisma.user.findUnique({ ...args, cache })).toHaveProperty("secret", "s1")
      expect(await prisma.user.findUnique({ ...args, cache })).not.toHaveProperty("secret")
      expect(await plain.prisma.user.findUnique({ ...args, cache })).toHaveProperty("secret", "s1")
    }
    await omitting.close()
  })

  it("in the database: two of them on one cache see their own rows", async () => {
    const other = makePrisma(await postgresUrl("prisma_keys_other"))
    await other.prisma.user.create({ data: { id: 1, email: "eve@example.com" } })
    const here = make()
    const there = make(here.options, other.prisma)
    for (const cache of [true, "the-first"]) {
      const args = { where: { id: 1 }, cache }
      expect(await here.prisma.user.findUnique(args)).toMatchObject({ email: "ada@example.com" })
      expect(await there.prisma.user.findUnique(args)).toMatchObject({ email: "eve@example.com" })
      expect(await here.prisma.user.findUnique(args)).toMatchObject({ email: "ada@example.com" })
    }
    await other.close()
  })

  it("in the database, also where the driver was given a pool, or a schema to look in", async () => {
    const elsewhere = await postgresUrl("prisma_keys_pool")
    const [here, there] = [database.url, elsewhere].map((connectionString) => new pg.Pool({ connectionString }))
    const adapters = [
      new PrismaPg(here!),
      new PrismaPg(there!),
      new PrismaPg({ connectionString: database.url }, { schema: "nowhere" })
    ]
    const clients = adapters.map((adapter) => new PrismaClient({ adapter }))
    const { options } = make()
    const [one, other, third] = clients.map((client) => make(options, client as BaseClient).prisma)
    expect(await one!.user.count({ cache: true })).toBe(3)
    expect(await other!.user.count({ cache: true })).toBe(0)
    await expect(third!.user.count({ cache: true })).rejects.toMatchObject({ code: "P2021" })
    await Promise.all(clients.map((client) => client.$disconnect()))
    await Promise.all([here!.end(), there!.end()])
  })

  it("in their namespace", async () => {
    const one = make()
    const other = make({ ...one.options, namespace: `${one.options.namespace}-2` })
    await one.prisma.user.findMany({ cache: true })
    expect(await statusOf(() => other.prisma.user.findMany({ cache: true }))).toBe("miss")
  })
})

onEveryStore(database, "varyBy", (make) => {
  const tenants = new AsyncLocalStorage<string>()
  const varyBy = () => tenants.getStore()

  it("is asked of cached queries only, and once of each hit", async () => {
    const asked = vi.fn(() => "tenant")
    const { prisma } = make({ varyBy: asked })
    const name = await insertCounter(database.base)
    const read = (cache?: object) => () => prisma.counter.findUnique({ where: { name }, ...cache })
    await read()()
    await read({ cache: false })()
    expect(asked).not.toHaveBeenCalled()
    await missThenHit(database.sql, read({ cache: true }))
    expect(asked.mock.calls.length).toBeGreaterThan(0)
    asked.mockClear()
    for (let i = 0; i < 2; i++) expect(await statusOf(read({ cache: true }))).toBe("hit")
    expect(asked).toHaveBeenCalledTimes(2)
  })

  it("keeps tenants apart, although a filter that the cache cannot see makes the difference", async () => {
    await database.base.team.createMany({
      data: [
        { id: 8, tenant: "red", slug: "a", name: "Red" },
        { id: 9, tenant: "blue", slug: "a", name: "Blue" }
      ],
      skipDuplicates: true
    })
    const { prisma } = make({ varyBy })
    const filtered = prisma.$extends({
      query: {
        team: {
          findMany: ({ args, query }) =>
            query({ ...args, where: { ...args.where, tenant: tenants.getStore() ?? "nobody" } })
        }
      }
    })
    const read = (tenant: string) =>
      tenants.run(tenant, async () => {
        const { data, info } = await answerTo(() => filtered.team.findMany({ where: { slug: "a" }, cache: true }))
        return [info.status, data.map(({ name }) => name)]
      })
    expect(await read("red")).toEqual(["miss", ["Red"]])
    expect(await read("blue")).toEqual(["miss", ["Blue"]])
    expect(await Promise.all([read("red"), read("blue")])).toEqual([
      ["hit", ["Red"]],
      ["hit", ["Blue"]]
    ])
  })

  it("and what queries and key functions find in an AsyncLocalStorage is their own caller's", async () => {
    const { prisma } = make({ varyBy })
    const seen: Array<readonly [string, string, string | undefined]> = []
    const note = (where: string, tenant: string) => void seen.push([where, tenant, tenants.getStore()])
    const watched = prisma.$extends(
      between(async ({ args }, run) => {
        note("query", (args as { where: { tenant: string } }).where.tenant)
        return run()
      })
    )
    const names = ["red", "blue", "green", "white"]
    for (let time = 0; time < 3; time++) {
      await Promise.all(
        names.map((tenant) =>
          tenants.run(tenant, async () => {
            const key = () => (note("key", tenant), `${tenant}:${time}`)
            await watched.team.findMany({ where: { tenant }, take: 10 + time, cache: { key } })
            await watched.team.updateMany({
              where: { tenant },
              data: {},
              uncache: () => (note("uncache", tenant), `${tenant}:${time}`)
            })
            await watched.team.updateManyAndReturn({ where: { tenant }, data: {}, cache: { key } })
            note("caller", tenant)
          })
        )
      )
    }
    expect(seen.length).toBeGreaterThan(names.length * 3 * 6)
    expect(seen.filter(([, expected, found]) => expected !== found)).toEqual([])
  })

  it("keeps them apart under custom keys and in flights too", async () => {
    const { prisma } = make({ varyBy })
    const read = (tenant: string) => tenants.run(tenant, () => statusOf(() => prisma.team.findMany({ cache: "teams" })))
    expect(await Promise.all([read("red"), read("blue")])).toEqual(["miss", "miss"])
    expect(await Promise.all([read("red"), read("blue")])).toEqual(["hit", "hit"])
  })

  it("may answer with anything that is plain data, and is asked for each query", async () => {
    const asked = vi.fn(() => ({ tenant: 1n, roles: ["a"], since: new Date(0) }))
    const { prisma } = make({ varyBy: asked })
    expect(await statusOf(() => prisma.team.findMany({ cache: true }))).toBe("miss")
    expect(await statusOf(() => prisma.team.findMany({ cache: true }))).toBe("hit")
    expect(asked.mock.calls.length).toBeGreaterThan(1)
    asked.mockReturnValue({ tenant: 1n, roles: [], since: new Date(0) })
    expect(await statusOf(() => prisma.team.findMany({ cache: true }))).toBe("miss")
  })

  it("that throws, or answers with what nothing can be told by, leaves its query uncached and says so", async () => {
    const { events, prisma } = make({
      varyBy: () => {
        throw new RangeError("tenant 42 is unknown")
      }
    })
    expect(await statusOf(() => prisma.team.findMany({ cache: true }))).toBe("bypass")
    expect(await statusOf(() => prisma.team.findMany({ cache: true }))).toBe("bypass")
    expect(events).toContainEqual({
      _tag: "Warning",
      message: expect.stringMatching(/Team\.findMany.*varyBy.*RangeError/)
    })
    expect(JSON.stringify(events)).not.toContain("42")

    const strange = make({ varyBy: () => (() => "a function") as never })
    expect(await statusOf(() => strange.prisma.team.findMany({ cache: true }))).toBe("bypass")
    expect(strange.events).toContainEqual({ _tag: "Warning", message: expect.stringContaining("Team.findMany") })
  })
})
