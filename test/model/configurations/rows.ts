/** Row-level reads, beside every kind of write. */
import { fails, holds, holdsInEach } from "../configuration.js"
import type { Configuration } from "../configuration.js"
import type { Write } from "../database.js"
import { machine } from "../machine.js"
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
} from "../rows.js"
import { setup } from "../setup.js"
import type { Partially, Setup } from "../setup.js"
import { hardened, kill, plain, rollback, short } from "./common.js"

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
          const writes = group.map(change)
          yield {
            name: `${writes.map(({ name }) => name).join(" || ")}, table ${name}`,
            machine: machine(setup({ ...given, database: rowTables[name], lateTags: rowTags, writes }))
          }
        }
      }
    }

const everyWrite = everyGroup(Object.values(rowWrites).map((write) => [write]))
const everyPair = everyGroup(pairs(Object.values(rowWrites)))

const rowSetup = (given: Partial<Setup> & Pick<Setup, "reads" | "writes">) =>
  plain({ database: rowTables.one, lateTags: rowTags, ...given })

/** One fill, of rows that have been read for long. */
const lasting = { ...hardened, places: "lasting stamps", evictions: 1, fills: 1 } as const

const aFill = { reaches: ["a row-level fill"] }

export const rows: ReadonlyArray<Configuration> = [
  holds("rows, after-commit, P1: update by id beside updates of many, 2 fills",
    rowSetup({ reads: byBoth, fills: 2, writes: [rowWrites.updateById, rowWrites.updateMany] }),
    { ...short, ...aFill }),
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
  holdsInEach("rows, after-commit, P1: every write alone, keys looked up one by one, 2 readers, 2 lookups",
    everyWrite({ reads: byBoth, readers: 2, fills: 2, lookups: "one by one" }, ["one", "two"]),
    { reaches: ["a reader was served"] }),
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
  holdsInEach("rows, strict, P3: every write alone, 2 reads, 1 fill, kills, lost connections",
    everyWrite({ reads: byBoth, fills: 1, promised: "P3", faults: ["kill", "lost connection"] }, everyTable, strictly),
    { reaches: ["a commit after the connection was lost"] }),
  holds("rows, hardened, P4: update by id, kills, 1 eviction",
    rowSetup({ ...lasting, reads: [userA], writes: [strictly(rowWrites.updateById)] }),
    { ...short, reaches: ["a late fill was refused"] }),
  holdsInEach("rows, hardened, P4: every write alone, 2 reads, 1 fill, kills, 1 eviction",
    everyWrite({ ...lasting, reads: byBoth }, ["one"], strictly), aFill),
  holdsInEach("rows, strict, P1: every pair of writes, 2 reads, 1 fill, 1 eviction",
    everyPair({ reads: byBoth, fills: 1, evictions: 1 }, ["one"], strictly), aFill),
  holds("rows, strict, P3: by primary key with a filter, nothing found",
    rowSetup({
      reads: [written(user1)],
      promised: "P3",
      faults: kill,
      fills: 1,
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
