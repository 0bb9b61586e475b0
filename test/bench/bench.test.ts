import { execFile } from "node:child_process"
import { promisify } from "node:util"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { bundle } from "../support/bundle.js"
import { postgresUrl } from "../support/servers.js"
import { startValkey } from "../support/valkey.js"
import type { ValkeyServer } from "../support/valkey.js"
import { contestants } from "./contestants.js"
import { textOf } from "./report.js"
import { run } from "./run.js"
import type { Sizes } from "./sizesOf.js"
import type { Report } from "./run.js"

/** Nothing here is about how fast anything is. */
describe("the benchmark, at its smallest", () => {
  let valkey: ValkeyServer
  let report: Report

  beforeAll(async () => {
    valkey = await startValkey({ args: ["--databases", "100"] })
    report = await run({
      postgres: await postgresUrl("bench"),
      valkey,
      contestants,
      rounds: 1,
      scale: 0.01,
      only: ["facts", "hit, 1 row", "miss", "write", "stampede", "invalidate", "memory"]
    })
  })
  afterAll(() => valkey.stop())

  const caching = contestants.filter(({ caches }) => caches === undefined || caches === "all")
  const namesOf = (those: ReadonlyArray<{ readonly name: string }>) => those.map(({ name }) => name)
  const ours = namesOf(contestants).filter((name) => name.startsWith("ours"))

  it("has a figure for everybody who takes part in a row", () => {
    expect(report.failures).toEqual([])
    for (const { figures, row } of report.rows) {
      for (const { contestant, micros, ratio } of figures) {
        expect(micros, `${row}: ${contestant}`).toBeGreaterThan(0)
        expect(ratio, `${row}: ${contestant}`).toBeGreaterThan(0)
      }
    }
    const parts = Object.fromEntries(report.rows.map(({ figures, row }) => [row, figures.map(({ contestant }) => contestant)]))
    expect(parts["hit, 1 row"]).toEqual(namesOf(contestants))
    expect(parts["miss, 1 row"]).toEqual(namesOf(contestants.filter(({ caches }) => caches !== "constant")))
    expect(parts["invalidate a tag of 1 entry"]).toEqual(expect.arrayContaining(["bentocache 1, Valkey", "ours, Valkey, Effect"]))
    expect(report.memory).toHaveLength(contestants.length - 1)
  })

  it("measures hits where it says hit, misses where it says miss", () => {
    for (const { calls, figures, row } of report.rows) {
      for (const { contestant, queries } of figures) {
        if (row.startsWith("hit") && contestant !== "Prisma, no cache") expect(queries, `${row}: ${contestant}`).toBe(0)
        if (row.startsWith("miss") || row.startsWith("write")) expect(queries, `${row}: ${contestant}`).toBe(calls)
      }
    }
  })

  it("says whose hits are exact", () => {
    const lost = new Map(report.facts.map((facts) => [facts.contestant, facts.lost]))
    for (const name of ours) expect(lost.get(name), name).toEqual([])
    expect(lost.get("GET + JSON.parse")).toEqual(["BigInt", "Decimal", "Date", "Bytes"])
    expect(lost.get("prisma-extension-redis 5, superjson")).toEqual(["Decimal"])
  })

  it("counts round trips", () => {
    const trips = new Map(report.facts.map(({ contestant, roundTrips }) => [contestant, roundTrips]))
    // Rounded, since some ask the server for the time now and then.
    for (const { inMemory = false, name } of caching) expect(Math.round(trips.get(name)?.hit ?? NaN), name).toBe(inMemory ? 0 : 1)
    expect(trips.get("GET + JSON.parse")).toEqual({ hit: 1, miss: 2, write: 1 })
    for (const name of ours) {
      expect(Math.round(trips.get(name)?.miss ?? NaN), name).toBe(3)
      expect(Math.round(trips.get(name)?.write ?? NaN), name).toBe(2)
    }
  })

  it("counts the queries of a stampede", () => {
    for (const { contestant, stampede: { callers, queries } } of report.facts) {
      if (contestant === "query extension, a constant") continue
      const isShared = contestant !== "Prisma, no cache" && !contestant.startsWith("GET")
      expect(queries, contestant).toBe(isShared ? 1 : callers)
    }
  })

  it("keeps what it is to keep, and no more however much goes through", async () => {
    const program = await bundle(new URL("./sizes.ts", import.meta.url))
    const args = ["--entries", "2000", "--keys", "50000", "--rounds", "1", "--json"]
    const { stdout } = await promisify(execFile)(process.execPath, [program.file, ...args])
    await program.remove()
    const { entry, flight, loading, through }: Sizes & { readonly loading: { readonly ours: number } } = JSON.parse(stdout)
    for (const bytes of [entry.cold, entry.hot, flight, loading.ours]) expect(bytes).toBeGreaterThan(0)
    // Of what was there before as much is left behind at the most.
    expect(through.growth).toBeLessThan(through.tier * (entry.payload + entry.hot))
  })

  it("prints all of it", () => {
    const text = textOf(report)
    for (const name of namesOf(contestants)) expect(text).toContain(name)
    for (const { row } of report.rows) expect(text).toContain(row)
  })
})
