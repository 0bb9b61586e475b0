import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { Scope } from "effect/Scope"
import { CacheError } from "effect-prisma-cache/CacheError"
import type { CacheEvent } from "effect-prisma-cache/CacheEvent"
import * as CacheKey from "effect-prisma-cache/CacheKey"
import * as CacheStore from "effect-prisma-cache/CacheStore"
import * as MemoryStore from "effect-prisma-cache/CacheStore/Memory"
import * as DistributedLock from "effect-prisma-cache/DistributedLock"
import * as MemoryLock from "effect-prisma-cache/DistributedLock/Memory"
import * as QueryCache from "effect-prisma-cache/QueryCache"
import * as Serializer from "effect-prisma-cache/Serializer"
import { unhurried } from "../support/unhurried.js"

/** What a cache of a test is made of; a store and a lock of its own unless it is given some to share. */
export interface Parts extends Omit<QueryCache.Options, "lock" | "onEvent"> {
  readonly store?: CacheStore.CacheStore
  readonly lock?: DistributedLock.DistributedLock
  readonly lease?: QueryCache.LockOptions
  readonly serializer?: Serializer.Serializer | undefined
}

/** A cache that is closed with the scope, and what it told. */
export interface Made {
  readonly cache: QueryCache.QueryCache
  readonly events: ReadonlyArray<CacheEvent>
  readonly store: CacheStore.CacheStore
  /** Why results were not stored. */
  readonly why: () => ReadonlyArray<string>
}

/** Small, since tests make many of them. */
export const memoryStore = () => MemoryStore.make({ maxEntries: 100, maxTags: 1_000 })

export const makeCache = (parts: Parts = {}): Effect.Effect<Made, never, Scope> =>
  Effect.gen(function*() {
    const { lease, lock = MemoryLock.make(), serializer = Serializer.exact, store = memoryStore(), ...options } = parts
    const events: Array<CacheEvent> = []
    const services = Layer.mergeAll(
      Layer.succeed(CacheStore.CacheStore, store),
      Layer.succeed(DistributedLock.DistributedLock, lock),
      Layer.succeed(Serializer.Serializer, serializer)
    )
    const built = yield* Layer.build(
      QueryCache.layer({ ...unhurried, ...options, lock: lease, onEvent: (event) => void events.push(event) }).pipe(
        Layer.provide(services)
      )
    )
    const why = () => events.flatMap((event) => event._tag === "NotStored" ? [event.why] : [])
    return { cache: Context.get(built, QueryCache.QueryCache), events, store, why }
  })

/** An answer is there before it is stored: waits until all that was begun is done. */
export const settled = (cache: QueryCache.QueryCache): Effect.Effect<void> =>
  Effect.repeat(Effect.yieldNow(), { until: () => Effect.map(cache.activity, ({ flights }) => flights === 0) }).pipe(Effect.asVoid)

/** Asks and waits until the answer is stored, or it is known that it will not be. */
export const settle = <A, E, R>(cache: QueryCache.QueryCache, ask: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.zipLeft(ask, settled(cache))

/** A query that can be counted. It answers how often it has run. */
export const counted = () => {
  let runs = 0
  return { query: Effect.sync(() => ++runs), runs: () => runs }
}

/** A read of an entry by name. */
export const read = <A = number>(
  name: string,
  strategy: Partial<QueryCache.Request<A>["strategy"]> = {},
  more: Partial<QueryCache.Request<A>> = {}
): QueryCache.Request<A> => ({ key: name, strategy: { ttl: "1 minute", ...strategy }, ...more })

/** The entry that reads by a custom key look for. */
export const entryOf = (ref: QueryCache.KeyRef): CacheKey.CacheKey => {
  const made = CacheKey.make(["by key", ref.key], { namespace: ref.namespace, label: "by key" })
  if (made._tag === "Left") throw made.left
  return made.right
}

/** A read by a custom key. */
export const readKey = (key: string, namespace?: string): QueryCache.Request<number> => ({
  key: entryOf({ key, namespace }),
  strategy: { ttl: "1 minute" },
  keys: [{ key, namespace }]
})

export type Primitive = Exclude<keyof CacheStore.CacheStore, typeof CacheStore.TypeId>

export const primitives: ReadonlyArray<Primitive> = ["lookup", "obtain", "replace", "remove", "invalidate", "begin", "end"]

/** A step of a store under test: which primitive, about which entry or tags, and what carries it out. */
export interface Step<A> {
  readonly primitive: Primitive
  readonly names: ReadonlyArray<string>
  readonly run: Effect.Effect<A, CacheError>
}

/** The store, with something done around each of its steps. */
export const around = (
  store: CacheStore.CacheStore,
  wrap: <A>(step: Step<A>) => Effect.Effect<A, CacheError>
): CacheStore.CacheStore => {
  const step = <A>(primitive: Primitive, names: ReadonlyArray<string>, run: () => Effect.Effect<A, CacheError>) =>
    wrap({ primitive, names, run: Effect.suspend(run) })
  const tagsOf = (steps: ReadonlyArray<{ readonly tag: string }>) => steps.map(({ tag }) => tag)
  return CacheStore.make({
    changes: store.changes,
    lookup: (entry, tags) => step("lookup", [entry, ...tags], () => store.lookup(entry, tags)),
    obtain: (tags, ttl, probation) => step("obtain", tags, () => store.obtain(tags, ttl, probation)),
    replace: (entry, bytes, ttl, seen, until) => step("replace", [entry], () => store.replace(entry, bytes, ttl, seen, until)),
    remove: (entry, seen) => step("remove", [entry], () => store.remove(entry, seen)),
    invalidate: (steps, ttl) => step("invalidate", tagsOf(steps), () => store.invalidate(steps, ttl)),
    begin: (tags, token, ttl) => step("begin", tagsOf(tags), () => store.begin(tags, token, ttl)),
    end: (tags, token, committed, ttl) => step("end", tagsOf(tags), () => store.end(tags, token, committed, ttl))
  })
}

/** The store, with a record of what was asked of it. */
export const recorded = (store: CacheStore.CacheStore) => {
  const steps: Array<string> = []
  const entries = new Set<string>()
  return {
    store: around(store, ({ names, primitive, run }) =>
      Effect.suspend(() => {
        steps.push(primitive)
        if (primitive === "lookup") entries.add(names[0] as string)
        return run
      })),
    /** What was asked since this was last called. */
    taken: () => steps.splice(0),
    /** The names of the entries that were looked up. */
    entries: (): ReadonlyArray<string> => Array.from(entries)
  }
}

export const outOfOrder = (operation: string) => new CacheError({ reason: "Unavailable", operation })
