import { it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as FiberRef from "effect/FiberRef"
import { describe, expect } from "vitest"
import type { CacheEvent } from "effect-prisma-cache/CacheEvent"
import { EffectPrisma, prismaCache } from "effect-prisma-cache"
import { insertCounter } from "../prisma/counters.js"
import { memoryLayer, useDatabase } from "../prisma/support.js"
import { makePrisma } from "../support/database.js"
import { uniqueName } from "../support/servers.js"
import { unhurried } from "../support/unhurried.js"

const database = useDatabase()

class Refused extends Data.TaggedError("Refused")<{ readonly why: string }> {}
class Clerk extends Context.Tag("test/Clerk")<Clerk, string>() {}

const setup = Effect.gen(function*() {
  const events: Array<CacheEvent> = []
  const prisma = yield* Effect.acquireRelease(
    Effect.sync(() =>
      database.base.$extends(
        prismaCache({
          ...unhurried,
          cache: memoryLayer(),
          namespace: uniqueName("effect"),
          onEvent: (event) => events.push(event)
        })
      )
    ),
    (made) => Effect.promise(() => made.$cache.close())
  )
  const db = yield* EffectPrisma.make(prisma)
  const name = yield* Effect.promise(() => insertCounter(database.base))
  /** What is in the database, whatever the cache says. */
  const value = Effect.promise(async () => (await database.base.counter.findUnique({ where: { name } }))?.value)
  const read = db.counter.findUniqueOrThrow({ where: { name }, cache: true })
  return { db, events, name, read, value }
})

/** Room for a machine that is busy. */
const long = { timeout: 60_000, maxWait: 60_000 }

describe("a transaction around an effect", () => {
  it.scoped("commits when the effect has succeeded, and only then; what it wrote is read anew", () =>
    Effect.gen(function*() {
      const { db, name, read, value } = yield* setup
      expect((yield* read).value).toBe(1)
      const answer = yield* db.$transaction(
        (tx) =>
          Effect.gen(function*() {
            const { value: now } = yield* tx.counter.update({ where: { name }, data: { value: 2 } })
            expect(yield* value).toBe(1)
            expect((yield* tx.counter.findUniqueOrThrow({ where: { name }, cache: true })).value).toBe(2)
            const info = yield* tx.counter.findUniqueOrThrow({ where: { name }, cache: true }).withCacheInfo()
            expect(info.info.status).toBe("bypass")
            return now
          }),
        { ...long, isolationLevel: "Serializable" }
      )
      expect(answer).toBe(2)
      expect(yield* value).toBe(2)
      expect((yield* read).value).toBe(2)
    }))

  it.scoped("rolls back when the effect fails, and fails with the very same error; nothing is invalidated", () =>
    Effect.gen(function*() {
      const { db, events, name, read, value } = yield* setup
      yield* read
      const refused = new Refused({ why: "no funds" })
      const failing = db.$transaction(
        (tx) => Effect.zipRight(tx.counter.update({ where: { name }, data: { value: 2 } }), Effect.fail(refused)),
        long
      )
      expect(yield* Effect.flip(failing)).toBe(refused)
      expect(yield* Effect.catchTag(failing, "Refused", ({ why }) => Effect.succeed(why))).toBe("no funds")
      expect(yield* value).toBe(1)
      expect((yield* db.counter.findUniqueOrThrow({ where: { name }, cache: true }).withCacheInfo()).info.status).toMatch(
        /hit|joined/
      )
      expect(events.filter(({ _tag }) => _tag === "Invalidated")).toEqual([])
    }))

  it.scoped("rolls back when a query inside fails, with that query's error", () =>
    Effect.gen(function*() {
      const { db, name, value } = yield* setup
      const failing = db.$transaction(
        (tx) =>
          Effect.gen(function*() {
            yield* tx.counter.update({ where: { name }, data: { value: 2 } })
            yield* tx.counter.create({ data: { name } })
          }),
        long
      )
      const answer = yield* Effect.catchTag(failing, "UniqueConstraint", ({ query }) => Effect.succeed(query))
      expect(answer).toBe("Counter.create")
      expect(yield* value).toBe(1)
    }))

  it.scoped("rolls back when the effect dies, of the same defect", () =>
    Effect.gen(function*() {
      const { db, name, value } = yield* setup
      const defect = new Error("a bug")
      const exit = yield* Effect.exit(db.$transaction(
        (tx) => Effect.zipRight(tx.counter.update({ where: { name }, data: { value: 2 } }), Effect.die(defect)),
        long
      ))
      expect(Exit.isFailure(exit) && Cause.squash(exit.cause)).toBe(defect)
      const thrown = yield* Effect.exit(db.$transaction((): Effect.Effect<void> => {
        throw defect
      }, long))
      expect(Exit.isFailure(thrown) && Cause.squash(thrown.cause)).toBe(defect)
      expect(yield* value).toBe(1)
    }))

  it.scoped("rolls back when it is interrupted, and invalidates nothing", () =>
    Effect.gen(function*() {
      const { db, events, name, read, value } = yield* setup
      yield* read
      const written = yield* Deferred.make<void>()
      const fiber = yield* Effect.fork(db.$transaction(
        (tx) =>
          Effect.gen(function*() {
            yield* tx.counter.update({ where: { name }, data: { value: 2 } })
            yield* Deferred.succeed(written, undefined)
            yield* Effect.never
          }),
        long
      ))
      yield* Deferred.await(written)
      const exit = yield* Fiber.interrupt(fiber)
      expect(Exit.isInterrupted(exit)).toBe(true)
      expect(yield* value).toBe(1)
      // The row is nobody's any more.
      yield* Effect.promise(() => database.base.$executeRaw`SELECT 1 FROM "Counter" WHERE name = ${name} FOR UPDATE NOWAIT`)
      expect(events.filter(({ _tag }) => _tag === "Invalidated")).toEqual([])
      expect((yield* db.counter.findUniqueOrThrow({ where: { name }, cache: true }).withCacheInfo()).info.status).toMatch(
        /hit|joined/
      )
    }))

  it.scoped("rolls back when it is interrupted in the middle of a statement", () =>
    Effect.gen(function*() {
      const { db, name, value } = yield* setup
      yield* db.$transaction((holder) =>
        Effect.gen(function*() {
          yield* holder.counter.update({ where: { name }, data: { value: 5 } })
          const fiber = yield* Effect.fork(db.$transaction((tx) =>
            tx.counter.update({ where: { name }, data: { value: { increment: 1 } } }), long))
          // Waits for the row that the first transaction has written.
          yield* Effect.repeat(
            Effect.promise(() =>
              database.base.$queryRaw<Array<object>>`SELECT 1 FROM pg_stat_activity
                WHERE datname = current_database() AND wait_event_type = 'Lock'`
            ),
            { until: (rows) => rows.length > 0 }
          )
          // The connection is given back when the statement is done: after the transaction that it waits for.
          yield* Effect.fork(Fiber.interrupt(fiber))
        }), long)
      yield* Effect.repeat(
        Effect.promise(() =>
          database.base.$queryRaw<Array<object>>`SELECT 1 FROM pg_stat_activity
            WHERE datname = current_database() AND state LIKE 'idle in transaction%'`
        ),
        { until: (rows) => rows.length === 0 }
      )
      expect(yield* value).toBe(5)
    }))

  it.scoped("begins nothing that lasts when it is interrupted before it could begin", () =>
    Effect.gen(function*() {
      const narrow = makePrisma(database.url, { connections: 1 })
      yield* Effect.addFinalizer(() => Effect.promise(() => narrow.close()))
      const db = yield* EffectPrisma.make(narrow.prisma)
      let ran = false
      yield* db.$transaction(() =>
        Effect.gen(function*() {
          const waiting = yield* Effect.fork(db.$transaction(() =>
            Effect.sync(() => {
              ran = true
            }), long))
          yield* Effect.yieldNow()
          const exit = yield* Fiber.interrupt(waiting)
          expect(Exit.isInterrupted(exit)).toBe(true)
        }), long)
      // There is one connection, and it is free again.
      expect(yield* db.$transaction((tx) => tx.counter.count(), long)).toBeGreaterThanOrEqual(0)
      expect(ran).toBe(false)
    }))

  it.scoped("runs in the fiber of its caller: with its services, its references, its interruption", () =>
    Effect.gen(function*() {
      const { db, name } = yield* setup
      const reference = FiberRef.unsafeMake("outside")
      const inside = db.$transaction((tx) =>
        Effect.gen(function*() {
          const clerk = yield* Clerk
          const seen = yield* FiberRef.get(reference)
          yield* FiberRef.set(reference, "inside")
          const { name: found } = yield* tx.counter.findUniqueOrThrow({ where: { name } })
          return [clerk, seen, found, yield* Effect.fiberId]
        }), long)
      yield* FiberRef.set(reference, "caller")
      const answer = yield* Effect.provideService(inside, Clerk, "Ada")
      expect(answer).toEqual(["Ada", "caller", name, yield* Effect.fiberId])
      expect(yield* FiberRef.get(reference)).toBe("inside")
    }))

  it.scoped("fails with TransactionExpired when it takes too long, at its end or at a query", () =>
    Effect.gen(function*() {
      const { db, name, value } = yield* setup
      const tooLong = (body: (tx: EffectPrisma.TransactionOf<typeof db.$client>) => Effect.Effect<unknown, unknown>) =>
        db.$transaction((tx) => Effect.zipRight(tx.counter.update({ where: { name }, data: { value: 2 } }), body(tx)), {
          timeout: 500,
          maxWait: 60_000
        })
      const waitOut = Effect.repeat(
        Effect.promise(() =>
          database.base.$queryRaw<Array<object>>`SELECT 1 FROM pg_stat_activity
            WHERE datname = current_database() AND state = 'idle in transaction'`
        ),
        { until: (rows) => rows.length === 0 }
      )
      const atEnd = yield* Effect.flip(tooLong(() => waitOut))
      expect(atEnd).toBeInstanceOf(EffectPrisma.TransactionExpired)
      const atQuery = yield* Effect.flip(tooLong((tx) => Effect.zipRight(waitOut, tx.counter.findMany())))
      expect(atQuery).toMatchObject({ _tag: "TransactionExpired", code: "P2028" })
      expect(yield* value).toBe(1)
    }))

  it.scoped("fails with TransactionConflict when another one came first", () =>
    Effect.gen(function*() {
      const { db, name, value } = yield* setup
      let tries = 0
      const raise = db.$transaction(
        (tx) =>
          Effect.gen(function*() {
            const { value: before } = yield* tx.counter.findUniqueOrThrow({ where: { name } })
            if (++tries === 1) {
              yield* Effect.promise(() => database.base.counter.update({ where: { name }, data: { value: 10 } }))
            }
            yield* tx.counter.update({ where: { name }, data: { value: before + 1 } })
          }),
        { ...long, isolationLevel: "Serializable" }
      )
      yield* Effect.retry(raise, { while: ({ _tag }) => _tag === "TransactionConflict" })
      expect([tries, yield* value]).toEqual([2, 11])
    }))

  it.scoped("in another one is part of it", () =>
    Effect.gen(function*() {
      const { db, name, value } = yield* setup
      yield* db.$transaction((tx) =>
        Effect.gen(function*() {
          yield* tx.counter.update({ where: { name }, data: { value: 2 } })
          const failing = tx.$transaction((nested) =>
            Effect.zipRight(nested.counter.update({ where: { name }, data: { value: 3 } }), Effect.fail(new Refused({ why: "x" }))))
          expect((yield* Effect.flip(failing))._tag).toBe("Refused")
        }), long)
      expect(yield* value).toBe(2)
    }))

  it.scoped("works on a client without a cache", () =>
    Effect.gen(function*() {
      const { name, value } = yield* setup
      const db = yield* EffectPrisma.make(database.base)
      yield* db.$transaction((tx) => tx.counter.update({ where: { name }, data: { value: 2 } }), long)
      yield* Effect.flip(db.$transaction((tx) =>
        Effect.zipRight(tx.counter.update({ where: { name }, data: { value: 3 } }), Effect.fail("no")), long))
      expect(yield* value).toBe(2)
    }))
})
