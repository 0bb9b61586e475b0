/** What a configuration consists of: who takes part, what may go wrong, and what is done differently from the rules. */
import type { Database, Read, Write } from "./database.js"
import type { Promised } from "./properties.js"
import { scripts } from "./tags.js"
import type { Scripts } from "./tags.js"

export type Fault =
  /** A writer's process dies, at any step. To everyone else it is the same when its END can never be delivered. */
  | "kill"
  /** A write may roll back, and knows that it did. */
  | "rollback"
  /** The database's answer to COMMIT is lost: the write may be committed or not, and its process does not know. */
  | "unknown outcome"
  /** A BEGIN is not delivered, and the write goes on without. */
  | "BEGIN fails"
  /** A BEGIN is not answered in time, the write goes on, and the server carries it out later. */
  | "BEGIN comes late"
  /** A BEGIN was sent twice: one was answered, and the server carries out the other later. */
  | "BEGIN is resent"
  /** An END or INVALIDATE fails, or is carried out without an answer, and all are sent again. */
  | "retry"
  /** An intent expires while its write is under way. */
  | "early expiry"
  /** The connection to the database is lost under way: it may commit later, as long as a new intent would last. */
  | "lost connection"
  /** The server is started again from an old copy of its data, once. */
  | "old copy"

/** One rule broken. Those that break a script stand in `mutants.ts`, as scripts of their own. */
export type Flaw =
  | "stamps are read after the query"
  | "a refresh reads its stamps after the query"
  | "an entry with dead stamps is served as expired"
  | "late stamps are stored without a guard"
  | "the guard is compared before the late stamps are read"
  | "an own result's guard is compared before its late stamp is read"
  | "an own result's late stamp has no guard"
  | "an unknown outcome counts as a rollback"
  | "an unacknowledged BEGIN counts"
  | "a retry sends only what failed"
  | "a lost connection counts as the end"
  | "a lost connection leaves intents as they are"
  | "an entry under a stamp on probation has no end"
  | "the store does not compare the end of an entry"
  | "a guard on probation sets no end"
  | "stamps of an earlier life count"

/** How a process looks at several keys, or makes several stamps: at one moment, or one key after the other. */
export type Manner = "together" | "one by one"

/** How intents run out: those of a killed writer at one moment or one after the other, or all as in `time.ts`. */
export type Expiries = Manner | "in order"

export interface Setup {
  readonly promised: Promised
  readonly database: Database
  readonly reads: ReadonlyArray<Read>
  readonly readers: number
  /** One writer for each. */
  readonly writes: ReadonlyArray<Write>
  /** `together`: hits are judged as in `judgeHit`, and a reader is one who misses. */
  readonly lookups: Manner
  readonly obtains: Manner
  readonly expiries: Expiries
  /** Whether stamps made over nothing are on probation. Takes expiries in order, or none would ever be over. */
  readonly hardened: boolean
  /** What every tag's place holds at first. */
  readonly places: "nothing" | "lasting stamps"
  /** How many keys the server evicts at most. */
  readonly evictions: number | "any"
  readonly evicts: "stamps" | "stamps and intents"
  /** How many times readers set out to fill at most. */
  readonly fills: number | "any"
  readonly faults: ReadonlyArray<Fault>
  readonly flaw: Flaw | null
  readonly scripts: Scripts
  /** Tags that come up in answers only. */
  readonly lateTags: ReadonlyArray<string>
  /** Whether states are kept that differ in what can no longer matter: entries and fills whose stamps are dead. */
  readonly keepsTheDead: boolean
}

const defaults = {
  promised: "P1",
  readers: 1,
  lookups: "together",
  obtains: "together",
  expiries: "together",
  hardened: false,
  places: "nothing",
  evictions: 0,
  evicts: "stamps and intents",
  fills: "any",
  faults: [],
  flaw: null,
  scripts,
  lateTags: [],
  keepsTheDead: false
} as const

/** What a configuration has to say: the rest has a default. */
export type Partially = Pick<Setup, "database" | "reads" | "writes"> & Partial<Setup>

export const setup = (given: Partially): Setup => ({ ...defaults, ...given })

export const counted = (count: number | "any"): number | null => count === "any" ? null : count

/** Every tag that a configuration knows. */
export const tagsOf = ({ lateTags, reads, writes }: Setup): ReadonlyArray<string> =>
  Array.from(
    new Set([
      ...writes.flatMap(({ stores, touches }) =>
        stores?.late ? [...touches, stores.late.key, stores.late.guard] : touches
      ),
      ...reads.flatMap(({ always, guard, perhaps, predictions }) => [
        ...always,
        ...perhaps,
        ...predictions.flat(),
        ...guard === null ? [] : [guard]
      ]),
      ...lateTags
    ])
  )

export const findRead = (setup: Setup, name: string): Read => {
  const read = setup.reads.find((candidate) => candidate.name === name)
  if (read === undefined) throw new Error(`There is no read ${name}`)
  return read
}
