/** What must hold: each configuration is explored until there is no state left to look at. */
import { batchMachine } from "./batches.js"
import { fails, holds, holdsInEach } from "./configuration.js"
import type { Configuration } from "./configuration.js"
import type { Write } from "./database.js"
import { flightMachine } from "./flights.js"
import { machine } from "./machine.js"
import {
  pairs,
  predicting,
  readByEmail,
  readById,
  readLoosely,
  rowTables,
  rowTags,
  rowWrites,
  strictly,
  updateLoosely,
  written
} from "./rows.js"
import { setup } from "./setup.js"
import type { Fault, Partially, Setup } from "./setup.js"
import { afterCommit, explicit, ofRow, read, soft, storing, storingLate, strict, table } from "./tables.js"

const short = { depth: "short" } as const

const K = read("K", ["t"], ["1"])
/** One row, one entry, one tag. */
const one = { database: table("1"), reads: [K] }
/** Two rows, an entry that depends on the tags of both, and one that depends on the first. */
const two = { database: table("1", "2"), reads: [read("K", ["t", "u"], ["1", "2"]), read("J", ["t"], ["1"])] }
/** Two rows in one entry under one tag. */
const wide = { database: table("1", "2"), reads: [read("K", ["t"], ["1", "2"])] }
const ofTwo = afterCommit({ touches: ["u"] })
const strictOfBoth = strict({ touches: ["t", "u"] })
const strictOfTwo = ofRow("2", strict({ touches: ["u"] }))

const plain = (given: Partially) => () => machine(setup(given))

const afterCommitWrites: ReadonlyArray<Configuration> = [
  holds("after-commit, P1: 1 reader, 2 writers, keys looked up one by one, any eviction",
    plain({ ...one, lookups: "one by one", evictions: "any", faults: ["retry"], writes: [afterCommit(), afterCommit()] }),
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
    plain({ ...two, readers: 2, evictions: 1, obtains: "one by one", writes: [afterCommit(), ofRow("2", ofTwo)] })),
  holds("after-commit, P1: 1 reader of 2 tags, keys looked up one by one, 2 evictions",
    plain({
      ...two,
      lookups: "one by one",
      obtains: "one by one",
      evictions: 2,
      writes: [afterCommit({ touches: ["t", "u"] }), ofRow("2", ofTwo)]
    }))
]

const kill: ReadonlyArray<Fault> = ["kill"]
const rollback: ReadonlyArray<Fault> = ["kill", "rollback"]
const mishaps: ReadonlyArray<Fault> = [...rollback, "BEGIN fails", "BEGIN comes late", "BEGIN is resent", "unknown outcome", "retry"]

const strictWrites: ReadonlyArray<Configuration> = [
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

const ownK = (given: Parameters<typeof storing>[1]) => storing(K, given)
const wideK = wide.reads[0] ?? K
/** An entry under a custom key that is known from the result only, its tag `k`, and the guard `g` of all such keys. */
const late = { database: table("1"), reads: [read("K", ["t", "k"], ["1"])] }
const lateK = late.reads[0] ?? K
const outside = explicit({ touches: ["g", "k"] })
/** A write that Prisma does not know of, and the invalidation of the custom key after it. */
const outsideWrite = afterCommit({ touches: ["g", "k"], name: "outside" })

const ownResults: ReadonlyArray<Configuration> = [
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
      reads: two.reads.slice(0, 1),
      promised: "P3",
      faults: rollback,
      writes: [storing(two.reads[0] ?? K, strictOfBoth), strictOfTwo]
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

const [user1, userA, userB] = [readById("1"), readByEmail("a"), readByEmail("b")]
const byBoth = [user1, userA]

type RowGiven = Omit<Partially, "database" | "writes">
type TableName = keyof typeof rowTables
const everyTable: ReadonlyArray<TableName> = ["one", "two", "none", "otherEmail"]

/** Each of these groups of writes, beginning with each of these tables. */
const everyGroup = (groups: ReadonlyArray<ReadonlyArray<Write>>) =>
  (given: RowGiven, tables: ReadonlyArray<TableName>, change: (write: Write) => Write = (write) => write) =>
    function*() {
      for (const name of tables) {
        for (const group of groups) {
          yield {
            name: `${group.map(({ name }) => name).join(" || ")}, table ${name}`,
            machine: machine(setup({ ...given, database: rowTables[name], lateTags: rowTags, writes: group.map(change) }))
          }
        }
      }
    }

const everyWrite = everyGroup(Object.values(rowWrites).map((write) => [write]))
const everyPair = everyGroup(pairs(Object.values(rowWrites)))

const rowSetup = (given: Partial<Setup> & Pick<Setup, "reads" | "writes">) =>
  plain({ database: rowTables.one, lateTags: rowTags, ...given })

const aFill = { reaches: ["a row-level fill"] }

const rows: ReadonlyArray<Configuration> = [
  holds("rows, after-commit, P1: update by id beside updates of many, 2 fills",
    rowSetup({ reads: byBoth, fills: 2, writes: [rowWrites.updateById, rowWrites.updateMany] }), { ...short, ...aFill }),
  holds("rows, after-commit, P1: a change of e-mail beside a create",
    rowSetup({ reads: [...byBoth, userB], fills: 1, writes: [rowWrites.changeEmailById, rowWrites.createOtherA] }),
    { ...short, ...aFill }),
  holdsInEach("rows, after-commit, P1: every write alone, 3 reads, 2 fills, retries",
    everyWrite({ reads: [...byBoth, userB], fills: 2, faults: ["retry"] }, everyTable), aFill),
  holdsInEach("rows, after-commit, P1: every pair of writes, 3 reads, 1 fill",
    everyPair({ reads: [...byBoth, userB], fills: 1 }, everyTable), aFill),
  holdsInEach("rows, after-commit, P1: every pair of writes, 2 reads, 2 readers, 2 fills",
    everyPair({ reads: byBoth, readers: 2, fills: 2 }, ["one"]), { reaches: ["an entry was replaced"] }),
  holdsInEach("rows, after-commit, P1: every pair of writes, 2 reads, 1 fill, 1 eviction",
    everyPair({ reads: byBoth, fills: 1, evictions: 1 }, ["one"]), aFill),
  holdsInEach("rows, after-commit, P1: every pair of writes, 3 reads with predictions, 1 fill",
    everyPair({ reads: [user1, userA, userB].map(predicting), fills: 1 }, ["one", "none", "otherEmail"]), aFill),
  holdsInEach("rows, after-commit, P1: every pair of writes, keys looked up and stamps made one by one, 1 fill",
    everyPair({ reads: byBoth, fills: 1, lookups: "one by one", obtains: "one by one" }, ["one"]), aFill),
  holdsInEach("rows, strict, P3: every write alone, 3 reads, 2 fills, kills, rollbacks, BEGINs that fail",
    everyWrite({
      reads: [...byBoth, userB],
      fills: 2,
      promised: "P3",
      faults: [...rollback, "unknown outcome", "BEGIN fails"]
    }, everyTable, strictly), aFill),
  holdsInEach("rows, strict, P3: every write alone, 2 reads, 1 fill, kills, retries",
    everyWrite({ reads: byBoth, fills: 1, promised: "P3", faults: ["kill", "retry"] }, everyTable, strictly), aFill),
  holdsInEach("rows, strict, P3: every pair of writes, 2 reads, 1 fill, kills",
    everyPair({ reads: byBoth, fills: 1, promised: "P3", faults: kill }, ["one"], strictly), aFill),
  holdsInEach("rows, strict, P3: every pair of writes, 2 reads, 1 fill, rollbacks",
    everyPair({ reads: byBoth, fills: 1, promised: "P3", faults: ["rollback"] }, ["one"], strictly), aFill),
  holdsInEach("rows, strict, P1: every pair of writes, 2 reads, 1 fill, 1 eviction",
    everyPair({ reads: byBoth, fills: 1, evictions: 1 }, ["one"], strictly), aFill),
  holds("rows, strict, P3: by primary key with a filter, nothing found",
    rowSetup({
      reads: [written(user1)],
      promised: "P3",
      faults: kill,
      fills: 2,
      writes: [rowWrites.updateById, rowWrites.updateById].map(strictly)
    }), short),
  holds("rows, after-commit, P1: a field that the database compares loosely",
    rowSetup({ reads: [...byBoth, readLoosely("a")], fills: 2, writes: [updateLoosely, rowWrites.updateById] }), short),
  fails("limit: rows, after-commit, by e-mail with a filter, nothing found, the result's identities not invalidated",
    rowSetup({ reads: [written(userA)], writes: [{ ...rowWrites.updateById, identities: () => [] }] }), short),
  fails("limit: rows, strict, P2, by e-mail with a filter, nothing found: killed before the result's identities",
    rowSetup({
      reads: [written(userA)],
      promised: "P2",
      faults: kill,
      writes: [strictly(rowWrites.updateById)]
    }), short)
]

const joined = { reaches: ["a flight was joined after its query", "a flight was joined before its query"] }
const joinedBefore = { reaches: ["a flight was joined before its query"] }

const flights: ReadonlyArray<Configuration> = [
  holds("flights, after-commit, P1: a writer",
    () => flightMachine({ ...one, writes: [afterCommit()] }, {}), { ...short, ...joined }),
  holds("flights, strict, P3: a writer, rollbacks",
    () => flightMachine({ ...one, promised: "P3", faults: rollback, writes: [strict()] }, {}), { ...short, ...joined }),
  holds("flights, after-commit, P1: 2 writers, 1 eviction",
    () => flightMachine({ ...one, evictions: 1, writes: [afterCommit(), afterCommit()] }, {}), joined),
  holds("flights, after-commit, P1: 3 lookups, 3 flights, 2 writers",
    () => flightMachine({ ...one, writes: [afterCommit(), afterCommit()] }, { lookups: 3, flights: 3 }), joined),
  holds("flights, after-commit, P1: 3 writers, 1 eviction",
    () => flightMachine({ ...one, evictions: 1, writes: [afterCommit(), afterCommit(), afterCommit()] }, {}), joined),
  holds("flights, strict, P3: 2 writers, kills, rollbacks",
    () => flightMachine({ ...one, promised: "P3", faults: rollback, writes: [strict(), strict()] }, {}), joined),
  holds("flights, strict, P1: 2 writers, kills, rollbacks, 1 eviction",
    () => flightMachine({ ...one, evictions: 1, faults: rollback, writes: [strict(), strict()] }, {}), joined),
  holds("flights, strict, P3: 3 writers, rollbacks, 1 lookup at a time",
    () =>
      flightMachine({ ...one, promised: "P3", faults: ["rollback"], writes: [strict(), strict(), strict()] }, { lookups: 1 }),
    joined),
  holds("flights, no stamp can be made, P1: 3 writers",
    () => flightMachine({ ...one, writes: [afterCommit(), afterCommit(), afterCommit()] }, { server: "full", lookups: 3, flights: 3 }),
    { ...short, ...joinedBefore }),
  holds("flights without a cache, P1: 3 writers",
    () => flightMachine({ ...one, writes: [afterCommit(), afterCommit(), afterCommit()] }, { server: "away", lookups: 3, flights: 3 }),
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

const expired: ReadonlyArray<Configuration> = [
  holds("expired entries, after-commit with soft invalidations, P1: 2 readers, 1 eviction",
    plain({ ...one, readers: 2, evictions: 1, writes: [afterCommit(), soft()] }), short),
  holds("expired entries, after-commit with soft invalidations, P1: 2 readers, keys looked up one by one, any eviction",
    plain({ ...one, readers: 2, lookups: "one by one", evictions: "any", writes: [afterCommit(), soft(), soft()] })),
  holds("expired entries, strict with soft invalidations, P3: 2 readers, kills, rollbacks",
    plain({ ...one, promised: "P3", readers: 2, faults: rollback, writes: [strict(), soft(), strict()] })),
  holds("expired entries, strict with soft invalidations and own results, P1: 1 eviction",
    plain({ ...one, evictions: 1, faults: rollback, writes: [ownK(strict()), soft(), strict()] }))
]

const items = [strict({ touches: ["t"] }), ofRow("2", strict({ touches: ["t", "u"] }))]
const disjoint = [strict({ touches: ["t"] }), strictOfTwo]

const batches: ReadonlyArray<Configuration> = [
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
    () => batchMachine({ ...two, promised: "P3", readers: 2, faults: kill, writes: [] }, { items: disjoint, flaw: null }),
    short),
  holds("batch, after-commit, P1: 2 items, 2 readers, 1 eviction",
    () =>
      batchMachine({ ...two, readers: 2, evictions: 1, writes: [] }, {
        items: [afterCommit(), ofRow("2", afterCommit({ touches: ["t", "u"] }))],
        flaw: null
      }), { ...short, reaches: ["a batch committed", "a fill"] })
]

/** Where the promises end: known, and said in the documentation. */
const limits: ReadonlyArray<Configuration> = [
  fails("limit: strict, P2: an intent is evicted, then its writer killed",
    plain({ ...one, promised: "P2", evictions: 1, faults: kill, writes: [strict(), strict()] }), short),
  fails("limit: strict, P3: an intent is evicted",
    plain({ ...one, promised: "P3", evictions: 1, writes: [strict(), strict()] }), short),
  fails("limit: strict, P2: an intent expires while its write runs, then its writer is killed",
    plain({ ...one, promised: "P2", faults: ["kill", "early expiry"], writes: [strict(), strict()] }), short)
]

export const configurations: ReadonlyArray<Configuration> = [
  ...afterCommitWrites,
  ...strictWrites,
  ...ownResults,
  ...rows,
  ...flights,
  ...expired,
  ...batches,
  ...limits
]
