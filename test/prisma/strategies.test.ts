import { expect, it } from "vitest"
import { until } from "../support/process.js"
import { insertCounter, readsOf, setCounter, writesOf } from "./counters.js"
import { insertPeople } from "./rows.js"
import {
  adjustableStore,
  answerTo,
  isMemoryOn,
  missThenHit,
  onEveryStore,
  onMemory,
  statusOf,
  untyped,
  useDatabase
} from "./support.js"

const database = useDatabase(insertPeople)

onEveryStore(database, "defaults", (make) => {
  it("cache every read, without being asked", async () => {
    const { prisma } = make({ defaults: { ttl: "1 minute" } })
    const name = await insertCounter(database.base)
    for (const [operation, args] of readsOf(name)) {
      await missThenHit(database.sql, () => untyped(prisma)["counter"]![operation]!(args))
    }
  })

  it("are off for a read that says false or null, and stand for one that says nothing in particular", async () => {
    const { prisma } = make({ defaults: { ttl: "1 minute" } })
    const name = await insertCounter(database.base)
    const read = (cache: boolean | null | undefined) => () => prisma.counter.findUnique({ where: { name }, cache })
    await missThenHit(database.sql, read(undefined))
    expect(await statusOf(read(true))).toBe("hit")
    expect(await statusOf(read(false))).toBe("off")
    expect(await statusOf(read(null))).toBe("off")
  })

  it("say how long, where a read says only that or under which name", async () => {
    const { prisma } = make({ defaults: { ttl: "5 minutes" } })
    const name = await insertCounter(database.base)
    for (const cache of [true, undefined, "key", { tags: ["t"] }]) {
      const { info } = await answerTo(() => prisma.counter.findFirst({ where: { name }, cache }))
      expect(info.ttl).toBeGreaterThan(4 * 60_000)
      expect(info.ttl).toBeLessThanOrEqual(5 * 60_000)
    }
    const { info } = await answerTo(() => prisma.counter.findFirst({ where: { name, value: 1 }, cache: 1_000 }))
    expect(info.ttl).toBeLessThanOrEqual(1_000)
  })

  it("give tags, which a read adds to", async () => {
    const { prisma } = make({ defaults: { ttl: "5 minutes", tags: ["all"] } })
    const name = await insertCounter(database.base)
    const read = () => prisma.counter.findUnique({ where: { name }, cache: { tags: ["one"] } })
    const plain = () => prisma.counter.count({ where: { name } })
    expect((await answerTo(read)).info.tags).toEqual(["all", "one"])
    await answerTo(plain)
    await prisma.$cache.invalidate({ tags: ["one"] })
    expect([await statusOf(read), await statusOf(plain)]).toEqual(["miss", "hit"])
    await prisma.$cache.invalidate({ tags: ["all"] })
    expect([await statusOf(read), await statusOf(plain)]).toEqual(["miss", "miss"])
  })

  it("keep no result of a write, which nobody has named", async () => {
    const { prisma } = make({ defaults: { ttl: "5 minutes" } })
    for (const [operation, args] of writesOf(await insertCounter(database.base))) {
      await database.base.counter.upsert({ where: { name: "x" }, create: { name: "x" }, update: {} })
      await untyped(prisma)["counter"]![operation]!(args).then(null, () => {})
    }
    expect(prisma.$cache.stats().fills).toBe(0)
  })
})

onEveryStore(database, "strategies by model", (make) => {
  it("come before the defaults, and `false` takes a model out until a read asks", async () => {
    const { prisma } = make({
      defaults: { ttl: "1 minute" },
      models: { Counter: { ttl: "1 hour" }, Session: false, User: false }
    })
    const ttlOf = async (read: Parameters<typeof answerTo>[0]) =>
      Math.ceil(((await answerTo(read)).info.ttl ?? 0) / 60_000)
    expect(await ttlOf(() => prisma.counter.findMany())).toBe(60)
    expect(await ttlOf(() => prisma.tag.findMany())).toBe(1)
    expect(await statusOf(() => prisma.session.findMany())).toBe("off")
    expect(await statusOf(() => prisma.user.count())).toBe("off")
    expect(await ttlOf(() => prisma.user.count({ cache: true }))).toBe(1)
    expect(await ttlOf(() => prisma.counter.findMany({ take: 1, cache: true }))).toBe(60)
  })

  it("cache the reads of that model alone where there are no defaults", async () => {
    const { prisma } = make({ models: { Counter: { ttl: "1 hour", tags: ["counters"] } } })
    await missThenHit(database.sql, () => prisma.counter.findMany())
    expect(await statusOf(() => prisma.tag.findMany())).toBe("off")
    await prisma.$cache.invalidate({ tags: ["counters"] })
    expect(await statusOf(() => prisma.counter.findMany())).toBe("miss")
  })

  it("go by the model that is asked, also when its relations have others", async () => {
    const { prisma } = make({ models: { User: { ttl: "1 hour" } } })
    await missThenHit(database.sql, () => prisma.user.findMany({ include: { posts: true } }))
    expect(await statusOf(() => prisma.post.findMany({ include: { author: true } }))).toBe("off")
  })
})

onEveryStore(database, "refresh and bypass", (make) => {
  it("refresh queries although there is an answer, and caches the new one for everybody", async () => {
    const { prisma } = make()
    for (const option of [{}, { key: "k" }, { key: () => "by function" }]) {
      const name = await insertCounter(database.base)
      const read = (refresh?: boolean) => () =>
        prisma.counter.findUnique({ where: { name }, cache: { ...option, refresh } })
      await missThenHit(database.sql, read())
      await setCounter(database.base, name, 2)
      expect(await answerTo(read())).toMatchObject({ data: { value: 1 }, info: { status: "hit" } })
      expect(await answerTo(read(true))).toMatchObject({ data: { value: 2 }, info: { status: "refreshed" } })
      await until("the new answer is cached", async () => (await read()())?.value === 2)
      expect(await statusOf(read())).toBe("hit")
      expect(database.sql.count()).toBe(1 + 1)
    }
  })

  it("refresh without an answer is a miss in all but name", async () => {
    const { prisma } = make()
    const name = await insertCounter(database.base)
    const read = (refresh: boolean) => () => prisma.counter.findUnique({ where: { name }, cache: { refresh } })
    expect(await statusOf(read(true))).toBe("refreshed")
    expect(await statusOf(read(false))).toBe("hit")
  })

  it("bypass queries each time, and neither reads nor changes what is cached", async () => {
    const { prisma } = make()
    const name = await insertCounter(database.base)
    const read = (bypass: boolean) => () => prisma.counter.findUnique({ where: { name }, cache: { bypass } })
    expect(await statusOf(read(true))).toBe("bypass")
    await missThenHit(database.sql, read(false))
    await setCounter(database.base, name, 2)
    expect(await answerTo(read(true))).toMatchObject({ data: { value: 2 }, info: { status: "bypass" } })
    expect(await answerTo(read(false))).toMatchObject({ data: { value: 1 }, info: { status: "hit" } })
  })
})

onMemory(database, "age", (make) => {
  it("and what is left of the ttl are told with each answer", async () => {
    const { prisma } = make({ cache: adjustableStore().cache })
    const name = await insertCounter(database.base)
    const read = () => prisma.counter.findUnique({ where: { name }, cache: { ttl: 60_000, tags: ["t"], key: "k" } })
    for (let time = 0; time < 2; time++) {
      const { info } = await answerTo(read)
      expect(info).toEqual({
        status: time === 0 ? "miss" : "hit",
        source: time === 0 ? undefined : isMemoryOn ? "memory" : "store",
        key: "k",
        tags: ["t"],
        createdAt: expect.any(Number),
        age: expect.any(Number),
        ttl: expect.any(Number)
      })
      expect((info.age ?? -1) + (info.ttl ?? -1)).toBe(60_000)
    }
  })
})
