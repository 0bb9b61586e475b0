/** One process of a fleet: a Prisma client with a cache on Valkey, which does what it is told by its parent. */
import { PrismaPg } from "@prisma/adapter-pg"
import { prismaCache } from "effect-prisma-cache/PrismaCache"
import * as ValkeyCache from "effect-prisma-cache/ValkeyCache"
import { setTimeout as delay } from "node:timers/promises"
import { PrismaClient } from "../prisma/generated/client/client.js"
import type { CacheOptions, Message, Report, Request, Start, Task } from "./messages.js"
import { unhurried } from "../support/unhurried.js"

const start: Start = JSON.parse(process.argv[2] ?? "")
const adapter = new PrismaPg({ connectionString: start.postgres, application_name: start.name, max: 4 })
const base = new PrismaClient({ adapter })
/** A test says nothing about how fast the machine is that it runs on. */
const cache = ValkeyCache.layerServices(start.valkey, { commandTimeout: 20_000 })
const extend = (options: CacheOptions) => base.$extends(prismaCache({ ...unhurried, ...options, cache }))

const clients = new Map<string, ReturnType<typeof extend>>()
const clientWith = (options: CacheOptions) => {
  const name = JSON.stringify(options)
  const client = clients.get(name) ?? extend(options)
  clients.set(name, client)
  return client
}

const perform = async (client: ReturnType<typeof extend>, task: Task): Promise<readonly [value: unknown, status: string]> => {
  switch (task.operation) {
    case "invalidate": {
      await client.$cache.invalidate({ tags: task.tags })
      return [null, "done"]
    }
    case "findMany": {
      const { data, info } = await client.counter.findMany({ where: { name: task.name }, cache: task.cache }).withCacheInfo()
      return [data, info.status]
    }
    case "findUniqueOrThrow": {
      const read = client.counter.findUniqueOrThrow({ where: { name: task.name }, cache: task.cache })
      const { data, info } = await read.withCacheInfo()
      return [data, info.status]
    }
  }
}

const carryOut = async ({ callers, everyMillis, options, tasks }: Request): Promise<Report> => {
  const client = clientWith(options)
  const counts = { values: new Map<string, number>(), errors: new Map<string, number>(), statuses: new Map<string, number>() }
  const count = (map: Map<string, number>, what: string) => map.set(what, (map.get(what) ?? 0) + 1)
  const startedAt = performance.now()
  const calls: Array<ReturnType<typeof perform>> = []
  for (let i = 0; i < callers; i++) {
    calls.push(...tasks.map((task) => perform(client, task)))
    if (everyMillis !== undefined) await delay(Math.max(0, startedAt + (i + 1) * everyMillis - performance.now()))
    // Like requests to a server, they come at the same time and not in one tick.
    else if (calls.length % 20 < tasks.length) await new Promise((resolve) => setImmediate(resolve))
  }
  for (const result of await Promise.allSettled(calls)) {
    if (result.status === "fulfilled") {
      count(counts.values, JSON.stringify(result.value[0]))
      count(counts.statuses, result.value[1])
    } else {
      const { code, name } = result.reason as { readonly code?: unknown; readonly name: string }
      count(counts.errors, typeof code === "string" ? code : name)
    }
  }
  return {
    values: Object.fromEntries(counts.values),
    errors: Object.fromEntries(counts.errors),
    statuses: Object.fromEntries(counts.statuses),
    millis: performance.now() - startedAt
  }
}

const tell = (message: Message) => void process.send?.(message)

process.on("message", (request: Request) => void carryOut(request).then((report) => tell({ id: request.id, report })))
process.on("disconnect", () => process.exit())

await base.$connect()
tell({ ready: true })
