import type * as ValkeyCache from "effect-prisma-cache/ValkeyCache"
import type { Consistency } from "effect-prisma-cache/QueryCache"

/** What a process is started with, as its only argument. */
export interface Start {
  readonly postgres: string
  readonly valkey: ValkeyCache.Connection
  readonly namespace: string
  readonly consistency: Consistency
  /** By how much its clock is wrong, in milliseconds. */
  readonly skew: number
  readonly seed: number
  /** Whether it stores what it read under the stamps of after the query, which the check has to see. */
  readonly isWrong: boolean
  readonly memory: boolean
}

/** So many operations, of so many callers at a time. */
export interface Request {
  readonly operations: number
  readonly callers: number
}

export interface Report {
  readonly observations: Float64Array
  /** How often what happened: reads by their status, writes by whether they succeeded, events of the cache. */
  readonly counts: { readonly [what: string]: number }
  /** The kinds of reads and writes that there were. */
  readonly kinds: ReadonlyArray<string>
}
