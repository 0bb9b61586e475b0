import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { uniqueName, valkeyUrl } from "../support/servers.js"
import type { CountingDatabase } from "./database.js"
import { makeCountingDatabase } from "./database.js"
import type { Fleet } from "./fleet.js"
import { startFleet, sum } from "./fleet.js"
import type { CacheOptions, Task } from "./messages.js"
import { amount } from "../support/amount.js"

const processes = 8
const callers = 10_000

const times = amount(2, 5)

describe(`${callers.toLocaleString("en")} callers in ${processes} processes who need what is in no cache`, { timeout: 120_000 }, () => {
  let database: CountingDatabase
  let fleet: Fleet
  const options: CacheOptions = { namespace: uniqueName("cold"), lock: { ttl: 30_000, waitTimeout: 60_000 } }

  beforeAll(async () => {
    database = await makeCountingDatabase("fleet_cold")
    fleet = await startFleet(processes, { postgres: database.url, valkey: valkeyUrl() })
    // Connections and code are warm before anything is counted.
    await fleet.askAll({ options, callers: 1, tasks: [{ operation: "findMany", name: "nobody", cache: {} }] })
  })
  afterAll(async () => {
    await fleet?.stop()
    await database?.close()
  })

  const readsOf = (names: ReadonlyArray<string>): ReadonlyArray<Task> =>
    names.map((name) => ({ operation: "findMany", name, cache: { ttl: 60_000 } }))

  /** All callers at once, as many for each of the rows; answers how many queries the database counted. */
  const queriesFor = async (rows: number, lock = options.lock): Promise<number> => {
    const names = Array.from({ length: rows }, () => uniqueName("counter"))
    for (const [i, name] of names.entries()) await database.insert(name, i)
    await database.startAgain()
    const reports = await fleet.askAll({
      options: { ...options, lock },
      callers: callers / processes / rows,
      tasks: readsOf(names)
    })
    const values = names.map((name, value) => [JSON.stringify([{ name, value }]), callers / rows])
    expect(sum(reports, "values")).toEqual(Object.fromEntries(values))
    expect(sum(reports, "errors")).toEqual({})
    return database.queries()
  }

  it(`make one query, ${times} times out of ${times}`, async () => {
    await database.pace(0.1)
    const counts: Array<number> = []
    for (let i = 0; i < times; i++) counts.push(await queriesFor(1))
    expect(counts).toEqual(Array.from({ length: times }, () => 1))
  })

  it("make one query when it takes no time, so that some come while it is stored and some when it is", async () => {
    await database.pace(0)
    const counts: Array<number> = []
    for (let i = 0; i < times; i++) counts.push(await queriesFor(1))
    expect(counts).toEqual(Array.from({ length: times }, () => 1))
  })

  it("make one query when it takes three times as long as the lock lasts, for each of five rows at once", async () => {
    // A process that gets no processor for two thirds of the ttl loses the lock, and that is how it should be.
    await database.pace(6)
    expect(await queriesFor(5, { ttl: 2_000, waitTimeout: 60_000 })).toBe(5)
  })

  it("make a query for each of 25 rows that they need at once", async () => {
    await database.pace(0.1)
    expect(await queriesFor(25)).toBe(25)
  })

  it("keep nobody who comes then: none of them queries", async () => {
    const name = uniqueName("counter")
    await database.pace(0)
    await database.insert(name)
    const [first, ...others] = fleet.workers
    const tasks = readsOf([name])
    await first?.ask({ options, callers: 1, tasks })
    await database.startAgain()
    const reports = await Promise.all(others.map((worker) => worker.ask({ options, callers: 100, tasks })))
    // The first to look in a process may find the answer on its way into the store, and those behind it join.
    expect(Object.keys(sum(reports, "statuses")).filter((status) => !["hit", "joined"].includes(status))).toEqual([])
    expect(await database.queries()).toBe(0)
  })
})
