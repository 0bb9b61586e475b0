/** A cache of one process, and a check of every answer that it gives. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import type { CacheEvent } from "effect-prisma-cache/CacheEvent"
import { QueryCache } from "effect-prisma-cache/QueryCache"
import * as ValkeyCache from "effect-prisma-cache/ValkeyCache"
import type { Database, Ledger } from "./database.js"

/** How rows are read and written in a process. */
export interface Client {
  readonly read: (row: number) => Promise<{ readonly version: number; readonly status: string; readonly source: string | undefined }>
  /** Writes a row behind the cache's back, and then invalidates it; whether that reached the others is known. */
  readonly invalidate: (row: number) => Promise<{ readonly version: number; readonly acknowledged: boolean }>
  /** Writes a row through the cache, and answers its new version. `first` has to come to an end before that. */
  readonly write: (row: number, first?: () => Promise<void>) => Promise<number>
  /** The version that is in the database. */
  readonly truth: (row: number) => Promise<number>
  readonly health: () => { readonly status: string; readonly undelivered: number }
  readonly close: () => Promise<void>
}

export type Options = Omit<ValkeyCache.Options, "connection">

/** A cache in front of a database that is no more than counted. */
export const openCache = async (
  connection: ValkeyCache.Connection,
  database: Database,
  options: Options
): Promise<Client> => {
  const scope = Effect.runSync(Scope.make())
  const layer = Layer.fresh(ValkeyCache.layer({ ...options, connection }))
  const cache = Context.get(await Effect.runPromise(Layer.buildWithScope(layer, scope)), QueryCache)
  const tagOf = (row: number) => `row ${row}`
  return {
    read: async (row) => {
      const request = { key: ["row", row], strategy: { ttl: "1 hour", tags: [tagOf(row)] } } as const
      const { info, value } = await Effect.runPromise(cache.answer(request, database.read(row)))
      return { version: value, status: info.status, source: info.source }
    },
    invalidate: async (row) => {
      const version = database.commit(row)
      const acknowledged = await Effect.runPromise(Effect.isSuccess(cache.invalidate({ tags: [tagOf(row)] })))
      return { version, acknowledged }
    },
    write: (row, first = async () => {}) => {
      const commit = Effect.zipRight(Effect.promise(first), Effect.sync(() => database.commit(row)))
      return Effect.runPromise(cache.write({ label: "write", touches: { tags: [tagOf(row)] } }, commit))
    },
    truth: async (row) => database.version(row),
    health: () => Effect.runSync(cache.health),
    close: () => Effect.runPromise(Scope.close(scope, Exit.void))
  }
}

/** A read, looked at. */
export interface Reading {
  readonly row: number
  readonly version: number
  readonly status: string
  /** Where the answer came from. */
  readonly source: string | undefined
  readonly startedAt: number
  /** How long the whole call took. */
  readonly millis: number
  /** How much of that nobody was asking the database for the row. */
  readonly inLibrary: number
}

export interface Counts {
  reads: number
  /** Reads that failed: there is nothing wrong with the database. */
  failed: number
  /** Reads of something older than was there at an invalidation that had been acknowledged before. */
  wrong: number
  /** Reads of something older than this process itself had written, acknowledged or not. */
  behind: number
  /** For how long others had been able to see what a read missed that may miss it for a while: at the most, in milliseconds. */
  late: number
  /** Reads that were answered out of memory. */
  remembered: number
  statuses: { [status: string]: number }
  acknowledged: number
  /** Invalidations that their caller was told of that they may not have reached the others. */
  undelivered: number
  written: number
  /** Writes that were not carried out because others could not have been told. */
  refused: number
  events: { [tag: string]: number }
  /** What the cache said that went wrong. */
  errors: { [error: string]: number }
}

export interface Watched {
  readonly counts: Counts
  /** Never rejects: what went wrong is counted. */
  readonly read: (row: number) => Promise<Reading | undefined>
  /** Answers whether it is certain that all others know. */
  readonly invalidate: (row: number) => Promise<boolean>
  readonly write: (row: number, first?: () => Promise<void>) => Promise<void>
  readonly hear: (event: CacheEvent) => void
}

const count = (counts: { [name: string]: number }, name: string) => void (counts[name] = (counts[name] ?? 0) + 1)

/** For how long a cache with a memory of its own may miss what others write, in milliseconds. */
export const missedByMemory = 2_000

/** Where its limits cannot be told sharply: for what comes late because the process itself is. */
const slack = 500

/** For how long the caches with these options may miss what others write. */
export const toleranceOf = ({ memory }: Options): number =>
  memory === undefined || memory === false ? 0 : missedByMemory + slack

/**
 * What is known of the answers that one process gives. `client` is asked for when it is first needed.
 *
 * @param tolerance - for how long what others write may be missed, in milliseconds; what was written here never
 */
export const watch = (client: () => Client, ledger: Ledger, tolerance = 0): Watched => {
  const own = Array.from({ length: ledger.rows }, () => 0)
  const counts: Counts = {
    reads: 0,
    failed: 0,
    wrong: 0,
    behind: 0,
    late: 0,
    remembered: 0,
    statuses: {},
    acknowledged: 0,
    undelivered: 0,
    written: 0,
    refused: 0,
    events: {},
    errors: {}
  }
  const wrote = (row: number, version: number) => void (own[row] = Math.max(own[row] ?? 0, version))
  return {
    counts,
    hear: (event) => {
      count(counts.events, event._tag)
      if (event._tag !== "Failed") return
      const { code = "", operation, reason } = event.error
      count(counts.errors, `${operation}: ${reason} ${code}`.trim())
    },
    read: async (row) => {
      const [floor, ownFloor] = [ledger.floor(row), own[row] ?? 0]
      const startedAt = performance.now()
      counts.reads++
      try {
        const { source, status, version } = await client().read(row)
        const endedAt = performance.now()
        if (version < floor) {
          const late = startedAt - ledger.outdated(row, version)
          counts.late = Math.max(counts.late, late)
          if (tolerance === 0 || late > tolerance) counts.wrong++
        }
        if (version < ownFloor) counts.behind++
        if (source === "memory") counts.remembered++
        count(counts.statuses, status)
        const millis = endedAt - startedAt
        return { row, version, status, source, startedAt, millis, inLibrary: millis - ledger.queried(row, startedAt, endedAt) }
      } catch (error) {
        if (counts.failed++ === 0) console.error("a read failed:", error)
        return undefined
      }
    },
    invalidate: async (row) => {
      const { acknowledged, version } = await client().invalidate(row)
      if (acknowledged) {
        counts.acknowledged++
        ledger.acknowledge(row, version)
      } else counts.undelivered++
      wrote(row, version)
      return acknowledged
    },
    write: async (row, first) => {
      try {
        wrote(row, await client().write(row, first))
        counts.written++
      } catch {
        counts.refused++
      }
    }
  }
}
