import { describe, expect, it } from "vitest"
import { objection } from "./configuration.js"
import { configurations } from "./configurations.js"
import { hardened } from "./configurations/common.js"
import { explore } from "./explore.js"
import type { Machine } from "./explore.js"
import { Fresh } from "./fresh.js"
import { machine } from "./machine.js"
import { mutants } from "./mutants.js"
import { setup } from "./setup.js"
import type { Partially } from "./setup.js"
import { afterCommit, read, strict, table } from "./tables.js"
import type { World } from "./world.js"

const short = [...configurations, ...mutants].filter(({ depth }) => depth === "short")
const expecting = (expected: string) => short.filter((configuration) => configuration.expected === expected)

describe("the protocol", () => {
  for (const configuration of expecting("verified")) {
    it(`holds: ${configuration.name}`, () => {
      expect(objection(configuration, configuration.explore())).toBeNull()
    })
  }
})

describe("the model finds out", () => {
  for (const configuration of expecting("violated")) {
    it(configuration.name, () => {
      const outcome = configuration.explore()
      expect(objection(configuration, outcome)).toBeNull()
      expect(outcome.trace).toHaveLength(outcome.depth)
    })
  }
})

const one = { database: table("1"), reads: [read("K", ["t"], ["1"])] }

/** A handful of machines that differ, right ones and wrong ones. */
const samples: ReadonlyArray<Partially> = [
  { ...one, readers: 2, evictions: 1, writes: [afterCommit(), afterCommit()] },
  { ...one, lookups: "one by one", evictions: 1, writes: [afterCommit(), afterCommit()] },
  { ...one, promised: "P2", faults: ["kill", "rollback"], writes: [strict(), strict()] },
  { ...one, promised: "P2", evictions: 1, faults: ["kill", "rollback"], writes: [strict(), strict()] },
  { ...one, flaw: "stamps are read after the query", writes: [afterCommit(), afterCommit()] },
  {
    ...one,
    faults: ["rollback", "unknown outcome"],
    flaw: "an unknown outcome counts as a rollback",
    writes: [strict()]
  },
  { ...one, promised: "P3", readers: 2, faults: ["kill", "lost connection"], writes: [strict()] },
  { ...one, ...hardened, evictions: 1, writes: [strict()] },
  { ...one, ...hardened, evictions: 1, flaw: "the store does not compare the end of an entry", writes: [strict()] }
]

/** A state as text, its fresh values named in the order in which they come. */
const asText = (state: World): string => {
  const names = new Map<Fresh, number>()
  return JSON.stringify(state, (_, value: unknown) => {
    if (!(value instanceof Fresh)) return value
    const name = names.get(value) ?? names.size
    names.set(value, name)
    return `#${name}`
  })
}

/** The states that can be reached, counted the plain way. */
const count = ({ copy, initial, steps }: Machine<World>): number => {
  const first = initial()
  const seen = new Set([asText(first)])
  const left = [first]
  for (let state = left.pop(); state !== undefined; state = left.pop()) {
    const from = state
    steps(from, (_, act) => {
      const draft = copy(from)
      act(draft)
      const text = asText(draft)
      if (seen.has(text)) return
      seen.add(text)
      left.push(draft)
    })
  }
  return seen.size
}

describe("the search", () => {
  it("reaches every state, and counts it once whatever its fresh values are called", () => {
    for (const sample of samples.slice(0, 3)) {
      const made = machine(setup({ ...sample, readers: 1 }))
      expect(explore({ ...made, interchangeable: [] }).states).toBe(count(made))
    }
  })

  it("comes to the same verdict when it tells interchangeable readers and writers apart", () => {
    for (const sample of samples) {
      const made = machine(setup(sample))
      const [together, apart] = [explore(made), explore({ ...made, interchangeable: [] })]
      expect(together).toMatchObject({ verdict: apart.verdict, depth: apart.depth })
      expect(together.states).toBeLessThanOrEqual(apart.states)
    }
  })

  it("comes to the same verdict when it remembers what is dead", () => {
    for (const sample of samples) {
      const forgetting = explore(machine(setup(sample)))
      const remembering = explore(machine(setup({ ...sample, keepsTheDead: true })))
      expect(forgetting.verdict).toBe(remembering.verdict)
      if (forgetting.verdict === "violated") expect(forgetting.depth).toBe(remembering.depth)
    }
  })

  it("tells the shortest way to a violation", () => {
    const flaw = "stamps are read after the query"
    const { trace } = explore(machine(setup({ ...one, flaw, writes: [afterCommit()] })))
    expect(trace.map((line) => line.split("  ")[0])).toEqual([
      "R0 misses K",
      "R0 queries K",
      "W0 COMMIT",
      "W0 INVALIDATE t",
      "R0 OBTAIN late t",
      "R0 SET K"
    ])
  })

  it("says so when it was not allowed to look at everything", () => {
    const made = machine(setup({ ...one, promised: "P2", faults: ["kill"], writes: [strict(), strict()] }))
    expect(explore(made, { states: 100 }).verdict).toBe("bounded")
  })
})
