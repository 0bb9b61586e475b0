/** The same rows through a Prisma client, on a real database. */
import { PrismaPg } from "@prisma/adapter-pg"
import { prismaCache } from "effect-prisma-cache/PrismaCache"
import type { PrismaCacheOptions } from "effect-prisma-cache/PrismaCache"
import { PrismaClient } from "../prisma/generated/client/client.js"
import type { Client } from "./client.js"
import type { Ledger } from "./database.js"

const nameOf = (row: number) => `row ${row}`
const rowOf = (name: string) => Number(name.slice(4))

interface Input {
  readonly args: { readonly where: { readonly name?: string | undefined } }
  readonly query: (args: never) => Promise<unknown>
}

/** Told of every query that the cache lets through. */
const noting = (ledger: Ledger) => ({
  name: "noting",
  query: {
    counter: {
      findUnique: async (input: Input) => {
        const done = ledger.query(rowOf(input.args.where.name ?? ""))
        try {
          // What Prisma's types say of the result is made from all models at once.
          return await input.query(input.args as never) as never
        } finally {
          done()
        }
      }
    }
  }
})

/** The rows have to be there: one that is not is of version 0. */
export const openPrisma = async (url: string, ledger: Ledger, options: PrismaCacheOptions): Promise<Client> => {
  const base = new PrismaClient({ adapter: new PrismaPg({ connectionString: url, max: 8 }) })
  await base.counter.createMany({
    data: Array.from({ length: ledger.rows }, (_, row) => ({ name: nameOf(row) })),
    skipDuplicates: true
  })
  // What is added after the cache does nothing to the answers.
  const prisma = base.$extends(prismaCache({ ...options, varyBy: () => "nothing" })).$extends(noting(ledger))
  const written = (row: number) => ({ where: { name: nameOf(row) }, data: { value: { increment: 1 } } }) as const
  return {
    read: async (row) => {
      const cache = { ttl: "1 hour", tags: [nameOf(row)] } as const
      const read = prisma.counter.findUnique({ where: { name: nameOf(row) }, cache })
      const { data, info } = await read.withCacheInfo()
      return { version: data?.value ?? 0, status: info.status, source: info.source }
    },
    invalidate: async (row) => {
      const { value } = await base.counter.update(written(row))
      return prisma.$cache.invalidate({ tags: [nameOf(row)] }).then(
        () => ({ version: value, acknowledged: true }),
        () => ({ version: value, acknowledged: false })
      )
    },
    write: async (row) => (await prisma.counter.update(written(row))).value,
    truth: async (row) => (await base.counter.findUniqueOrThrow({ where: { name: nameOf(row) } })).value,
    health: () => prisma.$cache.health(),
    close: async () => {
      await prisma.$cache.close()
      await base.$disconnect()
    }
  }
}
