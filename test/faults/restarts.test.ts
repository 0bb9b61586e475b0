import { describe, expect, it, onTestFinished } from "vitest"
import { until } from "../support/process.js"
import { startReplica, stateOf } from "./stage.js"
import { everyRow, isCached, isWell, makeWorld, nothingWrong, readAll, rows, versionsIn } from "./world.js"

describe("a server that comes back with data from before an acknowledged invalidation", () => {
  /** Entries and their stamps are saved together; then each row is written, and that is acknowledged. */
  const saved = async () => {
    const place = await makeWorld()
    const process = await place.open()
    await isCached(process)
    await place.stage.ask("SAVE")
    await Promise.all(everyRow.map(process.watched.invalidate))
    expect(process.watched.counts).toMatchObject({ acknowledged: rows, undelivered: 0 })
    return { ...place, process }
  }

  it("is not believed by a process that was connected to it before", async () => {
    const { process, stage } = await saved()
    await stage.server.kill("SIGKILL")
    await stage.server.restart()
    expect(Number(await stage.ask("DBSIZE"))).toBeGreaterThan(2 * rows)
    await isCached(process)
    await isWell(process)
    expect(process.watched.counts).toMatchObject(nothingWrong)
  })

  it("is not believed although its stamps are from a time when nobody could ask who it is", async () => {
    const place = await makeWorld()
    const { stage } = place
    await stateOf("forbidding to ask who it is").begin(stage)
    const unknowing = await place.open()
    await isCached(unknowing)
    await stateOf("forbidding to ask who it is").end(stage)
    await stage.ask("SAVE")
    await Promise.all(everyRow.map(unknowing.watched.invalidate))
    expect(unknowing.watched.counts).toMatchObject({ acknowledged: rows, undelivered: 0 })
    await stage.server.kill("SIGKILL")
    await stage.server.restart()
    const process = await place.open()
    await isCached(process)
    expect(process.watched.counts).toMatchObject(nothingWrong)
  })

  it("is not believed by a process that was not there before", async () => {
    const { open, stage } = await saved()
    await stage.server.kill("SIGKILL")
    await stage.server.restart()
    const another = await open()
    await isCached(another)
    expect(another.watched.counts).toMatchObject(nothingWrong)
  })

  it("is not believed by many processes at once, and keeps what they store from then on", async () => {
    const { database, open, process, stage } = await saved()
    const others = [await open(), await open(), await open(), await open()]
    await stage.server.kill("SIGKILL")
    await stage.server.restart()
    for (let time = 0; time < 5; time++) await Promise.all([process, ...others].map(readAll))
    await Promise.all([process, ...others].map(isCached))
    const queries = database.queries()
    for (const one of [process, ...others]) {
      await isWell(one)
      expect(one.watched.counts).toMatchObject(nothingWrong)
    }
    await Promise.all([process, ...others].map(readAll))
    expect(database.queries()).toBe(queries)
  })

  it("is not believed when it was away for no longer than a connection takes to be made anew", async () => {
    const { process, stage } = await saved()
    let isOver = false
    const reading = (async () => {
      while (!isOver) await readAll(process)
    })()
    for (let time = 0; time < 3; time++) {
      await stage.server.kill("SIGKILL")
      await stage.server.restart()
      await isCached(process)
      await Promise.all(everyRow.map(process.watched.invalidate))
    }
    isOver = true
    await reading
    expect(process.watched.counts).toMatchObject(nothingWrong)
  })
})

describe("a name that stands for another server, which lags behind", () => {
  it("is not believed", async () => {
    const { open, stage } = await makeWorld()
    const process = await open()
    await isCached(process)
    const other = await startReplica(stage)
    onTestFinished(other.stop)
    await other.promote()
    await Promise.all(everyRow.map(process.watched.invalidate))
    expect(process.watched.counts).toMatchObject({ acknowledged: rows })
    stage.proxy.lead(other.port)
    await stage.server.kill("SIGKILL")
    await isCached(process)
    await isCached(await open())
    expect(process.watched.counts).toMatchObject(nothingWrong)
  })
})

describe("a server that gets its first replica", () => {
  it("is the same to those who were connected before and to those who come later", async () => {
    const { database, open, stage } = await makeWorld()
    const early = await open()
    await isCached(early)
    const replica = await startReplica(stage)
    onTestFinished(replica.stop)
    const late = await open()
    await isCached(late)
    // Both take each other's stamps for those of another life, until they look again.
    let queries = NaN
    await until("they agree", async () => {
      queries = database.queries()
      await Promise.all([early, late].map(readAll))
      return database.queries() === queries
    })
    for (let time = 0; time < 5; time++) await Promise.all([early, late].map(readAll))
    expect(database.queries()).toBe(queries)
    for (const { watched } of [early, late]) expect(watched.counts).toMatchObject(nothingWrong)
  })
})

describe("a server that comes back with nothing", () => {
  it("is filled anew", async () => {
    const { database, open, stage } = await makeWorld()
    const process = await open()
    await isCached(process)
    await Promise.all(everyRow.map(process.watched.invalidate))
    await stage.server.kill("SIGKILL")
    await stage.server.restart()
    const queries = database.queries()
    await isCached(process)
    expect(database.queries()).toBeGreaterThanOrEqual(queries + rows)
    await isWell(process)
    expect(process.watched.counts).toMatchObject(nothingWrong)
  })
})

describe("a server that is busy with a script when somebody connects", () => {
  it("is not believed after it has come back with old data any more than another", async () => {
    const { open, stage } = await makeWorld()
    const busy = stateOf("busy with a script")
    await busy.begin(stage)
    const process = await open()
    await until("it has tried", async () => {
      await readAll(process)
      return process.client.health().status === "down"
    })
    await busy.end(stage)
    await isCached(process)
    await stage.ask("SAVE")
    await Promise.all(everyRow.map(process.watched.invalidate))
    expect(process.watched.counts).toMatchObject({ acknowledged: rows })
    await stage.server.kill("SIGKILL")
    await stage.server.restart()
    await isCached(process)
    expect(process.watched.counts).toMatchObject(nothingWrong)
  })
})

describe("a connection that breaks and is made anew to the same server", () => {
  it("keeps what the server holds", async () => {
    const { open, stage } = await makeWorld()
    const process = await open()
    await isCached(process)
    const { events } = process.watched.counts
    const filled = events["Filled"]
    for (let time = 0; time < 5; time++) {
      stage.proxy.cut()
      await isCached(process)
    }
    expect(events["Filled"]).toBe(filled)
    expect(events["EpochRotated"]).toBeUndefined()
    expect(process.watched.counts).toMatchObject(nothingWrong)
  })
})

describe("invalidations that could not be delivered", () => {
  it("are delivered before anything is served from the store again", async () => {
    const { open, stage } = await makeWorld()
    const [process, other] = [await open(), await open()]
    await isCached(process)
    await isCached(other)
    await stage.proxy.set({ refused: true })
    await Promise.all(everyRow.map(process.watched.invalidate))
    await Promise.all(everyRow.map((row) => process.watched.write(row)))
    expect(process.watched.counts).toMatchObject({ acknowledged: 0, undelivered: rows, written: rows })
    expect(process.client.health()).toEqual({ status: "down", suspended: [""], undelivered: rows })
    await readAll(process)
    await stage.proxy.set({})
    await isWell(process)
    expect(process.client.health()).toEqual({ status: "ok", suspended: [], undelivered: 0 })
    await isCached(process)
    expect(await versionsIn(other)).toEqual(everyRow.map(() => 2))
    expect(process.watched.counts).toMatchObject(nothingWrong)
  })

  it("and are more than are remembered are delivered as one: everything is invalidated", async () => {
    const { open, stage } = await makeWorld()
    const [process, other] = [await open({ maxUndelivered: 5 }), await open({}, stage.undisturbed)]
    await isCached(process)
    await isCached(other)
    await stage.proxy.set({ refused: true })
    await Promise.all(everyRow.map(process.watched.invalidate))
    expect(process.watched.counts).toMatchObject({ undelivered: rows, events: { EpochRotated: 1 } })
    expect(process.client.health().undelivered).toBeLessThanOrEqual(6)
    expect(await versionsIn(process)).toEqual(everyRow.map(() => 1))
    await stage.proxy.set({})
    await isWell(process)
    expect(await versionsIn(other)).toEqual(everyRow.map(() => 1))
    await isCached(process)
    expect(process.watched.counts).toMatchObject(nothingWrong)
  })

  it("are said once more when the cache is closed", async () => {
    const { open, stage } = await makeWorld()
    const [process, other] = [await open(), await open()]
    await isCached(process)
    await stage.proxy.set({ silent: "toServer" })
    await Promise.all(everyRow.map((row) => process.watched.write(row)))
    expect(process.client.health().undelivered).toBe(rows)
    const closing = process.client.close()
    await stage.proxy.set({})
    await closing
    await isWell(other)
    expect(await versionsIn(other)).toEqual(everyRow.map(() => 1))
  })
})
