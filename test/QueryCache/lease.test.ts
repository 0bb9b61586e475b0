import { describe, expect, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/TestClock"
import * as MemoryLock from "effect-prisma-cache/DistributedLock/Memory"
import type * as QueryCache from "effect-prisma-cache/QueryCache"
import { entryOf, makeCache, memoryStore, read, settled } from "./support.js"
import type { Made } from "./support.js"

/** Lets everything go on until it waits for something else than its turn. */
const calm = Effect.forEach(Array.from({ length: 50 }), () => Effect.yieldNow(), { discard: true })

/** Caches as if in processes of their own, which share a store and a lock. */
const fleet = (size: number, lease: QueryCache.LockOptions = {}) => {
  const store = memoryStore()
  const lock = MemoryLock.make()
  const asked = new Map<string, number>()
  const counting = {
    ...lock,
    acquire: (name: string, token: string, ttlMillis: number) =>
      Effect.suspend(() => {
        asked.set(name, (asked.get(name) ?? 0) + 1)
        return lock.acquire(name, token, ttlMillis)
      })
  }
  return Effect.gen(function*() {
    const processes = yield* Effect.forEach(Array.from({ length: size }), () =>
      Effect.gen(function*() {
        const scope = yield* Scope.make()
        const made = yield* Scope.extend(makeCache({ store, lock: counting, lease }), scope)
        return { ...made, close: Scope.close(scope, Exit.void) }
      }))
    yield* Effect.addFinalizer(() => Effect.forEach(processes, ({ close }) => close, { discard: true }))
    return { processes, locks: asked, lock }
  })
}

/** A query that waits until it is told how to end. */
const held = () => {
  const running: Array<Deferred.Deferred<number, string>> = []
  const query = Effect.suspend(() => {
    const outcome = Deferred.unsafeMake<number, string>(FiberId.none)
    running.push(outcome)
    return Deferred.await(outcome)
  })
  return { query, running }
}

const ask = ({ cache }: Made, query: Effect.Effect<number, string>, request = read("a")) =>
  Effect.forEach([1, 2, 3], () => Effect.fork(cache.fetch(request, query)))

const joinAll = (fibers: ReadonlyArray<ReadonlyArray<Fiber.Fiber<number, string>>>) =>
  Effect.forEach(fibers.flat(), (fiber) => Fiber.join(fiber))

describe("processes that need the same answer", () => {
  it.scoped("query once: one does, the others wait and find what it stored", () =>
    Effect.gen(function*() {
      const { processes } = yield* fleet(8)
      const { query, running } = held()
      const fibers = yield* Effect.forEach(processes, (one) => ask(one, query))
      yield* calm
      expect(running).toHaveLength(1)
      yield* Deferred.succeed(running[0]!, 42)
      // Nobody has to wait for the clock: the holder tells.
      expect(yield* joinAll(fibers)).toEqual(Array.from({ length: 24 }, () => 42))
      expect(running).toHaveLength(1)
    }))

  it.scoped("hold on to the lock while the query runs, however long that takes", () =>
    Effect.gen(function*() {
      const { processes } = yield* fleet(2, { ttl: 1_000, waitTimeout: 60_000 })
      const { query, running } = held()
      const fibers = yield* Effect.forEach(processes, (one) => ask(one, query))
      for (let second = 0; second < 10; second++) {
        yield* calm
        yield* TestClock.adjust("1 second")
      }
      expect(running).toHaveLength(1)
      yield* Deferred.succeed(running[0]!, 42)
      expect(yield* joinAll(fibers)).toEqual([42, 42, 42, 42, 42, 42])
    }))

  it.scoped("take over soon after the end of the lock of one that is gone without a word", () =>
    Effect.gen(function*() {
      const { lock, locks, processes } = yield* fleet(2, { ttl: 1_000, waitTimeout: 60_000 })
      const { query, running } = held()
      // A first round, to learn the name of the lock: what is in the store of a process that died is the lock alone.
      const first = yield* ask(processes[0]!, query)
      yield* calm
      yield* Effect.forEach(first, Fiber.interrupt)
      yield* calm
      expect(yield* lock.acquire(Array.from(locks.keys())[0]!, "the dead one", 1_000)).toBe(true)
      const fibers = yield* Effect.forEach(processes, (one) => ask(one, query))
      yield* TestClock.adjust(999)
      yield* calm
      expect(running).toHaveLength(1)
      yield* TestClock.adjust(251)
      yield* calm
      expect(running).toHaveLength(2)
      yield* Deferred.succeed(running[1]!, 42)
      expect(yield* joinAll(fibers)).toEqual([42, 42, 42, 42, 42, 42])
    }))

  it.scoped("take over at once, one at a time, when a query fails or is given up", () =>
    Effect.gen(function*() {
      const { processes } = yield* fleet(4)
      const { query, running } = held()
      const fibers = yield* Effect.forEach(processes, (one) => ask(one, query))
      yield* calm
      expect(running).toHaveLength(1)
      yield* Deferred.fail(running[0]!, "the database is busy")
      yield* calm
      expect(running).toHaveLength(2)
      const failed = yield* Effect.forEach(fibers.flat(), (fiber) => Fiber.poll(fiber))
      expect(failed.filter(({ _tag }) => _tag === "Some")).toHaveLength(3)
      yield* Deferred.succeed(running[1]!, 42)
      const exits = yield* Effect.forEach(fibers.flat(), (fiber) => Fiber.await(fiber))
      expect(exits.filter(Exit.isSuccess)).toHaveLength(9)
      expect(running).toHaveLength(2)
    }))

  it.scoped("are all released at once by an error that each of them would get", () =>
    Effect.gen(function*() {
      const { processes } = yield* fleet(4)
      const { query, running } = held()
      const request = { ...read("a"), isDefinite: (error: unknown) => error === "no such row" }
      const fibers = yield* Effect.forEach(processes, (one) => ask(one, query, request))
      yield* calm
      expect(running).toHaveLength(1)
      yield* Deferred.fail(running[0]!, "no such row")
      yield* calm
      expect(running).toHaveLength(4)
      yield* Effect.forEach(running.slice(1), (one) => Deferred.fail(one, "no such row"))
      const exits = yield* Effect.forEach(fibers.flat(), (fiber) => Fiber.await(fiber))
      expect(exits).toEqual(Array.from({ length: 12 }, () => Exit.fail("no such row")))
    }))

  it.scoped("are all released at once when the answer cannot be stored", () =>
    Effect.gen(function*() {
      const { processes } = yield* fleet(3)
      let runs = 0
      const query = Effect.map(Effect.yieldNow(), () => ({ run: ++runs, method: () => {} }))
      const answers = yield* Effect.forEach(
        processes,
        ({ cache }) => cache.fetch(read<{ run: number }>("a"), query),
        { concurrency: "unbounded" }
      )
      expect(answers.map(({ run }) => run).sort()).toEqual([1, 2, 3])
    }))

  it.scoped("query for themselves when they have waited long enough: once a process, not once a caller", () =>
    Effect.gen(function*() {
      const { processes } = yield* fleet(3, { ttl: 1_000, waitTimeout: 2_000 })
      const { query, running } = held()
      const fibers = yield* Effect.forEach(processes, (one) => ask(one, query))
      yield* calm
      yield* TestClock.adjust(1_999)
      yield* calm
      expect(running).toHaveLength(1)
      yield* TestClock.adjust(1)
      yield* calm
      expect(running).toHaveLength(3)
      yield* Effect.forEach(running, (one, i) => Deferred.succeed(one, i))
      const values = yield* joinAll(fibers)
      expect(values.sort()).toEqual([0, 0, 0, 1, 1, 1, 2, 2, 2])
      const waits = processes.flatMap(({ events }) => events.filter(({ _tag }) => _tag === "LockWait"))
      expect(waits).toEqual([1, 2].map(() => ({ _tag: "LockWait", label: "entry", millis: 2_000, gaveUp: true })))
    }))

  it.scoped("keep nobody waiting whose cache is closed in the meantime", () =>
    Effect.gen(function*() {
      const { processes } = yield* fleet(2, { waitTimeout: 60_000 })
      const { query, running } = held()
      const [holder, waiter] = [processes[0]!, processes[1]!]
      const first = yield* ask(holder, query)
      yield* calm
      const second = yield* ask(waiter, query)
      yield* calm
      expect(running).toHaveLength(1)
      yield* waiter.close
      yield* calm
      expect(running).toHaveLength(4)
      yield* Effect.forEach(running, (one) => Deferred.succeed(one, 42))
      expect(yield* joinAll([first, second])).toEqual([42, 42, 42, 42, 42, 42])
    }))

  it.scoped("share a lock though some of them have met more of the entry's tags than others", () =>
    Effect.gen(function*() {
      const { processes } = yield* fleet(3)
      const [one, two, three] = [processes[0]!, processes[1]!, processes[2]!]
      const request = {
        ...read<number>("a", { ttl: "1 second" }),
        late: () => ({ keys: [{ key: "user-1" }], entries: [entryOf({ key: "user-1" })] })
      }
      yield* one.cache.fetch(request, Effect.succeed(1))
      yield* settled(one.cache)
      expect(yield* two.cache.fetch(request, Effect.succeed(2))).toBe(1)
      yield* TestClock.adjust(Duration.seconds(2))
      const { query, running } = held()
      const fibers = yield* Effect.forEach([one, two, three], (each) => ask(each, query, request))
      yield* calm
      expect(running).toHaveLength(1)
      yield* Deferred.succeed(running[0]!, 42)
      expect(yield* joinAll(fibers)).toEqual(Array.from({ length: 9 }, () => 42))
    }))
})
