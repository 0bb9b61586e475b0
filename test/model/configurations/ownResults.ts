/** Writes that store their own result. */
import { holds } from "../configuration.js"
import type { Configuration } from "../configuration.js"
import { afterCommit, explicit, ofRow, read, storing, storingLate, strict, table } from "../tables.js"
import { both, mishaps, one, ownK, plain, rollback, short, strictOfBoth, strictOfTwo } from "./common.js"

/** Two rows in one entry under one tag. */
const wideK = read("K", ["t"], ["1", "2"])
const wide = { database: table("1", "2"), reads: [wideK] }

/** An entry under a custom key that is known from the result only, its tag `k`, and the guard `g` of all such keys. */
const lateK = read("K", ["t", "k"], ["1"])
const late = { database: table("1"), reads: [lateK] }
const outside = explicit(["g", "k"])
/** A write that Prisma does not know of, and the invalidation of the custom key after it. */
const outsideWrite = afterCommit({ touches: ["g", "k"], name: "outside" })

export const ownResults: ReadonlyArray<Configuration> = [
  holds("own result, after-commit, P1: 2 writers store, retries, any eviction",
    plain({ ...one, evictions: "any", faults: ["retry"], writes: [ownK(afterCommit()), ownK(afterCommit())] }),
    { ...short, reaches: ["an own result was stored"] }),
  holds("own result, after-commit, P1: 2 of 3 writers store, any eviction",
    plain({ ...one, evictions: "any", writes: [ownK(afterCommit()), ownK(afterCommit()), afterCommit()] })),
  holds("own result, after-commit, P1: of 2 rows, 3 writers, retries",
    plain({
      ...wide,
      faults: ["retry"],
      writes: [storing(wideK, afterCommit()), ofRow("2", storing(wideK, afterCommit())), ofRow("2", afterCommit())]
    })),
  holds("own result, after-commit, P1: an explicit invalidation between",
    plain({ ...one, evictions: "any", writes: [ownK(afterCommit()), explicit(), afterCommit()] })),
  holds("own result, strict, P1: 2 writers store, rollbacks, any eviction",
    plain({ ...one, evictions: "any", faults: rollback, writes: [ownK(strict()), ownK(strict())] }),
    { ...short, reaches: ["an own result was stored"] }),
  holds("own result, strict, P3: 2 of 3 writers store, kills, rollbacks, stamps evicted",
    plain({
      ...one,
      promised: "P3",
      evictions: "any",
      evicts: "stamps",
      faults: rollback,
      writes: [ownK(strict()), ownK(strict()), strict()]
    })),
  holds("own result, strict, P1: 2 writers store, every mishap, intents expire early, 1 eviction",
    plain({ ...one, evictions: 1, faults: [...mishaps, "early expiry"], writes: [ownK(strict()), ownK(strict())] }),
    { reaches: ["an own result was stored"] }),
  holds("own result, strict, P3: of 2 rows, 3 writers, rollbacks",
    plain({
      ...wide,
      promised: "P3",
      faults: rollback,
      writes: [storing(wideK, strict()), ofRow("2", storing(wideK, strict())), ofRow("2", strict())]
    })),
  holds("own result, strict, P3: a writer of 2 tags stores beside a writer of one",
    plain({
      database: table("1", "2"),
      reads: [both],
      promised: "P3",
      faults: rollback,
      writes: [storing(both, strictOfBoth), strictOfTwo]
    })),
  holds("own result, strict beside after-commit, P1: 3 writers, 2 store",
    plain({ ...one, evictions: 2, writes: [ownK(strict()), afterCommit(), ownK(afterCommit())] })),
  holds("own result under a late key, after-commit, P1: a write elsewhere, 1 eviction",
    plain({ ...late, evictions: 1, writes: [storingLate(lateK, "k", "g", afterCommit()), outsideWrite] }),
    { ...short, reaches: ["an own result was stored under a late key"] }),
  holds("own result under a late key, after-commit, P1: writes elsewhere, retries, 1 eviction",
    plain({
      ...late,
      evictions: 1,
      faults: ["retry"],
      writes: [storingLate(lateK, "k", "g", afterCommit()), outsideWrite, outside]
    })),
  holds("own result under a late key, after-commit, P1: 2 writers store, a write elsewhere",
    plain({
      ...late,
      writes: [storingLate(lateK, "k", "g", afterCommit()), storingLate(lateK, "k", "g", afterCommit()), outsideWrite]
    })),
  holds("own result under a late key, strict, P1: writes elsewhere, kills, rollbacks, 1 eviction",
    plain({
      ...late,
      evictions: 1,
      faults: rollback,
      writes: [storingLate(lateK, "k", "g", strict()), strict(), outsideWrite]
    }),
    { reaches: ["an own result was stored under a late key"] })
]
