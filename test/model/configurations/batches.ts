/** Writes that commit together. */
import { batchMachine } from "../batches.js"
import { holds } from "../configuration.js"
import type { Configuration } from "../configuration.js"
import { afterCommit, ofRow, strict } from "../tables.js"
import { kill, rollback, short, strictOfTwo, two } from "./common.js"

const items = [strict({ touches: ["t"] }), ofRow("2", strict({ touches: ["t", "u"] }))]
const disjoint = [strict({ touches: ["t"] }), strictOfTwo]

export const batches: ReadonlyArray<Configuration> = [
  holds("batch, strict, P3: 2 items, another writer, kills, rollbacks",
    () => batchMachine({ ...two, promised: "P3", faults: rollback, writes: [strict()] }, { items, flaw: null }),
    { reaches: ["a batch committed", "a fill"] }),
  holds("batch, strict, P2: 2 items, another writer, kills, rollbacks, stamps evicted",
    () =>
      batchMachine({ ...two, promised: "P2", evictions: 2, evicts: "stamps", faults: rollback, writes: [strict()] }, {
        items,
        flaw: null
      })),
  holds("batch, strict, P1: 2 items, another writer, 1 eviction",
    () => batchMachine({ ...two, evictions: 1, faults: rollback, writes: [strict()] }, { items, flaw: null })),
  holds("batch, strict, P3: 2 items of different tags, 2 readers, kills",
    () =>
      batchMachine({ ...two, promised: "P3", readers: 2, faults: kill, writes: [] }, { items: disjoint, flaw: null }),
    short),
  holds("batch, after-commit, P1: 2 items, 2 readers, 1 eviction",
    () =>
      batchMachine({ ...two, readers: 2, evictions: 1, writes: [] }, {
        items: [afterCommit(), ofRow("2", afterCommit({ touches: ["t", "u"] }))],
        flaw: null
      }), { ...short, reaches: ["a batch committed", "a fill"] })
]
