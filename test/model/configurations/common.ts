/** What the configurations have in common. */
import type { Database, Read } from "../database.js"
import type { Machine } from "../explore.js"
import { machine } from "../machine.js"
import { setup } from "../setup.js"
import type { Fault, Partially } from "../setup.js"
import { afterCommit, ofRow, read, storing, strict, table } from "../tables.js"
import type { World } from "../world.js"
import type { Write } from "../database.js"

export const short = { depth: "short" } as const

/** A machine of readers and writers. */
export const plain = (given: Partially) => (): Machine<World> => machine(setup(given))

interface Tables {
  readonly database: Database
  readonly reads: ReadonlyArray<Read>
}

export const K = read("K", ["t"], ["1"])

/** One row, one entry, one tag. */
export const one: Tables = { database: table("1"), reads: [K] }

export const both = read("K", ["t", "u"], ["1", "2"])

export const first = read("J", ["t"], ["1"])

/** Two rows, an entry that depends on the tags of both, and one that depends on the first. */
export const two: Tables = { database: table("1", "2"), reads: [both, first] }

/** A write of row 1, stored as the answer of K. */
export const ownK = (write: Write): Write => storing(K, write)

export const strictOfBoth = strict({ touches: ["t", "u"] })
export const strictOfTwo = ofRow("2", strict({ touches: ["u"] }))
export const afterCommitOfTwo = ofRow("2", afterCommit({ touches: ["u"] }))

export const kill: ReadonlyArray<Fault> = ["kill"]
export const rollback: ReadonlyArray<Fault> = ["kill", "rollback"]

/** Stamps made over nothing are on probation, and writers are killed. */
export const hardened = { promised: "P4", expiries: "in order", hardened: true, faults: kill } as const

/** Everything that can befall a write in time. */
export const mishaps: ReadonlyArray<Fault> = [
  ...rollback,
  "BEGIN fails",
  "BEGIN comes late",
  "BEGIN is resent",
  "unknown outcome",
  "retry"
]
