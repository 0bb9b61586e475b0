/** An application that is always busy, and says what it holds when it is not. */
import { Redis } from "iovalkey"
import { setTimeout as delay } from "node:timers/promises"
import type { CacheEvent } from "effect-prisma-cache/CacheEvent"
import { seeded } from "../QueryCache/interleavings.js"
import type { Answer, Order, Report, Tally } from "./messages.js"
import { extend, makeBase, nameOf, operations, rows } from "./operations.js"
import type { Cached, Version } from "./operations.js"
import { takeStock } from "./stock.js"

const start: { readonly postgres: string; readonly valkey: string } = JSON.parse(process.argv[2] ?? "")

/** How many do something at any time, and how long each rests in between, in milliseconds. */
const workers = 40
const rest = 60

// Not the caches' to close, nor to leave anything with.
const borrowed = new Redis(start.valkey, { maxLoadingRetryTime: 200 })
borrowed.on("error", () => {})

const random = seeded(1)
const below = (most: number) => Math.floor(random() * most)
const kinds = Object.entries(operations)
const total = kinds.reduce((sum, [, [weight]]) => sum + weight, 0)
const pick = () => {
  let at = random() * total
  return kinds.find(([, [weight]]) => (at -= weight) < 0) ?? kinds[0] as (typeof kinds)[number]
}

const count = (counts: Record<string, number>, name: string) => void (counts[name] = (counts[name] ?? 0) + 1)

const isConflict = (error: unknown) =>
  error instanceof Error && ("code" in error && error.code === "P2034" || error.message.includes("deadlock detected"))

const begin = async () => {
  const base = makeBase(start.postgres)
  const data = Array.from({ length: rows }, (_, row) => ({ name: nameOf(row) }))
  await base.counter.createMany({ data, skipDuplicates: true })
  const tallies: Record<string, Tally> = {}
  const statuses: Record<string, number> = {}
  const events: Record<string, number> = {}
  const errors: Record<string, string> = {}
  let [wrong, behind, acknowledged, undelivered, unique] = [0, 0, 0, 0, 0]
  const floors = new Map<number, number>()
  const raise = (map: Map<number, number>, versions: ReadonlyArray<Version>) => {
    for (const [row, version] of versions) map.set(row, Math.max(map.get(row) ?? 0, version))
  }
  const isBelow = (known: ReadonlyMap<number, number>, versions: ReadonlyArray<Version>) =>
    versions.filter(([row, version]) => version < (known.get(row) ?? 0)).length

  const onEvent = (event: CacheEvent) => {
    count(events, event._tag)
    if (event._tag === "Warning") errors["a warning"] ??= event.message
  }
  // Intents of writes that could not be ended are not to last longer than the run.
  const shared = { intentTtl: 5_000, onEvent } as const
  const clients = [
    extend(base, { ...shared, namespace: "soak", cache: start.valkey }),
    extend(base, { ...shared, namespace: "soak", cache: borrowed, consistency: "strict" })
  ].map((prisma) => ({ prisma, own: new Map<number, number>() }))

  let isOver = false
  let hits = 0
  const work = Promise.all(Array.from({ length: workers }, async (_, i) => {
    const { own, prisma } = clients[i % clients.length] as (typeof clients)[number]
    while (!isOver) {
      await delay(random() * 2 * rest)
      const [name, [, run]] = pick()
      const row = below(rows)
      const some = Array.from({ length: 5 }, (_, j) => (row + 7 * j) % rows)
      const [floor, ownFloor] = [new Map(floors), new Map(own)]
      const tally = tallies[name] ??= { done: 0, failed: 0 }
      try {
        const done = await run({ prisma, base, row, some, unique: ++unique })
        tally.done++
        switch (done.kind) {
          case "read": {
            wrong += isBelow(floor, done.versions)
            behind += isBelow(ownFloor, done.versions)
            done.statuses.forEach((status) => count(statuses, status))
            if (done.statuses.includes("hit")) hits++
            break
          }
          case "write": {
            raise(own, done.versions)
            break
          }
          case "invalidation": {
            if (done.acknowledged) {
              acknowledged++
              raise(floors, done.versions)
            } else undelivered++
            raise(own, done.versions)
          }
        }
      } catch (error) {
        // Two writes may stand in each other's way; the database ends one of them, which then has not happened.
        if (isConflict(error)) {
          tally.done++
          continue
        }
        tally.failed++
        errors[name] ??= String(error instanceof Error ? error.stack : error).slice(0, 2_000)
      }
    }
  }))
  const isWell = ({ prisma }: { readonly prisma: Cached }) => {
    const { status, undelivered } = prisma.$cache.health()
    return status === "ok" && undelivered === 0
  }
  return {
    recover: async (within: number) => {
      const [startedAt, before] = [performance.now(), hits]
      while (hits === before || !clients.every(isWell)) {
        if (performance.now() - startedAt > within) return undefined
        await delay(5)
      }
      return performance.now() - startedAt
    },
    end: async (): Promise<Omit<Report, "stock">> => {
      isOver = true
      await work
      for (const { prisma } of clients) await prisma.$cache.close()
      await base.$disconnect()
      return { operations: tallies, statuses, events, wrong, behind, acknowledged, undelivered, errors }
    }
  }
}

let running: Awaited<ReturnType<typeof begin>> | undefined

const carryOut = async (order: Order): Promise<Answer> => {
  switch (order.do) {
    case "warm up": {
      const warm = await begin()
      await delay(order.millis)
      await warm.end()
      return { stock: await takeStock([borrowed]) }
    }
    case "begin": {
      running = await begin()
      return { begun: true }
    }
    case "recover":
      return { recovery: await running?.recover(order.within) }
    case "end": {
      if (running === undefined) throw new Error("nothing has begun")
      const report = await running.end()
      running = undefined
      return { report: { ...report, stock: await takeStock([borrowed]) } }
    }
  }
}

process.on("message", ({ id, ...order }: Order & { readonly id: number }) =>
  void carryOut(order).then((report) => process.send?.({ id, report })))
process.on("disconnect", () => process.exit())

process.send?.({ ready: true })
