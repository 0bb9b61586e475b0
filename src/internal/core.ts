/**
 * What reading, loading and writing share: the services, the names of things in the store, and whom to tell.
 */
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import * as Scope from "effect/Scope"
import { LRUCache } from "lru-cache"
import type { CacheError } from "../CacheError.js"
import type { CacheEvent } from "../CacheEvent.js"
import { make as makeStore } from "../CacheStore.js"
import type { CacheStore, Ordered, TagState } from "../CacheStore.js"
import type { DistributedLock } from "../DistributedLock.js"
import type { Health, KeyRef, Limits, Options, Stats, ValueSchema } from "../QueryCache.js"
import type { Serializer } from "../Serializer.js"
import { withSchema } from "./foreign.js"
import { makeGuarded } from "./guarded.js"
import { openMemory } from "./memoryTier.js"
import type { MemoryTier } from "./memoryTier.js"
import { makeNames } from "./names.js"
import type { Names } from "./names.js"
import { sturdySerializer } from "./sturdy.js"
import * as tally from "./tally.js"

export interface Core {
  readonly store: CacheStore
  readonly lock: DistributedLock
  /** What this process remembers of the store. */
  readonly memory: MemoryTier | undefined
  /** What values are written and read with, by way of a schema if there is one. */
  readonly serializerFor: (schema: ValueSchema<unknown> | undefined) => Serializer
  readonly options: Options
  readonly limits: { readonly [Name in keyof Limits]-?: number }
  /** The names of the cache's own namespace, and those of another. */
  readonly own: Names
  readonly namesOf: (namespace: string | undefined) => Names
  readonly keyTag: (ref: KeyRef) => string
  readonly counts: { -readonly [Name in keyof Stats]: Stats[Name] }
  readonly emit: (event: CacheEvent) => void
  /** What is emitted from now on, until the scope closes. */
  readonly events: Effect.Effect<Queue.Dequeue<CacheEvent>, never, Scope.Scope>
  readonly failed: (error: CacheError) => void
  readonly health: () => Health
  /** The answer of a store that may be out of order: `undefined` then. */
  readonly tolerate: <A>(effect: Effect.Effect<A, CacheError>) => Effect.Effect<A | undefined>
}

/** What holds unless options say otherwise: milliseconds, and a number of tags. */
const guardDefaults = { budget: 50, writeBudget: 1_000, maxUndelivered: 10_000 }

const limitDefaults = { tags: 1_000, tagLength: 4_096, flights: 10_000, waiters: 100_000 }

/** How many events wait for a listener that has not come round to them. */
const heard = 1_024

/** What was given, in the place of what holds otherwise. */
const given = <Name extends string>(
  defaults: Record<Name, number>,
  options: { readonly [N in NoInfer<Name>]?: number | undefined } = {}
): Record<Name, number> => {
  const all = { ...defaults }
  for (const name in defaults) all[name] = options[name] ?? defaults[name]
  return all
}

export const makeCore = (
  store: CacheStore,
  lock: DistributedLock,
  serializer: Serializer,
  options: Options,
  scope: Scope.Scope
): Effect.Effect<Core> => Effect.gen(function*() {
  const counts = { hits: 0, stale: 0, misses: 0, joined: 0, fills: 0, invalidations: 0, errors: 0 }
  const own = makeNames(options.namespace ?? "default", serializer.id)
  const others = new LRUCache<string, Names>({ max: 1_000 })
  const namesOf = (namespace: string | undefined): Names => {
    if (namespace === undefined || namespace === own.namespace) return own
    const known = others.get(namespace)
    if (known !== undefined) return known
    const names = makeNames(namespace, serializer.id)
    others.set(namespace, names)
    return names
  }
  const listeners = new Set<Queue.Queue<CacheEvent>>()
  const events = Effect.acquireRelease(
    Effect.tap(Queue.sliding<CacheEvent>(heard), (queue) => listeners.add(queue)),
    (queue) => Effect.suspend(() => leave(queue))
  )
  const leave = (queue: Queue.Queue<CacheEvent>) => {
    listeners.delete(queue)
    return Queue.shutdown(queue)
  }
  // Who listens is told that there is nothing more to come.
  yield* Scope.addFinalizer(scope, Effect.suspend(() => Effect.forEach(Array.from(listeners), leave, { discard: true })))
  const emit = (event: CacheEvent) => {
    for (const queue of listeners) {
      if (!queue.isActive()) listeners.delete(queue)
      // A plain offer to a full queue is refused; only the effect makes room for it.
      else if (!queue.unsafeOffer(event)) Effect.runFork(Queue.offer(queue, event))
    }
    try {
      options.onEvent?.(event)
    } catch {
      // A listener is the application's; what it does wrong must not reach a query.
    }
  }
  const failed = (error: CacheError) => {
    // That the store is left alone was told when it began.
    if (error.reason === "Suspended") return
    counts.errors++
    tally.failed()
    emit({ _tag: "Failed", operation: error.operation, error })
  }
  const sturdy = sturdySerializer(serializer)
  const foreign = new WeakMap<ValueSchema<unknown>, Serializer>()
  const serializerFor: Core["serializerFor"] = (schema) => {
    if (schema === undefined) return sturdy
    const known = foreign.get(schema)
    if (known !== undefined) return known
    const made = sturdySerializer(withSchema(sturdy, schema))
    foreign.set(schema, made)
    return made
  }
  const guarded = yield* makeGuarded(store, lock, own, given(guardDefaults, options), emit, scope)
  const memory = yield* openMemory(store, own, options, scope)
  return {
    ...guarded,
    store: memory === undefined ? guarded.store : telling(guarded.store, memory),
    memory,
    limits: given(limitDefaults, options.limits),
    serializerFor,
    options,
    own,
    namesOf,
    keyTag: (ref) => namesOf(ref.namespace).key(ref.key),
    counts,
    emit,
    events,
    failed,
    tolerate: (effect) => Effect.catchAll(effect, (error) => Effect.sync(() => void failed(error)))
  }
})

/** What a process itself changes it need not be told of by the store: its own memory knows before anybody is answered. */
const telling = (store: CacheStore, memory: MemoryTier): CacheStore => {
  const tell = <A>(tags: ReadonlyArray<Ordered>, run: Effect.Effect<A, CacheError>) =>
    Effect.ensuring(run, Effect.sync(() => tags.forEach(({ tag }) => memory.changed(tag))))
  return makeStore({
    ...store,
    invalidate: (steps, ttlMillis) => tell(steps, store.invalidate(steps, ttlMillis)),
    begin: (tags, token, ttlMillis) => tell(tags, store.begin(tags, token, ttlMillis)),
    end: (tags, token, committed, ttlMillis) => tell(tags, store.end(tags, token, committed, ttlMillis))
  })
}

/** How long the intents of a killed process last, in milliseconds, unless options say otherwise. */
export const intentTtlDefault = 60_000

export const distinct = (names: ReadonlyArray<string>): ReadonlyArray<string> => {
  const sorted = names.slice().sort()
  return sorted.some((name, i) => name === sorted[i - 1]) ? sorted.filter((name, i) => name !== sorted[i - 1]) : sorted
}

/** The states of tags, by tag. */
export const byTag = (
  tags: ReadonlyArray<string>,
  states: ReadonlyArray<TagState>
): ReadonlyMap<string, TagState> => new Map(tags.map((tag, i) => [tag, states[i] ?? null]))
