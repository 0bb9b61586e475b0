/**
 * A program of an edge runtime: the extension's edge entry, a client that Prisma generated for such runtimes, and a
 * driver adapter that has nothing but `fetch`.
 */
import type { PrismaPg } from "@prisma/adapter-pg"
import { prismaCache } from "effect-prisma-cache/edge"
import type * as Node from "node:async_hooks"
import { PrismaClient } from "./generated/edge/client.js"

export interface Environment {
  readonly url: string
  readonly token: string
  readonly namespace: string
  /** Where SQL is carried out, and which database that is. */
  readonly sqlUrl: string
  readonly databaseUrl: string
}

type Adapter = Awaited<ReturnType<PrismaPg["connect"]>>

/** A statement for a driver adapter. */
export type SqlQuery = Parameters<Adapter["queryRaw"]>[0]

const overFetch = ({ databaseUrl, sqlUrl }: Environment) => {
  const about = { provider: "postgres", adapterName: "over-fetch" } as const
  const post = async <A>(method: string, query: SqlQuery): Promise<A> => {
    const response = await fetch(sqlUrl, { method: "POST", body: JSON.stringify({ method, query }) })
    return await response.json() as A
  }
  const done = async () => {}
  const queryable: Pick<Adapter, "adapterName" | "executeRaw" | "provider" | "queryRaw"> = {
    ...about,
    queryRaw: (query) => post("queryRaw", query),
    executeRaw: (query) => post("executeRaw", query)
  }
  const connect = async () => ({
    ...queryable,
    executeScript: done,
    // Each statement stands alone here.
    startTransaction: async () =>
      ({ ...queryable, options: { usePhantomQuery: true }, commit: done, rollback: done } as never),
    getConnectionInfo: () => ({ supportsRelationJoins: true }),
    dispose: done
  })
  return { ...about, config: { connectionString: databaseUrl }, connect }
}

/** A global of edge runtimes. */
declare const AsyncLocalStorage: typeof Node.AsyncLocalStorage

export const run = async (environment: Environment) => {
  const { namespace, token, url } = environment
  const waiting: Array<Promise<void>> = []
  const base = new PrismaClient({ adapter: overFetch(environment) })
  const request = new AsyncLocalStorage<string>()
  const requests: Array<readonly [asked: unknown, sent: string | undefined]> = []
  const prisma = base.$extends(prismaCache({
    url,
    token,
    namespace,
    waitUntil: (promise) => void waiting.push(promise),
    trustLaterExtensions: true
  })).$extends({
    name: "between the cache and the database",
    query: {
      user: {
        count: ({ args, query }) => {
          if (args.where !== undefined) requests.push([args.where.name, request.getStore()])
          return query(args)
        }
      }
    }
  })
  const settled = async () => {
    for (let known = 0; known < waiting.length; known++) await waiting[known]
  }
  const report: Array<readonly [what: string, status: string, data: unknown]> = []
  const read = async (what: string) => {
    const { data, info } = await prisma.user.findUnique({ where: { id: 1 }, cache: { ttl: "1 minute" } }).withCacheInfo()
    const cache = { ttl: "1 minute", tags: ["users"] } as const
    const { data: count, info: counted } = await prisma.user.count({ cache }).withCacheInfo()
    report.push([`${what}: a row`, info.status, data], [`${what}: a count`, counted.status, count])
    await settled()
  }
  await read("cold")
  await read("warm")
  await prisma.user.update({ where: { id: 1 }, data: { name: "Grace" } })
  await read("after a write")
  await read("warm again")
  await prisma.$cache.invalidate({ tags: ["users"] })
  await read("after an invalidation")
  await Promise.all(["one", "other"].map((name) =>
    request.run(name, async () => await prisma.user.count({ where: { name }, cache: true }))))
  await prisma.$disconnect()
  return { report, requests }
}
