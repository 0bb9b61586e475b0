import { describe, expect, it } from "vitest"
import { Prisma } from "./generated/client/client.js"
import { insertCounter, setCounter } from "./counters.js"
import { insertPeople } from "./rows.js"
import { answerTo, between, makeGate, onEveryStore, statusOf, useDatabase } from "./support.js"

const database = useDatabase(async (base) => {
  await insertPeople(base)
  await base.tag.createMany({ data: Array.from({ length: 60 }, (_, i) => ({ id: 100 + i, name: `tag ${i}` })) })
})

const times = <A>(count: number, body: (i: number) => A): Array<A> => Array.from({ length: count }, (_, i) => body(i))

onEveryStore(database, "one query for many callers", (make, store) => {
  // A server's replies to a burst may come in more than one packet.
  const statements = store === "memory" ? 1 : 3

  it("50 at once who ask for the same row cause one statement", async () => {
    const { prisma } = make()
    database.sql.reset()
    const rows = await Promise.all(times(50, () => prisma.user.findUnique({ where: { id: 1 }, cache: true })))
    expect(database.sql.count()).toBe(1)
    expect(new Set(rows.map((row) => row?.email))).toEqual(new Set(["ada@example.com"]))
  })

  it("1,000 at once who ask for the same rows cause one statement, and one fill", async () => {
    const { prisma } = make()
    database.sql.reset()
    const answers = await Promise.all(times(1_000, () => prisma.counter.findMany({ cache: true }).withCacheInfo()))
    expect(database.sql.count()).toBe(1)
    const statuses = answers.map(({ info }) => info.status)
    expect(statuses.filter((status) => status === "miss")).toHaveLength(1)
    // Whoever looks late on a busy machine may find the answer stored.
    expect(statuses.filter((status) => status === "joined" || status === "hit")).toHaveLength(999)
    expect(await statusOf(() => prisma.counter.findMany({ cache: true }))).toBe("hit")
    expect(prisma.$cache.stats()).toMatchObject({ misses: 1, fills: 1 })
  })

  it("50 at once who ask for a row each cause one statement: Prisma's own batching is left whole", async () => {
    const { prisma } = make()
    database.sql.reset()
    const rows = await Promise.all(times(50, (i) => prisma.tag.findUnique({ where: { id: 100 + i }, cache: true })))
    expect(database.sql.count()).toBeLessThanOrEqual(statements)
    expect(rows.map((row) => row?.name)).toEqual(times(50, (i) => `tag ${i}`))
    database.sql.reset()
    await Promise.all(times(50, (i) => prisma.tag.findUnique({ where: { id: 100 + i }, cache: true })))
    expect(database.sql.count()).toBe(0)
  })

  it("also where half of the rows are in the cache already", async () => {
    const { prisma } = make()
    for (let i = 0; i < 50; i += 10)
      await answerTo(() => prisma.tag.findUnique({ where: { id: 100 + i }, cache: true }))
    database.sql.reset()
    await Promise.all(times(50, (i) => prisma.tag.findUnique({ where: { id: 100 + i }, cache: true })))
    expect(database.sql.count()).toBeGreaterThan(0)
    expect(database.sql.count()).toBeLessThanOrEqual(statements)
  })

  it("callers who ask on different clients of one extension share a query", async () => {
    const { prisma } = make()
    const extended = prisma.$extends({ name: "nothing", model: { counter: { nothing: () => 0 } } })
    database.sql.reset()
    await Promise.all(times(10, (i) => (i % 2 === 0 ? prisma : extended).counter.findMany({ take: 3, cache: true })))
    expect(database.sql.count()).toBe(1)
  })

  it("callers of two extensions, as in two processes, share a query too, where they share a store", async () => {
    const one = make()
    const other = make(one.options)
    await Promise.all([one, other].map(({ prisma }) => prisma.counter.count({ cache: true })))
    database.sql.reset()
    await Promise.all(times(20, (i) => (i % 2 === 0 ? one : other).prisma.counter.findMany({ take: 5, cache: true })))
    expect(database.sql.count()).toBe(1)
  })

  it("callers who ask while the cache is off cause a statement each", async () => {
    const { prisma } = make()
    database.sql.reset()
    await Promise.all(times(5, () => prisma.counter.findMany({ cache: false })))
    await Promise.all(times(5, () => prisma.counter.findMany({ cache: { bypass: true } })))
    expect(database.sql.count()).toBe(10)
  })

  it("a caller who comes after a write does not join those who came before it", async () => {
    const { prisma } = make({ varyBy: () => null })
    const name = await insertCounter(database.base)
    const gate = makeGate()
    let held = true
    const slow = prisma.$extends(
      between(async ({ operation }, run) => {
        const result = await run()
        if (operation === "findUnique" && held) {
          held = false
          await gate.pass()
        }
        return result
      })
    )
    const early = slow.counter.findUnique({ where: { name }, cache: "k" }).then((row) => row?.value)
    await gate.reached
    await slow.counter.update({ where: { name }, data: { value: 2 }, uncache: "k" })
    const late = await slow.counter.findUnique({ where: { name }, cache: "k" })
    expect(late?.value).toBe(2)
    gate.open()
    expect(await early).toBe(1)
    expect((await slow.counter.findUnique({ where: { name }, cache: "k" }))?.value).toBe(2)
  })
})

onEveryStore(database, "an error of the database", (make) => {
  it("reaches every caller as Prisma threw it, from one statement", async () => {
    const { prisma } = make()
    database.sql.reset()
    const errors = await Promise.all(
      times(20, () =>
        prisma.user.findUniqueOrThrow({ where: { id: 404 }, cache: true }).then(
          () => "a row",
          (error: unknown) => error
        )
      )
    )
    expect(database.sql.count()).toBe(1)
    for (const error of errors) {
      expect(error).toBeInstanceOf(Prisma.PrismaClientKnownRequestError)
      expect(error).toMatchObject({ code: "P2025", meta: { modelName: "User" } })
    }
  })

  it("is not remembered: the next caller asks again, and gets the row that is there by then", async () => {
    const { prisma } = make()
    const name = await insertCounter(database.base)
    await database.base.counter.delete({ where: { name } })
    const read = () => prisma.counter.findUniqueOrThrow({ where: { name }, cache: true })
    database.sql.reset()
    await expect(read()).rejects.toMatchObject({ code: "P2025" })
    await expect(read()).rejects.toMatchObject({ code: "P2025" })
    expect(database.sql.count()).toBe(2)
    await database.base.counter.create({ data: { name, value: 5 } })
    expect(await read()).toEqual({ name, value: 5 })
  })

  it("is thrown for a row that is cached as missing, where a caller wants it thrown", async () => {
    const { prisma } = make()
    for (const cache of [true, "k"]) {
      expect(await prisma.user.findUnique({ where: { id: 404 }, cache })).toBeNull()
      await expect(prisma.user.findUniqueOrThrow({ where: { id: 404 }, cache })).rejects.toMatchObject({
        code: "P2025"
      })
      await expect(prisma.user.findFirstOrThrow({ where: { id: 404 }, cache })).rejects.toMatchObject({ code: "P2025" })
      expect(await statusOf(() => prisma.user.findUnique({ where: { id: 404 }, cache }))).toBe("hit")
    }
  })

  it("is for those who want it thrown alone, also where others ask for the same key at the same time", async () => {
    const { prisma } = make()
    const reads = [
      () => prisma.user.findUnique({ where: { id: 404 }, cache: "k" }),
      () => prisma.user.findUniqueOrThrow({ where: { id: 404 }, cache: "k" }),
      () => prisma.user.findFirstOrThrow({ where: { id: 404 }, cache: "k" }),
      () => prisma.user.findFirst({ where: { id: 404 }, cache: "k" })
    ]
    for (const order of [reads, [...reads].reverse()]) {
      await prisma.$cache.invalidate({ keys: ["k"] })
      const answers = await Promise.all(
        order.map((read) =>
          read().then(
            (row) => row,
            (error: { code: string }) => error.code
          )
        )
      )
      expect(answers).toEqual([null, "P2025", "P2025", null])
    }
  })

  it("is Prisma's for arguments that are wrong, with nothing of the cache in it", async () => {
    const { prisma } = make()
    const wrong = () => prisma.user.findMany({ where: { id: "one" as never }, cache: true })
    await expect(wrong()).rejects.toBeInstanceOf(Prisma.PrismaClientValidationError)
    await expect(wrong().withCacheInfo()).rejects.toBeInstanceOf(Prisma.PrismaClientValidationError)
  })
})

describe("a row that is not there", () => {
  onEveryStore(database, "is an answer like any other", (make) => {
    it("and cached as such", async () => {
      const { prisma } = make()
      const name = await insertCounter(database.base)
      await database.base.counter.delete({ where: { name } })
      const read = () => prisma.counter.findUnique({ where: { name }, cache: "k" })
      expect([await statusOf(read), await statusOf(read)]).toEqual(["miss", "hit"])
      await database.base.counter.create({ data: { name } })
      await setCounter(database.base, name, 3)
      expect(await read()).toBeNull()
      await prisma.$cache.invalidate({ keys: ["k"] })
      expect(await read()).toEqual({ name, value: 3 })
    })
  })
})
