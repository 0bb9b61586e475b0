import { Redis } from "iovalkey"
import type { Contestant } from "./contestant.js"
import { textOf } from "./json.js"
import { ask, change, keyOf } from "./world.js"
import type { Query } from "./world.js"

/** The client as it is: every read is a query. */
export const bare: Contestant = {
  name: "Prisma, no cache",
  caches: "none",
  open: async ({ world: { prisma } }) => ({
    read: (query) => ask(prisma, query),
    update: (at) => prisma.everything.update(change(at)),
    close: async () => {}
  })
}

/** The least that anything costs which is a query extension: it gives what it has, and asks nobody. */
export const constant: Contestant = {
  name: "query extension, a constant",
  caches: "constant",
  open: async ({ world: { prisma } }) => {
    const answers = new Map<number, unknown>()
    for (const rows of [1, 100, 1_000]) answers.set(rows, await ask(prisma, { rows, at: 1 }))
    const extended = prisma.$extends({
      query: {
        everything: {
          findUnique: async () => answers.get(1) as null,
          findMany: async ({ args }) => answers.get(args.take ?? 0) as []
        }
      }
    }) as unknown as typeof prisma
    return { read: (query) => ask(extended, query), close: async () => {} }
  }
}

/** What one writes by hand: `GET`, `JSON.parse`, and `SET` after a miss. No flight is shared and no type kept. */
export const byHand = (name: string, enableAutoPipelining: boolean): Contestant => ({
  name,
  open: async ({ valkey, world: { prisma } }) => {
    const redis = new Redis(valkey, { enableAutoPipelining })
    return {
      read: async (query: Query) => {
        const key = keyOf(query)
        const found = await redis.get(key)
        if (found !== null) return JSON.parse(found) as unknown
        const answer = await ask(prisma, query)
        await redis.set(key, textOf(answer), "PX", 3_600_000)
        return answer
      },
      update: async (at) => {
        const answer = await prisma.everything.update(change(at))
        await redis.del(keyOf({ rows: 1, at }))
        return answer
      },
      close: async () => redis.disconnect()
    }
  }
})
