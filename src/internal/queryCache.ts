import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { CacheStore } from "../CacheStore.js"
import { DistributedLock } from "../DistributedLock.js"
import type { Answer, Options, QueryCache, Request, Stats } from "../QueryCache.js"
import { TypeId } from "../QueryCache.js"
import { Serializer } from "../Serializer.js"
import { byTag, makeCore } from "./core.js"
import { makeFilling } from "./filling.js"
import { makeFlights } from "./flights.js"
import { makeLoading } from "./loading.js"
import { isComplete, makeReading } from "./reading.js"
import type { Gap } from "./reading.js"
import { makeResting } from "./resting.js"
import { makeRevalidating } from "./revalidating.js"
import { stampTtlMillis } from "./stamp.js"
import { makeWriting } from "./writing.js"

/** @internal */
export const make = (
  options: Options
): Effect.Effect<QueryCache, never, CacheStore | DistributedLock | Serializer | Scope.Scope> =>
  Effect.gen(function*() {
    const scope = yield* Effect.scope
    const core = yield* makeCore(yield* CacheStore, yield* DistributedLock, yield* Serializer, options, scope)
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
        const asked = reading.askedOf(plan)
        return Effect.flatMap(core.tolerate(reading.look(plan, asked)), (seen) => {
          if (seen === undefined) return loading.fly(plan, undefined, load)
          if (seen._tag === "Hit" && request.mode !== "refresh") return loading.hitAnswer(plan, seen.hit)
          const gap: Gap = seen._tag === "Gap" ? seen.gap : { seen: null, states: byTag(asked, []), tags: plan.tags }
          const fresh = isComplete(gap)
            ? loading.fly(plan, gap, load)
            : Effect.flatMap(core.tolerate(reading.stamped(plan, gap)), (ready) => loading.fly(plan, ready, load))
          return gap.expired === undefined ? fresh : revalidating.staleOr(plan, gap, load, fresh)
        })
      })

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
              core.emit({ _tag: "Invalidated", tags: 1, all: true })
            })
        }),
        Effect.asVoid
      )

    return {
      [TypeId]: TypeId,
      namespace: core.own.namespace,
      answer,
      fetch: (request, load) => Effect.map(answer(request, load), ({ value }) => value),
      ...writing,
      invalidateAll,
      stats: Effect.sync((): Stats => ({ ...core.counts })),
      activity: Effect.sync(() => ({ flights: flights.size() })),
      health: Effect.sync(core.health)
    }
  })
