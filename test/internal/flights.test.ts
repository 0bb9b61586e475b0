import { describe, expect, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import * as Scope from "effect/Scope"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import { makeFlights } from "../../src/internal/flights.js"
import type { Cockpit } from "../../src/internal/flights.js"

const limits = { flights: 10_000, waiters: 100_000 }

/** Lets everything go on until it waits for something else than its turn. */
const calm = Effect.forEach(Array.from({ length: 20 }), () => Effect.yieldNow(), { discard: true })

/** A load that waits until it is told how to end, and what has become of it so far. */
const makeLoads = () => {
  const loads: Array<{ outcome: Deferred.Deferred<number, string>; interrupted: boolean }> = []
  const load = (cockpit: Cockpit<number, string>) =>
    Effect.suspend(() => {
      const one = { outcome: Deferred.unsafeMake<number, string>(FiberId.none), interrupted: false }
      loads.push(one)
      cockpit.sent()
      return Effect.flatMap(Effect.exit(Deferred.await(one.outcome)), cockpit.land).pipe(
        Effect.onInterrupt(() => Effect.sync(() => (one.interrupted = true)))
      )
    })
  return { load, loads }
}

/** Makes the engine forget what nobody holds any more. */
const collectGarbage = async () => {
  setFlagsFromString("--expose-gc")
  const collect = runInNewContext("gc") as () => void
  for (let i = 0; i < 5; i++) {
    await new Promise((resolve) => setImmediate(resolve))
    collect()
  }
}

const make = Effect.map(Effect.scope, (scope) => {
  const { load, loads } = makeLoads()
  const flights = makeFlights(scope, limits)
  const join = (settled: boolean, name = "a") =>
    Effect.tap(Effect.fork(Effect.flatten(flights.join<number, string>(name, settled, load))), calm)
  const end = (which: number, value: number) => Deferred.succeed(loads[which]!.outcome, value)
  return { flights, join, loads, end }
})

describe("a flight under stamps", () => {
  it.scoped("is one load for all who come while it lasts, and the next for whoever comes then", () =>
    Effect.gen(function*() {
      const { end, flights, join, loads } = yield* make
      const fibers = yield* Effect.forEach([1, 2, 3], () => join(true))
      const other = yield* join(true, "b")
      expect([loads.length, flights.size()]).toEqual([2, 2])
      yield* Effect.all([end(0, 1), end(1, 2)])
      expect(yield* Effect.forEach([...fibers, other], Fiber.join)).toEqual([1, 1, 1, 2])
      yield* calm
      expect(flights.size()).toBe(0)
      const later = yield* join(true)
      yield* end(2, 3)
      expect(yield* Fiber.join(later)).toBe(3)
    }))

  it.scoped("goes on when its first caller is interrupted, and hurts nobody else", () =>
    Effect.gen(function*() {
      const { end, flights, join, loads } = yield* make
      const [first, second, third] = yield* Effect.all([join(true), join(true), join(true)])
      expect(Exit.isInterrupted(yield* Fiber.interrupt(first))).toBe(true)
      expect(Exit.isInterrupted(yield* Fiber.interrupt(third))).toBe(true)
      yield* calm
      expect(loads.map(({ interrupted }) => interrupted)).toEqual([false])
      const fourth = yield* join(true)
      yield* end(0, 1)
      expect(yield* Effect.all([Fiber.join(second), Fiber.join(fourth)])).toEqual([1, 1])
      yield* calm
      expect([loads.length, flights.size()]).toEqual([1, 0])
    }))

  it.scoped("is interrupted when its last caller has left; whoever comes then has a new one", () =>
    Effect.gen(function*() {
      const { end, flights, join, loads } = yield* make
      const fibers = yield* Effect.forEach([1, 2, 3], () => join(true))
      yield* Effect.forEach(fibers, Fiber.interrupt)
      expect(flights.size()).toBe(0)
      const later = yield* join(true)
      expect(loads.map(({ interrupted }) => interrupted)).toEqual([true, false])
      yield* end(1, 2)
      expect(yield* Fiber.join(later)).toBe(2)
    }))

  it.scoped("tells an error to those who waited for it, as it was, and to nobody who comes later", () =>
    Effect.gen(function*() {
      const scope = yield* Effect.scope
      const flights = makeFlights(scope, limits)
      const error = new Error("no")
      const gate = yield* Deferred.make<void>()
      const join = flights.join<number, Error>("a", true, (cockpit) =>
        // What it does after that takes its time.
        Effect.zipRight(cockpit.land(Exit.fail(error)), Deferred.await(gate)))
      const exits = yield* Effect.all([join, join], { concurrency: 2 })
      for (const exit of exits) expect(Exit.isFailure(exit) && exit.cause).toMatchObject({ _tag: "Fail", error })
      expect(flights.size()).toBe(0)
      yield* Deferred.succeed(gate, undefined)
    }))

  it.scoped("that has landed is open to others until it is done, unless it says that it is not", () =>
    Effect.gen(function*() {
      const scope = yield* Effect.scope
      const flights = makeFlights(scope, limits)
      const gate = yield* Deferred.make<void>()
      let loads = 0
      const join = (closed: boolean) =>
        Effect.flatten(flights.join<number, never>(closed ? "closed" : "open", true, (cockpit) =>
          Effect.zipRight(cockpit.land(Exit.succeed(++loads), closed), Deferred.await(gate))))
      expect([yield* join(false), yield* join(false)]).toEqual([1, 1])
      expect([yield* join(true), yield* join(true)]).toEqual([2, 3])
      yield* Deferred.succeed(gate, undefined)
      yield* calm
      expect(flights.size()).toBe(0)
    }))

  it.scoped("ends as a defect or an interruption of its load does", () =>
    Effect.gen(function*() {
      const flights = makeFlights(yield* Effect.scope, limits)
      const bug = new TypeError("a bug")
      expect(yield* flights.join("a", true, () => Effect.die(bug))).toEqual(Exit.die(bug))
      expect(Exit.isInterrupted(yield* flights.join("a", true, () => Effect.interrupt))).toBe(true)
      expect(Exit.isInterrupted(yield* flights.join("a", true, () => Effect.void))).toBe(true)
      yield* calm
      expect(flights.size()).toBe(0)
    }))
})

describe("a flight that is not under stamps", () => {
  it.scoped("is not joined once its query was sent: one is running and one is next", () =>
    Effect.gen(function*() {
      const { end, flights, join, loads } = yield* make
      const first = yield* join(false)
      const rest = yield* Effect.forEach([1, 2, 3], () => join(false))
      expect([loads.length, flights.size()]).toEqual([1, 1])
      yield* end(0, 1)
      yield* calm
      expect(loads).toHaveLength(2)
      const late = yield* join(false)
      yield* end(1, 2)
      yield* calm
      yield* end(2, 3)
      expect(yield* Effect.forEach([first, ...rest, late], Fiber.join)).toEqual([1, 2, 2, 2, 3])
      yield* calm
      expect(flights.size()).toBe(0)
    }))

  it.scoped("is next for whoever comes after those who were to be next have left: never are two running", () =>
    Effect.gen(function*() {
      const { end, flights, join, loads } = yield* make
      const first = yield* join(false)
      for (let round = 0; round < 3; round++) {
        const next = yield* Effect.forEach([1, 2], () => join(false))
        yield* Effect.forEach(next, Fiber.interrupt)
        yield* calm
      }
      const next = yield* join(false)
      expect(loads).toHaveLength(1)
      yield* end(0, 1)
      yield* calm
      yield* end(1, 2)
      expect(yield* Effect.all([Fiber.join(first), Fiber.join(next)])).toEqual([1, 2])
      yield* calm
      expect([loads.length, flights.size()]).toEqual([2, 0])
    }))

  it.scoped("takes its turn when the one before it was given up or has failed", () =>
    Effect.gen(function*() {
      const { end, join, loads } = yield* make
      const first = yield* join(false)
      const second = yield* join(false)
      yield* Fiber.interrupt(first)
      yield* calm
      expect(loads.map(({ interrupted }) => interrupted)).toEqual([true, false])
      const third = yield* join(false)
      yield* Deferred.fail(loads[1]!.outcome, "no")
      expect(yield* Fiber.await(second)).toEqual(Exit.fail("no"))
      yield* calm
      yield* end(2, 3)
      expect(yield* Fiber.join(third)).toBe(3)
    }))

  it.scoped("keeps nothing of those before it, however long there is always one that is next", () =>
    Effect.gen(function*() {
      const flights = makeFlights(yield* Effect.scope, limits)
      const values: Array<WeakRef<object>> = []
      const sent: Array<Deferred.Deferred<object>> = []
      const join = flights.join<object, never>("a", false, (cockpit) =>
        Effect.suspend(() => {
          cockpit.sent()
          const answer = Deferred.unsafeMake<object>(FiberId.none)
          sent.push(answer)
          return Effect.flatMap(Deferred.await(answer), (value) => cockpit.land(Exit.succeed(value)))
        }))
      const start = Effect.zipLeft(Effect.fork(join), calm)
      const callers = [yield* start, yield* start]
      for (let i = 0; i < 100; i++) {
        const value = { bytes: new Uint8Array(100_000) }
        values.push(new WeakRef(value))
        yield* Deferred.succeed(sent.shift()!, value)
        yield* Fiber.join(callers.shift()!)
        yield* calm
        callers.push(yield* start)
      }
      expect(flights.size()).toBe(1)
      yield* Effect.promise(collectGarbage)
      expect(values.filter((value) => value.deref() !== undefined).length).toBeLessThan(10)
      yield* Effect.forEach(callers, Fiber.interrupt)
    }))
})

describe("flights whose scope is closed", () => {
  it.effect("end at once, as interrupted: running, next and new ones", () =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      const { flights, join, loads } = yield* Scope.extend(make, scope)
      const fibers = yield* Effect.all([join(true, "a"), join(false, "b"), join(false, "b")])
      yield* Scope.close(scope, Exit.void)
      for (const fiber of fibers) expect(Exit.isInterrupted(yield* Fiber.await(fiber))).toBe(true)
      expect(loads.map(({ interrupted }) => interrupted)).toEqual([true, true])
      expect(Exit.isInterrupted(yield* Fiber.await(yield* join(true, "c")))).toBe(true)
      expect([loads.length, flights.size()]).toEqual([2, 0])
    }))
})
