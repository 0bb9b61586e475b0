import { describe, expect, inject, it } from "vitest"
import { amount } from "../support/amount.js"
import type {} from "../support/globalSetup.js"
import { soak } from "./soak.js"

const seconds = amount(8, 60)

describe("an application whose cache server one thing after the other happens to", () => {
  it("fails nobody, serves nothing old, and holds in the end what it held at the start", async () => {
    const { before, connections, faults, left, report } = await soak({ postgres: inject("postgresUrl"), seconds })
    const { behind, errors, operations, stock, wrong } = report
    expect(errors).toEqual({})
    expect(Object.values(operations).reduce((sum, { failed }) => sum + failed, 0)).toBe(0)
    expect({ wrong, behind }).toEqual({ wrong: 0, behind: 0 })
    expect(faults.filter(({ recovery }) => recovery === undefined)).toEqual([])
    expect(faults.length).toBeGreaterThan(0)
    expect({ ...stock, heap: undefined }).toEqual({ ...before, heap: undefined })
    expect(connections.valkey).toBe(connections.valkeyBefore)
    expect(left).toMatchObject({ locks: 0, intents: 0, withoutExpiry: 0 })
    const [first, last] = [before, stock].map(({ heap }) => `${(heap / 1e6).toFixed(1)} MB`)
    console.log(`${faults.length} faults; heap ${first} at the start, ${last} in the end`)
    // A leak of all that passed through would be several times that.
    expect(stock.heap - before.heap).toBeLessThan(10e6)
  })
})
