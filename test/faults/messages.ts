import type { Counts } from "./client.js"

/** What a process is started with. */
export interface Start {
  readonly name: string
  /** Through the network that faults happen to. */
  readonly valkey: string
  /** The server itself. */
  readonly undisturbed: string
  /** A database with the tables of the tests, for those runs that have one. */
  readonly postgres: string
  /** Whether caches have a memory of their own. There are two of them then, in one process. */
  readonly memory: boolean
}

export type Order =
  /** Opens a cache of its own, and begins to read and to write through it. */
  | {
    readonly do: "open"
    readonly namespace: string
    readonly database: "counted" | "prisma"
    readonly readers: number
  }
  /** Waits until most is cached, and the process has got into its stride. */
  | { readonly do: "warm up" }
  /** From now on something is wrong, or is no longer. */
  | { readonly do: "note"; readonly what: "fault" | "healthy" }
  /** Waits until the cache is used again and owes nothing, if it is in time. */
  | { readonly do: "recover"; readonly within: number }
  /** Stops, and reports. */
  | { readonly do: "close" }

export interface Times {
  readonly count: number
  readonly median: number
  readonly p99: number
  readonly longest: number
}

/** What happened between the beginning of a fault and the end of a run. */
export interface Report {
  readonly counts: Counts
  /** What reads spent in the library, in milliseconds: while the breaker was closed and while it was open. */
  readonly closed: Times
  readonly open: Times
  /** How many milliseconds after the fault began the store was given up. */
  readonly givenUp: number | undefined
  readonly hits: number
  /** How many of them came out of memory. */
  readonly remembered: number
  readonly queries: number
  /** How many milliseconds after the server was healthy there was a hit again. */
  readonly recovery: number | undefined
  /** The same of a hit out of memory. */
  readonly memoryRecovery: number | undefined
  /** Rows that another process saw older than they were, when the cache owed nothing any more. */
  readonly oldElsewhere: number
  /** What was undelivered still when a breaker closed. */
  readonly owedAtClosing: number
  readonly health: string
  /** How late the process itself was, in milliseconds: the 99th of 100 turns of its loop. */
  readonly lag: number
}

export type Answer = { readonly report: Report } | { readonly report?: never }
