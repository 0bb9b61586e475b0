/** Stores without atomic steps as the place where entries are kept. */
import * as KeyValueStore from "@effect/platform/KeyValueStore"
import * as Layer from "effect/Layer"
import { CacheOptionsError } from "effect-prisma-cache/CacheError"
import type { CacheEvent } from "effect-prisma-cache/CacheEvent"
import * as KeyValueStoreCache from "effect-prisma-cache/KeyValueStoreCache"
import { prismaCache } from "effect-prisma-cache/PrismaCache"
import type { CacheBackend, PrismaCacheOptions } from "effect-prisma-cache/PrismaCache"
import Keyv from "keyv"
import { describe, expect, it, onTestFinished } from "vitest"
import { makePrisma } from "../support/database.js"
import { uniqueName } from "../support/servers.js"
import { unhurried } from "../support/unhurried.js"
import { insertCounter } from "./counters.js"
import { missThenHit, statusOf, useDatabase } from "./support.js"
import type { CachedClient } from "./support.js"

const database = useDatabase()

const clientOf = (options: PrismaCacheOptions): CachedClient => {
  const { close, prisma } = makePrisma(database.url)
  onTestFinished(close)
  return prisma.$extends(prismaCache({ ...unhurried, namespace: uniqueName("keyv"), ...options }))
}

/** A store made for Keyv, by itself. */
const adapter = () => {
  const values = new Map<string, string>()
  return {
    opts: {},
    get: async (name: string) => values.get(name),
    set: async (name: string, value: string) => void values.set(name, value),
    delete: async (name: string) => values.delete(name)
  }
}

const places: ReadonlyArray<readonly [name: string, make: () => CacheBackend]> = [
  ["a Keyv in memory", () => new Keyv()],
  ["a store made for Keyv", adapter],
  ["a layer over a KeyValueStore", () => KeyValueStoreCache.layerServices.pipe(Layer.provide(KeyValueStore.layerMemory))]
]

describe.each(places)("entries in %s", (_, make) => {
  it("are found, and gone after every kind of write", async () => {
    const prisma = clientOf({ cache: make() })
    const name = await insertCounter(database.base)
    const read = () => prisma.counter.findUnique({ where: { name }, cache: "k" })
    await missThenHit(database.sql, read)
    await prisma.counter.update({ where: { name }, data: { value: 2 } })
    expect(await read()).toEqual({ name, value: 2 })
    await prisma.counter.update({ where: { name }, data: { value: 3 }, cache: "k" })
    expect(await read()).toEqual({ name, value: 3 })
    await prisma.$transaction(async (tx) => {
      await tx.counter.update({ where: { name }, data: { value: 4 } })
    })
    expect(await read()).toEqual({ name, value: 4 })
    expect(await statusOf(read)).toMatch(/hit|joined/)
    await prisma.$cache.invalidate({ models: ["Counter"] })
    expect(await statusOf(read)).toBe("miss")
    await prisma.$disconnect()
  })
})

describe("a Keyv", () => {
  it("may be shared by clients: each sees what the others write", async () => {
    const options = { cache: new Keyv(), namespace: uniqueName("keyv") }
    const [one, two] = [clientOf(options), clientOf(options)]
    const name = await insertCounter(database.base)
    const read = (prisma: CachedClient) => () => prisma.counter.findUnique({ where: { name }, cache: true })
    await missThenHit(database.sql, read(one))
    expect(await statusOf(read(two))).toBe("hit")
    await two.counter.update({ where: { name }, data: { value: 2 } })
    expect(await read(one)()).toEqual({ name, value: 2 })
  })

  it("cannot be strict, which is said where the extension is made", () => {
    const make = () => prismaCache({ cache: new Keyv(), consistency: "strict" })
    expect(make).toThrow(CacheOptionsError)
    expect(make).toThrow(/consistency: got "strict", allowed: "after-commit".*no atomic steps/)
    expect(() => prismaCache({ cache: new Keyv(), consistency: "after-commit" })).not.toThrow()
  })
})

describe("a layer of a best effort store", () => {
  it("cannot be strict: queries go to the database, and why is told", async () => {
    const events: Array<CacheEvent> = []
    const prisma = clientOf({
      cache: KeyValueStoreCache.layerServices.pipe(Layer.provide(KeyValueStore.layerMemory)),
      consistency: "strict",
      onEvent: (event) => void events.push(event)
    })
    const name = await insertCounter(database.base)
    const read = () => prisma.counter.findUnique({ where: { name }, cache: true })
    expect([await statusOf(read), await statusOf(read)]).toEqual(["bypass", "bypass"])
    expect(JSON.stringify(events)).toMatch(/the cache could not be made.*consistency: got .*strict.*after-commit/)
  })
})
