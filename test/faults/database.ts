/** Rows that count the writes of themselves, and what whoever reads them has to see at least. */
import * as Effect from "effect/Effect"

/** When a query was under way, by the clock of `performance`. */
interface Interval {
  readonly from: number
  to: number
}

/** How many queries of a row are remembered. */
const remembered = 8

/** What is known of rows without asking the database for them. */
export interface Ledger {
  readonly rows: number
  /** Takes note that nobody who asks from now on may see less of the row. */
  readonly acknowledge: (row: number, version: number) => void
  /** What somebody who asks now has to see at least. */
  readonly floor: (row: number) => number
  /** Since when nobody may see so little of the row. */
  readonly outdated: (row: number, version: number) => number
  /** Takes note of a query of the row; to be called when it is over. */
  readonly query: (row: number) => () => void
  readonly queries: () => number
  /** How many queries of one row were under way at once, at the most. */
  readonly mostAtOnce: () => number
  /** How much of this time passed while the row was being queried for anybody. */
  readonly queried: (row: number, from: number, to: number) => number
}

export const makeLedger = (rows: number): Ledger => {
  const floors = Array.from({ length: rows }, (): Array<{ readonly version: number; readonly at: number }> => [])
  const floor = (row: number) => floors[row]?.at(-1)?.version ?? 0
  const intervals = Array.from({ length: rows }, (): Array<Interval> => [])
  const running = Array.from({ length: rows }, () => 0)
  let queries = 0
  let most = 0
  return {
    rows,
    acknowledge: (row, version) => {
      if (version > floor(row)) floors[row]?.push({ version, at: performance.now() })
    },
    floor,
    outdated: (row, version) => floors[row]?.find((one) => one.version > version)?.at ?? Infinity,
    query: (row) => {
      queries++
      const interval = { from: performance.now(), to: Infinity }
      const known = intervals[row] ?? []
      known.push(interval)
      if (known.length > remembered) known.shift()
      most = Math.max(most, running[row] = (running[row] ?? 0) + 1)
      return () => {
        interval.to = performance.now()
        running[row] = (running[row] ?? 0) - 1
      }
    },
    queries: () => queries,
    mostAtOnce: () => most,
    queried: (row, from, to) => {
      let total = 0
      let counted = from
      for (const interval of intervals[row] ?? []) {
        const begin = Math.max(counted, interval.from)
        const end = Math.min(to, interval.to)
        if (end > begin) total += end - begin
        counted = Math.max(counted, end)
      }
      return total
    }
  }
}

/** A database that is no more than its versions. */
export interface Database extends Ledger {
  /** The version of a row, after some time. */
  readonly read: (row: number) => Effect.Effect<number>
  /** Writes a row, and answers its new version. */
  readonly commit: (row: number) => number
  readonly version: (row: number) => number
}

export interface DatabaseOptions {
  readonly rows?: number
  /** How long a query takes, in milliseconds. */
  readonly millis?: number
}

export const makeDatabase = ({ millis = 2, rows = 20 }: DatabaseOptions = {}): Database => {
  const ledger = makeLedger(rows)
  const versions = Array.from({ length: rows }, () => 0)
  const version = (row: number) => versions[row] ?? 0
  const pause = Effect.sleep(millis / 2)
  return {
    ...ledger,
    read: (row) =>
      Effect.suspend(() => {
        const seen = Effect.zipLeft(Effect.zipRight(pause, Effect.sync(() => version(row))), pause)
        return Effect.ensuring(seen, Effect.sync(ledger.query(row)))
      }),
    commit: (row) => (versions[row] = version(row) + 1),
    version
  }
}
