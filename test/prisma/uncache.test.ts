import { expect, it } from "vitest"
import { uniqueName } from "../support/servers.js"
import { insertCounter, setCounter, writeNames, writesOf } from "./counters.js"
import { answerTo, between, makeGate, onEveryStore, statusOf, untyped, useDatabase } from "./support.js"
import type { CachedClient, Gate } from "./support.js"

const database = useDatabase()

const forms: ReadonlyArray<readonly [string, unknown]> = [
  ["a key", "k"],
  ["keys", ["other", "k"]],
  ["a key in a namespace", { key: "k", namespace: "n" }],
  ["keys of both kinds", ["k", { key: "k", namespace: "n" }]],
  ["a function that answers a key", () => "k"],
  ["a function that answers keys", () => [{ key: "k", namespace: "n" }, "other"]]
]

onEveryStore(database, "uncache", (make) => {
  it.each(writeNames)("makes keys invalid, in each of its forms: %s", async (operation) => {
    const { prisma } = make()
    for (const [form, uncache] of forms) {
      const name = await insertCounter(database.base)
      // A function is text only after it is called.
      const text = JSON.stringify(typeof uncache === "function" ? uncache() : uncache)
      const here = () => prisma.counter.count({ where: { name }, cache: "k" })
      const there = () => prisma.counter.count({ where: { name }, cache: { key: "k", namespace: "n" } })
      await prisma.$cache.invalidateAll()
      await answerTo(here)
      await answerTo(there)
      expect([await statusOf(here), await statusOf(there)]).toEqual(["hit", "hit"])
      await untyped(prisma)["counter"]![operation]!({ ...Object.fromEntries(writesOf(name))[operation], uncache })
      expect(await statusOf(here), form).toBe(/(^|\[|,)"k"/.test(text) ? "miss" : "hit")
      expect(await statusOf(there), form).toBe(text.includes("namespace") ? "miss" : "hit")
    }
  })

  it("gives a function the result of the write", async () => {
    const { prisma } = make()
    const name = await insertCounter(database.base)
    const read = () => prisma.counter.count({ where: { name }, cache: `${name}:2` })
    await answerTo(read)
    const results: Array<unknown> = []
    await prisma.counter.update({
      where: { name },
      data: { value: 2 },
      uncache: (counter) => {
        results.push(counter)
        return [`${counter.name}:${counter.value}`]
      }
    })
    expect(await statusOf(read)).toBe("miss")
    await prisma.counter.deleteMany({ where: { name }, uncache: (batch) => (results.push(batch), []) })
    expect(results).toEqual([{ name, value: 2 }, { count: 1 }])
  })

  it("stands beside a key of the write's own", async () => {
    const { prisma } = make()
    const name = await insertCounter(database.base)
    const count = () => prisma.counter.count({ where: { name }, cache: "count" })
    await answerTo(count)
    await prisma.counter.update({
      where: { name },
      data: { value: 5 },
      cache: { key: () => "row" },
      uncache: () => ["count"]
    })
    expect(await statusOf(count)).toBe("miss")
    expect(await answerTo(() => prisma.counter.findUnique({ where: { name }, cache: "row" }))).toMatchObject({
      data: { value: 5 },
      info: { status: "hit" }
    })
  })

  it("leaves everything as it is when the write did not take place", async () => {
    const { prisma } = make()
    const name = await insertCounter(database.base)
    const read = () => prisma.counter.count({ where: { name }, cache: "k" })
    await answerTo(read)
    await expect(prisma.counter.create({ data: { name }, uncache: "k" })).rejects.toMatchObject({ code: "P2002" })
    await expect(prisma.counter.update({ where: { name: "nobody" }, data: {}, cache: "k" })).rejects.toMatchObject({
      code: "P2025"
    })
    await expect(
      prisma.counter.update({ where: { name }, data: { value: "one" as never }, uncache: "k" })
    ).rejects.toThrow(/value/)
    expect(await statusOf(read)).toBe("hit")
  })

  it("takes place when nobody knows whether the write did", async () => {
    const { prisma } = make({ varyBy: () => null })
    const name = await insertCounter(database.base)
    const read = () => prisma.counter.findUnique({ where: { name }, cache: "k" })
    await answerTo(read)
    const lossy = prisma.$extends(
      between(async ({ operation }, run) => {
        const result = await run()
        if (operation === "update") throw new Error("the connection broke before the answer came")
        return result
      })
    )
    await expect(lossy.counter.update({ where: { name }, data: { value: 2 }, uncache: "k" })).rejects.toThrow(
      "the connection broke"
    )
    expect(await read()).toEqual({ name, value: 2 })
  })

  it("by a function that throws makes the whole namespace invalid: what it would have said nobody knows", async () => {
    const { events, prisma } = make()
    const name = await insertCounter(database.base)
    const read = () => prisma.counter.count({ where: { name }, cache: true })
    const wrong: ReadonlyArray<() => never> = [
      () => {
        throw new TypeError(name)
      },
      () => 42 as never,
      () => [{ key: name, typo: true }] as never
    ]
    for (const uncache of wrong) {
      await answerTo(read)
      expect(await prisma.counter.update({ where: { name }, data: { value: 2 }, uncache })).toEqual({ name, value: 2 })
      expect(await statusOf(read)).toBe("miss")
    }
    expect(events).toContainEqual({ _tag: "Warning", message: expect.stringContaining("Counter.update") })
    expect(JSON.stringify(events)).not.toContain(name)
  })
})

onEveryStore(database, "uncache takes effect after the write and never before", (make) => {
  const holdUpdates = (prisma: CachedClient, when: "before" | "after") => {
    const gate = makeGate()
    const held = prisma.$extends(
      between(async ({ operation }, run) => {
        if (operation !== "update") return run()
        if (when === "before") await gate.pass()
        const result = await run()
        if (when === "after") await gate.pass()
        return result
      })
    )
    return { gate, held }
  }

  it("whoever reads while the write is on its way does not keep the old row in the cache", async () => {
    const { prisma } = make({ varyBy: () => null })
    const name = await insertCounter(database.base)
    const read = () => prisma.counter.findUnique({ where: { name }, cache: "k" })
    await answerTo(read)
    const { gate, held } = holdUpdates(prisma, "before")
    const written = held.counter.update({ where: { name }, data: { value: 2 }, uncache: "k" }).then(() => "written")
    await gate.reached
    expect(await answerTo(read)).toMatchObject({ data: { value: 1 }, info: { status: "hit" } })
    await prisma.$cache.invalidate({ keys: ["k"] })
    expect(await answerTo(read)).toMatchObject({ data: { value: 1 }, info: { status: "miss" } })
    gate.open()
    expect(await written).toBe("written")
    expect(await read()).toEqual({ name, value: 2 })
  })

  it("a slow reader that saw the old row does not put it back afterwards", async () => {
    const { prisma } = make({ varyBy: () => null })
    const name = await insertCounter(database.base)
    let gate: Gate | undefined
    const reader = prisma.$extends(
      between(async ({ operation }, run) => {
        const result = await run()
        if (operation === "findUnique") await gate?.pass()
        return result
      })
    )
    for (const cache of ["k", { key: () => "k" }]) {
      gate = makeGate()
      await setCounter(database.base, name, 1)
      const late = reader.counter.findUnique({
        where: { name },
        cache: { ...(typeof cache === "string" ? { key: cache } : cache), refresh: true }
      })
      const seen = late.then((row) => row?.value)
      await gate.reached
      await prisma.counter.update({ where: { name }, data: { value: 2 }, uncache: "k" })
      gate.open()
      expect(await seen).toBe(1)
      expect(await reader.counter.findUnique({ where: { name }, cache: "k" })).toEqual({ name, value: 2 })
    }
  })

  it("a read that starts when the write is done never sees what was before, however many there are", async () => {
    const { prisma } = make()
    const name = await insertCounter(database.base)
    for (let value = 2; value < 22; value++) {
      const early = Array.from({ length: 3 }, () =>
        prisma.counter.findUnique({ where: { name }, cache: "k" }).then((row) => row?.value)
      )
      await prisma.counter.update({ where: { name }, data: { value }, uncache: "k" })
      const late = await Promise.all(
        Array.from({ length: 3 }, () => prisma.counter.findUnique({ where: { name }, cache: "k" }))
      )
      expect(late.map((row) => row?.value)).toEqual([value, value, value])
      for (const seen of await Promise.all(early)) expect([value - 1, value, 1]).toContain(seen)
    }
  })
})

onEveryStore(database, "$cache.invalidate", (make) => {
  it("drops what carries a tag or a key, and nothing else", async () => {
    const { prisma } = make()
    const [one, two, three] = await Promise.all([1, 2, 3].map(() => insertCounter(database.base)))
    const reads = [
      () => prisma.counter.findUnique({ where: { name: one as string }, cache: { ttl: 60_000, tags: ["odd", "all"] } }),
      () => prisma.counter.findUnique({ where: { name: two as string }, cache: { key: "two", tags: ["even", "all"] } }),
      () => prisma.counter.findUnique({ where: { name: three as string }, cache: { key: "three", namespace: "n" } })
    ] as const
    const statuses = async () => {
      const seen: Array<string> = []
      for (const read of reads) seen.push(await statusOf(read))
      return seen
    }
    expect(await statuses()).toEqual(["miss", "miss", "miss"])
    await prisma.$cache.invalidate({ tags: ["odd"] })
    expect(await statuses()).toEqual(["miss", "hit", "hit"])
    await prisma.$cache.invalidate({ tags: ["all"] })
    expect(await statuses()).toEqual(["miss", "miss", "hit"])
    await prisma.$cache.invalidate({ keys: ["two", { key: "three", namespace: "n" }] })
    expect(await statuses()).toEqual(["hit", "miss", "miss"])
    await prisma.$cache.invalidate({ keys: [uniqueName("nobody's")], tags: [] })
    expect(await statuses()).toEqual(["hit", "hit", "hit"])
    await prisma.$cache.invalidateAll({ namespace: "n" })
    expect(await statuses()).toEqual(["hit", "hit", "miss"])
    await prisma.$cache.invalidateAll()
    expect(await statuses()).toEqual(["miss", "miss", "miss"])
  })
})
