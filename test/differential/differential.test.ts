import * as Layer from "effect/Layer"
import { describe, expect, inject, it } from "vitest"
import type {} from "../support/globalSetup.js"
import { CacheStore } from "effect-prisma-cache/CacheStore"
import * as MemoryStore from "effect-prisma-cache/CacheStore/Memory"
import { DistributedLock } from "effect-prisma-cache/DistributedLock"
import * as MemoryLock from "effect-prisma-cache/DistributedLock/Memory"
import { amount } from "../support/amount.js"
import { uniqueName } from "../support/servers.js"
import { forgetful } from "./forgetful.js"
import { differ, Disagreement } from "./run.js"
import { makeTally } from "./tally.js"
import { worlds } from "./worlds.js"

// More of either shows more: DIFFERENTIAL_SEED=7 DIFFERENTIAL_WRITES=1000, or `npx tsx test/differential/main.ts`.
const seed = Number(process.env["DIFFERENTIAL_SEED"] ?? 1)
const writes = Number(process.env["DIFFERENTIAL_WRITES"] ?? amount(20, 200))

const run = async (world: string, writes: number, store = MemoryStore.make()) => {
  const tally = makeTally()
  const cache = Layer.merge(Layer.succeed(CacheStore, store), Layer.succeed(DistributedLock, MemoryLock.make()))
  const name = uniqueName("differential")
  const postgres = inject("postgresUrl")
  await differ({ world, seed, writes, postgres, database: name, namespace: name, cache: () => cache, tally })
  return tally
}

describe.concurrent("two cached clients and a bare one", () => {
  it.for(Object.keys(worlds))("agree after every write, whatever it is, on the schema %s", { timeout: 300_000 }, async (world) => {
    const tally = await run(world, writes)
    console.log(`${world}, seed ${seed}\n${tally.report(true)}`)
    const { comparisons, failures, hits, survived } = tally.figures()
    expect(failures).toBe(0)
    // Were nothing kept, or never anything changed, this would prove nothing.
    expect(hits).toBeGreaterThan(comparisons / 4)
    expect(survived("other models").kept).toBeGreaterThan(0)
    expect(survived("another answer").of).toBeGreaterThan(0)
  })

  it.for(["d:=b:", "d:#"])("do not where the store is not told of the tags with %s", { timeout: 300_000 }, async (text) => {
    await expect(run("application", 500, forgetful(MemoryStore.make(), text))).rejects.toThrow(Disagreement)
  })
})
