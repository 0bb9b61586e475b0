/**
 * Storing a result: under the stamps from before its query, and under those of what is known from it only.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import type { CacheError } from "../CacheError.js"
import * as CacheEntry from "../CacheEntry.js"
import type { NotStoredReason } from "../CacheEvent.js"
import type { Lookup } from "../CacheStore.js"
import type { Late } from "../QueryCache.js"
import { byTag, distinct } from "./core.js"
import type { Core } from "./core.js"
import { nothingLate } from "./reading.js"
import type { Gap, Plan, Reading } from "./reading.js"
import { isStamp, probationOf } from "./stamp.js"
import * as tally from "./tally.js"

const maxEntryBytesDefault = 4 * 1024 * 1024

/** A result that can be stored: encoded, and asked for its names, before anybody has it and may change it. */
export interface Storable {
  readonly payload: Uint8Array
  readonly late: Late
}

/** When a query was answered, and how long it took, in milliseconds. */
export type Timing = Pick<CacheEntry.CacheEntry, "createdAt" | "queryMillis">

export interface Filling {
  /** `undefined` for what cannot be copied exactly. */
  readonly encoded: <A>(plan: Plan<A>, value: A) => Effect.Effect<Uint8Array | undefined>
  /** Stores a result under the stamps of a gap, and under those of late tags; answers whether it did. */
  readonly fill: <A>(plan: Plan<A>, gap: Gap, result: Storable, timing: Timing) => Effect.Effect<boolean>
}

/** The identity of what is in the store now. */
export const identityOf = ({ entry }: Lookup): Uint8Array | null => entry === null ? null : CacheEntry.identity(entry)

/** When the first of the stamps that are on probation ends it. */
const earliest = (stamps: ReadonlyArray<string>): number | undefined => {
  const ends = stamps.flatMap((stamp) => probationOf(stamp) ?? [])
  return ends.length === 0 ? undefined : Math.min(...ends)
}

const nothingYounger = { states: byTag([], []), guarding: [] }

export const makeFilling = (core: Core, reading: Reading): Filling => {
  const { counts, emit, keyTag, limits, namesOf, options, own, serializerFor, store } = core
  const maxEntryBytes = options.maxEntryBytes ?? maxEntryBytesDefault

  const encoded: Filling["encoded"] = (plan, value) =>
    Effect.catchAll(serializerFor(plan.request.schema).encode(value, { digest: plan.digest, types: plan.types }), () =>
      Effect.sync(() => void emit({ _tag: "NotStored", label: plan.label, why: "Unserializable" })))

  const lateTagsOf = <A>(plan: Plan<A>, late: Late) =>
    distinct([...late.keys.map(keyTag), ...(late.dependencies ?? []).map(own.dependency)])
      .filter((tag) => !plan.tags.includes(tag))

  /**
   * The stamps of late tags. They are younger than the query: what it saw may be older than they are, unless what
   * every invalidation of them rotates first, their guards, is found unchanged after them.
   */
  const lateStamps = <A>(plan: Plan<A>, gap: Gap, late: Late, unknown: ReadonlyArray<string>) =>
    Effect.gen(function*() {
      const obtained = yield* reading.obtain(unknown, plan.lifetime.kept)
      const guards = distinct([
        ...late.keys.map((ref) => namesOf(ref.namespace).guard),
        ...(plan.request.guards?.dependencies ?? []).map(own.dependency)
      ])
      const { states } = yield* store.lookup(plan.entry, guards)
      const guarding = guards.flatMap((guard, i) => {
        const state = states[i] ?? null
        return isStamp(state) && state === gap.states.get(guard) ? [state] : []
      })
      return guarding.length === guards.length ? { states: byTag(unknown, obtained), guarding } : undefined
    })

  const fill: Filling["fill"] = (plan, gap, { late, payload }, timing) =>
    Effect.gen(function*() {
      const lateTags = lateTagsOf(plan, late)
      const unknown = lateTags.filter((tag) => !gap.states.has(tag))
      const younger = unknown.length === 0 ? nothingYounger : yield* lateStamps(plan, gap, late, unknown)
      if (younger === undefined) return "Overtaken" as const
      const tags = distinct([...gap.tags, ...lateTags])
      const stamps = tags.map((tag) => gap.states.get(tag) ?? younger.states.get(tag) ?? null)
      if (!stamps.every(isStamp)) return "Overtaken" as const
      const { kept, ttl } = plan.lifetime
      const jitter = plan.request.strategy.jitter ?? 0
      const ttlMillis = jitter === 0 ? ttl : Math.ceil(ttl * (1 - jitter * (yield* Random.next)))
      const entry = { ...timing, payload, tags, stamps, ttlMillis, keptMillis: kept - (ttl - ttlMillis) }
      const bytes = CacheEntry.encode(plan.digest, entry)
      if (bytes.length > maxEntryBytes || tags.length > limits.tags) return "TooLarge" as const
      const until = earliest([...stamps, ...younger.guarding])
      const stored = yield* put(plan, bytes, entry.keptMillis, gap.seen, until)
      yield* core.tolerate(reading.sustain(tags, stamps, plan.lifetime.kept))
      for (const alias of late.entries) {
        const aliasPlan = { ...plan, digest: alias.digest, entry: reading.entryOf(alias) }
        // What a serializer makes may be bound to its entry, as encryption does: another entry needs its own.
        const copy = yield* Effect.option(Effect.flatMap(reading.decode(plan, payload), (value) =>
          serializerFor(plan.request.schema).encode(value, { digest: alias.digest, types: plan.types })))
        if (Option.isNone(copy)) continue
        const aliasEntry = { ...entry, payload: copy.value }
        yield* put(aliasPlan, CacheEntry.encode(alias.digest, aliasEntry), entry.keptMillis, null, until)
      }
      if (!stored) return "Overtaken" as const
      yield* reading.remember(plan, entry, gap.since)
      counts.fills++
      tally.filled(payload)
      emit({ _tag: "Filled", label: plan.label, bytes: bytes.length, queryMillis: timing.queryMillis })
      return undefined
    }).pipe(
      Effect.catchAll((error) =>
        Effect.sync((): NotStoredReason => {
          core.failed(error)
          return "Unavailable"
        })
      ),
      Effect.map((why) => {
        // The next load obtains them before its query. Last of all: until now others fly without them.
        if (late !== nothingLate) reading.predict(plan, lateTagsOf(plan, late))
        if (why !== undefined) emit({ _tag: "NotStored", label: plan.label, why })
        return why === undefined
      })
    )

  /**
   * Stores over what was seen before the query. Where something else has come in between it is replaced only if it
   * is dead: a late store never takes the place of a living entry.
   */
  const put = <A>(
    plan: Plan<A>,
    bytes: Uint8Array,
    millis: number,
    seen: Uint8Array | null,
    until: number | undefined
  ): Effect.Effect<boolean, CacheError> =>
    Effect.flatMap(store.replace(plan.entry, bytes, millis, seen, until), (replaced) => {
      if (replaced) return Effect.succeed(true)
      return Effect.flatMap(reading.look(plan, plan.tags), (now) =>
        now._tag === "Hit" && plan.request.mode !== "refresh"
          ? Effect.succeed(false)
          : Effect.flatMap(
            now._tag === "Gap" ? Effect.succeed(now.gap.seen) : Effect.map(store.lookup(plan.entry, []), identityOf),
            (dead) => store.replace(plan.entry, bytes, millis, dead, until)
          ))
    })

  return { encoded, fill }
}
