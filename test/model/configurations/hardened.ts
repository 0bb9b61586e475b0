/** Writers that are killed after their intents were evicted. */
import { fails, holds } from "../configuration.js"
import type { Configuration } from "../configuration.js"
import { flightMachine } from "../flights.js"
import { afterCommit, explicit, soft, strict } from "../tables.js"
import { hardened, one, plain, rollback, short, strictOfBoth, strictOfTwo, two } from "./common.js"

const inTime = {
  reaches: ["twice an intent's length went by", "a fill under a stamp on probation", "a late fill was refused"]
}

export const hardenedReads: ReadonlyArray<Configuration> = [
  holds("hardened, strict, P4: 2 readers, 1 writer, kills, any eviction",
    plain({ ...one, ...hardened, readers: 2, evictions: "any", writes: [strict()] }), { ...short, ...inTime }),
  holds("hardened, strict, P4: 1 reader, 2 writers, kills, rollbacks, 1 eviction",
    plain({ ...one, ...hardened, evictions: 1, faults: rollback, writes: [strict(), strict()] }), inTime),
  holds("hardened, strict, P4: 2 readers, 2 writers, kills, rollbacks, any eviction",
    plain({ ...one, ...hardened, readers: 2, evictions: "any", faults: rollback, writes: [strict(), strict()] }),
    inTime),
  holds("hardened, strict, P4: 1 reader, 2 writers, keys looked up one by one, kills, rollbacks, any eviction",
    plain({
      ...one,
      ...hardened,
      lookups: "one by one",
      evictions: "any",
      faults: rollback,
      writes: [strict(), strict()]
    }), inTime),
  holds("hardened, strict, P4: 1 reader, 2 writers, kills, rollbacks, lost connections, any eviction",
    plain({
      ...one,
      ...hardened,
      evictions: "any",
      faults: [...rollback, "lost connection"],
      writes: [strict(), strict()]
    }), inTime),
  holds("hardened, strict, P4: 2 tags, kills, any eviction",
    plain({ ...two, ...hardened, obtains: "one by one", evictions: "any", writes: [strictOfBoth] }), inTime),
  holds("hardened, strict, P4: 2 tags, 2 rows, 2 writers, kills, 1 eviction",
    plain({ ...two, ...hardened, evictions: 1, writes: [strictOfBoth, strictOfTwo] }), inTime),
  holds("hardened, strict beside others, P4: kills, rollbacks, any eviction",
    plain({
      ...one,
      ...hardened,
      evictions: "any",
      faults: rollback,
      writes: [strict(), afterCommit(), explicit(), soft()]
    }), inTime),
  holds("hardened, strict, P3: 2 readers, 2 writers, kills, rollbacks, stamps evicted",
    plain({
      ...one,
      ...hardened,
      promised: "P3",
      readers: 2,
      evictions: "any",
      evicts: "stamps",
      faults: rollback,
      writes: [strict(), strict()]
    })),
  holds("hardened, flights, strict, P4: a writer, kills, any eviction",
    () => flightMachine({ ...one, ...hardened, evictions: "any", writes: [strict()] }, {}),
    { reaches: ["twice an intent's length went by", "a flight was joined after its query"] }),
  fails("limit: not hardened, strict, P4: an intent is evicted",
    plain({ ...one, ...hardened, hardened: false, evictions: 1, writes: [strict()] }), short)
]
