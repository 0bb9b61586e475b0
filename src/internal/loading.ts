/**
 * Loading an answer: one load for all who may share it, its result handed to each as a copy, and stored if nothing
 * that it depends on has changed since before the query.
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import type * as Scope from "effect/Scope"
import { LRUCache } from "lru-cache"
import type { CacheError } from "../CacheError.js"
import * as CacheEntry from "../CacheEntry.js"
import type { NotStoredReason } from "../CacheEvent.js"
import type { CacheInfo } from "../CacheInfo.js"
import type { Lookup } from "../CacheStore.js"
import type { Answer, Late } from "../QueryCache.js"
import { distinct } from "./core.js"
import type { Core } from "./core.js"
import { lead, tryLead } from "./flights.js"
import type { Cockpit, Flights, LeaseOptions, Look } from "./flights.js"
import { sha256 } from "./hash.js"
import { generation, isComplete, isSettled, isStorable, nothingLate } from "./reading.js"
import type { Gap, Hit, Plan, Reading } from "./reading.js"
import { isStamp, probationOf } from "./stamp.js"

const maxEntryBytesDefault = 4 * 1024 * 1024

/** A loaded value: whoever comes first gets it as it is, everybody else a copy. */
interface Loaded {
  /** Whether it is stored, is not although it might have been, or could not be. */
  readonly fate: "kept" | "refused" | "unstorable"
  readonly value: unknown
  readonly payload: Uint8Array | undefined
  readonly createdAt: number
  taken: boolean
}

type Outcome = { readonly _tag: "Found"; readonly hit: Hit } | { readonly _tag: "Loaded"; readonly loaded: Loaded }

type Filling = Pick<CacheEntry.CacheEntry, "payload" | "createdAt" | "queryMillis">

export interface Loading {
  /** Joins or starts the flight that answers this read; without a gap that can be filled, one that stores nothing. */
  readonly fly: <A, E, R>(
    plan: Plan<A>,
    gap: Gap | undefined,
    load: Effect.Effect<A, E, R>
  ) => Effect.Effect<Answer<A>, E, R>
  /** The query itself, with neither the cache nor a flight in between. */
  readonly direct: <A, E, R>(
    plan: Plan<A> | undefined,
    load: Effect.Effect<A, E, R>
  ) => Effect.Effect<Answer<A>, E, R>
  readonly hitAnswer: <A>(plan: Plan<A>, hit: Hit) => Effect.Effect<Answer<A>>
  /** What is expired and may be served as the strategy says: at once and queried anew in the background, or after an error. */
  readonly staleOr: <A, E, R>(
    plan: Plan<A>,
    gap: Gap,
    load: Effect.Effect<A, E, R>,
    fresh: Effect.Effect<Answer<A>, E, R>
  ) => Effect.Effect<Answer<A>, E, R>
  readonly encoded: <A>(plan: Plan<A>, value: A) => Effect.Effect<Uint8Array | undefined>
  /** Stores a result under the stamps of a gap, and under those of late tags; answers whether it did. */
  readonly fill: <A>(plan: Plan<A>, gap: Gap, late: Late, result: Filling) => Effect.Effect<boolean>
}

/** The identity of what is in the store now. */
export const identityOf = ({ entry }: Lookup): Uint8Array | null => entry === null ? null : CacheEntry.identity(entry)

/** When the first of the stamps that are on probation ends it. */
const earliest = (stamps: ReadonlyArray<string>): number | undefined => {
  const ends = stamps.flatMap((stamp) => probationOf(stamp) ?? [])
  return ends.length === 0 ? undefined : Math.min(...ends)
}

/** The pause after a first failure, and the longest one: each is cut short by chance to a half at the most. */
const restMillis = 1_000
const longestRestMillis = 60_000

/** For how many entries the cache remembers that they could not be queried anew. */
const maxResting = 10_000

export const makeLoading = (core: Core, reading: Reading, flights: Flights, scope: Scope.Scope): Loading => {
  const { counts, emit, keyTag, lock, namesOf, options, own, serializer, store, tolerate } = core
  const maxEntryBytes = options.maxEntryBytes ?? maxEntryBytesDefault
  const lockPrefix = options.lock?.prefix ?? "prisma-cache-lock"
  const lease: LeaseOptions = {
    ttlMillis: options.lock?.ttl ?? 5_000,
    waitMillis: options.lock?.waitTimeout ?? 10_000,
    retryMillis: options.lock?.retryDelay ?? 40,
    jitterMillis: options.lock?.retryJitter ?? 20
  }

  const restingUntil = new LRUCache<string, { readonly failures: number; readonly until: number }>({ max: maxResting })

  // -------------------------------------------------------------------------------------------------------------------
  // answers
  // -------------------------------------------------------------------------------------------------------------------

  const info = <A>(
    plan: Plan<A>,
    status: CacheInfo["status"],
    createdAt: number | undefined,
    life: { readonly age: number; readonly ttl: number } | undefined
  ): CacheInfo => ({
    ...plan.shown,
    status,
    createdAt,
    age: life?.age,
    ttl: life === undefined ? undefined : Math.max(0, life.ttl - life.age)
  })

  const hitAnswer: Loading["hitAnswer"] = <A>(plan: Plan<A>, hit: Hit) =>
    Effect.map(Clock.currentTimeMillis, (now): Answer<A> => {
      const age = Math.max(0, now - hit.entry.createdAt)
      counts.hits++
      emit({ _tag: "Hit", label: plan.label, ageMillis: age })
      return { value: hit.value as A, info: info(plan, "hit", hit.entry.createdAt, { age, ttl: hit.entry.ttlMillis }) }
    })

  const staleAnswer = <A>(plan: Plan<A>, { entry, value }: Hit, onError: boolean): Effect.Effect<Answer<A>> =>
    Effect.map(Clock.currentTimeMillis, (now) => {
      const age = Math.max(0, now - entry.createdAt)
      counts.stale++
      emit({ _tag: "Stale", label: plan.label, ageMillis: age, onError })
      return { value: value as A, info: info(plan, "stale", entry.createdAt, { age, ttl: entry.ttlMillis }) }
    })

  const direct: Loading["direct"] = (plan, load) =>
    Effect.map(load, (value) => ({
      value,
      info: plan === undefined
        ? { status: "bypass", key: undefined, tags: [], createdAt: undefined, age: undefined, ttl: undefined }
        : info(plan, "bypass", undefined, undefined)
    }))

  const landed = <A>(plan: Plan<A>, outcome: Outcome, leader: boolean): Effect.Effect<Answer<A>> => {
    if (outcome._tag === "Found" && leader) return hitAnswer(plan, outcome.hit)
    const { createdAt, payload } = outcome._tag === "Found" ? outcome.hit.entry : outcome.loaded
    const fate = outcome._tag === "Found" ? "kept" : outcome.loaded.fate
    const kept = fate === "kept"
    const missed = fate === "unstorable" ? "bypass" : plan.request.mode === "refresh" ? "refreshed" : "miss"
    const status = leader ? missed : "joined"
    if (leader) counts.misses++
    else counts.joined++
    emit({ _tag: leader ? "Miss" : "Joined", label: plan.label })
    return Effect.flatMap(Clock.currentTimeMillis, (now) => {
      const told = info(plan, status, createdAt, kept ? { age: Math.max(0, now - createdAt), ttl: plan.lifetime.ttl } : undefined)
      if (outcome._tag === "Loaded") {
        const first = !outcome.loaded.taken
        outcome.loaded.taken = true
        // What cannot be copied exactly can only be shared.
        if (first || payload === undefined) return Effect.succeed({ value: outcome.loaded.value as A, info: told })
      }
      // What was decoded for another caller may still be beyond this one, who did not name its types.
      const shared = outcome._tag === "Loaded" ? outcome.loaded.value : outcome.hit.value
      const copy = Effect.orElseSucceed(reading.decode(plan, payload as Uint8Array), () => shared)
      return Effect.map(copy, (value) => ({ value: value as A, info: told }))
    })
  }

  const encoded: Loading["encoded"] = (plan, value) =>
    Effect.catchAll(serializer.encode(value, { digest: plan.digest, types: plan.types }), () =>
      Effect.sync(() => void emit({ _tag: "NotStored", label: plan.label, why: "Unserializable" })))

  // -------------------------------------------------------------------------------------------------------------------
  // loads
  // -------------------------------------------------------------------------------------------------------------------

  const fly: Loading["fly"] = <A, E, R>(plan: Plan<A>, gap: Gap | undefined, load: Effect.Effect<A, E, R>) =>
    Effect.flatMap(Effect.context<R>(), (context) => {
      const query = Effect.provide(load, context)
      const refresh = plan.request.mode === "refresh"
      const settled = gap !== undefined && isSettled(gap) && !refresh
      // Who takes some answers only shares no flight with those who take any.
      const name = `${plan.entry}${plan.request.accepts === undefined ? "" : "!"}\n${settled ? generation(gap) : refresh ? "refresh" : "-"}`
      let leader = false
      return Effect.flatMap(
        flights.join<Outcome, E>(name, settled, (cockpit) => {
          leader = true
          return gap !== undefined && isStorable(gap)
            ? storableLoad(plan, gap, settled, query, cockpit)
            : plainLoad(plan, query, cockpit)
        }),
        (exit): Effect.Effect<Answer<A>, E> => {
          if (Exit.isSuccess(exit)) return landed(plan, exit.value, leader)
          // The flight was ended from outside, when the cache closed: the caller still wants its answer.
          return Cause.isInterruptedOnly(exit.cause) ? direct(plan, query) : Effect.failCause(exit.cause)
        }
      )
    })

  const staleOr: Loading["staleOr"] = <A, E, R>(
    plan: Plan<A>,
    gap: Gap,
    load: Effect.Effect<A, E, R>,
    fresh: Effect.Effect<Answer<A>, E, R>
  ) =>
    Effect.flatMap(Clock.currentTimeMillis, (now) => {
      const { expired } = gap
      if (expired === undefined || plan.request.mode === "refresh") return fresh
      // What an invalidation has expired may be younger than its ttl.
      const over = Math.max(0, now - expired.entry.createdAt - expired.entry.ttlMillis)
      const mayFail = over < plan.lifetime.staleIfError
      const isResting = (restingUntil.get(plan.entry)?.until ?? 0) > now
      if (over < plan.lifetime.swr) {
        const served = staleAnswer(plan, expired, false)
        return isResting ? served : Effect.zipRight(revalidate(plan, gap, load), served)
      }
      if (!mayFail) return fresh
      if (isResting) return staleAnswer(plan, expired, true)
      return Effect.catchAll(fresh, (error) =>
        isDefinite(plan, error)
          ? Effect.fail(error)
          : Effect.zipRight(rest(plan), staleAnswer(plan, expired, true)))
    })

  /** Starts a load in the background, unless this process has one under way; if another process has, that one will do. */
  const revalidate = <A, E, R>(plan: Plan<A>, gap: Gap, load: Effect.Effect<A, E, R>): Effect.Effect<void, never, R> =>
    Effect.flatMap(Effect.context<R>(), (context) => {
      const name = `${plan.entry}~`
      return flights.has(name)
        ? Effect.void
        : Effect.asVoid(Effect.forkIn(
          flights.join<void, never>(name, true, (cockpit) =>
            Effect.zipRight(refreshLoad(plan, gap, Effect.provide(load, context)), cockpit.land(Exit.void))),
          scope
        ))
    })

  const refreshLoad = <A, E>(plan: Plan<A>, expired: Gap, query: Effect.Effect<A, E>): Effect.Effect<void> =>
    Effect.scoped(Effect.gen(function*() {
      const complete = isComplete(expired) ? expired : yield* tolerate(reading.stamped(plan, expired))
      if (complete === undefined || !isStorable(complete)) return
      const tried = yield* tryLead(lock, lockName(plan, complete), lease, lookAgain(plan, complete))
      if (Option.isNone(tried) || tried.value._tag === "Found") return
      const { gap } = tried.value
      const startedAt = yield* Clock.currentTimeMillis
      const exit = yield* Effect.exit(query)
      const createdAt = yield* Clock.currentTimeMillis
      if (Exit.isFailure(exit)) {
        // Nothing there is what every caller would be told now: nothing is to be served either.
        if (Array.from(Cause.failures(exit.cause)).some((error) => isDefinite(plan, error))) {
          if (gap.seen !== null) yield* tolerate(store.remove(plan.entry, gap.seen))
        } else yield* rest(plan)
        return
      }
      restingUntil.delete(plan.entry)
      const payload = yield* encoded(plan, exit.value)
      const late = reading.lateOf(plan, exit.value)
      const stored = payload !== undefined && late !== undefined &&
        (yield* fill(plan, gap, late, { payload, createdAt, queryMillis: createdAt - startedAt }))
      if (tried.value._tag === "Leading") tried.value.note(stored ? "stored" : "free")
    }))

  /** After a failure the next attempt has to wait, longer each time. */
  const rest = <A>(plan: Plan<A>): Effect.Effect<void> =>
    Effect.gen(function*() {
      const failures = (restingUntil.get(plan.entry)?.failures ?? 0) + 1
      const longest = Math.min(restMillis * 2 ** (failures - 1), longestRestMillis)
      const retryMillis = Math.round(longest * (0.5 + 0.5 * (yield* Random.next)))
      restingUntil.set(plan.entry, { failures, until: (yield* Clock.currentTimeMillis) + retryMillis })
      emit({ _tag: "RefreshFailed", label: plan.label, retryMillis })
    })

  const isDefinite = <A>(plan: Plan<A>, error: unknown): boolean => plan.request.isDefinite?.(error) === true

  /** A load whose result nobody may store: a tag is being written, has no stamp, or the store does not answer. */
  const plainLoad = <A, E>(plan: Plan<A>, query: Effect.Effect<A, E>, cockpit: Cockpit<Outcome, E>) =>
    Effect.gen(function*() {
      cockpit.sent()
      const exit = yield* Effect.exit(query)
      if (Exit.isFailure(exit)) return yield* cockpit.land(Exit.failCause(exit.cause))
      const payload = cockpit.waiters() > 1 ? yield* encoded(plan, exit.value) : undefined
      const createdAt = yield* Clock.currentTimeMillis
      const loaded = { fate: "unstorable" as const, value: exit.value, payload, createdAt, taken: false }
      yield* cockpit.land(Exit.succeed({ _tag: "Loaded", loaded }))
    })

  /** A load whose result is stored for all; where its stamps are settled, one process of the fleet carries it out. */
  const storableLoad = <A, E>(
    plan: Plan<A>,
    gap: Gap,
    shared: boolean,
    query: Effect.Effect<A, E>,
    cockpit: Cockpit<Outcome, E>
  ) =>
    Effect.scoped(Effect.gen(function*() {
      const position = shared
        ? yield* lead(lock, lockName(plan, gap), lease, lookAgain(plan, gap), (millis, gaveUp) =>
          emit({ _tag: "LockWait", label: plan.label, millis, gaveUp }))
        : { _tag: "Alone" as const, gap }
      if (position._tag === "Found") return yield* cockpit.land(Exit.succeed({ _tag: "Found", hit: position.hit }))
      const note = position._tag === "Leading" ? position.note : () => {}

      cockpit.sent()
      const startedAt = yield* Clock.currentTimeMillis
      const exit = yield* Effect.exit(query)
      const createdAt = yield* Clock.currentTimeMillis
      if (Exit.isFailure(exit)) {
        note(Array.from(Cause.failures(exit.cause)).some((error) => isDefinite(plan, error)) ? "free" : "failed")
        return yield* cockpit.land(Exit.failCause(exit.cause))
      }
      // Encoded, and asked for its names, before anybody has it: the caller may change what it gets.
      const payload = yield* encoded(plan, exit.value)
      const late = reading.lateOf(plan, exit.value)
      const fate = payload !== undefined && late !== undefined ? "kept" as const : "refused" as const
      const loaded = { fate, value: exit.value, payload, createdAt, taken: false }
      yield* cockpit.land(Exit.succeed({ _tag: "Loaded", loaded }), payload === undefined)
      const stored = payload !== undefined && late !== undefined &&
        (yield* fill(plan, position.gap, late, { payload, createdAt, queryMillis: createdAt - startedAt }))
      note(stored ? "stored" : "free")
    }))

  /** Some processes have met more of an entry's tags than others: the lease is named after what all of them know. */
  const lockName = <A>(plan: Plan<A>, gap: Gap) => {
    const known = [...plan.tags, ...plan.guards].map((tag) => gap.states.get(tag)).join()
    return own.lock(lockPrefix, plan.digest, sha256(known).slice(0, 22))
  }

  /** The look of one who has the lock, or waits for it: under whatever stamps there are by then. */
  const lookAgain = <A>(plan: Plan<A>, gap: Gap): Effect.Effect<Look<Hit, Gap>> => {
    const fallback: Look<Hit, Gap> = { _tag: "Gap", gap }
    return Effect.gen(function*() {
      const seen = yield* reading.look(plan, Array.from(gap.states.keys()))
      if (seen._tag === "Hit") return seen
      const known = { ...seen.gap, tags: gap.tags }
      return { _tag: "Gap" as const, gap: isComplete(known) ? known : yield* reading.stamped(plan, known) }
    }).pipe(tolerate, Effect.map((seen) => seen ?? fallback))
  }

  // -------------------------------------------------------------------------------------------------------------------
  // filling
  // -------------------------------------------------------------------------------------------------------------------

  const lateTagsOf = <A>(plan: Plan<A>, late: Late) =>
    distinct([...late.keys.map(keyTag), ...(late.dependencies ?? []).map(own.dependency)])
      .filter((tag) => !plan.tags.includes(tag))

  const fill: Loading["fill"] = (plan, gap, late, result) =>
    Effect.gen(function*() {
      const lateTags = lateTagsOf(plan, late)
      const states = new Map(gap.states)
      // A guard stands for late tags whose stamps are younger than the query: its probation is theirs.
      let guarding: ReadonlyArray<string> = []
      const unknown = lateTags.filter((tag) => !states.has(tag))
      if (unknown.length > 0) {
        const obtained = yield* reading.obtain(unknown, plan.lifetime.kept)
        unknown.forEach((tag, i) => states.set(tag, obtained[i] ?? null))
        // The guards are read after the late stamps: an invalidation rotates them first and takes those away second.
        const guards = distinct([
          ...late.keys.map((ref) => namesOf(ref.namespace).guard),
          ...(plan.request.guards?.dependencies ?? []).map(own.dependency)
        ])
        const now = yield* store.lookup(plan.entry, guards)
        const same = guards.every((guard, i) => {
          const state = now.states[i] ?? null
          return isStamp(state) && state === gap.states.get(guard)
        })
        if (!same) return "Overtaken" as const
        guarding = now.states.filter(isStamp)
      }
      const tags = distinct([...gap.tags, ...lateTags])
      const stamps = tags.map((tag) => states.get(tag) ?? null)
      if (!stamps.every(isStamp)) return "Overtaken" as const
      const { kept, ttl } = plan.lifetime
      const jitter = plan.request.strategy.jitter ?? 0
      const ttlMillis = jitter === 0 ? ttl : Math.ceil(ttl * (1 - jitter * (yield* Random.next)))
      const entry = { ...result, tags, stamps, ttlMillis, keptMillis: kept - (ttl - ttlMillis) }
      const bytes = CacheEntry.encode(plan.digest, entry)
      if (bytes.length > maxEntryBytes) return "TooLarge" as const
      const until = earliest([...stamps, ...guarding])
      const stored = yield* put(plan, bytes, entry.keptMillis, gap.seen, until)
      yield* tolerate(reading.sustain(tags, stamps, plan.lifetime.kept))
      for (const alias of late.entries) {
        const aliasPlan = { ...plan, digest: alias.digest, entry: reading.entryOf(alias) }
        yield* put(aliasPlan, CacheEntry.encode(alias.digest, entry), entry.keptMillis, null, until)
      }
      if (!stored) return "Overtaken" as const
      counts.fills++
      emit({ _tag: "Filled", label: plan.label, bytes: bytes.length, queryMillis: result.queryMillis })
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

  return { fly, direct, hitAnswer, staleOr, encoded, fill }
}
