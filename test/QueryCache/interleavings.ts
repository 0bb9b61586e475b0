import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import * as FiberRef from "effect/FiberRef"
import type { Scope } from "effect/Scope"
import type { CacheStore } from "effect-prisma-cache/CacheStore"
import type { QueryCache } from "effect-prisma-cache/QueryCache"
import { around, makeCache } from "./support.js"
import type { Parts } from "./support.js"

const turn = FiberRef.unsafeMake<Effect.Effect<void>>(Effect.void)

/** Waits for its turn, in a thread of a scenario; elsewhere goes on at once. */
export const takeTurn: Effect.Effect<void> = Effect.flatten(FiberRef.get(turn))

/** Takes no turns, in a thread either. */
export const outOfTurn = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.locally(effect, turn, Effect.void)

/** Threads that run at once, and what has to hold when all are done. Made anew for every order. */
export interface Scenario {
  readonly threads: ReadonlyArray<Effect.Effect<unknown>>
  readonly check: Effect.Effect<void>
}

/** Caches as if in processes of their own over one store, of which every step waits for the turn of its thread. */
export const makeProcesses = (
  count: number,
  store: CacheStore,
  parts: Parts = {}
): Effect.Effect<ReadonlyArray<QueryCache>, never, Scope> => {
  const inTurn = around(store, ({ run }) => Effect.zipRight(takeTurn, run))
  return Effect.forEach(Array.from({ length: count }), () =>
    Effect.map(makeCache({ ...parts, store: inTurn }), ({ cache }) => cache))
}

/** Runs the threads, one step of one of them at a time; `choose` says whose. */
const run = (scenario: Scenario, choose: (waiting: ReadonlyArray<number>) => number): Effect.Effect<void> =>
  Effect.gen(function*() {
    const waiting = new Map<number, Deferred.Deferred<void>>()
    let running = scenario.threads.length
    const fibers = yield* Effect.forEach(scenario.threads, (thread, i) => {
      const turnOfThis = Effect.suspend(() => {
        const called = Deferred.unsafeMake<void>(FiberId.none)
        waiting.set(i, called)
        running--
        return Deferred.await(called)
      })
      return Effect.fork(Effect.locally(Effect.ensuring(thread, Effect.sync(() => running--)), turn, turnOfThis))
    })
    while (true) {
      // Who is still not back by then waits for another thread.
      for (let patience = 200; running > 0 && (patience > 0 || waiting.size === 0); patience--) {
        if (patience < -10_000) return yield* Effect.dieMessage("the threads wait for each other")
        yield* Effect.yieldNow()
      }
      if (waiting.size === 0) break
      const next = choose(Array.from(waiting.keys()).sort())
      const called = waiting.get(next)
      if (called === undefined) return yield* Effect.dieMessage(`thread ${next} does not wait`)
      waiting.delete(next)
      running++
      yield* Deferred.succeed(called, undefined)
    }
    yield* Effect.forEach(fibers, Fiber.join)
    yield* scenario.check
  })

const inOrder = (scenario: Effect.Effect<Scenario>, order: Array<number>, choose: (options: ReadonlyArray<number>) => number) =>
  Effect.flatMap(scenario, (made) =>
    run(made, (options) => {
      const chosen = choose(options)
      order.push(chosen)
      return chosen
    })).pipe(
      // The order is what makes a failure one that can be looked into.
      Effect.tapErrorCause(() => Effect.sync(() => console.error(`the steps came in the order ${order.join("")}`)))
    )

/** Runs the scenario in every order that there is, and answers how many there were. */
export const everyOrder = (scenario: Effect.Effect<Scenario>): Effect.Effect<number> =>
  Effect.gen(function*() {
    let untried: Array<ReadonlyArray<number>> = [[]]
    let orders = 0
    while (untried.length > 0) {
      const prefix = untried.pop() as ReadonlyArray<number>
      const order: Array<number> = []
      yield* inOrder(scenario, order, (options) => {
        const at = order.length
        const fixed = prefix[at]
        if (fixed !== undefined) return fixed
        for (const option of options.slice(1)) untried.push([...order, option])
        return options[0] as number
      })
      orders++
    }
    return orders
  })

/** Runs the scenario in orders drawn by chance. */
export const someOrders = (scenario: Effect.Effect<Scenario>, count: number, random: () => number): Effect.Effect<void> =>
  Effect.gen(function*() {
    for (let i = 0; i < count; i++) {
      yield* inOrder(scenario, [], (options) => options[Math.floor(random() * options.length)] as number)
    }
  })

/** Numbers that look like chance and are the same every time. */
export const seeded = (seed: number) => () => {
  seed = (seed + 0x6d2b79f5) | 0
  let mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed)
  mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
  return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
}
