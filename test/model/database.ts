/** The database: what was committed, in order, and what a query answers. */
import type { Fresh } from "./fresh.js"

/** Who wrote a row's value last: a write's token, or 0 for what was there from the start. */
export type Version = Fresh | 0

export interface Row {
  readonly id: string
  /** A second unique key. */
  readonly email: string
  readonly version: Version
}

export type Database = Readonly<Record<string, Row | null>>

/** The rows of an answer. Each is judged for itself, since a write's own result may show rows of different moments. */
export type Result = ReadonlyArray<Row | null>

/** A query, and the tags that its answers depend on. */
export interface Read {
  readonly name: string
  readonly query: (database: Database) => Result
  /** Tags that every answer depends on: they are obtained before the query. */
  readonly always: ReadonlyArray<string>
  /** Tags that an answer may turn out to depend on and that are known before the query: obtained before it too. */
  readonly perhaps: ReadonlyArray<string>
  readonly dependsOn: (result: Result) => ReadonlyArray<string>
  /** The tag whose stamp must not change between the query and the reading of stamps known only from the answer. */
  readonly guard: string | null
  /** Late tags that a process may expect, from answers it has seen. Which of them it does expect is left open. */
  readonly predictions: ReadonlyArray<ReadonlyArray<string>>
}

/** How a write stores its own result: the read whose entry it fills, and a key that is known only from the result. */
export interface OwnResult {
  readonly read: Read
  readonly late: { readonly key: string; readonly guard: string } | null
}

export interface Write {
  readonly name: string
  /** `strict` announces itself by intents, `after-commit` invalidates only then. */
  readonly mode: "strict" | "after-commit"
  /** The tags, the model first. */
  readonly touches: ReadonlyArray<string>
  /** What it makes of the database, `null` when that refuses. A write without it is an invalidation and no more. */
  readonly apply: ((database: Database, version: Version) => Database | null) | null
  /** The row that it keeps others from changing between its UPDATE and its COMMIT. */
  readonly locks: string
  /** Tags of the row that it hit, known from its result: invalidated after the commit. */
  readonly identities: (before: Database, after: Database) => ReadonlyArray<string>
  readonly stores: OwnResult | null
  /** Whether it makes entries count as expired only, instead of killing them. */
  readonly soft: boolean
}

const sameRow = (left: Row | null | undefined, right: Row | null | undefined): boolean =>
  left === right ||
  (left !== null && left !== undefined && right !== null && right !== undefined &&
    left.id === right.id && left.email === right.email && left.version === right.version)

export const sameResult = (left: Result, right: Result): boolean =>
  left.length === right.length && left.every((row, place) => sameRow(row, right[place]))

export type Log = ReadonlyArray<Database>

export const latest = (log: Log): Database => {
  const database = log[log.length - 1]
  if (database === undefined) throw new Error("A log begins with a database")
  return database
}

/**
 * Whether an answer lacks a write that it must show. `mustSee` names the commits by their place in the log. A row of
 * the answer is as old as the last moment at which the query gave this row in this place; a commit after that which
 * changed it is one that the answer lacks.
 */
export const lacks = (log: Log, mustSee: ReadonlyArray<number>, read: Read, result: Result): boolean => {
  const rowAt = (moment: number, place: number): Row | null => {
    const database = log[moment]
    return (database === undefined ? null : read.query(database)[place]) ?? null
  }
  return result.some((row, place) => {
    let moment = log.length - 1
    while (moment >= 0 && !sameRow(rowAt(moment, place), row)) moment--
    // A row that was never committed is wrong whatever was acknowledged.
    return moment < 0 || mustSee.some((commit) =>
      commit > moment && !sameRow(rowAt(commit, place), rowAt(commit - 1, place)))
  })
}
