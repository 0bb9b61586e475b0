/**
 * Compares a cached and a bare client on one database while it is written at random, and says what came of it:
 *
 *     npx tsx test/differential/main.ts --writes 20000 [--seed 1] [--store valkey|memory] [--world application|shapes]
 *
 * Every thousand writes are in a database of their own, with a seed of their own, so that what goes wrong is soon found
 * again: `--writes 1000 --seed n --world w`. Servers are started for the run and stopped with it.
 */
import * as Layer from "effect/Layer"
import * as MemoryStore from "effect-prisma-cache/CacheStore/Memory"
import { CacheStore } from "effect-prisma-cache/CacheStore"
import * as MemoryLock from "effect-prisma-cache/DistributedLock/Memory"
import { DistributedLock } from "effect-prisma-cache/DistributedLock"
import * as ValkeyCache from "effect-prisma-cache/ValkeyCache"
import { parseArgs } from "node:util"
import { startPostgres } from "../support/postgres.js"
import { startValkey } from "../support/valkey.js"
import { differ, Disagreement } from "./run.js"
import { makeTally } from "./tally.js"
import { worlds } from "./worlds.js"

const { values } = parseArgs({
  options: {
    writes: { type: "string", default: "20000" },
    seed: { type: "string", default: "1" },
    store: { type: "string", default: "valkey" },
    world: { type: "string" }
  }
})
if (values.store !== "valkey" && values.store !== "memory") throw new Error("--store is valkey or memory")
const total = Number(values.writes)
const first = Number(values.seed)
const names = values.world === undefined ? Object.keys(worlds) : [values.world]

const chunk = 1_000
const tally = makeTally()
const postgres = await startPostgres()
const valkey = values.store === "valkey" ? await startValkey() : undefined
const startedAt = performance.now()
const seconds = () => `${((performance.now() - startedAt) / 1000).toFixed(0)} s`

/** Where the clients of one part of the run have their entries. */
const cacheOfItsOwn = () => {
  if (valkey === undefined) {
    const shared = Layer.merge(
      Layer.succeed(CacheStore, MemoryStore.make()),
      Layer.succeed(DistributedLock, MemoryLock.make())
    )
    return () => shared
  }
  // This run says nothing about how fast the machine is.
  return () => ValkeyCache.layerServices(valkey.url, { commandTimeout: 60_000 })
}

const parts = Array.from({ length: Math.ceil(total / chunk) }, (_, part) => ({
  seed: first + part,
  world: names[part % names.length] ?? "",
  writes: Math.min(chunk, total - part * chunk)
}))
let done = 0

const end = new AbortController()

const lane = async () => {
  for (let part = parts.shift(); part !== undefined && !end.signal.aborted; part = parts.shift()) {
    const { seed, world, writes } = part
    const name = `differential_${seed}`
    const place = { postgres: postgres.url, database: name, namespace: name, cache: cacheOfItsOwn() }
    await differ({ world, seed, writes, ...place, tally, signal: end.signal })
    done += writes
    console.log(`${done} of ${total} writes, ${tally.figures().comparisons} comparisons, ${seconds()} (${world}, seed ${seed})`)
  }
}

const failed = (error: unknown) => {
  end.abort()
  console.error(error instanceof Disagreement ? error.message : error)
  process.exitCode = 1
}

// Two, as each of them waits for the servers most of the time.
await Promise.all([lane().catch(failed), lane().catch(failed)])
if (process.exitCode === undefined) {
  console.log(`\non ${values.store}, seeds from ${first}, ${seconds()}\n${tally.report()}`)
}
await valkey?.stop()
await postgres.stop()
