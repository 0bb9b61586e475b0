/**
 * Spans of what takes time: a caller whose answer is not in the cache, the query itself, a query in the background. There
 * are none on hits, and none where nobody would see them.
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as DefaultServices from "effect/DefaultServices"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FiberId from "effect/FiberId"
import * as Option from "effect/Option"
import * as Tracer from "effect/Tracer"
import type { Plan } from "./reading.js"

/** The tracer of those who have none: its spans go nowhere, and cost the same. */
const nobody = Context.get(DefaultServices.liveServices, Tracer.Tracer)

const prefix = "effect-prisma-cache"

const field = (error: unknown, name: string): unknown =>
  typeof error === "object" && error !== null ? Reflect.get(error, name) : undefined

/** What kind of error it is. Its message may hold arguments and values of the query, and stays out of spans. */
const typeOf = (error: unknown): string => {
  for (const name of [field(error, "code"), field(error, "_tag"), field(error, "name")]) {
    if (typeof name === "string" && /^\w{1,60}$/.test(name)) return name
  }
  return "_OTHER"
}

/** How it went, without what came of it. */
const outcomeOf = (exit: Exit.Exit<unknown, unknown>): Exit.Exit<void, Error> => {
  if (Exit.isSuccess(exit)) return Exit.void
  if (Cause.isInterruptedOnly(exit.cause)) return Exit.interrupt(FiberId.none)
  const error = new Error("the query failed")
  error.name = typeOf(Cause.squash(exit.cause))
  delete error.stack
  return Exit.fail(error)
}

const attributesOf = <A>(plan: Plan<A>) => ({
  ...plan.request.attributes,
  "effect_prisma_cache.label": plan.label
})

/** Another effect in the place of this one, if somebody traces. */
const ifTraced = <A, E, R>(effect: Effect.Effect<A, E, R>, traced: () => Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.flatMap(Effect.tracer, (tracer) => tracer === nobody ? effect : traced())

const inSpan = <A, E, R>(
  name: string,
  attributes: Record<string, unknown>,
  effect: Effect.Effect<A, E, R>,
  told: (value: A) => Record<string, unknown> = () => ({})
): Effect.Effect<A, E, R> =>
  Effect.acquireUseRelease(
    Effect.makeSpan(`${prefix}.${name}`, { attributes, captureStackTrace: false }),
    (span) => Effect.withParentSpan(effect, span),
    (span, exit) =>
      Effect.map(Clock.currentTimeNanos, (now) => {
        const outcome = outcomeOf(exit)
        const late = Exit.isSuccess(exit) ? told(exit.value) : {}
        for (const [key, value] of Object.entries(late)) span.attribute(key, value)
        if (Exit.isFailure(outcome) && Cause.isFailType(outcome.cause)) span.attribute("error.type", outcome.cause.error.name)
        span.end(now, outcome)
      })
  )

/** @internal */
export interface Tracing {
  /** A caller whose answer is not in the cache, from when that is known until it has one. */
  readonly miss: <A, B extends { readonly info: { readonly status: string } }, E, R>(
    plan: Plan<A>,
    effect: Effect.Effect<B, E, R>
  ) => Effect.Effect<B, E, R>
  /** The query of the one who asks for all. */
  readonly load: <A, E, R>(plan: Plan<A>, load: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  /** The query in the background, for an answer that was served expired. */
  readonly refresh: <A, E, R>(plan: Plan<A>, load: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
}

/**
 * Within a span Effect hands on errors as proxies. Who has no span of his own expects the very object, as without a tracer.
 */
const withOriginalErrors = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.flatMap(Effect.option(Effect.currentParentSpan), (parent) =>
    Option.isSome(parent) ? effect : Effect.mapErrorCause(effect, Cause.map(Cause.originalError)))

/** @internal */
export const tracing: Tracing = {
  miss: (plan, effect) =>
    ifTraced(effect, () =>
      withOriginalErrors(
        inSpan("miss", attributesOf(plan), effect, ({ info }) => ({ "effect_prisma_cache.status": info.status }))
      )),
  load: (plan, load) => ifTraced(load, () => inSpan("load", attributesOf(plan), load)),
  refresh: (plan, load) => ifTraced(load, () => inSpan("refresh", attributesOf(plan), load))
}
