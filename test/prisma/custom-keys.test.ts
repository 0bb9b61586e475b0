import { expect, it } from "vitest"
import { uniqueName } from "../support/servers.js"
import { insertCounter, setCounter, writeNames, writesOf } from "./counters.js"
import { answerTo, between, makeGate, missThenHit, onEveryStore, statusOf, untyped, useDatabase } from "./support.js"

const database = useDatabase()

onEveryStore(database, "a custom key on a read", (make) => {
  it("names rows: another read of the same shape finds them under it, whatever it would have asked for", async () => {
    const { prisma } = make()
    const name = await insertCounter(database.base)
    await missThenHit(database.sql, () => prisma.counter.findUnique({ where: { name }, cache: { key: "the one" } }))
    const other = await answerTo(() => prisma.counter.findFirst({ where: { name: "another" }, cache: "the one" }))
    expect(other).toMatchObject({ data: { name }, info: { status: "hit", key: "the one" } })
  })

  it("names no shape: a count, rows and a selection are kept apart under it, and one uncache drops them all", async () => {
    const { prisma } = make()
    const name = await insertCounter(database.base)
    const reads = [
      () => prisma.counter.findUnique({ where: { name }, cache: "k" }),
      () => prisma.counter.findUnique({ where: { name }, select: { value: true }, cache: "k" }),
      () => prisma.counter.findUnique({ where: { name }, omit: { value: true }, cache: "k" }),
      () => prisma.counter.findMany({ where: { name }, cache: "k" }),
      () => prisma.counter.count({ where: { name }, cache: "k" }),
      () => prisma.counter.aggregate({ where: { name }, _max: { value: true }, cache: "k" }),
      () => prisma.counter.aggregate({ where: { name }, _min: { value: true }, cache: "k" }),
      () => prisma.counter.groupBy({ by: ["name"], where: { name }, cache: "k" })
    ]
    const answers = await Promise.all(
      reads.map(async (read) => {
        const [miss, hit] = [await answerTo<unknown>(read), await answerTo<unknown>(read)]
        expect([miss.info.status, hit.info.status]).toEqual(["miss", "hit"])
        expect(hit.data).toEqual(miss.data)
        return JSON.stringify(hit.data)
      })
    )
    expect(new Set(answers).size).toBe(reads.length)
    await prisma.counter.update({ where: { name }, data: { value: 2 }, uncache: "k" })
    for (const read of reads) expect(await statusOf(read)).toBe("miss")
  })

  it("is told apart by its namespace", async () => {
    const { prisma } = make()
    const name = await insertCounter(database.base)
    const read = (namespace?: string) => () =>
      prisma.counter.findUnique({ where: { name }, cache: { key: "k", namespace } })
    for (const namespace of [undefined, "a", "b"]) expect(await statusOf(read(namespace))).toBe("miss")
    await prisma.counter.update({ where: { name }, data: {}, uncache: { key: "k", namespace: "a" } })
    expect(await statusOf(read("b"))).toBe("hit")
    expect(await statusOf(read())).toBe("hit")
    expect(await statusOf(read("a"))).toBe("miss")
    await prisma.counter.update({ where: { name }, data: {}, uncache: "k" })
    expect(await statusOf(read("a"))).toBe("hit")
    expect(await statusOf(read("b"))).toBe("hit")
    expect(await statusOf(read())).toBe("miss")
  })

  it("may be a function of the result: its name finds the answer, and makes it invalid", async () => {
    const { prisma } = make()
    const name = await insertCounter(database.base)
    const key = (counter: { readonly name: string } | null) => `counter:${counter?.name}`
    for (const namespace of [undefined, "elsewhere"]) {
      const read = () => prisma.counter.findUnique({ where: { name }, cache: { key, namespace } })
      const byName = () => prisma.counter.findUnique({ where: { name }, cache: { key: `counter:${name}`, namespace } })
      await missThenHit(database.sql, read)
      expect(await statusOf(byName)).toBe("hit")
      await prisma.counter.update({
        where: { name },
        data: {},
        uncache: { key: `counter:${name}`, namespace: "nowhere" }
      })
      expect(await statusOf(read)).toBe("hit")
      await prisma.counter.update({ where: { name }, data: {}, uncache: { key: `counter:${name}`, namespace } })
      expect(await statusOf(byName)).toBe("miss")
      expect(await statusOf(read)).toBe("miss")
    }
  })

  it("as a function holds for an answer that was cached without it: its name makes that invalid too", async () => {
    const { prisma } = make()
    const name = await insertCounter(database.base)
    const key = () => `counter:${name}`
    const reads = [
      () => prisma.counter.findUnique({ where: { name }, cache: true }),
      () => prisma.counter.findUnique({ where: { name }, cache: { key } }),
      () => prisma.counter.findUnique({ where: { name }, cache: { key: () => `again:${name}` } })
    ]
    for (const uncache of [`counter:${name}`, `again:${name}`]) {
      for (const read of reads) await answerTo(read)
      await setCounter(database.base, name, 5)
      await prisma.tag.deleteMany({ uncache })
      expect(await reads[uncache.startsWith("counter") ? 1 : 2]!()).toMatchObject({ value: 5 })
      await setCounter(database.base, name, 1)
      await prisma.$cache.invalidateAll()
    }
    // Several callers at once, of whom one has a name for the answer.
    await Promise.all(reads.map((read) => answerTo(read)))
    await setCounter(database.base, name, 6)
    await prisma.tag.deleteMany({ uncache: `counter:${name}` })
    expect(await reads[1]!()).toMatchObject({ value: 6 })
  })

  it("that throws or is no name leaves the answer unstored, and answers all the same", async () => {
    const { events, prisma } = make()
    const name = await insertCounter(database.base)
    const failing = () => {
      throw new TypeError(`nothing is known of ${name}`)
    }
    for (const key of [failing, () => "", () => undefined as never]) {
      const read = () => prisma.counter.findUnique({ where: { name }, cache: { key } })
      expect(await answerTo(read)).toMatchObject({ data: { value: 1 }, info: { status: "miss" } })
      expect(await statusOf(read)).toBe("miss")
    }
    expect(events).toContainEqual({ _tag: "Warning", message: expect.stringMatching(/Counter\.findUnique.*TypeError/) })
    expect(JSON.stringify(events)).not.toContain(name)
  })
})

onEveryStore(database, "a custom key on a write", (make) => {
  const forms: ReadonlyArray<
    readonly [string, (name: string) => string | { readonly key: (row: { readonly name: string }) => string }]
  > = [
    ["as text", (name) => name],
    ["as a function of the result", () => ({ key: ({ name }) => name })]
  ]

  it.each(forms)("%s is where its result is found without SQL", async (_, cacheOf) => {
    const { prisma } = make()
    const { sql } = database
    const name = uniqueName("written")
    const cache = cacheOf(name)
    const found = async () => {
      sql.reset()
      const { data, info } = await answerTo(() => prisma.counter.findUnique({ where: { name: "nobody" }, cache: name }))
      expect([info.status, sql.count()]).toEqual(["hit", 0])
      return data
    }
    await prisma.counter.create({ data: { name, value: 1 }, cache })
    expect(await found()).toEqual({ name, value: 1 })
    await prisma.counter.update({ where: { name }, data: { value: 2 }, cache })
    expect(await found()).toEqual({ name, value: 2 })
    await prisma.counter.upsert({ where: { name }, create: { name }, update: { value: 3 }, cache })
    expect(await found()).toEqual({ name, value: 3 })
  })

  it("is where the rows of createManyAndReturn and updateManyAndReturn are found, by reads of many", async () => {
    const { prisma } = make()
    const name = uniqueName("written")
    const found = async () =>
      (await answerTo(() => prisma.counter.findMany({ where: { name: "nobody" }, cache: name }))).data
    await prisma.counter.createManyAndReturn({ data: [{ name, value: 1 }], cache: name })
    expect(await found()).toEqual([{ name, value: 1 }])
    await prisma.counter.updateManyAndReturn({ where: { name }, data: { value: 2 }, cache: { key: () => name } })
    expect(await found()).toEqual([{ name, value: 2 }])
    expect(await statusOf(() => prisma.counter.findUnique({ where: { name }, cache: name }))).toBe("miss")
  })

  it("holds a copy, and never what the writer does to its own afterwards", async () => {
    const { prisma } = make()
    const name = uniqueName("written")
    const written = await prisma.counter.create({ data: { name, value: 1 }, cache: name })
    written.value = 99
    expect(await prisma.counter.findUnique({ where: { name }, cache: name })).toEqual({ name, value: 1 })
  })

  it("is told apart by its namespace, and by what was selected", async () => {
    const { prisma } = make()
    const name = await insertCounter(database.base)
    await prisma.counter.update({ where: { name }, data: { value: 2 }, cache: { key: "k", namespace: "a" } })
    expect(
      await statusOf(() => prisma.counter.findUnique({ where: { name }, cache: { key: "k", namespace: "a" } }))
    ).toBe("hit")
    expect(await statusOf(() => prisma.counter.findUnique({ where: { name }, cache: "k" }))).toBe("miss")
    await prisma.counter.update({ where: { name }, data: { value: 3 }, select: { name: true }, cache: "k" })
    const read = await answerTo(() => prisma.counter.findUnique({ where: { name }, cache: "k" }))
    expect(read).toMatchObject({ data: { value: 3 }, info: { status: "miss" } })
  })

  it("keeps what a fluent call on it answers apart from its row", async () => {
    const { prisma } = make()
    const { id } = await database.base.user.create({
      data: { email: uniqueName("fluent"), posts: { create: { title: "one" } } }
    })
    const written = prisma.user
      .update({ where: { id }, data: { name: "A" }, cache: "k" })
      .posts({ select: { title: true } })
    expect("withCacheInfo" in written).toBe(false)
    expect(await written).toEqual([{ title: "one" }])
    expect(
      await prisma.user.findUnique({ where: { id }, select: { posts: { select: { title: true } } }, cache: "k" })
    ).toEqual({ posts: [{ title: "one" }] })
    expect(
      await answerTo(() => prisma.user.findUnique({ where: { id }, cache: "k" }).posts({ select: { title: true } }))
    ).toMatchObject({ data: [{ title: "one" }] })
  })

  it.each(writeNames)("makes invalid what stood under it before: %s", async (operation) => {
    const { prisma } = make()
    const name = await insertCounter(database.base)
    const read = () => prisma.counter.count({ where: { name }, cache: "k" })
    for (const cache of ["k", { key: () => "k" }]) {
      await database.base.counter.upsert({ where: { name }, create: { name }, update: {} })
      await answerTo(read)
      expect(await statusOf(read)).toBe("hit")
      await untyped(prisma)["counter"]![operation]!({ ...Object.fromEntries(writesOf(name))[operation], cache })
      expect(await statusOf(read)).toBe("miss")
    }
  })

  it("never brings a deleted row back", async () => {
    const { prisma } = make()
    for (const cache of ["k", { key: () => "k" }]) {
      const name = await insertCounter(database.base)
      await answerTo(() => prisma.counter.findUnique({ where: { name }, cache: "k" }))
      expect(await prisma.counter.delete({ where: { name }, cache })).toEqual({ name, value: 1 })
      expect(await prisma.counter.findUnique({ where: { name }, cache: "k" })).toBeNull()
      await prisma.counter.deleteMany({ where: { name }, cache })
      expect(await prisma.counter.findUnique({ where: { name }, cache: "k" })).toBeNull()
    }
  })

  it.each([
    ["as text", "k"],
    ["as a function of the result", { key: () => "k" }]
  ])("%s stores nothing if it was made invalid while the write was under way", async (_, cache) => {
    const gate = makeGate()
    const { prisma } = make({ varyBy: () => null })
    const name = await insertCounter(database.base)
    const held = prisma.$extends(
      between(async ({ operation }, run) => {
        const result = await run()
        if (operation === "update") await gate.pass()
        return result
      })
    )
    const writing = held.counter.update({ where: { name }, data: { value: 2 }, cache })
    const written = writing.then((row) => row)
    await gate.reached
    await setCounter(database.base, name, 3)
    await prisma.$cache.invalidate({ keys: ["k"] })
    gate.open()
    expect(await written).toEqual({ name, value: 2 })
    expect(await prisma.counter.findUnique({ where: { name }, cache: "k" })).toEqual({ name, value: 3 })
  })

  it("that throws, or is no name, makes the whole namespace invalid, and answers all the same", async () => {
    const { events, prisma } = make()
    const name = await insertCounter(database.base)
    const read = () => prisma.counter.count({ where: { name }, cache: true })
    const failing = () => {
      throw new TypeError(`nothing is known of ${name}`)
    }
    for (const key of [failing, () => "", () => undefined as never]) {
      await answerTo(read)
      expect(await prisma.counter.update({ where: { name }, data: { value: 2 }, cache: { key } })).toEqual({
        name,
        value: 2
      })
      expect(await statusOf(read)).toBe("miss")
    }
    expect(events).toContainEqual({ _tag: "Warning", message: expect.stringContaining("Counter.update") })
    expect(JSON.stringify(events)).not.toContain(name)
  })
})
