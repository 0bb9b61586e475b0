/**
 * Stores that get a rule of the protocol wrong, each in the way of some cache that is in use somewhere. A check of
 * staleness that they pass would be worth nothing.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as CacheEntry from "effect-prisma-cache/CacheEntry"
import * as CacheStore from "effect-prisma-cache/CacheStore"
import type { Invalidation, TagState } from "effect-prisma-cache/CacheStore"

const digestOf = (bytes: Uint8Array) => new TextDecoder().decode(bytes.subarray(53, 96))

const decode = (bytes: Uint8Array) => CacheEntry.decode(digestOf(bytes), bytes)

/** An entry is stored under the stamps that are current then, not under those from before its query. */
export const stampsAfterTheQuery = (store: CacheStore.CacheStore): CacheStore.CacheStore => ({
  ...store,
  replace: (name, bytes, ttl, seen) =>
    Effect.gen(function*() {
      const entry = decode(bytes)
      if (entry === undefined) return false
      const stamps = (yield* store.obtain(entry.tags, ttl)).map(String)
      return yield* store.replace(name, CacheEntry.encode(digestOf(bytes), { ...entry, stamps }), ttl, seen)
    })
})

/** An invalidation is acknowledged when it has been sent, not when it has been carried out. */
export const invalidationsInTheBackground = (store: CacheStore.CacheStore, pause: Effect.Effect<void>): CacheStore.CacheStore => ({
  ...store,
  invalidate: (steps, ttl) =>
    Effect.as(Effect.forkDaemon(Effect.zipRight(pause, store.invalidate(steps, ttl))), steps.map(() => false))
})

/** An invalidation removes entries that are there, and leaves no trace for those that are on their way. */
export const entriesRemovedInPlaceOfStamps = (store: CacheStore.CacheStore): CacheStore.CacheStore => {
  const entries = new Map<string, Uint8Array>()
  const state: TagState = "s:always.0"
  const carries = (bytes: Uint8Array, step: Invalidation) => decode(bytes)?.tags.includes(step.tag) === true
  return {
    ...store,
    lookup: (name, tags) => Effect.sync(() => ({ entry: entries.get(name) ?? null, states: tags.map(() => state) })),
    obtain: (tags) => Effect.sync(() => tags.map(() => state)),
    replace: (name, bytes) => Effect.sync(() => (entries.set(name, bytes), true)),
    invalidate: (steps) =>
      Effect.sync(() => {
        for (const [name, bytes] of entries) if (steps.some((step) => carries(bytes, step))) entries.delete(name)
        return steps.map(() => false)
      })
  }
}

/** Tags carry the time of their last invalidation, and entries the time of their query, each by the clock of its process. */
export const timesInPlaceOfStamps = (store: CacheStore.CacheStore): CacheStore.CacheStore => {
  const invalidatedAt = new Map<string, number>()
  const state: TagState = "s:always.0"
  return {
    ...store,
    lookup: (name, tags) =>
      Effect.map(store.lookup(name, []), ({ entry }) => {
        const decoded = entry === null ? undefined : decode(entry)
        const isAlive = decoded?.tags.every((tag) => (invalidatedAt.get(tag) ?? 0) < decoded.createdAt - decoded.queryMillis)
        return { entry: isAlive === true ? entry : null, states: tags.map(() => state) }
      }),
    obtain: (tags) => Effect.sync(() => tags.map(() => state)),
    replace: (name, bytes, ttl) =>
      Effect.flatMap(store.lookup(name, []), ({ entry }) =>
        store.replace(name, bytes, ttl, entry === null ? null : CacheEntry.identity(entry))),
    invalidate: (steps) =>
      Effect.map(Clock.currentTimeMillis, (now) => {
        for (const { tag } of steps) invalidatedAt.set(tag, now)
        return steps.map(() => false)
      })
  }
}

/** Tags are counted on by invalidations, and begin again at zero when they were evicted. */
export const countersInPlaceOfStamps = (store: CacheStore.CacheStore) => {
  const counters = new Map<string, number>()
  const stateOf = (tag: string): TagState => counters.has(tag) ? `s:${counters.get(tag)}.0` : null
  return {
    evict: (tag: string) => void counters.delete(tag),
    tags: () => Array.from(counters.keys()),
    store: {
      ...store,
      lookup: (name: string, tags: ReadonlyArray<string>) =>
        Effect.map(store.lookup(name, []), ({ entry }) => ({ entry, states: tags.map(stateOf) })),
      obtain: (tags: ReadonlyArray<string>) =>
        Effect.sync(() => {
          for (const tag of tags) if (!counters.has(tag)) counters.set(tag, 0)
          return tags.map(stateOf)
        }),
      invalidate: (steps: ReadonlyArray<Invalidation>) =>
        Effect.sync(() => {
          for (const { tag } of steps) counters.set(tag, (counters.get(tag) ?? 0) + 1)
          return steps.map(() => false)
        })
    } satisfies CacheStore.CacheStore
  }
}

/** A write under way leaves no trace until it has ended: nothing is left of one whose process died. */
export const writesUnannounced = (store: CacheStore.CacheStore): CacheStore.CacheStore => ({
  ...store,
  begin: () => Effect.void
})

/** Writes under way are not told apart: the first of them to end takes away what announces the others. */
export const intentsWithoutTokens = (store: CacheStore.CacheStore): CacheStore.CacheStore => ({
  ...store,
  begin: (tags, _, ttl) => store.begin(tags, "anybody", ttl),
  end: (tags, _, committed, ttl) => store.end(tags, "anybody", committed, ttl)
})
