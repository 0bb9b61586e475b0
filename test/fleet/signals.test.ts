import { monitorEventLoopDelay } from "node:perf_hooks"
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest"
import { until } from "../support/process.js"
import { uniqueName, valkeyUrl } from "../support/servers.js"
import type { CountingDatabase } from "./database.js"
import { makeCountingDatabase } from "./database.js"
import type { Fleet, Worker } from "./fleet.js"
import { startFleet, sum } from "./fleet.js"
import type { CacheOptions, Task } from "./messages.js"

const lockTtl = 1_000

describe("a process that holds the lock of a query", () => {
  let database: CountingDatabase
  let fleet: Fleet
  let options: CacheOptions
  let name: string
  let tasks: ReadonlyArray<Task>

  beforeAll(async () => {
    database = await makeCountingDatabase("fleet_signals")
    fleet = await startFleet(4, { postgres: database.url, valkey: valkeyUrl() })
  })
  beforeEach(async () => {
    await fleet.fill()
    options = { namespace: uniqueName("signals"), lock: { ttl: lockTtl, waitTimeout: 30_000 } }
    name = uniqueName("counter")
    tasks = [{ operation: "findMany", name, cache: { ttl: 60_000 } }]
    await database.pace(0)
    await fleet.askAll({ options, callers: 1, tasks: [{ operation: "findMany", name: uniqueName("warm"), cache: {} }] })
    await database.insert(name)
    await database.startAgain()
  })
  afterAll(async () => {
    await fleet?.stop()
    await database?.close()
  })

  const rows = (value: number) => JSON.stringify([{ name, value }])

  /** The worker whose query the database is running. */
  const holder = async (): Promise<Worker> => {
    let names: ReadonlyArray<string> = []
    await until("one worker's query is running", async () => (names = await database.readers()).length === 1)
    const found = fleet.workers.find((worker) => worker.name === names[0])
    if (found === undefined) throw new Error(`there is no ${names[0]}`)
    return found
  }

  it("and is killed in mid-query is followed by another within the lock's ttl and 250 ms", async () => {
    await database.pace(2)
    const reports = fleet.workers.map((worker) => worker.ask({ options, callers: 20, tasks }))
    const killed = await holder()
    await killed.signal("SIGKILL")
    const killedAt = performance.now()
    const lag = monitorEventLoopDelay({ resolution: 5 })
    lag.enable()
    await database.pace(0)
    const followedAt = await database.sawQueries(2)
    lag.disable()
    console.log(`another process queried ${Math.round(followedAt - killedAt)} ms after the kill; lock ttl ${lockTtl} ms`)
    // A machine that keeps this process waiting keeps the others waiting too.
    expect(followedAt - killedAt).toBeLessThan(lockTtl + 250 + lag.max / 1e6)
    const answers = await Promise.all(reports.filter((_, i) => fleet.workers[i] !== killed))
    expect(sum(answers, "values")).toEqual({ [rows(1)]: 60 })
    expect(await database.queries()).toBe(2)
  })

  it("and is stopped past its ttl changes nothing when it goes on, though nobody invalidated anything", async () => {
    await database.pace(0.5)
    const [first, ...others] = fleet.workers as [Worker, ...Array<Worker>]
    const late = first.ask({ options, callers: 1, tasks })
    await database.sawQueries(1)
    await first.signal("SIGSTOP")
    await database.update(name, 2)
    const reports = await Promise.all(others.map((worker) => worker.ask({ options, callers: 10, tasks })))
    expect(sum(reports, "values")).toEqual({ [rows(2)]: 30 })
    await first.signal("SIGCONT")
    expect((await late).values).toEqual({ [rows(1)]: 1 })
    // Whatever it had to store it has stored by the time that it has answered once more.
    await first.ask({ options, callers: 1, tasks: [{ operation: "findMany", name: uniqueName("other"), cache: { ttl: 60_000 } }] })
    const after = await fleet.askAll({ options, callers: 1, tasks })
    expect(sum(after, "values")).toEqual({ [rows(2)]: 4 })
    expect(sum(after, "statuses")).toEqual({ hit: 4 })
  })

  it("and whose query fails keeps nobody waiting: the next one tries, one at a time", async () => {
    await database.pace(0.3, true)
    const reports = fleet.workers.map((worker) => worker.ask({ options, callers: 5, tasks }))
    await database.sawQueries(1)
    await database.pace(0)
    const answers = await Promise.all(reports)
    const errors = Object.values(sum(answers, "errors")).reduce((one, two) => one + two, 0)
    expect([errors, sum(answers, "values")]).toEqual([5, { [rows(1)]: 15 }])
    expect(await database.queries()).toBe(2)
    // Nobody waited for the end of anything but queries.
    expect(Math.max(...answers.map(({ millis }) => millis))).toBeLessThan(30_000)
  })

  it("and gets an error that everybody would get lets all of them go at once", async () => {
    await database.pace(1)
    const absent: ReadonlyArray<Task> = [{ operation: "findUniqueOrThrow", name: uniqueName("absent"), cache: { ttl: 60_000 } }]
    const reports = fleet.askAll({ options, callers: 5, tasks: absent })
    await holder()
    await until("all others query at the same time", async () => (await database.readers()).length === 3)
    expect(sum(await reports, "errors")).toEqual({ P2025: 20 })
    expect(await database.queries()).toBe(4)
  })

  it("for longer than others wait costs one query more in each process, not one for each caller", async () => {
    await database.pace(3)
    const impatient = { ...options, lock: { ttl: lockTtl, waitTimeout: 300 } }
    const answers = await fleet.askAll({ options: impatient, callers: 25, tasks })
    expect(sum(answers, "values")).toEqual({ [rows(1)]: 100 })
    expect(await database.queries()).toBe(4)
  })
})
