/** A server that comes back with an old copy of its data. */
import { holds } from "../configuration.js"
import type { Configuration } from "../configuration.js"
import { afterCommit, strict } from "../tables.js"
import { one, plain, rollback, short, strictOfBoth, strictOfTwo, two } from "./common.js"

const back = { reaches: ["an entry came back from a copy", "a fill"] }

export const restarts: ReadonlyArray<Configuration> = [
  holds("old copy, after-commit, P1: 1 reader, 2 writers",
    plain({ ...one, faults: ["old copy"], writes: [afterCommit(), afterCommit()] }), { ...short, ...back }),
  holds("old copy, after-commit, P1: 2 readers, 2 writers, keys looked up one by one, 1 eviction",
    plain({
      ...one,
      readers: 2,
      lookups: "one by one",
      evictions: 1,
      faults: ["old copy"],
      writes: [afterCommit(), afterCommit()]
    }), back),
  holds("old copy, strict, P1: 1 reader, 2 writers, kills, rollbacks",
    plain({ ...one, faults: [...rollback, "old copy"], writes: [strict(), strict()] }), { ...short, ...back }),
  holds("old copy, strict, P1: 2 tags, 2 rows, kills, rollbacks",
    plain({ ...two, obtains: "one by one", faults: [...rollback, "old copy"], writes: [strictOfBoth, strictOfTwo] }), back)
]
