import { expect, it, vi } from "vitest"
import { insertCounter, readNames, readsOf } from "./counters.js"
import { Prisma } from "./generated/client/client.js"
import { insertPeople } from "./rows.js"
import { answerTo, exactly, missThenHit, onEveryStore, onMemory, statusOf, untyped, useDatabase } from "./support.js"
import type { CachedClient } from "./support.js"

const database = useDatabase(insertPeople)

// Further extensions give a client a type that says more than a test over all of them needs.
const asCached = (client: object) => client as CachedClient

/** One further extension of each kind. */
const furtherExtensions = {
  query: {
    query: {
      counter: {
        findMany: ({ args, query }: { args: object; query: (args: object) => Promise<unknown> }) => query(args)
      }
    }
  },
  result: {
    result: { counter: { double: { needs: { value: true }, compute: (row: { value: number }) => row.value * 2 } } }
  },
  model: { model: { $allModels: { hello: () => "hello" } } },
  client: { client: { $hello: () => "hello" } }
}

onEveryStore(database, "after a further extension", (make) => {
  it.each(Object.entries(furtherExtensions))(
    "of a %s, every read tells how it was answered, also in transactions",
    async (_, extension) => {
      const { prisma } = make({ varyBy: () => null })
      const extended = asCached(prisma.$extends(extension as never))
      const name = await insertCounter(database.base)
      for (const [operation, args] of readsOf(name)) {
        const read = (client: object, options: object) => () =>
          untyped(client)["counter"]![operation]!({ ...args, ...options })
        expect(await statusOf(read(extended, {}))).toBe("off")
        await missThenHit(database.sql, read(extended, { cache: true }))
        const [inside, [inBatch]] = [
          await extended.$transaction((tx) => statusOf(read(tx, { cache: true }))),
          await extended.$transaction([read(extended, { cache: true })() as never])
        ]
        expect(inside).toBe("bypass")
        expect(inBatch).toBeDefined()
      }
      expect(readNames).toHaveLength(8)
    }
  )

  it("transactions collect what their writes make invalid", async () => {
    const { prisma } = make()
    const extended = asCached(prisma.$extends(furtherExtensions.model).$extends(furtherExtensions.client))
    const name = await insertCounter(database.base)
    const read = () => extended.counter.findUnique({ where: { name }, cache: "k" })
    await answerTo(read)
    await extended.$transaction(async (tx) => {
      await tx.counter.update({ where: { name }, data: { value: 2 }, uncache: "k" })
      expect(await statusOf(read)).toBe("hit")
    })
    expect(await read()).toMatchObject({ value: 2 })
  })

  it("and another one, everything goes on", async () => {
    const { prisma } = make()
    const extended = prisma.$extends(furtherExtensions.client).$extends(furtherExtensions.model).$extends({})
    expect([extended.$hello(), extended.counter.hello()]).toEqual(["hello", "hello"])
    await missThenHit(database.sql, () =>
      asCached(extended)
        .user.findUnique({ where: { id: 1 } })
        .posts({ cache: true })
    )
    expect(extended.$cache.stats()).toMatchObject({ hits: 1, misses: 1 })
    const told = await extended.$transaction(async (tx) => [
      tx.counter.hello(),
      await statusOf(() => asCached(tx).user.findMany({ cache: true }))
    ])
    expect(told).toEqual(["hello", "bypass"])
  })

  it("that is a function, its client is the one that is extended", async () => {
    const { prisma } = make()
    const extended = asCached(prisma.$extends((client) => client.$extends({ client: { $inner: () => "inner" } })))
    expect((extended as unknown as { $inner: () => string }).$inner()).toBe("inner")
    expect(await statusOf(() => extended.user.findMany({ cache: true }))).toBe("miss")
    expect(await statusOf(() => extended.user.findMany({ cache: true }))).toBe("hit")
  })
})

onEveryStore(database, "methods of other extensions", (make) => {
  const named = {
    model: {
      $allModels: {
        // As Prisma's documentation has it: `this` is the model it was called on.
        async exists<T>(this: T, where: object): Promise<boolean> {
          const context = Prisma.getExtensionContext(this) as unknown as {
            count: (args: object) => Promise<number>
            $name: string
          }
          expect(context.$name).toBe("Counter")
          return (await context.count({ where, cache: "exists" })) > 0
        }
      }
    },
    client: {
      async $countOf<T>(this: T, name: string): Promise<unknown> {
        const context = Prisma.getExtensionContext(this) as unknown as CachedClient
        return context.$transaction(async (tx) => tx.counter.count({ where: { name }, cache: true }))
      }
    }
  }

  it.each([
    ["after", true],
    ["before", false]
  ])("added %s the cache read through it", async (_, after) => {
    const name = await insertCounter(database.base)
    const prisma = after
      ? make().prisma.$extends(named)
      : make({}, database.base.$extends(named) as unknown as typeof database.base).prisma
    const { $countOf, counter } = prisma as unknown as {
      $countOf: (name: string) => Promise<number>
      counter: { exists: (where: object) => Promise<boolean> }
    }
    expect(await $countOf.call(prisma, name)).toBe(1)
    if (!after) return
    expect(await counter.exists({ name })).toBe(true)
    database.sql.reset()
    expect(await counter.exists({ name: "nobody" })).toBe(true)
    expect(database.sql.count()).toBe(0)
  })
})

onMemory(database, "other extensions", (make) => {
  it("added before the cache see the queries that somebody made, and no other", async () => {
    const seen: Array<object> = []
    const watching = database.base.$extends({
      query: {
        $allModels: {
          $allOperations: ({ args, operation, query }) => {
            seen.push({ operation, args })
            if (operation !== "findUnique") throw new Error("there is no tenant yet")
            return query(args)
          }
        }
      }
    })
    const { prisma } = make({}, watching as unknown as typeof database.base)
    const read = () => prisma.user.findUnique({ where: { id: 1 }, cache: true })
    const [miss, hit] = await missThenHit(database.sql, read)
    expect(hit?.balance).toEqual(miss?.balance)
    expect(hit?.balance).toBeInstanceOf(Prisma.Decimal)
    expect(seen.length).toBeGreaterThan(1)
    expect(new Set(seen.map((query) => (query as { operation: string }).operation))).toEqual(new Set(["findUnique"]))
  })

  it.each([
    ["after", true],
    ["before", false]
  ])("that put an operation in the place of Prisma's own %s the cache have it as it is", async (_, after) => {
    const replacing = {
      model: {
        counter: {
          findMany: async (args: object) => ["replaced", args],
          count: () => 42,
          update: () => undefined
        }
      }
    }
    const extended = after
      ? make().prisma.$extends(replacing)
      : make({}, database.base.$extends(replacing) as unknown as typeof database.base).prisma
    const counter = extended.counter as unknown as Record<string, (args?: object) => unknown>
    expect(await counter["findMany"]!({ cache: true })).toEqual(["replaced", { cache: true }])
    expect([counter["count"]!(), counter["update"]!({})]).toEqual([42, undefined])
    const prisma = asCached(extended)
    expect(await statusOf(() => prisma.counter.findFirst({ cache: true }))).toBe("miss")
    expect(await statusOf(() => prisma.user.findMany({ cache: true }))).toBe("miss")
    expect(await prisma.$transaction(async (tx) => (tx.counter as unknown as typeof counter)["count"]!())).toBe(42)
  })
})

onMemory(database, "an extension that was added after the cache and changes queries", (make) => {
  const filter = (name?: string) => ({ ...(name === undefined ? {} : { name }), query: { counter: {} } })

  it("is warned of once, by name", async () => {
    const log = vi.spyOn(console, "log").mockImplementation(() => {})
    const { events, prisma } = make()
    prisma.$extends(filter("tenant filter")).$extends(filter("audit"))
    prisma.$extends(filter("tenant filter"))
    prisma.$extends(filter())
    prisma.$extends({ name: "harmless", model: { counter: {} }, client: {}, result: { counter: {} } })
    const messages = events.flatMap((event) => (event._tag === "Warning" ? [event.message] : []))
    const printed = log.mock.calls.map((line) => line.join(" "))
    log.mockRestore()
    expect(messages).toHaveLength(3)
    expect(messages[0]).toMatch(/"tenant filter".*after the cache/)
    expect(messages[1]).toMatch(/"audit".*after the cache/)
    expect(messages[2]).toMatch(/without a name.*after the cache/)
    expect(printed).toHaveLength(3)
    expect(printed[0]).toContain("tenant filter")
  })

  it("leaves the reads of its client uncached, and those of the others as they were", async () => {
    const log = vi.spyOn(console, "log").mockImplementation(() => {})
    const { prisma } = make()
    const filtered = asCached(
      prisma.$extends({
        query: { team: { findMany: ({ args, query }) => query({ ...args, where: { tenant: "none" } }) } }
      })
    )
    log.mockRestore()
    const teams = { include: { memberships: true }, cache: true } as const
    expect(await statusOf(() => prisma.team.findMany(teams))).toBe("miss")
    for (let time = 0; time < 2; time++) {
      expect(await answerTo(() => filtered.team.findMany(teams))).toMatchObject({
        data: [],
        info: { status: "bypass" }
      })
      expect(await statusOf(() => filtered.user.findMany({ cache: "k" }))).toBe("bypass")
      expect(await answerTo(() => prisma.team.findMany(teams))).toMatchObject({
        data: [{ slug: "core" }],
        info: { status: "hit" }
      })
    }
  })

  it.each([
    ["who says with `varyBy` what answers depend on", { varyBy: () => "tenant" }],
    ["who says that it can be trusted", { trustLaterExtensions: true }]
  ])("is no news to %s", async (_, options) => {
    const { events, prisma } = make(options)
    const extended = asCached(prisma.$extends(filter("tenant filter")))
    expect(events).toEqual([])
    await missThenHit(database.sql, () => extended.user.findMany({ cache: true }))
  })

  it("is no news where it was added before the cache", () => {
    const { events } = make({}, database.base.$extends(filter("early")) as unknown as typeof database.base)
    expect(events).toEqual([])
  })
})

onEveryStore(database, "computed fields that need columns nobody selected", (make) => {
  const extension = {
    name: "label",
    result: {
      counter: {
        label: {
          needs: { name: true, value: true },
          compute: (row: { name: string; value: number }) => `${row.name}=${row.value}`
        }
      }
    }
  }

  it("have them, and clients without such fields never get them, whoever asked first", async () => {
    for (const order of ["with first", "without first"]) {
      const { prisma } = make()
      const computing = prisma.$extends(extension)
      const name = await insertCounter(database.base)
      const args = { where: { name }, select: { value: true } }
      const withLabel = async (cache: boolean | string) => {
        const row = await computing.counter.findUnique({ ...args, select: { value: true, label: true }, cache })
        expect(row?.label).toBe(`${name}=1`)
        expect(Object.keys(row ?? {}).sort()).toEqual(["label", "value"])
      }
      const without = async (cache: boolean | string) =>
        expect(exactly(await prisma.counter.findUnique({ ...args, cache }))).toBe(exactly({ value: 1 }))
      for (const cache of [true, "k"]) {
        for (const read of order === "with first" ? [withLabel, without, withLabel] : [without, withLabel, without])
          await read(cache)
      }
    }
  })

  it("have them where a read omits them, and whoever omits them gets none of them", async () => {
    for (const order of [0, 1]) {
      const { prisma } = make()
      const computing = prisma.$extends(extension)
      const name = await insertCounter(database.base)
      const args = { where: { name }, omit: { name: true } } as const
      const reads = [
        async () => expect((await computing.counter.findUnique({ ...args, cache: "k" }))?.label).toBe(`${name}=1`),
        async () =>
          expect(exactly(await prisma.counter.findUnique({ ...args, cache: "k" }))).toBe(exactly({ value: 1 })),
        async () => expect((await computing.counter.findUnique({ ...args, cache: true }))?.label).toBe(`${name}=1`),
        async () =>
          expect(exactly(await prisma.counter.findUnique({ ...args, cache: true }))).toBe(exactly({ value: 1 }))
      ]
      for (const read of order === 0 ? [...reads, ...reads] : [...reads, ...reads].reverse()) await read()
    }
  })

  it("of one name that need different columns are told apart", async () => {
    const { prisma } = make()
    const labelling = (needs: object) =>
      asCached(
        prisma.$extends({
          result: { counter: { label: { needs, compute: (row: object) => Object.keys(row).join() } } }
        } as never)
      )
    const read = async (client: CachedClient) => {
      const args = { where: { name }, select: { label: true } }
      const row = (await untyped(client)["counter"]!["findUnique"]!({ ...args, cache: true })) as {
        readonly label: string
      }
      return row.label
    }
    const name = await insertCounter(database.base)
    const [byName, byValue] = [labelling({ name: true }), labelling({ value: true })]
    for (let time = 0; time < 2; time++) {
      expect([await read(byName), await read(byValue)]).toEqual(["name", "value"])
    }
  })

  it("and the whole row is the same for both, each time", async () => {
    const { prisma } = make()
    const computing = prisma.$extends(extension)
    const name = await insertCounter(database.base)
    for (let time = 0; time < 2; time++) {
      expect(Object.keys((await computing.counter.findUnique({ where: { name }, cache: true })) ?? {})).toEqual([
        "name",
        "value",
        "label"
      ])
      expect(Object.keys((await prisma.counter.findUnique({ where: { name }, cache: true })) ?? {})).toEqual([
        "name",
        "value"
      ])
    }
    database.sql.reset()
    expect((await computing.counter.findMany({ where: { name }, cache: true }))[0]?.label).toBe(`${name}=1`)
    expect((await answerTo(() => computing.counter.findMany({ where: { name }, cache: true }))).data[0]?.label).toBe(
      `${name}=1`
    )
    expect(database.sql.count()).toBe(1)
  })
})
