/**
 * Getting well again: what has not got through is delivered, and then a store that was left alone is asked again.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import * as Runtime from "effect/Runtime"
import * as Scope from "effect/Scope"
import { CacheError } from "../CacheError.js"
import type { CacheEvent } from "../CacheEvent.js"
import type { CacheStore } from "../CacheStore.js"
import type { Breakers } from "./breaker.js"
import type { Deadlines } from "./deadlines.js"
import type { Names } from "./names.js"
import { stampTtlMillis } from "./stamp.js"
import type { Undelivered } from "./undelivered.js"

/** Pauses before a broken store is asked again, in milliseconds: they double, and chance takes up to a half of each. */
const firstPause = 100
const longestPause = 500

/** Invalidations are delivered in portions: a long queue must not fail as a whole for taking too long. */
const portion = 500

/** How many lost ends of writes are delivered at the same time. */
const endsAtOnce = 10

/** How many names are tried to find one that lives on a certain node. */
const maxProbes = 1_000

export interface Recovery {
  /** Goes on until nothing is undelivered and no breaker is open. */
  readonly start: () => void
}

/**
 * @param store - the store itself, whatever the breakers say
 * @param state - what is out of order
 * @param bounds - how long a read may take, and a write
 */
export const makeRecovery = (
  store: CacheStore,
  own: Names,
  state: { readonly breakers: Breakers; readonly undelivered: Undelivered },
  bounds: { readonly inBudget: Deadlines; readonly inPatience: Deadlines },
  options: { readonly writeBudget: number },
  emit: (event: CacheEvent) => void,
  scope: Scope.Scope
): Effect.Effect<Recovery> =>
  Effect.gen(function*() {
    const { breakers, undelivered } = state
    const { nodeOf } = store

    const within = <A>(bound: Deadlines, operation: string, run: Effect.Effect<A, CacheError>) =>
      bound.within(run, () => new CacheError({ reason: "Timeout", operation }))

    /** Says what has not got through, in order: models before their rows. */
    const deliver: Effect.Effect<void, CacheError> = Effect.gen(function*() {
      const ends = undelivered.ends()
      const steps = undelivered.steps()
      yield* Effect.forEach(ends, (end) =>
        Effect.map(
          within(bounds.inPatience, "end a write", store.end(end.tags, end.token, true, stampTtlMillis())),
          () => undelivered.arrived([end])
        ), { concurrency: endsAtOnce, discard: true })
      for (let at = 0; at < steps.length; at += portion) {
        const some = steps.slice(at, at + portion)
        yield* within(bounds.inPatience, "invalidate", store.invalidate(some, stampTtlMillis()))
        undelivered.arrived(some)
      }
      if (steps.length > 0) emit({ _tag: "Delivered", tags: steps.length })
    })

    const probeOn = (node: string): string | undefined => {
      if (nodeOf === undefined) return own.probe
      for (let i = 0; i < maxProbes; i++) if (nodeOf(`${own.probe}${i}`) === node) return `${own.probe}${i}`
      return undefined
    }

    /** Whether a node takes writes, and answers reads, as fast as callers want it. */
    const isWell = (node: string): Effect.Effect<boolean> => {
      const probe = probeOn(node)
      // No name lives there any more: another node has taken over.
      if (probe === undefined) return Effect.succeed(true)
      const writes = store.invalidate([{ _tag: "kill", tag: probe }], stampTtlMillis())
      return Effect.isSuccess(Effect.zipRight(
        within(bounds.inBudget, "invalidate", writes),
        within(bounds.inBudget, "read", store.lookup(probe, []))
      ))
    }

    const holdsUndelivered = (node: string) =>
      undelivered.steps().some(({ tag }) => nodeOf === undefined || nodeOf(tag) === node)

    let isRunning = false

    /** One fiber delivers and probes, one thing after the other: a server that comes back is not run over. */
    const recover = Effect.gen(function*() {
      let pause = firstPause
      while (undelivered.size() > 0 || breakers.open().length > 0) {
        yield* Effect.sleep(pause * (0.5 + 0.5 * (yield* Random.next)))
        pause = Math.min(2 * pause, longestPause)
        yield* Effect.ignore(deliver)
        for (const node of breakers.open()) {
          if (holdsUndelivered(node) || !(yield* isWell(node))) continue
          // What was said in the meantime has not been delivered either.
          yield* Effect.ignore(deliver)
          if (holdsUndelivered(node)) continue
          emit({ _tag: "BreakerClosed", node, millis: breakers.close(node) })
        }
      }
    }).pipe(Effect.ensuring(Effect.sync(() => (isRunning = false))))

    // What has not got through when the cache closes is said once more.
    yield* Scope.addFinalizer(
      scope,
      Effect.suspend(() =>
        undelivered.size() === 0
          ? Effect.void
          : Effect.disconnect(Effect.interruptible(deliver)).pipe(
            Effect.timeout(options.writeBudget),
            // Closing takes no longer than that, whatever the clock of those who close.
            Effect.withClock(Clock.make()),
            Effect.ignore
          ))
    )

    const runtime = yield* Effect.runtime<never>()
    return {
      start: () => {
        if (isRunning) return
        isRunning = true
        Runtime.runFork(runtime)(Effect.forkIn(Effect.interruptible(recover), scope))
      }
    }
  })
