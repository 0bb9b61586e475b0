import { describe, expect, it } from "vitest"
import { until } from "../support/process.js"
import type { Options } from "./client.js"
import type { Process } from "./world.js"
import { everyRow, isCached, isWell, makeWorld, nothingWrong, rows, versionsIn } from "./world.js"

const everywhere = (version: number) => everyRow.map(() => version)

const writeAll = ({ watched }: Process) => Promise.all(everyRow.map((row) => watched.write(row)))
const invalidateAll = ({ watched }: Process) => Promise.all(everyRow.map(watched.invalidate))
const isDown = ({ client }: Process) => until("the store is given up", () => client.health().status === "down")

/** Two processes that have all rows in their cache, of which one is cut off from the server, and the other is not. */
const parted = async (options: Options) => {
  const { database, open, stage } = await makeWorld()
  const [lonely, connected] = [await open(options), await open(options, stage.undisturbed)]
  await isCached(lonely)
  await isCached(connected)
  return {
    database,
    lonely,
    connected,
    part: () => stage.proxy.set({ refused: true }),
    meet: async () => {
      await stage.proxy.set({})
      await isWell(lonely)
    }
  }
}

const consistencies = ["after-commit", "strict"] as const

describe("a process that is cut off from a server that others reach", () => {
  describe.each(consistencies)("and proceeds, %s", (consistency) => {
    it("sees what it writes; the others see it as soon as the two meet again", async () => {
      const { connected, database, lonely, meet, part } = await parted({ consistency, onUnreachable: "proceed" })
      await part()
      await writeAll(lonely)
      expect(everyRow.map(database.version)).toEqual(everywhere(1))
      expect(await versionsIn(lonely)).toEqual(everywhere(1))
      // That is what proceeding means: nobody can tell them.
      expect(await versionsIn(connected)).toEqual(everywhere(0))
      expect(lonely.client.health()).toMatchObject({ undelivered: rows })
      await meet()
      expect(await versionsIn(connected)).toEqual(everywhere(1))
      await isCached(lonely)
      expect(lonely.watched.counts).toMatchObject({ ...nothingWrong, written: rows, refused: 0 })
      expect(connected.watched.counts).toMatchObject(nothingWrong)
    })

    it("is told of every invalidation that the others do not know of it", async () => {
      const { connected, lonely, meet, part } = await parted({ consistency, onUnreachable: "proceed" })
      await part()
      await invalidateAll(lonely)
      expect(lonely.watched.counts).toMatchObject({ acknowledged: 0, undelivered: rows })
      await meet()
      expect(await versionsIn(connected)).toEqual(everywhere(1))
      await invalidateAll(lonely)
      expect(lonely.watched.counts).toMatchObject({ acknowledged: rows, undelivered: rows })
      expect(await versionsIn(connected)).toEqual(everywhere(2))
      expect(connected.watched.counts).toMatchObject(nothingWrong)
    })

    it("sees what the others write", async () => {
      const { connected, lonely, part } = await parted({ consistency, onUnreachable: "proceed" })
      await part()
      await invalidateAll(connected)
      expect(connected.watched.counts).toMatchObject({ acknowledged: rows, undelivered: 0 })
      expect(await versionsIn(lonely)).toEqual(everywhere(1))
      expect(lonely.watched.counts).toMatchObject(nothingWrong)
    })
  })

  it("and refuses, strict: writes nothing that the others would not see, and reads on", async () => {
    const { connected, database, lonely, meet, part } = await parted({ consistency: "strict", onUnreachable: "refuse" })
    await part()
    for (let time = 0; time < 3; time++) await writeAll(lonely)
    expect(lonely.watched.counts).toMatchObject({ written: 0, refused: 3 * rows })
    expect(everyRow.map(database.version)).toEqual(everywhere(0))
    for (const process of [lonely, connected]) expect(await versionsIn(process)).toEqual(everywhere(0))
    await writeAll(connected)
    for (const process of [lonely, connected]) expect(await versionsIn(process)).toEqual(everywhere(1))
    await meet()
    await writeAll(lonely)
    expect(lonely.watched.counts).toMatchObject({ ...nothingWrong, written: rows, refused: 3 * rows })
    for (const process of [lonely, connected]) expect(await versionsIn(process)).toEqual(everywhere(2))
    await isCached(connected)
    expect(connected.watched.counts).toMatchObject({ ...nothingWrong, written: rows, refused: 0 })
  })

  it("and refuses, after-commit: writes nothing once it knows that it is cut off", async () => {
    const options = { consistency: "after-commit", onUnreachable: "refuse" } as const
    const { connected, database, lonely, meet, part } = await parted(options)
    await part()
    await until("the store is given up", async () => {
      await lonely.watched.read(0)
      return lonely.client.health().status === "down"
    })
    await writeAll(lonely)
    expect(lonely.watched.counts).toMatchObject({ written: 0, refused: rows })
    expect(everyRow.map(database.version)).toEqual(everywhere(0))
    await meet()
    await writeAll(lonely)
    expect(lonely.watched.counts).toMatchObject({ ...nothingWrong, written: rows, refused: rows })
    expect(await versionsIn(connected)).toEqual(everywhere(1))
  })

  describe.each(["proceed", "refuse"] as const)("in the middle of a strict write, and would %s", (onUnreachable) => {
    it("leaves nothing old to the others, who know of the write", async () => {
      const { connected, database, lonely, meet, part } = await parted({ consistency: "strict", onUnreachable })
      let cutOff = () => {}
      const isCutOff = new Promise<void>((resolve) => (cutOff = resolve))
      let begun = 0
      const writes = Promise.all(everyRow.map((row) => lonely.watched.write(row, () => (begun++, isCutOff))))
      await until("all have begun", () => begun === rows)
      await part()
      cutOff()
      await writes
      await isDown(lonely)
      expect(lonely.watched.counts).toMatchObject({ written: rows, refused: 0 })
      expect(everyRow.map(database.version)).toEqual(everywhere(1))
      for (const process of [lonely, connected]) expect(await versionsIn(process)).toEqual(everywhere(1))
      expect(connected.watched.counts.statuses).toMatchObject({ bypass: rows })
      await meet()
      await isCached(connected)
      for (const process of [lonely, connected]) {
        expect(await versionsIn(process)).toEqual(everywhere(1))
        expect(process.watched.counts).toMatchObject(nothingWrong)
      }
    })
  })
})
