/** After-commit and strict writes beside readers, and where their promises end. */
import { fails, holds } from "../configuration.js"
import type { Configuration } from "../configuration.js"
import { afterCommit, explicit, strict } from "../tables.js"
import {
  afterCommitOfTwo,
  kill,
  mishaps,
  one,
  plain,
  rollback,
  short,
  strictOfBoth,
  strictOfTwo,
  two
} from "./common.js"

export const afterCommitWrites: ReadonlyArray<Configuration> = [
  holds("after-commit, P1: 1 reader, 2 writers, keys looked up one by one, any eviction",
    plain({
      ...one,
      lookups: "one by one",
      evictions: "any",
      faults: ["retry"],
      writes: [afterCommit(), afterCommit()]
    }),
    { ...short, reaches: ["a fill", "a reader was served", "an entry was replaced"] }),
  holds("after-commit, P1: 2 readers, 2 writers, keys looked up one by one, any eviction, retries",
    plain({
      ...one,
      lookups: "one by one",
      readers: 2,
      evictions: "any",
      faults: ["retry", "unknown outcome"],
      writes: [afterCommit(), afterCommit()]
    })),
  holds("after-commit, P1: 2 readers, 3 writers, any eviction",
    plain({ ...one, readers: 2, evictions: "any", writes: [afterCommit(), afterCommit(), afterCommit()] })),
  holds("after-commit, P1: 2 readers of 2 entries with 2 tags, 1 eviction",
    plain({ ...two, readers: 2, evictions: 1, obtains: "one by one", writes: [afterCommit(), afterCommitOfTwo] })),
  holds("after-commit, P1: 1 reader of 2 tags, keys looked up one by one, 2 evictions",
    plain({
      ...two,
      lookups: "one by one",
      obtains: "one by one",
      evictions: 2,
      writes: [afterCommit({ touches: ["t", "u"] }), afterCommitOfTwo]
    }))
]

export const strictWrites: ReadonlyArray<Configuration> = [
  holds("strict, P1: 1 reader, 2 writers, kills, rollbacks, 2 evictions of anything",
    plain({ ...one, evictions: 2, faults: rollback, writes: [strict(), strict()] }),
    { ...short, reaches: ["a rollback put a stamp back"] }),
  holds("strict, P2: 1 reader, 2 writers, kills, rollbacks",
    plain({ ...one, promised: "P2", faults: rollback, writes: [strict(), strict()] }), short),
  holds("strict, P3: 2 readers, 2 writers, kills, rollbacks",
    plain({ ...one, promised: "P3", readers: 2, faults: rollback, writes: [strict(), strict()] }),
    { ...short, reaches: ["a rollback put a stamp back"] }),
  holds("strict, P1: 2 readers, 2 writers, keys looked up one by one, kills, any eviction",
    plain({ ...one, readers: 2, lookups: "one by one", evictions: "any", faults: kill, writes: [strict(), strict()] })),
  holds("strict, P1: 1 reader, 3 writers, kills, rollbacks, any eviction",
    plain({ ...one, evictions: "any", faults: rollback, writes: [strict(), strict(), strict()] })),
  holds("strict, P2: 2 readers, 2 writers, keys looked up one by one, kills, rollbacks, stamps evicted but no intents",
    plain({
      ...one,
      promised: "P2",
      readers: 2,
      lookups: "one by one",
      evictions: "any",
      evicts: "stamps",
      faults: rollback,
      writes: [strict(), strict()]
    })),
  holds("strict, P2: 2 readers, 3 writers, kills, rollbacks",
    plain({ ...one, promised: "P2", readers: 2, faults: rollback, writes: [strict(), strict(), strict()] })),
  holds("strict, P3: 2 readers, 3 writers, kills, rollbacks, stamps evicted",
    plain({
      ...one,
      promised: "P3",
      readers: 2,
      evictions: "any",
      evicts: "stamps",
      faults: rollback,
      writes: [strict(), strict(), strict()]
    })),
  holds("strict, P3: 1 reader, 2 writers, keys looked up one by one, every mishap",
    plain({ ...one, promised: "P3", lookups: "one by one", faults: mishaps, writes: [strict(), strict()] })),
  holds("strict, P1: 1 reader, 2 writers, every mishap, intents expire early, 1 eviction",
    plain({ ...one, evictions: 1, faults: [...mishaps, "early expiry"], writes: [strict(), strict()] })),
  holds("strict, P1: 2 readers, 2 writers, intents expire early, any eviction",
    plain({
      ...one,
      readers: 2,
      evictions: "any",
      faults: [...rollback, "early expiry"],
      writes: [strict(), strict()]
    })),
  holds("strict, P3: an explicit invalidation beside 2 writers, kills, rollbacks",
    plain({ ...one, promised: "P3", faults: rollback, writes: [strict(), strict(), explicit()] })),
  holds("strict beside after-commit, P1: rollbacks, any eviction",
    plain({ ...one, readers: 2, evictions: "any", faults: rollback, writes: [strict(), afterCommit(), strict()] })),
  holds("strict, P3: 2 tags, 2 rows, kills, rollbacks, intents expire one by one",
    plain({
      ...two,
      promised: "P3",
      obtains: "one by one",
      expiries: "one by one",
      faults: rollback,
      writes: [strictOfBoth, strictOfTwo]
    }))
]

/** Where the promises end: known, and said in the documentation. */
export const limits: ReadonlyArray<Configuration> = [
  fails("limit: strict, P2: an intent is evicted, then its writer killed",
    plain({ ...one, promised: "P2", evictions: 1, faults: kill, writes: [strict(), strict()] }), short),
  fails("limit: strict, P3: an intent is evicted",
    plain({ ...one, promised: "P3", evictions: 1, writes: [strict(), strict()] }), short),
  fails("limit: strict, P2: an intent expires while its write runs, then its writer is killed",
    plain({ ...one, promised: "P2", faults: ["kill", "early expiry"], writes: [strict(), strict()] }), short)
]
