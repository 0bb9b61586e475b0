import type { Consistency } from "effect-prisma-cache/QueryCache"

/** What is wrong with a process's cache, by the name of the mutant. */
export type Mutant = "countersInPlaceOfStamps" | "intentsWithoutTokens" | "stampsAfterTheQuery" | "writesUnannounced"

/** What a process's cache is made with. */
export interface CacheSettings {
  readonly namespace: string
  /** Default `strict`. */
  readonly consistency?: Consistency | undefined
  readonly intentTtl?: number | undefined
  readonly mutant?: Mutant | undefined
}

/** A row, and the cache that it is read through and written through. */
export interface Scene {
  readonly cache: CacheSettings
  /** The name of the row. */
  readonly row: string
}

/**
 * Where a process can be made to stop. Nothing but its parent, or a signal, ends a stop.
 *
 * - `begin`: a write, before its intents are set
 * - `query`: a write, when they are, before its first UPDATE is sent
 * - `inside`: an interactive transaction, after its UPDATE
 * - `commit`: a transaction, before its COMMIT is sent
 * - `end`: a write, when the database has committed, before the cache is told
 * - `return`: a write, when the cache has been told, before its promise resolves
 * - `store`, `stored`: a read, before and after its answer is stored
 */
export type Step = "begin" | "query" | "inside" | "commit" | "end" | "return" | "store" | "stored"

/** How a write is called. A batch writes another row, too. */
export const kinds = ["update", "updateMany", "interactive transaction", "batch"] as const

export type Kind = (typeof kinds)[number]

export interface Write extends Scene {
  readonly kind: Kind
  /** What the row holds afterwards: the version that readers see. */
  readonly value: number
  readonly stops?: ReadonlyArray<Step>
  /**
   * A transaction does not come to its COMMIT. An interactive one throws, or takes longer than it may; in a batch there
   * is a statement that fails.
   */
  readonly fails?: "by an error" | "by taking too long" | undefined
  /** Settings of the database's sessions, by name. */
  readonly session?: { readonly [name: string]: string } | undefined
}

export type Order =
  | { readonly do: "write"; readonly write: Write }
  /** Reads once, in every way. */
  | { readonly do: "look"; readonly scene: Scene; readonly stops?: ReadonlyArray<Step> }
  /** Reads on and on, until it is told to leave. */
  | { readonly do: "watch"; readonly scene: Scene }
  /** Closes the cache of the scene, and tells what was seen while it was watched. */
  | { readonly do: "leave"; readonly scene: Scene }
  | { readonly do: "go on"; readonly from: Step }

/** A read's answer: which version of the row, and where from. */
export interface Read {
  readonly way: string
  readonly value: number
  readonly status: string
}

/** Reads, and what the database had committed before the first of them began and after the last one ended. */
export interface Look {
  readonly before: number
  readonly after: number
  readonly reads: ReadonlyArray<Read>
}

/** Reads, counted. */
export interface Seen {
  readonly reads: number
  readonly hits: number
  /** Answers older than what was committed before the read began. */
  readonly stale: number
  /** Answers that nobody had committed when the read was over. */
  readonly early: number
}

export type Answer =
  | { readonly look: Look }
  | { readonly seen: Seen }
  /** How a write ended: `undefined` if it was carried out, else the code of its error, or its name. */
  | { readonly error: string | undefined }

export const nothingSeen: Seen = { reads: 0, hits: 0, stale: 0, early: 0 }

export const together = (one: Seen, other: Seen): Seen => ({
  reads: one.reads + other.reads,
  hits: one.hits + other.hits,
  stale: one.stale + other.stale,
  early: one.early + other.early
})

export const count = ({ after, before, reads }: Look): Seen => ({
  reads: reads.length,
  hits: reads.filter(({ status }) => status === "hit").length,
  stale: reads.filter(({ value }) => value < before).length,
  early: reads.filter(({ value }) => value > after).length
})
