/**
 * Loading an answer: one load for all who may share it, its result handed to each as a copy, and stored if nothing
 * that it depends on has changed since before the query.
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { StaleReason } from "../CacheEvent.js"
import type { CacheInfo } from "../CacheInfo.js"
import type { Answer } from "../QueryCache.js"
import type { Core } from "./core.js"
import type { Filling } from "./filling.js"
import { lead } from "./flights.js"
import type { Cockpit, Flights, Lead, LeaseOptions, Look } from "./flights.js"
import { sha256 } from "./hash.js"
import { generation, isComplete, isSettled, isStorable } from "./reading.js"
import type { Found, Gap, Hit, Plan, Reading } from "./reading.js"
import type { Resting } from "./resting.js"
import * as tally from "./tally.js"
import { uncachedInfo } from "./uncachedInfo.js"

/** A loaded value: whoever comes first gets it as it is, everybody else a copy. */
interface Loaded {
  /** Whether it is stored, is not although it might have been, or could not be. */
  readonly fate: "kept" | "refused" | "unstorable"
  readonly value: unknown
  readonly payload: Uint8Array | undefined
  readonly createdAt: number
  taken: boolean
}

type Outcome = { readonly _tag: "Found"; readonly hit: Found } | { readonly _tag: "Loaded"; readonly loaded: Loaded }

/** Who loads: with a lease on it for the whole fleet, or for this process alone. */
type Position = Exclude<Lead<Found, Gap>, { readonly _tag: "Found" }>

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
  readonly hitAnswer: <A>(plan: Plan<A>, hit: Hit, now: number) => Answer<A>
  /** What is expired, served all the same. */
  readonly staleAnswer: <A>(plan: Plan<A>, hit: Found, why: StaleReason) => Effect.Effect<Answer<A>>
  /** The lease on a load, and the look of one who has it or waits for it. */
  readonly leaseOf: <A>(plan: Plan<A>, gap: Gap) => {
    readonly name: string
    readonly lease: LeaseOptions
    readonly again: Effect.Effect<Look<Found, Gap>>
  }
  /** Runs the query of the one who loads, hands on what came of it, and stores that. */
  readonly carryOut: <A, E>(
    plan: Plan<A>,
    position: Position,
    query: Effect.Effect<A, E>,
    handOn: (exit: Exit.Exit<Loaded, E>) => Effect.Effect<void>
  ) => Effect.Effect<void>
}

/** Whether an error is an answer that every caller would get. */
export const isDefinite = <A>(plan: Plan<A>, error: unknown): boolean => plan.request.isDefinite?.(error) === true

export const makeLoading = (core: Core, reading: Reading, filling: Filling, resting: Resting, flights: Flights): Loading => {
  const { counts, emit, lock, options, own, tolerate } = core
  const lockPrefix = options.lock?.prefix ?? "prisma-cache-lock"
  const lease: LeaseOptions = {
    ttlMillis: options.lock?.ttl ?? 5_000,
    waitMillis: options.lock?.waitTimeout ?? 10_000,
    retryMillis: options.lock?.retryDelay ?? 40,
    jitterMillis: options.lock?.retryJitter ?? 20
  }

  // -------------------------------------------------------------------------------------------------------------------
  // answers
  // -------------------------------------------------------------------------------------------------------------------

  const info = <A>(
    plan: Plan<A>,
    status: CacheInfo["status"],
    createdAt: number | undefined,
    life: { readonly age: number; readonly ttl: number } | undefined,
    source?: CacheInfo["source"]
  ): CacheInfo => ({
    status,
    source,
    key: plan.shown.key,
    tags: plan.shown.tags,
    createdAt,
    age: life?.age,
    ttl: life === undefined ? undefined : Math.max(0, life.ttl - life.age)
  })

  const hitAnswer: Loading["hitAnswer"] = <A>(plan: Plan<A>, { life, source, value }: Hit, now: number) => {
    const age = Math.max(0, now - life.createdAt)
    counts.hits++
    tally.hit(life)
    emit({ _tag: "Hit", label: plan.label, ageMillis: age, source })
    return { value: value as A, info: info(plan, "hit", life.createdAt, { age, ttl: life.ttlMillis }, source) }
  }

  const staleAnswer: Loading["staleAnswer"] = <A>(plan: Plan<A>, { life, value }: Found, why: StaleReason) =>
    Effect.map(Clock.currentTimeMillis, (now): Answer<A> => {
      const age = Math.max(0, now - life.createdAt)
      counts.stale++
      tally.stale(life)
      emit({ _tag: "Stale", label: plan.label, ageMillis: age, why })
      return { value: value as A, info: info(plan, "stale", life.createdAt, { age, ttl: 0 }) }
    })

  const direct: Loading["direct"] = (plan, load) =>
    Effect.map(load, (value) => ({
      value,
      info: plan === undefined ? uncachedInfo("bypass") : info(plan, "bypass", undefined, undefined)
    }))

  const landed = <A>(plan: Plan<A>, outcome: Outcome, leader: boolean): Effect.Effect<Answer<A>> => {
    if (outcome._tag === "Found" && leader) {
      return Effect.map(Clock.currentTimeMillis, (now) => hitAnswer(plan, outcome.hit, now))
    }
    const { createdAt, payload } = outcome._tag === "Found" ? { createdAt: outcome.hit.life.createdAt, payload: outcome.hit.payload } : outcome.loaded
    const fate = outcome._tag === "Found" ? "kept" : outcome.loaded.fate
    const kept = fate === "kept"
    const missed = fate === "unstorable" ? "bypass" : plan.request.mode === "refresh" ? "refreshed" : "miss"
    const status = leader ? missed : "joined"
    if (leader) counts.misses++
    else counts.joined++
    if (leader) tally.miss()
    else tally.joined()
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
      const full = flights.isFull(name)
      if (full !== undefined) {
        emit({ _tag: "Limited", what: full, label: plan.label })
        return direct(plan, query)
      }
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

  /** A load whose result nobody may store: a tag is being written, has no stamp, or the store does not answer. */
  const plainLoad = <A, E>(plan: Plan<A>, query: Effect.Effect<A, E>, cockpit: Cockpit<Outcome, E>) =>
    Effect.gen(function*() {
      cockpit.sent()
      const exit = yield* Effect.exit(query)
      if (Exit.isFailure(exit)) return yield* cockpit.land(Exit.failCause(exit.cause))
      const payload = cockpit.waiters() > 1 ? yield* filling.encoded(plan, exit.value) : undefined
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
      const { again, lease, name } = leaseOf(plan, gap)
      const position: Lead<Found, Gap> = shared
        ? yield* lead(lock, name, lease, again, (millis, gaveUp) => {
          tally.waited(millis)
          emit({ _tag: "LockWait", label: plan.label, millis, gaveUp })
        })
        : { _tag: "Alone", gap }
      if (position._tag === "Found") return yield* cockpit.land(Exit.succeed({ _tag: "Found", hit: position.hit }))
      cockpit.sent()
      yield* carryOut(plan, position, query, (exit) =>
        Exit.isSuccess(exit)
          ? cockpit.land(Exit.succeed({ _tag: "Loaded", loaded: exit.value }), exit.value.payload === undefined)
          : cockpit.land(Exit.failCause(exit.cause)))
    }))

  const carryOut: Loading["carryOut"] = (plan, position, query, handOn) =>
    Effect.gen(function*() {
      const note = position._tag === "Leading" ? position.note : () => {}
      const startedAt = yield* Clock.currentTimeMillis
      const exit = yield* Effect.exit(query)
      const createdAt = yield* Clock.currentTimeMillis
      if (Exit.isFailure(exit)) {
        note(Array.from(Cause.failures(exit.cause)).some((error) => isDefinite(plan, error)) ? "free" : "failed")
        return yield* handOn(Exit.failCause(exit.cause))
      }
      resting.end(plan)
      // Encoded, and asked for its names, before anybody has it: the caller may change what it gets.
      const payload = yield* filling.encoded(plan, exit.value)
      const late = reading.lateOf(plan, exit.value)
      const storable = payload !== undefined && late !== undefined ? { payload, late } : undefined
      const fate = storable === undefined ? "refused" : "kept"
      yield* handOn(Exit.succeed({ fate, value: exit.value, payload, createdAt, taken: false }))
      const stored = storable !== undefined &&
        (yield* filling.fill(plan, position.gap, storable, { createdAt, queryMillis: createdAt - startedAt }))
      note(stored ? "stored" : "free")
    })

  /** Some processes have met more of an entry's tags than others: the lease is named after what all of them know. */
  const leaseOf: Loading["leaseOf"] = (plan, gap) => {
    const known = [...plan.tags, ...plan.guards].map((tag) => gap.states.get(tag)).join()
    return { name: own.lock(lockPrefix, plan.digest, sha256(known).slice(0, 22)), lease, again: lookAgain(plan, gap) }
  }

  /** The look of one who has the lock, or waits for it: under whatever stamps there are by then. */
  const lookAgain = <A>(plan: Plan<A>, gap: Gap): Effect.Effect<Look<Found, Gap>> => {
    const fallback: Look<Found, Gap> = { _tag: "Gap", gap }
    return Effect.gen(function*() {
      const seen = yield* reading.look(plan, Array.from(gap.states.keys()))
      if (seen._tag === "Hit") return seen
      const known = { ...seen.gap, tags: gap.tags }
      return { _tag: "Gap" as const, gap: isComplete(known) ? known : yield* reading.stamped(plan, known) }
    }).pipe(tolerate, Effect.map((seen) => seen ?? fallback))
  }

  return { fly, direct, hitAnswer, staleAnswer, leaseOf, carryOut }
}
