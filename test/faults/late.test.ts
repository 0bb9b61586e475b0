import { describe, expect, it } from "vitest"
import { amount } from "../support/amount.js"
import { until } from "../support/process.js"
import type { Options } from "./client.js"
import type { Process } from "./world.js"
import { everyRow, isCached, isWell, makeWorld, nothingWrong, readAll, rows, versionsIn } from "./world.js"

/** What is left behind by a write that nobody could end lasts so long. */
const intentTtl = 1_000

const rounds = amount(1, 3)

const consistencies = (["strict", "after-commit"] as const).slice(0, amount(1, 2))

/**
 * Over a connection nothing comes any more, though a new one would do; what was said in it arrives when everything else
 * has long been said.
 */
describe.each(consistencies)("what is carried out late, %s, makes nothing old valid again", (consistency) => {
  const parted = async (options: Options = {}) => {
    const { database, open, stage } = await makeWorld()
    const process = await open({ consistency, intentTtl, ...options })
    const other = await open({ consistency, intentTtl }, stage.undisturbed)
    await Promise.all([process.watched.write(0), other.watched.write(1)])
    await isCached(process)
    await isCached(other)
    return { database, process, other, stage }
  }
  const settled = async (one: Process, other: Process, expected: ReadonlyArray<number>) => {
    for (const process of [one, other]) {
      expect(await versionsIn(process)).toEqual(expected)
      await isCached(process)
      expect(await versionsIn(process)).toEqual(expected)
      expect(process.watched.counts).toMatchObject(nothingWrong)
    }
  }

  it("whatever a process said whose connection froze", async () => {
    const { database, other, process, stage } = await parted()
    for (let time = 0; time < rounds; time++) {
      await Promise.all(everyRow.filter((row) => row % 2 === 0).map(process.watched.invalidate))
      const thaw = stage.proxy.freeze()
      // Reads that would fill, writes and invalidations: all of it is on its way, and does not arrive.
      await Promise.all([
        readAll(process),
        ...everyRow.map((row) => process.watched.write(row)),
        ...everyRow.slice(0, 5).map(process.watched.invalidate)
      ])
      await until("it has another connection", async () => {
        await readAll(process)
        return process.client.health().status === "ok"
      })
      await Promise.all(everyRow.map((row) => other.watched.write(row)))
      await isCached(other)
      thaw()
      await settled(process, other, everyRow.map(database.version))
    }
    expect(process.watched.counts).toMatchObject({ refused: 0, written: rounds * rows + 1 })
  })

  it("whatever a process said that was closed since", async () => {
    const { database, other, process, stage } = await parted()
    const thaw = stage.proxy.freeze()
    await Promise.all([readAll(process), ...everyRow.map((row) => process.watched.write(row))])
    await process.client.close()
    await Promise.all(everyRow.map(other.watched.invalidate))
    expect(other.watched.counts).toMatchObject({ acknowledged: rows })
    await isCached(other)
    thaw()
    for (let time = 0; time < 20; time++) expect(await versionsIn(other)).toEqual(everyRow.map(database.version))
    await isCached(other)
    await isWell(other)
    expect(other.watched.counts).toMatchObject(nothingWrong)
  })
})
