/** One state of everything: the database, the server, readers and writers. */
import type { Database, Log, Result } from "./database.js"
import type { Fresh } from "./fresh.js"
import type { Reader } from "./readers.js"
import type { Stamp, TagState } from "./tags.js"
import type { Deadline } from "./time.js"
import type { Writer } from "./writer.js"

/** A cached result, and the stamps that have to be current for it to be served. */
export interface Entry {
  readonly result: Result
  readonly stamps: Stamps
  /** The moment at which it dies at the latest, if one of its stamps was on probation. */
  readonly until: Fresh | null
}

export type Stamps = Readonly<Record<string, Stamp>>

/**
 * A draft's own lists and records may be changed in place. What is in them never is: it is shared between states.
 */
export interface World {
  log: Log
  /** The commits, by their place in the log, that a read starting now must see. */
  mustSee: ReadonlyArray<number>
  /** The same for a read that is served an entry as fresh. */
  mustSeeFresh: ReadonlyArray<number>
  tags: Record<string, TagState>
  entries: Record<string, Entry | null>
  /** What ends, in this order. Empty where time is left out. */
  ahead: Array<Deadline>
  readers: Array<Reader>
  writers: Array<Writer>
  /** What the server would start again from, until it has. */
  copy: { readonly tags: Readonly<Record<string, TagState>>; readonly entries: Readonly<Record<string, Entry | null>> } | null | "spent"
  /** How many more keys the server may evict. `null`: any number. */
  evictions: number | null
  /** How many more times a reader may set out to fill. `null`: any number. */
  fills: number | null
  /** What went wrong in a step. */
  violation: string | null
}

export const makeWorld = (parts: {
  readonly database: Database
  readonly tags: Readonly<Record<string, TagState>>
  readonly entries: ReadonlyArray<string>
  readonly readers: ReadonlyArray<Reader>
  readonly writers: ReadonlyArray<Writer>
  readonly evictions: number | null
  readonly fills: number | null
}): World => ({
  log: [parts.database],
  mustSee: [],
  mustSeeFresh: [],
  tags: { ...parts.tags },
  entries: Object.fromEntries(parts.entries.map((name) => [name, null])),
  ahead: [],
  copy: null,
  readers: [...parts.readers],
  writers: [...parts.writers],
  evictions: parts.evictions,
  fills: parts.fills,
  violation: null
})

export const copyWorld = (world: World): World => ({
  log: world.log,
  mustSee: world.mustSee,
  mustSeeFresh: world.mustSeeFresh,
  tags: { ...world.tags },
  entries: { ...world.entries },
  ahead: world.ahead.slice(),
  copy: world.copy,
  readers: world.readers.slice(),
  writers: world.writers.slice(),
  evictions: world.evictions,
  fills: world.fills,
  violation: world.violation
})

export const stateOf = (world: World, tag: string): TagState => world.tags[tag] ?? null

/** One less of what may happen only so often. */
export const less = (count: number | null): number | null => count === null ? null : count - 1
