import { describe, expect, it } from "vitest"
import { amount } from "../support/amount.js"
import { postgresUrl } from "../support/servers.js"
import { makeChecker } from "./check.js"
import type { Observation } from "./check.js"
import { observe } from "./history.js"
import type { Options, Outcome } from "./history.js"
import { places } from "./places.js"
import { reads } from "./reads.js"
import { writes } from "./writes.js"

const observeAt = async (name: keyof typeof places, more: Partial<Options> & Pick<Options, "consistency">): Promise<Outcome> => {
  const place = await places[name]()
  try {
    return await observe({
      ...place,
      postgres: await postgresUrl("history"),
      namespace: "history",
      operations: amount(1_500, 10_000),
      processes: 3,
      ...more
    })
  } finally {
    await place.stop()
  }
}

describe("processes that read and write at random", () => {
  for (const [name, consistency] of [["one node", "strict"], ["three nodes", "strict"], ["skewed clocks", "after-commit"]] as const) {
    it(`never read anything older than they may: ${name}, ${consistency}`, async () => {
      const { counts, kinds, stale } = await observeAt(name, { consistency })
      expect(stale).toEqual([])
      expect(kinds).toBe(Object.keys(reads).length + Object.keys(writes).length)
      expect(counts["hit"]).toBeGreaterThan(100)
      expect(counts["written"]).toBeGreaterThan(20)
    })
  }

  for (const [name, consistency] of [["one node", "strict"], ["three nodes", "after-commit"]] as const) {
    it(`with memories of their own, miss what others write for a moment, and never what they write: ${name}, ${consistency}`, async () => {
      const { counts, stale } = await observeAt(name, { consistency, memory: true })
      expect(stale).toEqual([])
      expect(counts["hit in memory"]).toBeGreaterThan(50)
      expect(counts["written"]).toBeGreaterThan(20)
    })
  }

  it("do where the cache is wrong, which is seen", async () => {
    const { stale } = await observeAt("one node", { consistency: "after-commit", isWrong: true })
    expect(stale.length).toBeGreaterThan(0)
  })
})

describe("the check of a history", () => {
  const observation = (kind: "read" | "write", version: number | undefined, startedAt: number, endedAt: number, process = 0): Observation =>
    ({ kind, subject: 1, version, startedAt, endedAt, process })

  it("asks of a read what was acknowledged before it began, and nothing else", () => {
    const check = makeChecker({ monotone: false }).check
    const write = observation("write", 1, 10, 20)
    expect(check([write, observation("read", 0, 15, 30), observation("read", 1, 21, 30)])).toEqual([])
    const late = observation("read", 0, 21, 30)
    expect(check([late])).toEqual([{ ...late, newest: 1, late: 1 }])
  })

  it("counts writes that did not learn which version they left", () => {
    const read = observation("read", 1, 40, 50)
    const writesOf = [observation("write", undefined, 10, 20), observation("write", undefined, 10, 30)]
    expect(makeChecker({ monotone: false }).check([...writesOf, read])).toEqual([{ ...read, newest: 2, late: 10 }])
  })

  it("holds a read against earlier reads where nothing may be unseen again", () => {
    const reads = [observation("read", 1, 10, 20), observation("read", 0, 30, 40)]
    expect(makeChecker({ monotone: false }).check(reads)).toEqual([])
    expect(makeChecker({ monotone: true }).check(reads)).toEqual([{ ...reads[1], newest: 1, late: 10 }])
  })

  it("lets others miss a write for a while, and nobody miss their own", () => {
    const write = observation("write", 1, 10, 20, 1)
    const check = (read: Observation) => {
      const checker = makeChecker({ monotone: true, tolerance: 50 })
      return { stale: checker.check([write, read]).length, longest: checker.longest() }
    }
    expect(check(observation("read", 0, 70, 80, 2))).toEqual({ stale: 0, longest: 50 })
    expect(check(observation("read", 0, 71, 80, 2))).toEqual({ stale: 1, longest: 0 })
    expect(check(observation("read", 0, 21, 30, 1))).toEqual({ stale: 1, longest: 0 })
  })
})
