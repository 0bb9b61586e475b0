/**
 * The cache of an Effect application behind its Prisma clients: the application's own, with its runtime around it. It
 * is nobody's to close but the application's.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Runtime from "effect/Runtime"
import * as RuntimeFlags from "effect/RuntimeFlags"
import * as Tracer from "effect/Tracer"
import * as QueryCache from "../QueryCache.js"
import { answerNow, entered } from "./sharedCache.js"
import type { SharedCache } from "./sharedCache.js"

/** @internal */
export interface GivenCache extends SharedCache {
  /** Runs what is no query in the application's runtime. */
  readonly tell: (effect: Effect.Effect<void>) => void
  /** From now on queries do without it. */
  readonly detach: Effect.Effect<void>
}

/**
 * The cache out of the runtime of whoever runs this: its tracer, metrics, loggers and clock are those of all queries.
 *
 * @internal
 */
export const givenCache: Effect.Effect<GivenCache, never, QueryCache.QueryCache> = Effect.map(
  Effect.runtime<QueryCache.QueryCache>(),
  (current) => {
    const cache = Context.get(current.context, QueryCache.QueryCache)
    const runtime = Runtime.make({
      // What is under way where the extension is made has ended when queries come.
      context: Context.omit(Tracer.ParentSpan)(current.context),
      fiberRefs: current.fiberRefs,
      // It may be made where nothing can be interrupted. Queries can.
      runtimeFlags: RuntimeFlags.enable(current.runtimeFlags, RuntimeFlags.Interruption)
    })
    const own = entered(cache, runtime)
    let attached = true
    const run: SharedCache["run"] = (_, body) =>
      own.run(Effect.suspend(() => body(attached ? cache : undefined)))
    return {
      run,
      answer: (member, request, load, direct) =>
        attached ? answerNow(own, request, load) : run(member, direct),
      enter: () => attached ? own : undefined,
      peek: () => attached ? cache : undefined,
      stats: () => Effect.runSync(cache.stats),
      leave: () => Promise.resolve(),
      close: () => Promise.resolve(),
      tell: Runtime.runSync(runtime),
      detach: Effect.sync(() => {
        attached = false
      })
    }
  }
)
