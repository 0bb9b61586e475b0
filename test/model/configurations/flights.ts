/** Callers of one process who share lookups and flights. */
import { holds } from "../configuration.js"
import type { Configuration } from "../configuration.js"
import { flightMachine } from "../flights.js"
import { readByEmail, rowTables, rowTags, rowWrites, strictly } from "../rows.js"
import { afterCommit, strict } from "../tables.js"
import { kill, one, rollback, short } from "./common.js"

const threeWrites = [afterCommit(), afterCommit(), afterCommit()]
const userA = readByEmail("a")
const joined = { reaches: ["a flight was joined after its query", "a flight was joined before its query"] }
const joinedBefore = { reaches: ["a flight was joined before its query"] }

export const flights: ReadonlyArray<Configuration> = [
  holds("flights, after-commit, P1: a writer",
    () => flightMachine({ ...one, writes: [afterCommit()] }, {}), { ...short, ...joined }),
  holds("flights, strict, P3: a writer, rollbacks",
    () => flightMachine({ ...one, promised: "P3", faults: rollback, writes: [strict()] }, {}), { ...short, ...joined }),
  holds("flights, after-commit, P1: 2 writers, 1 eviction",
    () => flightMachine({ ...one, evictions: 1, writes: [afterCommit(), afterCommit()] }, {}), joined),
  holds("flights, after-commit, P1: 3 lookups, 3 flights, 2 writers",
    () => flightMachine({ ...one, writes: [afterCommit(), afterCommit()] }, { lookups: 3, flights: 3 }), joined),
  holds("flights, after-commit, P1: 3 writers, 1 eviction",
    () => flightMachine({ ...one, evictions: 1, writes: threeWrites }, {}), joined),
  holds("flights, strict, P3: 2 writers, kills, rollbacks",
    () => flightMachine({ ...one, promised: "P3", faults: rollback, writes: [strict(), strict()] }, {}), joined),
  holds("flights, strict, P1: 2 writers, kills, rollbacks, 1 eviction",
    () => flightMachine({ ...one, evictions: 1, faults: rollback, writes: [strict(), strict()] }, {}), joined),
  holds("flights, strict, P3: 3 writers, rollbacks, 1 lookup at a time",
    () =>
      flightMachine({ ...one, promised: "P3", faults: ["rollback"], writes: [strict(), strict(), strict()] }, {
        lookups: 1
      }),
    joined),
  holds("flights, no stamp can be made, P1: 3 writers",
    () => flightMachine({ ...one, writes: threeWrites }, { server: "full", lookups: 3, flights: 3 }),
    { ...short, ...joinedBefore }),
  holds("flights without a cache, P1: 3 writers",
    () => flightMachine({ ...one, writes: threeWrites }, { server: "away", lookups: 3, flights: 3 }),
    { ...short, ...joinedBefore }),
  holds("flights of a row, after-commit, P1: 2 writers, 1 eviction",
    () =>
      flightMachine({
        database: rowTables.one,
        reads: [userA],
        lateTags: rowTags,
        evictions: 1,
        writes: [rowWrites.updateById, rowWrites.updateById]
      }, { keyTags: ["email:a", "M"] }), joined),
  holds("flights of a row, strict, P3: 2 writers, kills",
    () =>
      flightMachine({
        database: rowTables.one,
        reads: [userA],
        lateTags: rowTags,
        promised: "P3",
        faults: kill,
        writes: [rowWrites.updateById, rowWrites.updateById].map(strictly)
      }, { keyTags: ["email:a", "M"], lookups: 1 }), joined)
]
