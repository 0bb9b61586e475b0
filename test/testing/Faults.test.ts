import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import * as TestClock from "effect/TestClock"
import { CacheError } from "effect-prisma-cache/CacheError"
import * as CacheStore from "effect-prisma-cache/CacheStore"
import * as MemoryStore from "effect-prisma-cache/CacheStore/Memory"
import * as DistributedLock from "effect-prisma-cache/DistributedLock"
import * as MemoryLock from "effect-prisma-cache/DistributedLock/Memory"
import { Faults } from "effect-prisma-cache/testing"

const minute = 60_000
const bytes = Uint8Array.of(1, 2, 3)

type Services = CacheStore.CacheStore | DistributedLock.DistributedLock

/** A memory store and lock with faults around them, and a count of what was carried out in spite of those. */
const faulty = Effect.gen(function*() {
  const carriedOut: Array<Faults.Operation> = []
  const counting = <A, E>(operation: Faults.Operation, run: Effect.Effect<A, E>): Effect.Effect<A, E> =>
    Effect.zipRight(Effect.sync(() => void carriedOut.push(operation)), run)
  const store = MemoryStore.make()
  const lock = MemoryLock.make()
  const services = Layer.merge(
    Layer.succeed(CacheStore.CacheStore, {
      ...store,
      lookup: (...args) => counting("lookup", store.lookup(...args)),
      obtain: (...args) => counting("obtain", store.obtain(...args)),
      replace: (...args) => counting("replace", store.replace(...args)),
      remove: (...args) => counting("remove", store.remove(...args)),
      invalidate: (...args) => counting("invalidate", store.invalidate(...args)),
      begin: (...args) => counting("begin", store.begin(...args)),
      end: (...args) => counting("end", store.end(...args))
    }),
    Layer.succeed(DistributedLock.DistributedLock, {
      ...lock,
      acquire: (...args) => counting("acquire", lock.acquire(...args)),
      extend: (...args) => counting("extend", lock.extend(...args)),
      release: (...args) => counting("release", lock.release(...args))
    })
  )
  const faults = Faults.make()
  const context = yield* Layer.build(faults.around(services))
  const run = <A, R>(effect: Effect.Effect<A, CacheError, Services | R>) => Effect.provide(effect, context)
  return { faults, run, carriedOut }
})

/** How an operation is asked for, what it answers on an empty store, and something else that it might answer. */
interface Asked<O extends Faults.Operation> {
  readonly operation: O
  readonly ask: Effect.Effect<Faults.Answers[O], CacheError, Services>
  readonly truth: Faults.Answers[O]
  readonly wrong: Faults.Answers[O]
  /** What it answers when it is carried out again. Default: the same. */
  readonly again?: Faults.Answers[O]
}

const onStore = <A>(ask: (store: CacheStore.CacheStore) => Effect.Effect<A, CacheError>) =>
  Effect.flatMap(CacheStore.CacheStore, ask)
const onLock = <A>(ask: (lock: DistributedLock.DistributedLock) => Effect.Effect<A, CacheError>) =>
  Effect.flatMap(DistributedLock.DistributedLock, ask)

const suite = <O extends Faults.Operation>({ again, ask, operation, truth, wrong }: Asked<O>) =>
  describe(operation, () => {
    it.scoped("fails, and nothing is carried out", () =>
      Effect.gen(function*() {
        const { carriedOut, faults, run } = yield* faulty
        yield* faults.every(operation, Faults.fail("Rejected", "OOM"))
        expect(yield* Effect.flip(run(ask))).toEqual(new CacheError({ reason: "Rejected", operation, code: "OOM" }))
        yield* faults.every(operation, Faults.fail())
        expect(yield* Effect.flip(run(ask))).toMatchObject({ reason: "Unavailable", code: undefined })
        expect(carriedOut).toEqual([])
        yield* faults.heal()
        expect(yield* run(ask)).toEqual(truth)
        expect(yield* faults.struck(operation)).toBe(2)
      }))

    it.scoped("stalls for a time, and is carried out then", () =>
      Effect.gen(function*() {
        const { carriedOut, faults, run } = yield* faulty
        yield* faults.next(operation, Faults.stall("1 second"))
        const fiber = yield* Effect.fork(run(ask))
        yield* TestClock.adjust(999)
        expect([Option.isNone(yield* Fiber.poll(fiber)), carriedOut]).toEqual([true, []])
        yield* TestClock.adjust(1)
        expect(yield* Fiber.join(fiber)).toEqual(truth)
        expect(carriedOut).toEqual([operation])
      }))

    it.scoped("stalls until it is healed, and is carried out then even if nobody waits any more", () =>
      Effect.gen(function*() {
        const { carriedOut, faults, run } = yield* faulty
        yield* faults.every(operation, Faults.stall())
        const fibers = yield* Effect.all([Effect.fork(run(ask)), Effect.fork(run(ask))])
        yield* TestClock.adjust("1 day")
        yield* Fiber.interrupt(fibers[0])
        expect([Option.isNone(yield* Fiber.poll(fibers[1])), carriedOut]).toEqual([true, []])
        yield* faults.heal(operation)
        expect(Exit.isSuccess(yield* Fiber.await(fibers[1]))).toBe(true)
        expect(carriedOut).toEqual([operation, operation])
      }))

    it.scoped("lies about what it did, or pretends to have done it", () =>
      Effect.gen(function*() {
        const { carriedOut, faults, run } = yield* faulty
        const truths: Array<unknown> = []
        yield* faults.next(operation, Faults.lie((answer) => {
          truths.push(answer)
          return wrong
        }))
        yield* faults.next(operation, Faults.pretend(wrong))
        expect(yield* run(ask)).toEqual(wrong)
        expect([truths, carriedOut]).toEqual([[truth], [operation]])
        expect(yield* run(ask)).toEqual(wrong)
        expect(carriedOut).toEqual([operation])
      }))

    it.scoped("is carried out and loses its answer: it fails, or nothing comes", () =>
      Effect.gen(function*() {
        const { carriedOut, faults, run } = yield* faulty
        yield* faults.next(operation, Faults.loseAnswer("Unavailable", "ECONNRESET"))
        expect(yield* Effect.flip(run(ask))).toMatchObject({ reason: "Unavailable", operation, code: "ECONNRESET" })
        expect(carriedOut).toEqual([operation])
        yield* faults.next(operation, Faults.loseAnswer())
        const fiber = yield* Effect.fork(run(ask))
        yield* TestClock.adjust("1 day")
        expect([Option.isNone(yield* Fiber.poll(fiber)), carriedOut]).toEqual([true, [operation, operation]])
        yield* faults.heal()
        expect(yield* Effect.flip(Fiber.join(fiber))).toMatchObject({ reason: "Timeout", operation })
      }))

    it.scoped("is carried out twice, and answers as the second time", () =>
      Effect.gen(function*() {
        const { carriedOut, faults, run } = yield* faulty
        yield* faults.next(operation, Faults.duplicate)
        expect(yield* run(ask)).toEqual(again ?? truth)
        expect(carriedOut).toEqual([operation, operation])
      }))
  })

suite({
  operation: "lookup",
  ask: onStore((store) => store.lookup("e", ["t"])),
  truth: { entry: null, states: [null] },
  wrong: { entry: bytes, states: ["s:a.b"] }
})
suite({ operation: "obtain", ask: onStore((store) => store.obtain([], minute)), truth: [], wrong: ["s:a.b"] })
suite({
  operation: "replace",
  ask: onStore((store) => store.replace("e", bytes, minute, null)),
  truth: true,
  wrong: false,
  again: false
})
suite({ operation: "remove", ask: onStore((store) => store.remove("e", bytes)), truth: undefined, wrong: undefined })
suite({
  operation: "invalidate",
  ask: onStore((store) => store.invalidate([{ _tag: "kill", tag: "t" }], minute)),
  truth: [false],
  wrong: [true]
})
suite({
  operation: "begin",
  ask: onStore((store) => store.begin([{ tag: "t" }], "token", minute)),
  truth: undefined,
  wrong: undefined
})
suite({
  operation: "end",
  ask: onStore((store) => store.end([{ tag: "t" }], "token", true, minute)),
  truth: [false],
  wrong: [true]
})
suite({ operation: "acquire", ask: onLock((lock) => lock.acquire("l", "token", minute)), truth: true, wrong: false })
suite({ operation: "extend", ask: onLock((lock) => lock.extend("l", "token", minute)), truth: false, wrong: true })
suite({
  operation: "release",
  ask: onLock((lock) => lock.release("l", "token", "stored")),
  truth: false,
  wrong: true
})

describe("news", () => {
  /** Says something as the holder of a lock, three times; answers what one who waits has heard by then. */
  const heard = (fault: Faults.Fault<DistributedLock.News>, meanwhile: Effect.Effect<unknown> = Effect.void) =>
    Effect.gen(function*() {
      const { faults, run } = yield* faulty
      yield* faults.next("news", fault)
      return yield* Effect.scoped(run(Effect.gen(function*() {
        const lock = yield* DistributedLock.DistributedLock
        const news = yield* lock.news("l")
        for (const what of ["stored", "failed", "free"] as const) {
          yield* lock.acquire("l", what, minute)
          yield* lock.release("l", what, what)
          yield* TestClock.adjust(0)
        }
        yield* meanwhile
        yield* TestClock.adjust(0)
        return Array.from(yield* Queue.takeAll(news))
      })))
    })

  it.scoped("get lost", () =>
    Effect.gen(function*() {
      for (const fault of [Faults.fail(), Faults.loseAnswer(), Faults.loseAnswer("Timeout")]) {
        expect(yield* heard(fault)).toEqual(["failed", "free"])
      }
    }))
  it.scoped("come late, and do not hold up those after them", () =>
    Effect.gen(function*() {
      expect(yield* heard(Faults.stall("1 second"))).toEqual(["failed", "free"])
      expect(yield* heard(Faults.stall("1 second"), TestClock.adjust("1 second"))).toEqual(["failed", "free", "stored"])
    }))
  it.scoped("say something else", () =>
    Effect.gen(function*() {
      expect(yield* heard(Faults.lie((news) => news === "stored" ? "free" : news))).toEqual(["free", "failed", "free"])
      expect(yield* heard(Faults.pretend("failed"))).toEqual(["failed", "failed", "free"])
    }))
  it.scoped("come twice", () =>
    Effect.gen(function*() {
      expect(yield* heard(Faults.duplicate)).toEqual(["stored", "stored", "failed", "free"])
    }))
})

describe("faults", () => {
  const lookup = onStore((store) => store.lookup("e", []))
  const obtain = onStore((store) => store.obtain([], minute))

  it.scoped("strike the next so many, one kind after the other, and then as every time", () =>
    Effect.gen(function*() {
      const { faults, run } = yield* faulty
      yield* faults.every("lookup", Faults.fail("Closed"))
      yield* faults.next("lookup", Faults.fail("Timeout"), 2)
      yield* faults.next("lookup", Faults.fail("Rejected"))
      const reasons = yield* Effect.replicateEffect(Effect.flip(run(lookup)), 5)
      expect(reasons.map(({ reason }) => reason)).toEqual(["Timeout", "Timeout", "Rejected", "Closed", "Closed"])
      expect(yield* faults.struck("lookup")).toBe(5)
      yield* run(obtain)
      expect(yield* faults.struck("obtain")).toBe(0)
    }))

  it.scoped("can be the same in several operations, and each is healed by itself", () =>
    Effect.gen(function*() {
      const { faults, run } = yield* faulty
      yield* faults.every(Faults.operations, Faults.fail())
      yield* faults.next(["lookup", "obtain"], Faults.duplicate)
      expect(yield* Effect.all([run(lookup), run(obtain)])).toHaveLength(2)
      expect(yield* Effect.all([Effect.flip(run(lookup)), Effect.flip(run(obtain))])).toHaveLength(2)
      yield* faults.heal("lookup")
      expect(yield* Effect.all([run(lookup), Effect.flip(run(obtain))])).toHaveLength(2)
      yield* faults.heal()
      expect(yield* Effect.all([run(lookup), run(obtain)])).toHaveLength(2)
    }))

  it.scoped("are those of one layer, and none until there are some", () =>
    Effect.gen(function*() {
      const services = Layer.merge(MemoryStore.layer(), MemoryLock.layer)
      const program = Effect.gen(function*() {
        const faults = yield* Faults.Faults
        expect(yield* lookup).toEqual({ entry: null, states: [] })
        yield* faults.every("lookup", Faults.fail())
        expect(yield* Effect.flip(lookup)).toBeInstanceOf(CacheError)
      })
      const layer = Faults.layer(services)
      yield* Effect.provide(program, Layer.fresh(layer))
      yield* Effect.provide(program, Layer.fresh(layer))
    }))
})
