/**
 * Serving what has expired, as its strategy allows: at once while it is queried anew in the background, when the query
 * takes too long, or when it fails.
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import type { Answer } from "../QueryCache.js"
import type { Core } from "./core.js"
import { tryLead } from "./flights.js"
import type { Flights } from "./flights.js"
import { isDefinite } from "./loading.js"
import type { Loading } from "./loading.js"
import { isComplete, isStorable } from "./reading.js"
import type { Gap, Plan, Reading } from "./reading.js"
import type { Resting } from "./resting.js"

export interface Revalidating {
  /** The expired answer of the gap, or the fresh one, whichever the strategy says. */
  readonly staleOr: <A, E, R>(
    plan: Plan<A>,
    gap: Gap,
    load: Effect.Effect<A, E, R>,
    fresh: Effect.Effect<Answer<A>, E, R>
  ) => Effect.Effect<Answer<A>, E, R>
}

export const makeRevalidating = (
  core: Core,
  reading: Reading,
  loading: Loading,
  resting: Resting,
  flights: Flights,
  scope: Scope.Scope
): Revalidating => {
  const { lock, store, tolerate } = core

  const staleOr: Revalidating["staleOr"] = <A, E, R>(
    plan: Plan<A>,
    gap: Gap,
    load: Effect.Effect<A, E, R>,
    fresh: Effect.Effect<Answer<A>, E, R>
  ) =>
    Effect.gen(function*() {
      const { expired } = gap
      if (expired === undefined || plan.request.mode === "refresh") return yield* fresh
      // What an invalidation has expired may be younger than its ttl.
      const now = yield* Clock.currentTimeMillis
      const over = Math.max(0, now - expired.life.createdAt - expired.life.ttlMillis)
      const isResting = yield* resting.has(plan)
      if (over < plan.lifetime.swr) {
        if (!isResting) yield* revalidate(plan, gap, load)
        return yield* loading.staleAnswer(plan, expired, "swr")
      }
      if (over >= plan.lifetime.staleIfError) return yield* fresh
      if (isResting) return yield* loading.staleAnswer(plan, expired, "error")
      const { softTimeout } = plan.lifetime
      const paced = Effect.tapError(fresh, (error) => isDefinite(plan, error) ? Effect.void : resting.begin(plan))
      const tried = softTimeout === undefined ? Effect.asSome(paced) : inTime(paced, softTimeout)
      const served = yield* Effect.catchAll(tried, (error) =>
        isDefinite(plan, error)
          ? Effect.fail(error)
          : Effect.asSome(loading.staleAnswer(plan, expired, "error")))
      return Option.isSome(served) ? served.value : yield* loading.staleAnswer(plan, expired, "slow")
    })

  /** The effect's answer, unless that takes too long; the effect then goes on for those who come later. */
  const inTime = <A, E, R>(effect: Effect.Effect<A, E, R>, millis: number): Effect.Effect<Option.Option<A>, E, R> =>
    Effect.uninterruptibleMask((restore) =>
      Effect.flatMap(Effect.forkIn(Effect.interruptible(effect), scope), (fiber) =>
        restore(Effect.timeoutOption(Fiber.await(fiber), millis)).pipe(
          Effect.onInterrupt(() => Fiber.interruptFork(fiber)),
          Effect.flatMap(Option.match({ onNone: () => Effect.succeedNone, onSome: Effect.asSome }))
        )))

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
      const { again, lease, name } = loading.leaseOf(plan, complete)
      const tried = yield* tryLead(lock, name, lease, again)
      if (Option.isNone(tried) || tried.value._tag === "Found") return
      const { seen } = tried.value.gap
      yield* loading.carryOut(plan, tried.value, query, (exit) => {
        if (Exit.isSuccess(exit)) return Effect.void
        const isGone = Array.from(Cause.failures(exit.cause)).some((error) => isDefinite(plan, error))
        if (!isGone) return resting.begin(plan)
        // Nothing there is what every caller would be told now: nothing is to be served either.
        return seen === null ? Effect.void : tolerate(store.remove(plan.entry, seen))
      })
    }))

  return { staleOr }
}
