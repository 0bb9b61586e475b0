/** What an application does all the time, with rows that count the writes of themselves. */
import { PrismaPg } from "@prisma/adapter-pg"
import { prismaCache } from "effect-prisma-cache/PrismaCache"
import type { PrismaCacheOptions } from "effect-prisma-cache/PrismaCache"
import { PrismaClient } from "../prisma/generated/client/client.js"

export const rows = 60

export const nameOf = (row: number) => `row ${row}`
const rowOf = (name: string) => Number(name.slice(4))

/** A row, and which version of it was seen or left behind. */
export type Version = readonly [row: number, version: number]

interface Read {
  readonly kind: "read"
  readonly statuses: ReadonlyArray<string>
  readonly versions: ReadonlyArray<Version>
}
interface Written {
  readonly kind: "write"
  readonly versions: ReadonlyArray<Version>
}
interface Invalidated {
  readonly kind: "invalidation"
  readonly versions: ReadonlyArray<Version>
  readonly acknowledged: boolean
}
export type Done = Read | Written | Invalidated

type Row = { readonly name: string; readonly value: number }

const versionOf = ({ name, value }: Row): Version => [rowOf(name), value]

export const makeBase = (url: string) =>
  new PrismaClient({
    adapter: new PrismaPg({ connectionString: url, max: 8 }),
    transactionOptions: { maxWait: 30_000, timeout: 30_000 }
  })

export const extend = (base: ReturnType<typeof makeBase>, options: PrismaCacheOptions) =>
  base.$extends(prismaCache(options))

export type Cached = ReturnType<typeof extend>

/** What an operation is done with: a cached client, what lies under it, a row and others, and a number of its own. */
export interface Tools {
  readonly prisma: Cached
  readonly base: ReturnType<typeof makeBase>
  readonly row: number
  readonly some: ReadonlyArray<number>
  readonly unique: number
}

const more = { value: { increment: 1 } } as const

const byName = (row: number) => ({ where: { name: nameOf(row) } })

class ThoughtBetter extends Error {}

/** Each with how often it comes: its share of all of them. */
export const operations: Readonly<Record<string, readonly [weight: number, run: (tools: Tools) => Promise<Done>]>> = {
  "read a row": [400, async ({ prisma, row }) => {
    const cache = { ttl: "1 minute", tags: [nameOf(row)] } as const
    const { data, info } = await prisma.counter.findUnique({ ...byName(row), cache }).withCacheInfo()
    return { kind: "read", statuses: [info.status], versions: data === null ? [] : [versionOf(data)] }
  }],
  "read a row under a key": [60, async ({ prisma, row }) => {
    const cache = { ttl: "1 minute", key: nameOf(row), tags: [nameOf(row)] } as const
    const { data, info } = await prisma.counter.findUnique({ ...byName(row), cache }).withCacheInfo()
    return { kind: "read", statuses: [info.status], versions: data === null ? [] : [versionOf(data)] }
  }],
  "read some rows": [60, async ({ prisma, some }) => {
    const where = { name: { in: some.map(nameOf) } }
    const cache = { ttl: 2_000, swr: 2_000, tags: some.map(nameOf) }
    const { data, info } = await prisma.counter.findMany({ where, cache }).withCacheInfo()
    return { kind: "read", statuses: [info.status], versions: data.map(versionOf) }
  }],
  "read what nobody has read": [40, async ({ prisma, row, unique }) => {
    const where = { name: nameOf(row), value: { not: -unique } }
    const cache = { ttl: 2_000, tags: [nameOf(row)] }
    const { data, info } = await prisma.counter.findFirst({ where, cache }).withCacheInfo()
    return { kind: "read", statuses: [info.status], versions: data === null ? [] : [versionOf(data)] }
  }],
  "read many rows at once": [20, async ({ prisma, some }) => {
    const all = await Promise.all(some.map((row) => {
      const cache = { ttl: 5_000, tags: [nameOf(row)] }
      return prisma.counter.findUnique({ ...byName(row), cache }).withCacheInfo()
    }))
    return {
      kind: "read",
      statuses: all.map(({ info }) => info.status),
      versions: all.flatMap(({ data }) => data === null ? [] : [versionOf(data)])
    }
  }],
  "update": [12, async ({ prisma, row }) =>
    ({ kind: "write", versions: [versionOf(await prisma.counter.update({ ...byName(row), data: more }))] })],
  "update, and keep the result": [6, async ({ prisma, row }) => {
    const cache = { key: nameOf(row), ttl: "1 minute" } as const
    const written = await prisma.counter.update({ ...byName(row), data: more, cache })
    return { kind: "write", versions: [versionOf(written)] }
  }],
  "update many": [3, async ({ prisma, some }) => {
    const where = { name: { in: some.slice(0, 3).map(nameOf) } }
    const written = await prisma.counter.updateManyAndReturn({ where, data: more })
    return { kind: "write", versions: written.map(versionOf) }
  }],
  "transaction": [4, async ({ prisma, some }) => {
    const [one = 0, other = 0] = some.slice(0, 2).sort((a, b) => a - b)
    const written = await prisma.$transaction(async (tx) => {
      const first = await tx.counter.update({ ...byName(one), data: more })
      await tx.counter.findUnique({ ...byName(other), cache: true })
      return [first, await tx.counter.update({ ...byName(other), data: more })]
    })
    return { kind: "write", versions: written.map(versionOf) }
  }],
  "batch": [4, async ({ prisma, some }) => {
    const both = some.slice(0, 2).sort((a, b) => a - b)
    const written = await prisma.$transaction(both.map((row) => prisma.counter.update({ ...byName(row), data: more })))
    return { kind: "write", versions: written.map(versionOf) }
  }],
  "transaction that is rolled back": [3, async ({ prisma, row }) => {
    await prisma.$transaction(async (tx) => {
      await tx.counter.update({ ...byName(row), data: more })
      throw new ThoughtBetter()
    }).catch((error: unknown) => {
      if (!(error instanceof ThoughtBetter)) throw error
    })
    return { kind: "write", versions: [] }
  }],
  "invalidate": [10, async ({ base, prisma, row }) => {
    const version = versionOf(await base.counter.update({ ...byName(row), data: more }))
    const acknowledged = await prisma.$cache.invalidate({ tags: [nameOf(row)] }).then(() => true, () => false)
    return { kind: "invalidation", versions: [version], acknowledged }
  }],
  "invalidate a model": [1, async ({ base, prisma, row }) => {
    const version = versionOf(await base.counter.update({ ...byName(row), data: more }))
    const acknowledged = await prisma.$cache.invalidate({ models: ["Counter"] }).then(() => true, () => false)
    return { kind: "invalidation", versions: [version], acknowledged }
  }],
  "invalidate everything": [1, async ({ base, prisma, row }) => {
    const version = versionOf(await base.counter.update({ ...byName(row), data: more }))
    const acknowledged = await prisma.$cache.invalidateAll().then(() => true, () => false)
    return { kind: "invalidation", versions: [version], acknowledged }
  }]
}
