/**
 * One query per cold key. Three parts, from the inside out:
 *
 * - a *flight* is one load in one process, shared by every caller who may share it
 * - a *lease* makes one process of a fleet the one that loads
 * - *waiting for a lease* is paced by a jittered schedule and cut short by news from the holder
 *
 * Nothing here decides what may be served or stored: that rests on stamps alone. A lost lease costs a query.
 */
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import type { DistributedLock, News } from "../DistributedLock.js"
import { random128 } from "./hash.js"

// ---------------------------------------------------------------------------------------------------------------------
// Flights
// ---------------------------------------------------------------------------------------------------------------------

/** A flight as its load sees it. */
export interface Cockpit<A, E> {
  /** To be called when the query is about to be sent. */
  readonly sent: () => void
  readonly waiters: () => number
  /**
   * Tells those who wait how it ended. What the load does after that, it does for nobody in particular; whoever comes
   * until it is done gets the same outcome, unless it is `closed` to them.
   */
  readonly land: (exit: Exit.Exit<A, E>, closed?: boolean) => Effect.Effect<void>
}

interface Flight {
  /** The flight under the same name that has to land first, until it has. */
  previous: Flight | undefined
  readonly start: Effect.Effect<Fiber.RuntimeFiber<void>>
  readonly outcome: Deferred.Deferred<Exit.Exit<unknown, unknown>>
  sent: boolean
  landed: boolean
  waiters: number
}

export interface Flights {
  /**
   * Joins the flight of this name, or starts it. The flight belongs to the library's scope, never to its first caller:
   * interrupting a caller interrupts nobody else, and the load is interrupted when the last caller has left.
   *
   * A flight whose query has been sent is joined only if it is `settled`: named after stamps, which say that what its
   * query sees is not older than what this caller may ask for. Otherwise a caller who comes too late waits for the
   * next flight, which starts when the running one has landed.
   */
  readonly join: <A, E>(
    name: string,
    settled: boolean,
    load: (cockpit: Cockpit<A, E>) => Effect.Effect<void>
  ) => Effect.Effect<Exit.Exit<A, E>>
  readonly has: (name: string) => boolean
  /** Whether a flight of this name would be one too many, or is waited for by as many as may be. */
  readonly isFull: (name: string) => "flights" | "waiters" | undefined
  readonly size: () => number
}

export const makeFlights = (
  scope: Scope.Scope,
  limits: { readonly flights: number; readonly waiters: number }
): Flights => {
  const flights = new Map<string, Flight>()

  /** A name whose latest flight is given up still stands for the one before it, as long as that has not landed. */
  const remove = (name: string, flight: Flight) => {
    if (flights.get(name) !== flight) return
    if (flight.previous === undefined || flight.previous.landed) flights.delete(name)
    else flights.set(name, flight.previous)
  }

  /** One synchronous step: two fibers must never both find the name free. */
  const board = <A, E>(
    name: string,
    previous: Flight | undefined,
    load: (cockpit: Cockpit<A, E>) => Effect.Effect<void>
  ): Flight => {
    const outcome = Deferred.unsafeMake<Exit.Exit<unknown, unknown>>(FiberId.none)
    const land = (exit: Exit.Exit<A, E>, closed = false) =>
      Effect.suspend(() => {
        if (flight.landed) return Effect.void
        flight.landed = true
        // An error is told to those who waited for it and remembered for nobody else.
        if (closed || Exit.isFailure(exit)) remove(name, flight)
        return Deferred.succeed(outcome, exit)
      })
    const cockpit: Cockpit<A, E> = {
      sent: () => {
        flight.sent = true
      },
      waiters: () => flight.waiters,
      land
    }
    const inTurn = Effect.suspend(() => {
      flight.previous = undefined
      return load(cockpit)
    })
    const run = Effect.interruptible(
      previous === undefined ? inTurn : Effect.zipRight(Deferred.await(previous.outcome), inTurn)
    ).pipe(
      Effect.onExit((exit) => land(Exit.flatMap(exit, () => Exit.interrupt(FiberId.none)))),
      Effect.ensuring(Effect.sync(() => remove(name, flight)))
    )
    const flight: Flight = {
      previous,
      // What is memoised is the start of a fiber that the scope owns, whoever of its callers comes first or leaves.
      // The fiber starts uninterruptible, so that it lands in any case.
      start: Effect.runSync(Effect.cached(Effect.uninterruptible(Effect.forkIn(run, scope)))),
      outcome,
      sent: false,
      landed: false,
      waiters: 0
    }
    flights.set(name, flight)
    return flight
  }

  const leave = (flight: Flight, name: string) =>
    Effect.suspend(() => {
      flight.waiters--
      if (flight.waiters > 0 || flight.landed) return Effect.void
      remove(name, flight)
      return Effect.flatMap(flight.start, Fiber.interruptFork)
    })

  return {
    join: <A, E>(name: string, settled: boolean, load: (cockpit: Cockpit<A, E>) => Effect.Effect<void>) =>
      Effect.uninterruptibleMask((restore) =>
        Effect.suspend(() => {
          const running = flights.get(name)
          const flight = running !== undefined && (settled || !running.sent) ? running : board(name, running, load)
          flight.waiters++
          return Effect.ensuring(
            Effect.zipRight(flight.start, restore(Deferred.await(flight.outcome))),
            leave(flight, name)
          )
        })
      ) as Effect.Effect<Exit.Exit<A, E>>, // a name stands for one kind of answer: its digest says what of
    has: (name) => flights.has(name),
    isFull: (name) => {
      const running = flights.get(name)
      if (running === undefined) return flights.size < limits.flights ? undefined : "flights"
      return running.waiters < limits.waiters ? undefined : "waiters"
    },
    size: () => flights.size
  }
}

// ---------------------------------------------------------------------------------------------------------------------
// Leases
// ---------------------------------------------------------------------------------------------------------------------

/** How processes share out a load among themselves. */
export interface LeaseOptions {
  /** How long a holder that stops giving signs of life keeps the lease. */
  readonly ttlMillis: number
  /** How long a process waits for another's load before it loads for itself, once. */
  readonly waitMillis: number
  /** The first pause between two attempts, and how much chance may add to it. */
  readonly retryMillis: number
  readonly jitterMillis: number
}

/** The pause between two attempts never grows beyond this, so that a dead holder's lease is noticed soon after its end. */
const longestPauseMillis = 120

/** Pauses grow from `retryMillis`; each is lengthened by a random share, so that processes do not march in step. */
const pace = (options: LeaseOptions): Schedule.Schedule<unknown> =>
  Schedule.exponential(Duration.millis(options.retryMillis), 1.5).pipe(
    Schedule.either(Schedule.spaced(Duration.millis(Math.max(options.retryMillis, longestPauseMillis)))),
    Schedule.jitteredWith({ min: 1, max: 1 + options.jitterMillis / Math.max(1, options.retryMillis) })
  )

/** What a look into the store says: an answer, or the gap that a load would fill. */
export type Look<Hit, Gap> =
  | { readonly _tag: "Hit"; readonly hit: Hit }
  | { readonly _tag: "Gap"; readonly gap: Gap }

/**
 * What came of trying to be the one who loads.
 *
 * - `Found`: somebody else's answer was there
 * - `Leading`: this process loads and holds the lease until the scope closes; it then tells the others what it noted
 * - `Alone`: this process loads without a lease: there is nothing to wait for, or it waited long enough
 */
export type Lead<Hit, Gap> =
  | { readonly _tag: "Found"; readonly hit: Hit }
  | { readonly _tag: "Leading"; readonly gap: Gap; readonly note: (news: News) => void }
  | { readonly _tag: "Alone"; readonly gap: Gap }

/**
 * One attempt to become the one who loads, with a look into the store: what another process found is there. `None`
 * where another has the lease. Never fails: a lock that cannot be asked is no reason to wait.
 */
export const tryLead = <Hit, Gap>(
  lock: DistributedLock,
  name: string,
  options: LeaseOptions,
  look: Effect.Effect<Look<Hit, Gap>>,
  token = random128()
): Effect.Effect<Option.Option<Lead<Hit, Gap>>, never, Scope.Scope> => {
  const release = (news: News) => Effect.ignore(lock.release(name, token, news))

  /** Holds the lease, giving signs of life, until the scope closes. Who is interrupted has failed. */
  const leading = (gap: Gap): Effect.Effect<Lead<Hit, Gap>, never, Scope.Scope> =>
    Effect.gen(function*() {
      let news: News = "failed"
      yield* Effect.addFinalizer(() => release(news))
      yield* Effect.ignore(lock.extend(name, token, options.ttlMillis)).pipe(
        Effect.delay(Duration.millis(options.ttlMillis / 3)),
        Effect.forever,
        Effect.forkScoped
      )
      return { _tag: "Leading", gap, note: (latest) => void (news = latest) }
    })

  // The attempt is sent before the look, so that the next holder sees what the last one stored.
  return Effect.all([Effect.option(lock.acquire(name, token, options.ttlMillis)), look], { concurrency: 2 }).pipe(
    Effect.flatMap(([acquired, seen]): Effect.Effect<Option.Option<Lead<Hit, Gap>>, never, Scope.Scope> => {
      const held = Option.contains(acquired, true)
      if (seen._tag === "Hit") {
        const found = Option.some<Lead<Hit, Gap>>({ _tag: "Found", hit: seen.hit })
        return held ? Effect.as(release("stored"), found) : Effect.succeed(found)
      }
      if (held) return Effect.map(leading(seen.gap), Option.some)
      return Effect.succeed(Option.isNone(acquired) ? Option.some({ _tag: "Alone", gap: seen.gap }) : Option.none())
    }),
    Effect.onInterrupt(() => release("failed"))
  )
}

/** Tries to become the one who loads until it does, or somebody else's answer is there, or it has waited long enough. */
export const lead = <Hit, Gap>(
  lock: DistributedLock,
  name: string,
  options: LeaseOptions,
  look: Effect.Effect<Look<Hit, Gap>>,
  onWait: (millis: number, gaveUp: boolean) => void
): Effect.Effect<Lead<Hit, Gap>, never, Scope.Scope> =>
  Effect.gen(function*() {
    // One token for all attempts: a resent command must not read its own lock as another's.
    const attempt = tryLead(lock, name, options, look, random128())

    /** There is nothing to wait for: a load of one's own, under the stamps of a look taken now. */
    const alone = Effect.map(look, (seen): Lead<Hit, Gap> =>
      seen._tag === "Hit" ? { _tag: "Found", hit: seen.hit } : { _tag: "Alone", gap: seen.gap })

    const first = yield* attempt
    if (Option.isSome(first)) return first.value

    const waiting = Effect.gen(function*() {
      const news = yield* lock.news(name)
      const pauses = yield* Schedule.driver(pace(options))
      while (true) {
        // Listening comes first and trying second, so that no news is missed in between.
        const result = yield* attempt
        if (Option.isSome(result)) return result.value
        const heard = yield* Effect.raceFirst(
          Effect.map(Queue.take(news), Option.some),
          Effect.as(Effect.ignore(pauses.next(undefined)), Option.none<News>())
        )
        if (Option.contains(heard, "free")) return yield* alone
      }
    })
    const startedAt = yield* Clock.currentTimeMillis
    const waited = yield* Effect.timeoutOption(waiting, Duration.millis(options.waitMillis))
    onWait((yield* Clock.currentTimeMillis) - startedAt, Option.isNone(waited))
    return Option.isSome(waited) ? waited.value : yield* alone
  })
