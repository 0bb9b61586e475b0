import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import type { Clock } from "effect/Clock"
import type { CacheStore } from "effect-prisma-cache/CacheStore"
import type { DistributedLock } from "effect-prisma-cache/DistributedLock"
import type * as QueryCache from "effect-prisma-cache/QueryCache"
import { around, makeCache } from "../QueryCache/support.js"

/** What a process of the fleet sees of the world: a store and a lock that others see, too, and a clock of its own. */
export interface Site {
  readonly store: CacheStore
  readonly lock: DistributedLock
  readonly clock?: Clock
}

export interface Run {
  readonly sites: ReadonlyArray<Site>
  readonly consistency: QueryCache.Consistency
  readonly random: () => number
  /** How long something takes: drawn again each time. */
  readonly pause: Effect.Effect<void>
  /** How long a writer rests between two writes. */
  readonly rest: Effect.Effect<void>
  /** How many readers and how many writers there are at any time, in each process, and how often each does its work. */
  readonly readers: number
  readonly writers: number
  readonly rounds: number
  /** Whether writers die between COMMIT and invalidation. Only `strict` holds out against that. */
  readonly deaths?: boolean
  /** What else happens now and then: a stamp is evicted, say. */
  readonly mischief?: (rows: ReadonlyArray<string>) => Effect.Effect<void>
}

/** What was seen. `stale` is what must never be. */
export interface History {
  readonly reads: number
  readonly hits: number
  readonly writes: number
  readonly stale: number
}

const rows = ["a", "b", "c"]

let runs = 0

/** How a row is read. Each way is an entry of its own, and has to die with the row. */
const ways = (row: string): ReadonlyArray<QueryCache.Request<number>> => [
  { key: ["by tag", row], strategy: { ttl: "1 hour", tags: [row] } },
  { key: ["by tags", row], strategy: { ttl: "1 hour", tags: [row, "all"] } },
  { key: ["by key", row], strategy: { ttl: "1 hour" }, keys: [{ key: row }] },
  { key: ["by late key", row], strategy: { ttl: "1 hour" }, late: () => ({ keys: [{ key: row }], entries: [] }) },
  { key: ["by dependency", row], strategy: { ttl: "1 hour" }, dependencies: [row] }
]

/**
 * Readers and writers of versioned rows in several processes, all at once, and a check of what every read sees: never
 * a version older than the last one whose write was acknowledged before the read began; with `strict`, than the last
 * one that was committed by then.
 */
export const observe = (run: Run): Effect.Effect<History> =>
  Effect.scoped(Effect.gen(function*() {
    const { consistency, pause, random } = run
    const pick = (below: number) => Math.floor(random() * below)
    const committed = new Map(rows.map((row) => [row, 0]))
    const acknowledged = new Map(rows.map((row) => [row, 0]))
    // What an earlier run left behind is newer than anything that this one knows of.
    const namespace = `history ${process.pid} ${++runs}`
    const seen = { reads: 0, hits: 0, writes: 0, stale: 0 }

    const query = (row: string) =>
      Effect.gen(function*() {
        yield* pause
        const version = committed.get(row) ?? 0
        yield* pause
        return version
      })
    const commit = (row: string) =>
      Effect.gen(function*() {
        yield* pause
        const version = (committed.get(row) ?? 0) + 1
        committed.set(row, version)
        yield* pause
        return version
      })
    const acknowledge = (row: string, version: number) => {
      seen.writes++
      acknowledged.set(row, Math.max(acknowledged.get(row) ?? 0, version))
    }

    const slowly = (store: CacheStore) => around(store, ({ run }) => Effect.zipRight(pause, Effect.zipLeft(run, pause)))
    const open = ({ lock, store }: Site) =>
      makeCache({ store: slowly(store), lock, namespace, consistency, intentTtl: 600_000, lease: { retryDelay: 1, retryJitter: 1 } })

    const touchesOf = (row: string): QueryCache.Touches => ({ first: [row], keys: [{ key: row }], tags: [row] })

    const reader = (cache: QueryCache.QueryCache) =>
      Effect.gen(function*() {
        yield* pause
        const row = rows[pick(rows.length)] as string
        const way = ways(row)[pick(5)] as QueryCache.Request<number>
        const newest = (consistency === "strict" ? committed : acknowledged).get(row) ?? 0
        const mode = pick(20) === 0 ? "refresh" as const : "use" as const
        const { info, value } = yield* cache.answer({ ...way, mode }, query(row))
        seen.reads++
        if (info.status === "hit") seen.hits++
        if (value < newest) seen.stale++
      })

    const writer = (site: Site, cache: QueryCache.QueryCache) =>
      Effect.gen(function*() {
        yield* run.rest
        const row = rows[pick(rows.length)] as string
        if (run.deaths === true && pick(10) === 0) {
          // A process of its own, which is gone when it has committed: what it began nobody ends.
          const scope = yield* Scope.make()
          const { cache: doomed } = yield* Scope.extend(open(site), scope)
          yield* Effect.orDie(doomed.openWrite().touch(touchesOf(row)))
          yield* commit(row)
          yield* Scope.close(scope, Exit.void)
        } else {
          acknowledge(row, yield* Effect.orDie(cache.write({ label: "write", touches: touchesOf(row) }, commit(row))))
        }
        if (run.mischief !== undefined && pick(2) === 0) yield* run.mischief(rows)
      })

    yield* Effect.forEach(run.sites, (site) =>
      Effect.gen(function*() {
        const { cache } = yield* open(site)
        const all = [
          ...Array.from({ length: run.readers }, () => reader(cache)),
          ...Array.from({ length: run.writers }, () => writer(site, cache))
        ]
        const work = Effect.forEach(all, (one) => Effect.repeatN(one, run.rounds - 1), { concurrency: "unbounded" })
        yield* site.clock === undefined ? work : Effect.withClock(work, site.clock)
      }), { concurrency: "unbounded" })
    return seen
  }))
