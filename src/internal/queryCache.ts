import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { CacheError } from "../CacheError.js"
import { CacheStore } from "../CacheStore.js"
import { DistributedLock } from "../DistributedLock.js"
import type { Answer, Options, QueryCache, Request, Stats } from "../QueryCache.js"
import { TypeId } from "../QueryCache.js"
import { Serializer } from "../Serializer.js"
import { byTag, makeCore } from "./core.js"
import { makeFilling } from "./filling.js"
import { makeFlights } from "./flights.js"
import type { Look } from "./flights.js"
import { beyondLevel } from "./level.js"
import { makeLoading } from "./loading.js"
import { isComplete, makeReading } from "./reading.js"
import type { Found, Gap, Plan } from "./reading.js"
import { makeResting } from "./resting.js"
import { makeRevalidating } from "./revalidating.js"
import { stampTtlMillis } from "./stamp.js"
import * as tally from "./tally.js"
import { tracing } from "./tracing.js"
import { makeWriting } from "./writing.js"

/** @internal */
export const make = (
  options: Options
): Effect.Effect<QueryCache, never, CacheStore | DistributedLock | Serializer | Scope.Scope> =>
  Effect.gen(function*() {
    const scope = yield* Effect.scope
    const given = yield* CacheStore
    const problem = beyondLevel("QueryCache.layer", options, given)
    // A mistake in the program, which no other layer can make up for.
    if (problem !== undefined) return yield* Effect.die(problem)
    const consistency = options.consistency ?? (given.level === "bestEffort" ? "after-commit" : "strict")
    const settled = { ...options, consistency }
    const core = yield* makeCore(given, yield* DistributedLock, yield* Serializer, settled, scope)
    const clock = yield* Effect.clock
    const flights = makeFlights(scope, core.limits)
    const reading = makeReading(core)
    const filling = makeFilling(core, reading)
    const resting = makeResting(core)
    const loading = makeLoading(core, reading, filling, resting, flights)
    const revalidating = makeRevalidating(core, reading, loading, resting, flights, scope)
    const writing = makeWriting(core, reading, filling, scope)

    const answer = <A, E, R>(request: Request<A>, load: Effect.Effect<A, E, R>): Effect.Effect<Answer<A>, E, R> =>
      Effect.suspend(() => {
        const plan = reading.planOf(request)
        if (plan === undefined || plan.lifetime.kept === 0) return loading.direct(plan, load)
        const recalled = recall(plan)
        if (recalled !== undefined) return Effect.succeed(recalled)
        const asked = reading.askedOf(plan)
        return answerAfter(plan, asked, reading.look(plan, asked), load)
      })

    /** What this process remembers. */
    const recall = <A>(plan: Plan<A>): Answer<A> | undefined => {
      if (core.memory === undefined || plan.request.mode === "refresh") return undefined
      const now = clock.unsafeCurrentTimeMillis()
      const hit = reading.recall(plan, now)
      return hit === undefined ? undefined : loading.hitAnswer(plan, hit, now)
    }

    const answerAfter = <A, E, R>(
      plan: Plan<A>,
      asked: ReadonlyArray<string>,
      look: Effect.Effect<Look<Found, Gap>, CacheError>,
      load: Effect.Effect<A, E, R>
    ): Effect.Effect<Answer<A>, E, R> =>
      Effect.flatMap(core.tolerate(look), (seen) => {
        if (seen?._tag === "Hit" && plan.request.mode !== "refresh") {
          return Effect.map(Clock.currentTimeMillis, (now) => loading.hitAnswer(plan, seen.hit, now))
        }
        const traced = tracing.load(plan, load)
        if (seen === undefined) return tracing.miss(plan, loading.fly(plan, undefined, traced))
        const gap: Gap = seen._tag === "Gap" ? seen.gap : { seen: null, states: byTag(asked, []), tags: plan.tags, since: reading.since() }
        const fresh = tracing.miss(
          plan,
          isComplete(gap)
            ? loading.fly(plan, gap, traced)
            : Effect.flatMap(core.tolerate(reading.stamped(plan, gap)), (ready) => loading.fly(plan, ready, traced))
        )
        return gap.expired === undefined
          ? fresh
          : revalidating.staleOr(plan, gap, tracing.refresh(plan, load), fresh)
      })

    const unsafePrepare: QueryCache["unsafePrepare"] = (request) => {
      if (request.mode === "refresh") return ({ otherwise }) => otherwise((load) => answer(request, load))
      const plan = reading.planOf(request)
      if (plan === undefined || plan.lifetime.kept === 0) {
        return ({ otherwise }) => otherwise((load) => loading.direct(plan, load))
      }
      return ({ hit, otherwise }, complete) => {
        const recalled = recall(plan)
        if (recalled !== undefined) return hit(recalled)
        const completed = () => complete === undefined ? plan : { ...plan, request: complete() }
        const asked = reading.askedOf(plan)
        const isAsked = reading.unsafeLook(plan, asked, clock, (look, rest) => {
          if (look?._tag === "Hit") hit(loading.hitAnswer(plan, look.hit, clock.unsafeCurrentTimeMillis()))
          else otherwise((load) => answerAfter(completed(), asked, rest, load))
        })
        if (!isAsked) otherwise((load) => answerAfter(completed(), asked, reading.look(plan, asked), load))
      }
    }

    const invalidateAll: QueryCache["invalidateAll"] = (given) =>
      Effect.suspend(() => {
        const tag = core.namesOf(given?.namespace).namespaceTag
        return core.store.invalidate([{ _tag: "kill", tag }], stampTtlMillis())
      }).pipe(
        Effect.tapBoth({
          onFailure: (error) => Effect.sync(() => core.failed(error)),
          onSuccess: () =>
            Effect.sync(() => {
              core.counts.invalidations++
              tally.invalidated()
              core.emit({ _tag: "Invalidated", tags: 1, all: true })
            })
        }),
        Effect.asVoid
      )

    return {
      [TypeId]: TypeId,
      namespace: core.own.namespace,
      answer,
      unsafeAnswer: (request, tell) => unsafePrepare(request)(tell),
      unsafePrepare,
      fetch: (request, load) => Effect.map(answer(request, load), ({ value }) => value),
      ...writing,
      invalidateAll,
      stats: Effect.sync((): Stats => ({ ...core.counts })),
      activity: Effect.sync(() => ({ flights: flights.size() })),
      health: Effect.sync(core.health),
      events: core.events
    }
  })
