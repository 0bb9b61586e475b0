/**
 * What could not be queried anew is left in peace for a while, longer each time: the database is in trouble already.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import { LRUCache } from "lru-cache"
import type { Core } from "./core.js"
import type { Plan } from "./reading.js"

/** The pause after a first failure, and the longest one: each is cut short by chance to a half at the most. */
const restMillis = 1_000
const longestRestMillis = 60_000

/** For how many entries the cache remembers that they could not be queried anew. */
const maxResting = 10_000

export interface Resting {
  readonly has: <A>(plan: Plan<A>) => Effect.Effect<boolean>
  /** A query failed. Those who shared it say so each for themselves: the first one counts. */
  readonly begin: <A>(plan: Plan<A>) => Effect.Effect<void>
  /** A query succeeded. */
  readonly end: <A>(plan: Plan<A>) => void
}

export const makeResting = ({ emit }: Core): Resting => {
  const pauses = new LRUCache<string, { readonly failures: number; readonly until: number }>({ max: maxResting })

  const has: Resting["has"] = (plan) =>
    Effect.map(Clock.currentTimeMillis, (now) => (pauses.get(plan.entry)?.until ?? 0) > now)

  return {
    has,
    begin: (plan) =>
      Effect.gen(function*() {
        if (yield* has(plan)) return
        const failures = (pauses.get(plan.entry)?.failures ?? 0) + 1
        const longest = Math.min(restMillis * 2 ** (failures - 1), longestRestMillis)
        const retryMillis = Math.round(longest * (0.5 + 0.5 * (yield* Random.next)))
        pauses.set(plan.entry, { failures, until: (yield* Clock.currentTimeMillis) + retryMillis })
        emit({ _tag: "RefreshFailed", label: plan.label, retryMillis })
      }),
    end: (plan) => void pauses.delete(plan.entry)
  }
}
