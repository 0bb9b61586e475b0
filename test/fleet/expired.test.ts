import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest"
import { until } from "../support/process.js"
import { uniqueName, valkeyUrl } from "../support/servers.js"
import type { CountingDatabase } from "./database.js"
import { makeCountingDatabase } from "./database.js"
import type { Fleet } from "./fleet.js"
import { startFleet, sum } from "./fleet.js"
import type { CacheOptions, Task } from "./messages.js"

const processes = 4
const hour = 3_600_000

/** How often one process tries at most within so many milliseconds, if it pauses for 0.5 s, 1 s, 2 s, … in between. */
const triesWithin = (millis: number): number => {
  let tries = 1
  for (let pause = 500, at = 500; at <= millis; pause = Math.min(2 * pause, 30_000), at += pause) tries++
  return tries
}

describe(`an answer that expires while ${processes} processes read it a thousand times a second`, { timeout: 120_000 }, () => {
  let database: CountingDatabase
  let fleet: Fleet
  let name: string
  let options: CacheOptions

  /** What is stored first is fresh for a second only; whoever queries anew stores what is fresh for an hour. */
  const reading = (ttl: number): ReadonlyArray<Task> => [{ operation: "findMany", name, cache: { ttl, swr: hour } }]
  const rush = { callers: 500, everyMillis: 4 }

  beforeAll(async () => {
    database = await makeCountingDatabase("fleet_expired")
    fleet = await startFleet(processes, { postgres: database.url, valkey: valkeyUrl() })
  })
  beforeEach(async () => {
    options = { namespace: uniqueName("expired"), lock: { ttl: 5_000, waitTimeout: 30_000 } }
    name = uniqueName("counter")
    await database.pace(0)
    await database.insert(name, 1)
    // Connections and code are warm, and the answer is stored.
    await fleet.askAll({ options, callers: 1, tasks: [{ operation: "findMany", name: "nobody", cache: {} }] })
    await fleet.workers[0]?.ask({ options, callers: 1, tasks: reading(1_000) })
    await until("the answer is stored", async () => {
      const report = await fleet.workers[1]?.ask({ options, callers: 1, tasks: reading(1_000) })
      return report?.statuses["hit"] === 1
    })
    await database.startAgain()
  })
  afterAll(async () => {
    await fleet?.stop()
    await database?.close()
  })

  it("is queried anew once, and nobody waits for that", async () => {
    await database.pace(0.3)
    const reports = await fleet.askAll({ options, ...rush, tasks: reading(hour) })
    const statuses = sum(reports, "statuses")
    expect(Object.keys(statuses).sort()).toEqual(["hit", "stale"])
    expect(sum(reports, "values")).toEqual({ [JSON.stringify([{ name, value: 1 }])]: processes * rush.callers })
    expect(await database.queries()).toBe(1)
    console.log(`of ${processes * rush.callers} reads ${statuses["stale"]} were answered expired, none waited, 1 query`)
  })

  it("hurts nobody when it cannot be queried anew, and is not tried again and again", async () => {
    await database.pace(0.05, true)
    const startedAt = performance.now()
    const reports = await fleet.askAll({ options, ...rush, tasks: reading(hour) })
    const tries = await database.queries()
    const millis = performance.now() - startedAt
    expect(sum(reports, "errors")).toEqual({})
    expect(Object.keys(sum(reports, "statuses")).filter((status) => status !== "hit" && status !== "stale")).toEqual([])
    expect(tries).toBeGreaterThan(0)
    expect(tries).toBeLessThanOrEqual(processes * triesWithin(millis))
    console.log(`${sum(reports, "statuses")["stale"]} reads were answered expired in ${millis.toFixed(0)} ms, ${tries} queries failed`)
  })
})
