/**
 * What every lock must do, whatever it is kept in.
 */
import { describe, expect, layer } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import { DistributedLock } from "../../src/DistributedLock.js"
import type { News } from "../../src/DistributedLock.js"
import { uniqueName } from "../support/servers.js"
import { Backdoor } from "./backdoor.js"
import { afterwards } from "./time.js"
import type { Time } from "./time.js"

const minute = 60_000
const short = 60

/** The same lock, as another process sees it. */
export const OtherLock: Context.Tag<"test/OtherLock", DistributedLock> = Context.GenericTag("test/OtherLock")
export type OtherLock = Context.Tag.Identifier<typeof OtherLock>

const lockName = () => uniqueName("lock:\u00fc :e:{digest \r\n") + "}:generation"
const token = () => uniqueName("token")

export interface Options<E> {
  /** How the test report calls it. */
  readonly name: string
  /** A lock, twice. With `backdoor` it comes with a `Backdoor` to the same place. */
  readonly layer: Layer.Layer<DistributedLock | OtherLock, E>
  readonly time: Time
  readonly backdoor?: boolean
  /** Whether those who wait are told, as they are unless this says no. */
  readonly tells?: boolean
}

type Test = (name: string, test: () => Effect.Effect<void, unknown, DistributedLock | OtherLock>) => void

export const lockConformance = <E>(options: Options<E>): void => {
  // Two types, of whose difference no test makes use.
  if (options.time === "test") layer(options.layer)(options.name, (it) => suite(it.effect, options))
  else {
    layer(options.layer, { excludeTestServices: true, timeout: "60 seconds" })(
      options.name,
      (it) => suite(it.effect, options)
    )
  }
}

const suite = <E>(it: Test, { backdoor, tells, time }: Options<E>): void => {
  const test = (name: string, body: (lock: DistributedLock, other: DistributedLock) => Effect.Effect<void, unknown>) =>
    it(name, () => Effect.flatMap(Effect.all([DistributedLock, OtherLock]), ([lock, other]) => body(lock, other)))
  const behind = (name: string, body: (lock: DistributedLock, door: Backdoor) => Effect.Effect<void, unknown>) => {
    if (backdoor !== true) return
    test(name, (lock) => Effect.flatMap(Effect.flatten(Effect.serviceOption(Backdoor)), (door) => body(lock, door)))
  }

  describe("acquire", () => {
    test("gives the lock to one, and to nobody else while it is held", (lock, other) =>
      Effect.gen(function*() {
        const name = lockName()
        expect(yield* lock.acquire(name, token(), minute)).toBe(true)
        expect(yield* lock.acquire(name, token(), minute)).toBe(false)
        expect(yield* other.acquire(name, token(), minute)).toBe(false)
        expect(yield* other.acquire(lockName(), token(), minute)).toBe(true)
      }))

    test("gives it to one of a hundred who ask at once", (lock, other) =>
      Effect.gen(function*() {
        const name = lockName()
        const answers = yield* Effect.forEach(
          Array.from({ length: 100 }, (_, i) => i % 2 === 0 ? lock : other),
          (one) => one.acquire(name, token(), minute),
          { concurrency: "unbounded" }
        )
        expect(answers.filter(Boolean)).toHaveLength(1)
      }))

    test("answers whoever asks again with the same token that they have it: a command may be sent twice", (lock, other) =>
      Effect.gen(function*() {
        const [name, own] = [lockName(), token()]
        expect(yield* lock.acquire(name, own, minute)).toBe(true)
        expect(yield* lock.acquire(name, own, minute)).toBe(true)
        expect(yield* other.acquire(name, own, minute)).toBe(true)
        expect(yield* other.acquire(name, token(), minute)).toBe(false)
      }))

    test("gives it to the next one when its holder has given no sign of life for long enough", (lock, other) =>
      Effect.gen(function*() {
        const [name, next] = [lockName(), token()]
        yield* lock.acquire(name, token(), short)
        yield* afterwards(time, short, "the next one has it", other.acquire(name, next, minute))
        expect(yield* lock.acquire(name, token(), minute)).toBe(false)
      }))

    behind("gives it for as long as it is told", (lock, door) =>
      Effect.gen(function*() {
        const name = lockName()
        yield* lock.acquire(name, token(), minute)
        expect(yield* door.ttl(name)).toBeGreaterThan(minute / 2)
        expect(yield* door.ttl(name)).toBeLessThanOrEqual(minute)
      }))
  })

  describe("extend", () => {
    test("makes it last for its holder, and for nobody else", (lock, other) =>
      Effect.gen(function*() {
        const [name, own] = [lockName(), token()]
        expect(yield* lock.extend(name, own, minute)).toBe(false)
        yield* lock.acquire(name, own, minute)
        expect(yield* lock.extend(name, own, 5 * minute)).toBe(true)
        expect(yield* other.extend(name, token(), minute)).toBe(false)
      }))

    test("does nothing for a holder who has lost it", (lock, other) =>
      Effect.gen(function*() {
        const [name, old, next] = [lockName(), token(), token()]
        yield* lock.acquire(name, old, short)
        yield* afterwards(time, short, "the next one has it", other.acquire(name, next, minute))
        expect(yield* lock.extend(name, old, minute)).toBe(false)
        expect(yield* other.extend(name, next, minute)).toBe(true)
      }))

    behind("counts from when it is asked", (lock, door) =>
      Effect.gen(function*() {
        const [name, own] = [lockName(), token()]
        yield* lock.acquire(name, own, minute)
        yield* lock.extend(name, own, 5 * minute)
        expect(yield* door.ttl(name)).toBeGreaterThan(4 * minute)
      }))

    if (time === "test") {
      test("counts from when it is asked", (lock) =>
        Effect.gen(function*() {
          const [name, own] = [lockName(), token()]
          yield* lock.acquire(name, own, minute)
          yield* lock.extend(name, own, 5 * minute)
          yield* afterwards(time, 4 * minute, "it is held", Effect.map(lock.acquire(name, token(), minute), (got) => !got))
        }))
    }
  })

  describe("release", () => {
    test("makes room for the next one", (lock, other) =>
      Effect.gen(function*() {
        const [name, own] = [lockName(), token()]
        yield* lock.acquire(name, own, minute)
        expect(yield* lock.release(name, own, "stored")).toBe(true)
        expect(yield* other.acquire(name, token(), minute)).toBe(true)
        expect(yield* lock.release(name, own, "stored")).toBe(false)
      }))

    test("is not for those who do not hold it", (lock, other) =>
      Effect.gen(function*() {
        const [name, own] = [lockName(), token()]
        expect(yield* lock.release(name, own, "stored")).toBe(false)
        yield* lock.acquire(name, own, minute)
        expect(yield* other.release(name, token(), "stored")).toBe(false)
        expect(yield* other.acquire(name, token(), minute)).toBe(false)
      }))

    test("takes nothing from who came after a holder that had lost it", (lock, other) =>
      Effect.gen(function*() {
        const [name, old, next] = [lockName(), token(), token()]
        yield* lock.acquire(name, old, short)
        yield* afterwards(time, short, "the next one has it", other.acquire(name, next, minute))
        expect(yield* lock.release(name, old, "stored")).toBe(false)
        expect(yield* other.acquire(name, next, minute)).toBe(true)
        expect(yield* lock.acquire(name, token(), minute)).toBe(false)
      }))
  })

  if (tells === false) {
    test("news never come, and nobody waits for them to be listened to", (lock, other) =>
      Effect.scoped(Effect.gen(function*() {
        const [name, own] = [lockName(), token()]
        yield* lock.acquire(name, own, minute)
        const waiting = yield* Effect.all([lock.news(name), other.news(name)])
        expect(yield* lock.release(name, own, "stored")).toBe(true)
        expect(yield* other.acquire(name, token(), minute)).toBe(true)
        expect((yield* Effect.all(waiting.map(Queue.poll))).every(Option.isNone)).toBe(true)
      })))
    return
  }

  describe("news", () => {
    for (const news of ["stored", "failed", "free"] satisfies ReadonlyArray<News>) {
      test(`"${news}" reaches whoever waits, in this process and in others, when the lock is free`, (lock, other) =>
        Effect.scoped(Effect.gen(function*() {
          const [name, own] = [lockName(), token()]
          yield* lock.acquire(name, own, minute)
          const here = yield* lock.news(name)
          const there = yield* other.news(name)
          const thereToo = yield* other.news(name)
          yield* lock.release(name, own, news)
          expect(yield* Effect.all([here, there, thereToo].map(Queue.take), { concurrency: "unbounded" })).toEqual([
            news,
            news,
            news
          ])
          expect(yield* other.acquire(name, token(), minute)).toBe(true)
        })))
    }

    test("are told of the lock that they are about, and of no other", (lock, other) =>
      Effect.scoped(Effect.gen(function*() {
        const [name, foreign] = [lockName(), lockName()]
        const waiting = yield* other.news(name)
        for (const [one, news] of [[foreign, "failed"], [name, "stored"]] as const) {
          const own = token()
          yield* lock.acquire(one, own, minute)
          yield* lock.release(one, own, news)
        }
        expect(yield* Queue.take(waiting)).toBe("stored")
      })))

    test("are not told by who does not hold the lock", (lock, other) =>
      Effect.scoped(Effect.gen(function*() {
        const [name, own] = [lockName(), token()]
        yield* lock.acquire(name, own, minute)
        const waiting = yield* other.news(name)
        yield* lock.release(name, token(), "failed")
        yield* lock.release(name, own, "stored")
        expect(yield* Queue.take(waiting)).toBe("stored")
      })))

    test("are no longer told to who has stopped listening", (lock, other) =>
      Effect.gen(function*() {
        const [name, own] = [lockName(), token()]
        const left = yield* Effect.scoped(other.news(name))
        yield* lock.acquire(name, own, minute)
        yield* lock.release(name, own, "stored")
        expect(yield* Queue.isShutdown(left)).toBe(true)
      }))

    test("reach a hundred who wait for a hundred locks", (lock, other) =>
      Effect.scoped(Effect.gen(function*() {
        const names = Array.from({ length: 100 }, lockName)
        const waiting = yield* Effect.forEach(names, (name) => other.news(name), { concurrency: "unbounded" })
        yield* Effect.forEach(names, (name) => {
          const own = token()
          return Effect.zipRight(lock.acquire(name, own, minute), lock.release(name, own, "stored"))
        }, { concurrency: "unbounded" })
        const heard = yield* Effect.forEach(waiting, Queue.take, { concurrency: "unbounded" })
        expect(new Set(heard)).toEqual(new Set(["stored"]))
      })))
  })
}
