/** Writes that lose their connection to the database, which may commit them later, while their intents last. */
import { fails, holds } from "../configuration.js"
import type { Configuration } from "../configuration.js"
import { flightMachine } from "../flights.js"
import type { Fault } from "../setup.js"
import { afterCommit, explicit, strict } from "../tables.js"
import { mishaps, one, ownK, plain, rollback, short, strictOfBoth, strictOfTwo, two } from "./common.js"

const lost: ReadonlyArray<Fault> = [...rollback, "lost connection"]
const late = { reaches: ["a commit after the connection was lost"] }

export const lostConnections: ReadonlyArray<Configuration> = [
  holds("lost connections, strict, P1: 1 reader, 2 writers, kills, rollbacks, stamps evicted",
    plain({ ...one, evictions: "any", evicts: "stamps", faults: lost, writes: [strict(), strict()] }),
    { ...short, reaches: ["a commit after the connection was lost", "a fill"] }),
  holds("lost connections, strict, P2: 1 reader, 2 writers, kills, rollbacks, retries",
    plain({ ...one, promised: "P2", faults: [...lost, "retry"], writes: [strict(), strict()] }), late),
  holds("lost connections, strict, P3: 2 readers, 2 writers, kills, rollbacks",
    plain({ ...one, promised: "P3", readers: 2, faults: lost, writes: [strict(), strict()] }), { ...short, ...late }),
  holds("lost connections, strict, P1: 2 readers, 2 writers, all runs out in order",
    plain({ ...one, expiries: "in order", readers: 2, faults: lost, writes: [strict(), strict()] }), late),
  holds("lost connections, strict, P3: 1 reader, 2 writers, every mishap",
    plain({ ...one, promised: "P3", faults: [...mishaps, "lost connection"], writes: [strict(), strict()] }), late),
  holds("lost connections, strict, P1: 1 reader, 2 writers, late BEGINs, intents expire early, stamps evicted",
    plain({
      ...one,
      evictions: "any",
      evicts: "stamps",
      faults: [...lost, "BEGIN comes late", "early expiry"],
      writes: [strict(), strict()]
    }), late),
  holds("lost connections, strict, P3: 2 tags, 2 rows, kills, rollbacks, intents expire one by one",
    plain({
      ...two,
      promised: "P3",
      obtains: "one by one",
      expiries: "one by one",
      faults: lost,
      writes: [strictOfBoth, strictOfTwo]
    }), late),
  holds("lost connections, strict, P3: an explicit invalidation beside 2 writers, kills, rollbacks",
    plain({ ...one, promised: "P3", faults: lost, writes: [strict(), strict(), explicit()] }), late),
  holds("lost connections, own result, strict, P1: 2 writers store, kills, rollbacks, stamps evicted",
    plain({ ...one, evictions: "any", evicts: "stamps", faults: lost, writes: [ownK(strict()), ownK(strict())] }),
    { ...short, ...late }),
  holds("lost connections, flights, strict, P3: a writer, rollbacks",
    () =>
      flightMachine({ ...one, promised: "P3", faults: ["rollback", "lost connection"], writes: [strict()] }, {}),
    late),
  fails("limit: lost connections, strict, P1: an intent is evicted, then the database commits",
    plain({ ...one, evictions: 1, faults: ["lost connection"], writes: [strict()] }), short),
  fails("limit: lost connections, after-commit, P1: the database commits after the invalidation",
    plain({ ...one, faults: ["lost connection"], writes: [afterCommit()] }), short)
]
