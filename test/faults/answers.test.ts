import { describe, expect, it } from "vitest"
import { amount } from "../support/amount.js"
import type { Proxy } from "../support/proxy.js"
import { everyRow, isCached, isWell, makeWorld, nothingWrong, readAll, versionsIn } from "./world.js"

/** What happens to the next answer on its way. */
const mishaps: ReadonlyArray<readonly [name: string, arm: (proxy: Proxy) => void, times: number]> = [
  ["gets lost with its connection", (proxy) => proxy.cutBeforeNextAnswer(), 5],
  ["gets lost, the connection being reset", (proxy) => proxy.resetBeforeNextAnswer(), 5],
  // It takes a while to give up a connection that nothing is heard from.
  ["ends after a byte, and nothing follows", (proxy) => proxy.truncateNextAnswer(1, "stall"), amount(0, 2)],
  ["ends in its middle, and nothing follows", (proxy) => proxy.truncateNextAnswer(40, "stall"), amount(1, 2)],
  ["ends in its middle, with its connection", (proxy) => proxy.truncateNextAnswer(40, "cut"), 5],
  ["ends in the middle of an entry, with its connection", (proxy) => proxy.truncateNextAnswer(600, "cut"), 5]
]

describe("an answer that", () => {
  const some = mishaps.filter(([, , times]) => times > 0)

  it.each(some)("%s is none: no read fails, and what was invalidated is", async (_, arm, times) => {
    const { database, open, stage } = await makeWorld()
    const process = await open()
    const { client, watched } = process
    await isCached(process)
    for (let time = 0; time < times; time++) {
      // Reads of one tick share an answer.
      arm(stage.proxy)
      await readAll(process)
      await isCached(process)
      arm(stage.proxy)
      await Promise.all(everyRow.map(watched.invalidate))
      await readAll(process)
      await isWell(process)
      await isCached(process)
      arm(stage.proxy)
      await Promise.all(everyRow.map((row) => watched.write(row)))
      await readAll(process)
      await isWell(process)
      await isCached(process)
    }
    expect(watched.counts.acknowledged + watched.counts.undelivered).toBe(times * everyRow.length)
    expect(watched.counts).toMatchObject({ ...nothingWrong, written: times * everyRow.length, refused: 0 })
    expect(client.health()).toMatchObject({ status: "ok", undelivered: 0 })
    expect(await versionsIn(await open({}, stage.undisturbed))).toEqual(everyRow.map(database.version))
  })
})
