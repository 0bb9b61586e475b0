/** A process that reads and writes at random, and reports what it saw and when. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { CacheStore, make as makeStore } from "effect-prisma-cache/CacheStore"
import * as ValkeyCache from "effect-prisma-cache/ValkeyCache"
import { seeded } from "../QueryCache/interleavings.js"
import { around } from "../QueryCache/support.js"
import { stampsAfterTheQuery } from "../staleness/mutants.js"
import { pack } from "./check.js"
import type { Observation } from "./check.js"
import { makeClient } from "./client.js"
import type { Report, Request, Start } from "./messages.js"
import { reads } from "./reads.js"
import { families } from "./subjects.js"
import { writes } from "./writes.js"

const start: Start = JSON.parse(process.argv[2] ?? "")

// Whoever asks for the time gets that of a clock that is wrong; `hrtime` is the machine's, and nobody's to set.
const now = Date.now
Date.now = () => now() + start.skew
const instant = () => Number(process.hrtime.bigint()) / 1e6

const random = seeded(start.seed)
const delay = () => random() * 3
const pauses = () => random() < 0.2
const pause = async () => pauses() ? new Promise<void>((resolve) => setTimeout(resolve, delay())) : undefined

type Changes = NonNullable<CacheStore["changes"]>

const slowly = (store: CacheStore) => {
  const wait = Effect.suspend(() => pauses() ? Effect.sleep(delay()) : Effect.void)
  const slow = around(start.isWrong ? stampsAfterTheQuery(store) : store, ({ run }) => Effect.zipRight(wait, Effect.zipLeft(run, wait)))
  return makeStore({ ...slow, changes: store.changes && withSlowMail(store.changes) })
}

/** Messages may take their time, and overtake each other. */
const withSlowMail = (changes: Changes): Changes => (namespaceTag, listener) =>
  changes(namespaceTag, {
    ...listener,
    changed: (tag) => pauses() ? void setTimeout(() => listener.changed(tag), delay()) : listener.changed(tag)
  })

const counts = new Map<string, number>()
const count = (what: string) => void counts.set(what, (counts.get(what) ?? 0) + 1)

// A history says nothing about how fast the machine is that it was made on.
const services = ValkeyCache.layerServices(start.valkey, { commandTimeout: 20_000 })
const prisma = makeClient(start.postgres, pause, {
  cache: Layer.merge(services, Layer.provide(Layer.effect(CacheStore, Effect.map(CacheStore, slowly)), services)),
  namespace: start.namespace,
  consistency: start.consistency,
  intentTtl: 600_000,
  memory: start.memory,
  onEvent: (event) => {
    if (event._tag === "Failed") count(`${event.operation} failed: ${event.error.reason}`)
    if (event._tag === "Corrupt" || event._tag === "Warning") count(event._tag)
  }
})

/** One after the other, so that each comes as often as any, from a place that chance draws. */
const inTurn = <A>(all: ReadonlyArray<A>) => {
  let turn = Math.floor(random() * all.length)
  return (): A => all[turn++ % all.length] as A
}

type Seen = Omit<Observation, "process">

const kinds = new Set<string>()
const nextRead = inTurn(Object.entries(reads))
const nextWrite = inTurn(Object.entries(writes))

const operate = async (observations: Array<Seen>) => {
  const family = Math.floor(random() * families)
  const startedAt = instant()
  const isRead = random() < 0.98
  const [kind, body] = isRead ? nextRead() : nextWrite()
  kinds.add(`${isRead ? "read" : "write"} ${kind}`)
  try {
    const done = await body(prisma, family)
    const endedAt = instant()
    if ("seen" in done) {
      count(done.status)
      for (const [subject, version] of done.seen) observations.push({ kind: "read", subject, version, startedAt, endedAt })
    } else {
      count("written")
      for (const [subject, version] of done as ReadonlyArray<readonly [number, number?]>) {
        observations.push({ kind: "write", subject, version, startedAt, endedAt })
      }
    }
  } catch (error) {
    // Two writes may stand in each other's way; the database ends one of them, which then has not happened.
    count(`${isRead ? "read" : "write"} refused: ${(error as { readonly code?: string }).code ?? (error as Error).name}`)
  }
}

const carryOut = async ({ callers, operations }: Request): Promise<Report> => {
  const observations: Array<Seen> = []
  let left = operations
  const caller = async () => {
    while (left-- > 0) await operate(observations)
  }
  await Promise.all(Array.from({ length: callers }, caller))
  const report = { observations: pack(observations), counts: Object.fromEntries(counts), kinds: Array.from(kinds) }
  counts.clear()
  return report
}

process.on("message", (request: Request) => void carryOut(request).then((report) => process.send?.(report)))
process.on("disconnect", () => process.exit())

await prisma.$connect()
process.send?.("ready")
