/** Entries that are served as expired while they are refreshed, and invalidations that only make entries expire. */
import { holds } from "../configuration.js"
import type { Configuration } from "../configuration.js"
import { afterCommit, soft, strict } from "../tables.js"
import { one, ownK, plain, rollback, short } from "./common.js"

export const expired: ReadonlyArray<Configuration> = [
  holds("expired entries, after-commit with soft invalidations, P1: 2 readers, 1 eviction",
    plain({ ...one, readers: 2, evictions: 1, writes: [afterCommit(), soft()] }), short),
  holds("expired entries, after-commit with soft invalidations, P1: 2 readers, keys looked up one by one, any eviction",
    plain({ ...one, readers: 2, lookups: "one by one", evictions: "any", writes: [afterCommit(), soft(), soft()] })),
  holds("expired entries, strict with soft invalidations, P3: 2 readers, kills, rollbacks",
    plain({ ...one, promised: "P3", readers: 2, faults: rollback, writes: [strict(), soft(), strict()] })),
  holds("expired entries, strict with soft invalidations and own results, P1: 1 eviction",
    plain({ ...one, evictions: 1, faults: rollback, writes: [ownK(strict()), soft(), strict()] }))
]
