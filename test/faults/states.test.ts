import { describe, expect, it } from "vitest"
import { amount } from "../support/amount.js"
import type { State } from "./stage.js"
import { states } from "./stage.js"
import type { Process } from "./world.js"
import { everyRow, isCached, isWell, makeWorld, nothingWrong, rows, versionsIn } from "./world.js"

/** Everybody at once, and as many as a busy process has. */
const readers = 200

const crowd = ({ watched }: Process) => Promise.all(Array.from({ length: readers }, (_, i) => watched.read(i % rows)))

/** Too few to be the reason that a store is not asked any more. */
const few = everyRow.slice(0, 5)

/** What differs from another in how it ends only. */
const variants = ["half-open: no answer comes through", "half-open, and cut in the end"]
const some: ReadonlyArray<State> = states.filter(({ name }) => amount(0, 1) === 1 || !variants.includes(name))

describe("a server that is", () => {
  it.each(some)("$name: no read fails, and nothing is seen that is older than it may be", async (state) => {
    const { database, open, stage } = await makeWorld()
    if (state.fromTheStart === true) await state.begin(stage)
    const process = await open()
    const { client, watched } = process
    const { counts } = watched
    if (state.fromTheStart !== true) {
      // The scripts are known to the server by then.
      await watched.invalidate(0)
      await isCached(process)
      await state.begin(stage)
    }
    const before = { ...counts }
    const first = Promise.all(few.map(watched.invalidate))
    await crowd(process)
    // All at once, so that many meet a store that has not yet been given up.
    await Promise.all([...everyRow.map(watched.invalidate), crowd(process)])
    await Promise.all([...everyRow.map((row) => watched.write(row)), crowd(process)])
    for (const row of few) {
      await watched.invalidate(row)
      await watched.read(row)
      await watched.write(row)
      await watched.read(row)
    }
    if (state.invalidations !== "either") {
      expect(await first).toEqual(few.map(() => state.invalidations === "acknowledged"))
    }
    await first
    expect(counts.acknowledged + counts.undelivered - before.acknowledged).toBe(rows + 2 * few.length)
    expect(counts).toMatchObject({ ...nothingWrong, refused: 0, written: rows + few.length })

    await state.end(stage)
    await isCached(process)
    await isWell(process)
    expect(client.health().undelivered).toBe(0)
    expect(counts.events["BreakerClosed"]).toBe(counts.events["BreakerOpened"])
    // What somebody sees who comes now.
    const other = await open({}, stage.undisturbed)
    expect(await versionsIn(other)).toEqual(everyRow.map(database.version))
    await crowd(process)
    expect(counts).toMatchObject(nothingWrong)
    expect(database.mostAtOnce()).toBeLessThanOrEqual(2)
  })
})
