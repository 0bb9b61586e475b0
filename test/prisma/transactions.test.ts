import { PrismaPg } from "@prisma/adapter-pg"
import { expect, it, onTestFinished } from "vitest"
import { insertCounter, readsOf, setCounter, writeNames, writesOf } from "./counters.js"
import { PrismaClient } from "./generated/client/client.js"
import { answerTo, between, makeGate, onEveryStore, statusOf, untyped, useDatabase } from "./support.js"
import type { BaseClient, CachedClient } from "./support.js"

const database = useDatabase()

const valueOf = (client: Pick<CachedClient, "counter">, name: string) => async () =>
  (await client.counter.findUnique({ where: { name }, cache: "k" }))?.value

const abort = new Error("the application thought better of it")

onEveryStore(database, "inside an interactive transaction", (make) => {
  it("nothing is read from the cache, whichever read it is", async () => {
    const { prisma } = make({ defaults: { ttl: "1 minute" } })
    const name = await insertCounter(database.base)
    for (const [operation, args] of readsOf(name)) {
      const cached = { ...args, cache: true }
      await answerTo(() => untyped(prisma)["counter"]![operation]!(cached))
      database.sql.reset()
      const statuses = await prisma.$transaction(async (tx) => {
        const counters = untyped(tx)["counter"]!
        return [await statusOf(() => counters[operation]!(cached)), await statusOf(() => counters[operation]!(args))]
      })
      expect([operation, ...statuses, database.sql.count()]).toEqual([operation, "bypass", "bypass", 2])
    }
  })

  it("nothing is put into the cache: after a rollback nobody sees what never was", async () => {
    const { prisma } = make()
    const name = await insertCounter(database.base)
    const aborted = prisma.$transaction(async (tx) => {
      await tx.counter.update({ where: { name }, data: { value: 2 }, cache: "k" })
      expect(await valueOf(tx, name)()).toBe(2)
      expect(await tx.counter.findMany({ where: { name }, cache: true })).toEqual([{ name, value: 2 }])
      throw abort
    })
    await expect(aborted).rejects.toBe(abort)
    expect(await prisma.counter.findMany({ where: { name }, cache: true })).toEqual([{ name, value: 1 }])
    expect(await answerTo(() => prisma.counter.findUnique({ where: { name }, cache: "k" }))).toMatchObject({
      data: { value: 1 },
      info: { status: "miss" }
    })
    expect(prisma.$cache.stats().fills).toBeLessThanOrEqual(2)
  })

  it("its own writes are seen, whatever the cache holds", async () => {
    const { prisma } = make()
    const name = await insertCounter(database.base)
    await answerTo(() => prisma.counter.findUnique({ where: { name }, cache: "k" }))
    const seen = await prisma.$transaction(async (tx) => {
      await tx.counter.update({ where: { name }, data: { value: 2 } })
      return valueOf(tx, name)()
    })
    expect(seen).toBe(2)
  })

  it("its answers and errors are its own, and reach whoever started it", async () => {
    const { prisma } = make()
    expect(await prisma.$transaction(async () => 42)).toBe(42)
    expect(
      await prisma.$transaction(async (tx) => tx.counter.count({ where: { name: "nobody" }, cache: true }), {
        isolationLevel: "Serializable"
      })
    ).toBe(0)
    await expect(
      prisma.$transaction(async (tx) => tx.counter.findUniqueOrThrow({ where: { name: "nobody" }, cache: true }))
    ).rejects.toMatchObject({ code: "P2025" })
  })
})

onEveryStore(database, "what an interactive transaction makes invalid", (make) => {
  it.each(writeNames)("becomes so when it commits, and not before: %s", async (operation) => {
    const { prisma } = make()
    const forms: ReadonlyArray<object> = [
      { uncache: "k" },
      { uncache: () => ["k"] },
      { uncache: { key: "k" } },
      { cache: "k" },
      { cache: { key: () => "k" } }
    ]
    for (const form of forms) {
      const name = await insertCounter(database.base)
      const read = () => prisma.counter.count({ where: { name: "nobody" }, cache: "k" })
      await answerTo(read)
      await prisma.$transaction(async (tx) => {
        await untyped(tx)["counter"]![operation]!({ ...Object.fromEntries(writesOf(name))[operation], ...form })
        expect(await statusOf(read)).toBe("hit")
      })
      expect([form, await statusOf(read)]).toEqual([form, "miss"])
    }
  })

  it("stays valid when it is rolled back", async () => {
    const { prisma } = make()
    const name = await insertCounter(database.base)
    await answerTo(() => prisma.counter.findUnique({ where: { name }, cache: "k" }))
    const bodies: ReadonlyArray<(tx: Pick<CachedClient, "counter">) => Promise<unknown>> = [
      async (tx) => {
        await tx.counter.update({ where: { name }, data: { value: 2 }, uncache: "k" })
        throw abort
      },
      async (tx) => {
        await tx.counter.update({ where: { name }, data: { value: 2 }, uncache: () => "k" })
        await tx.counter.create({ data: { name } })
      }
    ]
    for (const body of bodies) {
      await expect(prisma.$transaction(body)).rejects.toThrow()
      expect(await answerTo(() => prisma.counter.findUnique({ where: { name }, cache: "k" }))).toMatchObject({
        data: { value: 1 },
        info: { status: "hit" }
      })
    }
  })

  it("becomes so when the answer to the commit was lost, for the commit may not be", async () => {
    const adapter = new PrismaPg({ connectionString: database.url })
    const connect = adapter.connect.bind(adapter)
    adapter.connect = async () => {
      const connection = await connect()
      const start = connection.startTransaction.bind(connection)
      connection.startTransaction = async (...args) => {
        const transaction = await start(...args)
        const commit = transaction.commit.bind(transaction)
        transaction.commit = async () => {
          await commit()
          throw new Error("the connection broke")
        }
        return transaction
      }
      return connection
    }
    const lossy = new PrismaClient({ adapter })
    onTestFinished(() => lossy.$disconnect())
    const { prisma } = make({}, lossy as BaseClient)
    const name = await insertCounter(database.base)
    const read = valueOf(prisma, name)
    expect(await read()).toBe(1)
    await expect(
      prisma.$transaction((tx) => tx.counter.update({ where: { name }, data: { value: 2 }, uncache: "k" }))
    ).rejects.toThrow()
    expect(await read()).toBe(2)
  })

  it("is the whole namespace when a function that names it throws", async () => {
    const { prisma } = make()
    const name = await insertCounter(database.base)
    const read = () => prisma.counter.count({ where: { name }, cache: true })
    const failing = () => {
      throw new TypeError("no name")
    }
    for (const form of [{ uncache: failing }, { cache: { key: failing } }, { cache: { key: () => "" } }]) {
      await answerTo(read)
      await prisma.$transaction(async (tx) => {
        await tx.counter.update({ where: { name }, data: { value: 2 }, ...form })
        expect(await statusOf(read)).toBe("hit")
      })
      expect(await statusOf(read)).toBe("miss")
    }
  })

  it("belongs to the outermost transaction, where one stands in another", async () => {
    const { prisma } = make()
    const [kept, undone] = [await insertCounter(database.base), await insertCounter(database.base)]
    const read = () => prisma.counter.count({ where: { name: kept }, cache: "k" })
    await answerTo(read)
    await prisma.$transaction(async (outer) => {
      // Prisma has savepoints since 7.5; its type for a transaction's client has not heard of them everywhere.
      const { $transaction } = outer as unknown as CachedClient
      await $transaction.call(outer as unknown as CachedClient, async (inner) => {
        await inner.counter.update({ where: { name: kept }, data: { value: 2 }, uncache: "k" })
        expect(await statusOf(() => inner.counter.findUnique({ where: { name: kept }, cache: true }))).toBe("bypass")
      })
      expect(await statusOf(read)).toBe("hit")
      const innerFailure = $transaction.call(outer as unknown as CachedClient, async (inner) => {
        await inner.counter.update({ where: { name: undone }, data: { value: 2 }, uncache: "other" })
        throw abort
      })
      await expect(innerFailure).rejects.toBe(abort)
      expect(await outer.counter.findUnique({ where: { name: undone }, cache: true })).toMatchObject({ value: 1 })
      expect(await statusOf(read)).toBe("hit")
    })
    expect(await statusOf(read)).toBe("miss")
    expect(await database.base.counter.findUnique({ where: { name: kept } })).toMatchObject({ value: 2 })
  })

  it("is that of its own, however many are open at once", async () => {
    const { prisma } = make()
    const names = await Promise.all(Array.from({ length: 4 }, () => insertCounter(database.base)))
    const reads = names.map((name) => () => prisma.counter.count({ where: { name }, cache: name }))
    for (const read of reads) await answerTo(read)
    await Promise.all(
      names.map((name, i) =>
        prisma
          .$transaction(async (tx) => {
            await tx.counter.update({ where: { name }, data: { value: 2 }, uncache: name })
            if (i % 2 === 1) throw abort
          })
          .catch(() => {})
      )
    )
    const statuses: Array<string> = []
    for (const read of reads) statuses.push(await statusOf(read))
    expect(statuses).toEqual(["miss", "hit", "miss", "hit"])
  })
})

onEveryStore(database, "a shared query", (make) => {
  it("is never shared between inside and outside a transaction", async () => {
    const { prisma } = make({ varyBy: () => null })
    const name = await insertCounter(database.base)
    const gate = makeGate()
    let first = true
    const held = prisma.$extends(
      between(async ({ operation }, run) => {
        const mine = first && operation === "findUnique"
        if (mine) first = false
        const result = await run()
        if (mine) await gate.pass()
        return result
      })
    )
    const read = (client: Pick<CachedClient, "counter">) => client.counter.findUnique({ where: { name }, cache: true })
    const typed = held as unknown as CachedClient

    const outside = read(typed).then((row) => row?.value)
    await gate.reached
    // The one outside is under way and held: the one inside has an answer of its own all the same.
    const inside = await typed.$transaction(async (tx) => {
      await tx.counter.update({ where: { name }, data: { value: 2 } })
      return (await read(tx))?.value
    })
    expect(inside).toBe(2)
    gate.open()
    expect(await outside).toBe(1)
  })

  it("is never shared the other way round: nobody outside is given what is not committed", async () => {
    const { prisma } = make({ varyBy: () => null })
    const name = await insertCounter(database.base)
    const aborted = prisma.$transaction(async (tx) => {
      await tx.counter.update({ where: { name }, data: { value: 2 } })
      const inside = tx.counter.findMany({ where: { name }, cache: true }).then((rows) => rows)
      const outside = prisma.counter.findMany({ where: { name }, cache: true }).then((rows) => rows)
      expect(await inside).toEqual([{ name, value: 2 }])
      expect(await outside).toEqual([{ name, value: 1 }])
      throw abort
    })
    await expect(aborted).rejects.toBe(abort)
    await setCounter(database.base, name, 1)
    expect(await prisma.counter.findMany({ where: { name }, cache: true })).toEqual([{ name, value: 1 }])
  })
})
