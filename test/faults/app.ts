/** An application: many who read all the time, some who write, and a cache that something happens to. */
import { monitorEventLoopDelay } from "node:perf_hooks"
import { setTimeout as delay } from "node:timers/promises"
import type { CacheEvent } from "effect-prisma-cache/CacheEvent"
import { seeded } from "../QueryCache/interleavings.js"
import { until } from "../support/process.js"
import type { Client, Options } from "./client.js"
import { openCache, toleranceOf, watch } from "./client.js"
import { makeDatabase } from "./database.js"
import type { Answer, Order, Report, Start, Times } from "./messages.js"
import { openPrisma } from "./prisma.js"

const start: Start = JSON.parse(process.argv[2] ?? "")

const rows = 40

/** How many reads there are in a second, of all readers together: far from all that a process can do. */
const readsPerSecond = 1_500

const writers = 4
const writerRest = 100

/** Of the other cache, of those who have two. */
const otherReaders = 5
const otherWriters = 2

const timesOf = (samples: ReadonlyArray<number>): Times => {
  const sorted = Array.from(samples).sort((one, other) => one - other)
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN
  return { count: sorted.length, median: at(0.5), p99: at(0.99), longest: at(1) }
}

const run = async ({ database: kind, namespace, readers }: Order & { readonly do: "open" }) => {
  const random = seeded(1)
  const database = makeDatabase({ rows })
  const open = (url: string, options: Options): Promise<Client> =>
    kind === "counted"
      ? openCache(url, database, options)
      : openPrisma(start.postgres, database, { ...options, cache: url })

  const openNodes = new Set<string>()
  let phase: "before" | "fault" | "healthy" = "before"
  let faultAt = Infinity
  let givenUpAt: number | undefined
  let owedAtClosing = 0
  const hear = (event: CacheEvent) => {
    watched.hear(event)
    if (event._tag === "BreakerOpened") {
      openNodes.add(event.node)
      if (phase === "fault") givenUpAt ??= performance.now()
    }
    if (event._tag === "BreakerClosed") {
      openNodes.delete(event.node)
      owedAtClosing += client.health().undelivered
    }
  }
  const { memory } = start
  const watched = watch(() => client, database, toleranceOf({ memory }))
  const client = await open(start.valkey, { namespace, memory, onEvent: hear })
  // Nothing happens between this one and the server: what it writes the first one has to see as soon as it can be heard.
  const other = memory ? await open(start.undisturbed, { namespace, memory }) : undefined
  const otherWatched = other && watch(() => other, database, toleranceOf({ memory }))

  const closed: Array<number> = []
  const opened: Array<number> = []
  let before = { reads: 0, queries: 0, hits: 0, remembered: 0 }
  let healthyAt = Infinity
  let hitAt: number | undefined
  let rememberedAt: number | undefined
  let isOver = false

  const rest = (mean: number) => delay(random() * 2 * mean)
  const row = () => Math.floor(random() * rows)
  const reader = async () => {
    while (!isOver) {
      await rest((readers * 1_000) / readsPerSecond)
      const wasOpen = openNodes.size > 0
      const read = await watched.read(row())
      if (read === undefined) continue
      if (wasOpen) opened.push(read.inLibrary)
      else if (phase === "fault") closed.push(read.inLibrary)
      if (read.status !== "hit" || read.startedAt < healthyAt) continue
      hitAt ??= read.startedAt
      if (read.source === "memory") rememberedAt ??= read.startedAt
    }
  }
  const writer = async () => {
    while (!isOver) {
      await rest(writerRest)
      await (random() < 0.5 ? watched.invalidate(row()) : watched.write(row()))
    }
  }
  const doing = async (millis: number, what: () => Promise<unknown>) => {
    while (!isOver) {
      await rest(millis)
      await what()
    }
  }
  const others = otherWatched === undefined ? [] : [
    ...Array.from({ length: otherReaders }, () => doing(writerRest / 4, () => otherWatched.read(row()))),
    ...Array.from({ length: otherWriters }, () => doing(writerRest, () => otherWatched.invalidate(row())))
  ]
  const work = Promise.all([
    ...Array.from({ length: readers }, reader),
    ...Array.from({ length: writers }, writer),
    ...others
  ])
  const lag = monitorEventLoopDelay({ resolution: 5 })

  return {
    warmUp: () =>
      until("it has got into its stride", () =>
        (watched.counts.statuses["hit"] ?? 0) > 5 * readers && client.health().status === "ok"),
    note: (what: "fault" | "healthy") => {
      phase = what
      if (what === "fault") {
        const { reads, remembered, statuses } = watched.counts
        before = { reads, queries: database.queries(), hits: statuses["hit"] ?? 0, remembered }
        faultAt = performance.now()
        lag.enable()
      } else healthyAt = performance.now()
    },
    recover: (within: number) =>
      until("it is well again", () => {
        const { status, undelivered } = client.health()
        const isUsed = hitAt !== undefined && (!memory || rememberedAt !== undefined)
        return isUsed && undelivered === 0 && status === "ok"
      }, within).catch(() => {}),
    close: async (): Promise<Report> => {
      lag.disable()
      const { status } = client.health()
      isOver = true
      await work
      const late = await open(start.undisturbed, { namespace })
      let oldElsewhere = 0
      for (let i = 0; i < rows; i++) {
        const [truth, { version }] = [await client.truth(i), await late.read(i)]
        if (version < truth) oldElsewhere++
      }
      await Promise.all([client.close(), other?.close(), late.close()])
      const { counts } = watched
      const elsewhere = otherWatched?.counts ?? { failed: 0, wrong: 0, behind: 0, late: 0 }
      return {
        counts: {
          ...counts,
          reads: counts.reads - before.reads,
          failed: counts.failed + elsewhere.failed,
          wrong: counts.wrong + elsewhere.wrong,
          behind: counts.behind + elsewhere.behind,
          late: Math.max(counts.late, elsewhere.late)
        },
        closed: timesOf(closed),
        open: timesOf(opened),
        givenUp: givenUpAt === undefined ? undefined : givenUpAt - faultAt,
        hits: (counts.statuses["hit"] ?? 0) - before.hits,
        remembered: counts.remembered - before.remembered,
        queries: database.queries() - before.queries,
        recovery: hitAt === undefined ? undefined : hitAt - healthyAt,
        memoryRecovery: rememberedAt === undefined ? undefined : rememberedAt - healthyAt,
        oldElsewhere,
        owedAtClosing,
        health: status,
        lag: (lag.percentile(99) - 5e6) / 1e6
      }
    }
  }
}

let running: Awaited<ReturnType<typeof run>> | undefined

const carryOut = async (order: Order): Promise<Answer> => {
  switch (order.do) {
    case "open": {
      running = await run(order)
      return {}
    }
    case "warm up": {
      await running?.warmUp()
      return {}
    }
    case "note": {
      running?.note(order.what)
      return {}
    }
    case "recover": {
      await running?.recover(order.within)
      return {}
    }
    case "close":
      return running === undefined ? {} : { report: await running.close() }
  }
}

process.on("message", ({ id, ...order }: Order & { readonly id: number }) =>
  void carryOut(order).then((report) => process.send?.({ id, report })))
process.on("disconnect", () => process.exit())

process.send?.({ ready: true })
