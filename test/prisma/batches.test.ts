import { expect, it } from "vitest"
import { insertCounter } from "./counters.js"
import { insertPeople } from "./rows.js"
import { answerTo, onEveryStore, statusOf, useDatabase } from "./support.js"

const database = useDatabase(insertPeople)

onEveryStore(database, "a batch", (make) => {
  it("is answered by the database as a whole, where the cache knows some of it", async () => {
    const { prisma } = make()
    const name = await insertCounter(database.base)
    const hit = () => prisma.counter.findFirst({ where: { name }, cache: true })
    const miss = () => prisma.counter.count({ where: { name }, cache: true })
    await answerTo(hit)
    expect(await statusOf(hit)).toBe("hit")
    const { sql } = database
    const row = { name, value: 1 }
    sql.reset()
    expect(await prisma.$transaction([hit(), miss()])).toEqual([row, 1])
    expect(await prisma.$transaction([miss(), hit()])).toEqual([1, row])
    expect(await prisma.$transaction([hit(), hit()])).toEqual([row, row])
    expect(sql.count()).toBe(6)
  })

  it("holds the same query twice, and is not hung up by that", async () => {
    const { prisma } = make()
    const name = await insertCounter(database.base)
    const read = () => prisma.counter.findMany({ where: { name }, cache: "k" })
    const row = { name, value: 1 }
    expect(await prisma.$transaction([read(), read(), read()])).toEqual([[row], [row], [row]])
    expect(await statusOf(read)).toBe("miss")
  })

  it("caches nothing, neither reads nor the results of writes", async () => {
    const { prisma } = make({ defaults: { ttl: "1 minute" } })
    const name = await insertCounter(database.base)
    await prisma.$transaction([
      prisma.counter.update({ where: { name }, data: { value: 2 }, cache: "k" }),
      prisma.counter.findUnique({ where: { name }, cache: "k" }),
      prisma.counter.findUnique({ where: { name } })
    ])
    expect(prisma.$cache.stats().fills).toBe(0)
    expect(await statusOf(() => prisma.counter.findUnique({ where: { name }, cache: "k" }))).toBe("miss")
  })

  it("tells of each read how it was answered, if asked, and of no other", async () => {
    const { prisma } = make()
    const name = await insertCounter(database.base)
    const read = () => prisma.counter.findUnique({ where: { name }, cache: true })
    await answerTo(read)
    const plain = prisma.counter.findUnique({ where: { name } }).withCacheInfo()
    const [row, told, off, count] = await prisma.$transaction([
      read(),
      read().withCacheInfo(),
      plain,
      prisma.counter.count({ where: { name }, cache: 5_000 }).withCacheInfo()
    ])
    expect(row).toEqual({ name, value: 1 })
    expect(told).toEqual({
      data: row,
      info: { status: "bypass", key: undefined, tags: [], age: undefined, ttl: undefined }
    })
    expect(off).toMatchObject({ data: row, info: { status: "off" } })
    expect(count).toMatchObject({ data: 1, info: { status: "bypass" } })
  })

  it("takes fluent calls", async () => {
    const { prisma } = make()
    const posts = () =>
      prisma.user.findUnique({ where: { id: 1 } }).posts({ orderBy: { id: "asc" }, select: { id: true }, cache: true })
    await answerTo(posts)
    const [plain, told] = await prisma.$transaction([posts(), posts().withCacheInfo()])
    expect(plain).toEqual([{ id: 1 }, { id: 2 }])
    expect(told).toMatchObject({ data: [{ id: 1 }, { id: 2 }], info: { status: "bypass" } })
  })

  it("makes keys invalid when it is through", async () => {
    const { prisma } = make()
    const name = await insertCounter(database.base)
    const reads = ["a", "b", "c"].map((key) => () => prisma.counter.count({ where: { name }, cache: key }))
    for (const read of reads) await answerTo(read)
    await prisma.$transaction([
      prisma.counter.update({ where: { name }, data: { value: 2 }, uncache: "a" }),
      prisma.counter.updateMany({ where: { name }, data: { value: 3 }, uncache: () => ["b"] }),
      prisma.counter.count()
    ])
    const statuses: Array<string> = []
    for (const read of reads) statuses.push(await statusOf(read))
    expect(statuses).toEqual(["miss", "miss", "hit"])
  })

  it("that fails leaves nothing behind, and fails as Prisma's own", async () => {
    const { prisma } = make()
    const name = await insertCounter(database.base)
    const failing = prisma.$transaction([
      prisma.counter.update({ where: { name }, data: { value: 2 }, cache: "k" }),
      prisma.counter.findUnique({ where: { name }, cache: "k" }),
      prisma.counter.create({ data: { name } })
    ])
    await expect(failing).rejects.toMatchObject({ code: "P2002" })
    expect(await prisma.counter.findUnique({ where: { name }, cache: "k" })).toEqual({ name, value: 1 })
  })

  it("may be empty, may have options, and may stand beside other queries", async () => {
    const { prisma } = make()
    const name = await insertCounter(database.base)
    expect(await prisma.$transaction([])).toEqual([])
    const read = () => prisma.counter.findUnique({ where: { name }, cache: true })
    const [alone, [inBatch]] = await Promise.all([
      read(),
      prisma.$transaction([read()], { isolationLevel: "Serializable" })
    ])
    expect([alone, inBatch]).toEqual([
      { name, value: 1 },
      { name, value: 1 }
    ])
  })
})
