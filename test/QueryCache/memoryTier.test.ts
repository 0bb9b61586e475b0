/** The memory of one process in front of a store that it shares with others. */
import { describe, expect, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/TestClock"
import * as CacheStore from "effect-prisma-cache/CacheStore"
import type { ChangeListener } from "effect-prisma-cache/CacheStore"
import * as MemoryLock from "effect-prisma-cache/DistributedLock/Memory"
import type { Answer, Options, QueryCache, Request } from "effect-prisma-cache/QueryCache"
import * as Serializer from "effect-prisma-cache/Serializer"
import { around, counted, makeCache, memoryStore, outOfOrder, read, readKey, recorded, settle } from "./support.js"

/** A store whose messages are on their way until they are let through, and may be held up. */
const withMail = (store: CacheStore.CacheStore) => {
  const listeners = new Set<ChangeListener>()
  const mail: Array<string> = []
  return {
    store: CacheStore.make({
      ...store,
      changes: (namespaceTag, listener) => {
        listeners.add(listener)
        listener.on()
        return store.changes?.(namespaceTag, { on: () => {}, off: () => {}, assured: () => {}, changed: (tag) => void mail.push(tag) }) ?? Effect.void
      }
    }),
    deliver: () => mail.splice(0).forEach((tag) => listeners.forEach(({ changed }) => changed(tag))),
    lose: () => void mail.splice(0),
    off: () => listeners.forEach(({ off }) => off()),
    assure: (millis: number) => listeners.forEach(({ assured }) => assured(performance.now() + millis)),
    on: () => listeners.forEach(({ on }) => on())
  }
}

const make = (options: Partial<Options> = {}, serializer?: Serializer.Serializer) =>
  Effect.gen(function*() {
    const { store, taken } = recorded(memoryStore())
    const { cache, events } = yield* makeCache({ store, memory: true, serializer, ...options, lock: MemoryLock.make() })
    return { cache, events, store, taken }
  })

const sourceOf = <A>({ info }: Answer<A>) => info.status === "hit" ? info.source : info.status

/** Asks until the memory answers: for what comes after that. */
const warm = <A>(cache: QueryCache, request: Request<A>, query: Effect.Effect<A>) =>
  Effect.gen(function*() {
    yield* settle(cache, cache.fetch(request, query))
    expect(sourceOf(yield* cache.answer(request, query))).toBe("memory")
  })

describe("the memory tier", () => {
  it.scoped("answers what this process has asked or stored, without a word to the store", () =>
    Effect.gen(function*() {
      const { cache, events, taken } = yield* make()
      const { query, runs } = counted()
      yield* warm(cache, read("a"), query)
      taken()
      const answer = yield* cache.answer(read("a"), query)
      expect(answer).toMatchObject({ value: 1, info: { status: "hit", source: "memory", age: 0, ttl: 60_000 } })
      expect(taken()).toEqual([])
      expect(runs()).toBe(1)
      expect((yield* cache.stats).hits).toBe(2)
      expect(events.filter(({ _tag }) => _tag === "Hit")).toMatchObject([{ source: "memory" }, { source: "memory" }])
    }))

  it.scoped("answers what another process has stored, from the second time on", () =>
    Effect.gen(function*() {
      const store = memoryStore()
      const { query } = counted()
      const { cache: other } = yield* makeCache({ store })
      const { cache } = yield* makeCache({ store, memory: true })
      yield* settle(other, other.fetch(read("a"), query))
      expect(sourceOf(yield* cache.answer(read("a"), query))).toBe("store")
      expect(sourceOf(yield* cache.answer(read("a"), query))).toBe("memory")
    }))

  it.scoped("does nothing unless it is asked for", () =>
    Effect.gen(function*() {
      const { cache } = yield* make({ memory: false })
      const { query } = counted()
      yield* settle(cache, cache.fetch(read("a"), query))
      expect(sourceOf(yield* cache.answer(read("a"), query))).toBe("store")
      expect(sourceOf(yield* cache.answer(read("a"), query))).toBe("store")
    }))

  it.scoped("gives every caller a copy of its own", () =>
    Effect.gen(function*() {
      const { cache } = yield* make()
      const point: Serializer.ValueType<Point> = {
        code: "point",
        is: (value): value is Point => value instanceof Point,
        encode: ({ x }) => String(x),
        decode: (text) => new Point(Number(text))
      }
      const value = () => ({
        list: [{ at: new Date(5), bytes: Uint8Array.of(1), point: new Point(1) }, { at: null, more: [1n, NaN, -0] }],
        ["__proto__"]: { at: new Date(6) },
        mixed: [1, new Date(7), { a: [] }, "text", undefined]
      })
      const request = read<unknown>("a", {}, { types: [point] })
      yield* warm(cache, request, Effect.sync(value))
      for (let i = 0; i < 3; i++) {
        const { info, value: copy } = yield* cache.answer(request, Effect.die("asked"))
        expect(info.source).toBe("memory")
        expect(copy).toStrictEqual(value())
        const own = copy as ReturnType<typeof value>
        own.list[0]?.at?.setTime(99)
        own.list[0]?.bytes?.fill(9)
        if (own.list[0]?.point !== undefined) own.list[0].point.x = 9
        own.list.push({ at: null, more: [] })
        Object.assign(own["__proto__"], { at: 9 })
        own.mixed.length = 0
      }
    }))

  it.scoped("copies all that is found at one place, whatever else is found there", () =>
    Effect.gen(function*() {
      const { cache } = yield* make()
      const value = () => ({
        mixed: [new Date(5), Uint8Array.of(1), { at: new Date(6) }] as const,
        members: [{ ["__proto__"]: { at: new Date(7) } }, { name: "none" }] as const
      })
      const request = read<ReturnType<typeof value>>("a")
      yield* warm(cache, request, Effect.sync(value))
      for (let i = 0; i < 3; i++) {
        const { info, value: { members, mixed } } = yield* cache.answer(request, Effect.die("asked"))
        expect(info.source).toBe("memory")
        expect({ members, mixed }).toStrictEqual(value())
        expect(members.map((member) => Object.getPrototypeOf(member) === Object.prototype)).toEqual([true, true])
        mixed[0].setTime(99)
        mixed[1].fill(9)
        mixed[2].at.setTime(99)
        members[0]["__proto__"].at.setTime(99)
      }
    }))

  it.scoped("copies no value in the way of another one with other names", () =>
    Effect.gen(function*() {
      const { cache } = yield* make()
      const values: ReadonlyArray<() => Record<string, Date>> = [
        () => ({ one: new Date(5) }),
        () => ({ other: new Date(5) }),
        () => ({ a: new Date(5), b: new Date(5) }),
        () => ({ aDb: new Date(5) }),
        () => ({ "1:aD1:b": new Date(5) })
      ]
      for (const [i, value] of values.entries()) {
        const request = read<Record<string, Date>>(`${i}`)
        yield* warm(cache, request, Effect.sync(value))
        for (let j = 0; j < 3; j++) {
          const copy = yield* cache.fetch(request, Effect.die("asked"))
          expect(copy).toStrictEqual(value())
          for (const date of Object.values(copy)) date.setTime(99)
        }
      }
    }))

  it.scoped("gives every caller instances of its own classes", () =>
    Effect.gen(function*() {
      const { cache } = yield* make()
      class OtherPoint extends Point {}
      const typeOf = (made: typeof Point): Serializer.ValueType<Point> => ({
        code: "point",
        is: (value): value is Point => value instanceof made,
        encode: ({ x }) => String(x),
        decode: (text) => new made(Number(text))
      })
      const [types, otherTypes] = [[typeOf(Point)], [typeOf(OtherPoint)]]
      const request = read<Point>("a", {}, { types })
      yield* warm(cache, request, Effect.sync(() => new Point(1)))
      for (const [made, theirs] of [[OtherPoint, otherTypes], [Point, types], [OtherPoint, otherTypes]] as const) {
        const point = yield* cache.fetch({ ...request, types: theirs }, Effect.die("asked"))
        expect([point.constructor, point.x]).toEqual([made, 1])
      }
    }))

  it.scoped("keeps what takes its time to be decoded, and nobody's copy of it", () =>
    Effect.gen(function*() {
      const slow = Serializer.make({
        ...Serializer.exact,
        id: "slow",
        decode: (bytes, context) => Effect.zipRight(Effect.yieldNow(), Serializer.exact.decode(bytes, context))
      })
      const { cache, taken } = yield* make({}, slow)
      const request = read<Array<number>>("a")
      yield* settle(cache, cache.fetch(request, Effect.succeed([1])))
      for (const source of ["store", "memory", "memory"]) {
        taken()
        const answer = yield* cache.answer(request, Effect.die("asked"))
        expect(answer).toMatchObject({ value: [1], info: { source } })
        expect(taken()).toEqual(source === "store" ? ["lookup"] : [])
        answer.value.push(9)
      }
    }))

  it.scoped("keeps what a schema decodes, and instances that only a schema can make", () =>
    Effect.gen(function*() {
      const { cache } = yield* make()
      const request = read<Date>("a", {}, { schema: Schema.Date })
      yield* warm(cache, request, Effect.succeed(new Date(5)))
      const one = yield* cache.fetch(request, Effect.die("asked"))
      one.setTime(9)
      expect(yield* cache.fetch(request, Effect.die("asked"))).toEqual(new Date(5))
    }))
})

class Point {
  constructor(public x: number) {}
}

describe("what is served out of memory", () => {
  const writes: Record<string, (cache: QueryCache) => Effect.Effect<unknown, unknown>> = {
    "a write": (cache) => cache.write({ label: "write", touches: { tags: ["red"] } }, Effect.void),
    "an invalidation": (cache) => cache.invalidate({ tags: ["red"] }),
    "an invalidation that lets expire": (cache) => cache.invalidate({ tags: ["red"], mode: "expire" }),
    "an invalidation of everything": (cache) => cache.invalidateAll()
  }
  for (const consistency of ["strict", "after-commit"] as const) {
    for (const [what, write] of Object.entries(writes)) {
      it.scoped(`is gone for the process that made ${what}, ${consistency}, and for the others when they hear of it`, () =>
        Effect.gen(function*() {
          const { deliver, store } = withMail(memoryStore())
          const { query, runs } = counted()
          const request = read("a", { tags: ["red"] })
          const { cache } = yield* makeCache({ store, memory: true, consistency })
          const { cache: other } = yield* makeCache({ store, memory: true, consistency })
          yield* warm(cache, request, query)
          yield* other.fetch(request, query)
          expect(sourceOf(yield* other.answer(request, query))).toBe("memory")
          yield* write(cache)
          expect(yield* settle(cache, cache.fetch(request, query))).toBe(2)
          expect(yield* other.answer(request, query)).toMatchObject({ value: 1, info: { source: "memory" } })
          deliver()
          expect(yield* other.fetch(request, query)).toBe(2)
          expect(runs()).toBe(2)
        }))
    }
  }

  it.scoped("is not what is being written, in either process", () =>
    Effect.gen(function*() {
      const { deliver, store } = withMail(memoryStore())
      const { query } = counted()
      const request = read("a", { tags: ["red"] })
      const { cache } = yield* makeCache({ store, memory: true, consistency: "strict" })
      const { cache: other } = yield* makeCache({ store, memory: true, consistency: "strict" })
      yield* warm(cache, request, query)
      yield* other.fetch(request, query)
      const write = cache.openWrite()
      yield* write.touch({ tags: ["red"] })
      deliver()
      for (const one of [cache, other, cache, other]) expect(sourceOf(yield* one.answer(request, query))).toBe("bypass")
      yield* write.settle("rolledBack")
      expect(yield* cache.answer(request, query)).toMatchObject({ value: 1, info: { source: "store" } })
      expect(yield* cache.answer(request, query)).toMatchObject({ value: 1, info: { source: "memory" } })
    }))

  it.scoped("is not what this process itself is writing, nor has written, before it hears of either", () =>
    Effect.gen(function*() {
      const { store } = withMail(memoryStore())
      const { query } = counted()
      const request = read("a", { tags: ["red"] })
      const { cache } = yield* makeCache({ store, memory: true, consistency: "strict" })
      yield* warm(cache, request, query)
      const write = cache.openWrite()
      yield* write.touch({ tags: ["red"] })
      for (let i = 0; i < 2; i++) expect(sourceOf(yield* cache.answer(request, query))).toBe("bypass")
      yield* write.settle("committed")
      expect(sourceOf(yield* settle(cache, cache.answer(request, query)))).toBe("miss")
    }))

  it.scoped("is not what this process has written, though it could not announce that", () =>
    Effect.gen(function*() {
      const store = around(withMail(memoryStore()).store, ({ primitive, run }) =>
        primitive === "begin" ? Effect.fail(outOfOrder(primitive)) : run)
      const { query } = counted()
      const request = read("a", { tags: ["red"] })
      const { cache } = yield* makeCache({ store, memory: true, consistency: "strict" })
      yield* warm(cache, request, query)
      const write = cache.openWrite()
      yield* write.touch({ tags: ["red"] })
      expect(sourceOf(yield* cache.answer(request, query))).toBe("store")
      expect(sourceOf(yield* cache.answer(request, query))).toBe("memory")
      yield* write.settle("committed")
      expect(yield* cache.fetch(request, query)).toBe(2)
    }))

  type Mail = ReturnType<typeof withMail>

  const meanwhile: Record<string, (mail: Mail, invalidate: Effect.Effect<void>) => Effect.Effect<unknown>> = {
    "when its change was heard": (mail, invalidate) => Effect.zipRight(invalidate, Effect.sync(mail.deliver)),
    "in a time in which its change may have gone unheard": (mail, invalidate) =>
      Effect.all([Effect.sync(mail.off), invalidate, Effect.sync(mail.lose), Effect.sync(mail.on)])
  }
  for (const [when, happen] of Object.entries(meanwhile)) {
    it.scoped(`is not what was on its way from the store ${when}`, () =>
      Effect.gen(function*() {
        const mail = withMail(memoryStore())
        let late: Effect.Effect<unknown> = Effect.void
        const store = around(mail.store, ({ primitive, run }) =>
          primitive === "lookup" ? Effect.zipLeft(run, Effect.suspend(() => late)) : run)
        const { query } = counted()
        const request = read("a", { tags: ["red"] })
        const { cache } = yield* makeCache({ store, memory: true })
        const { cache: other } = yield* makeCache({ store: mail.store })
        yield* settle(other, other.fetch(request, query))
        late = happen(mail, Effect.orDie(other.invalidate({ tags: ["red"] })))
        // The read began before that, and may be answered so; but no later one.
        expect(yield* cache.answer(request, query)).toMatchObject({ value: 1, info: { source: "store" } })
        late = Effect.void
        expect(yield* settle(cache, cache.fetch(request, query))).toBe(2)
      }))
  }

  it.scoped("is nothing from before a time in which changes may have gone unheard, and nothing of that time", () =>
    Effect.gen(function*() {
      const mail = withMail(memoryStore())
      const { query } = counted()
      const { cache } = yield* makeCache({ store: mail.store, memory: true })
      yield* warm(cache, read("a"), query)
      mail.off()
      for (let i = 0; i < 3; i++) expect(sourceOf(yield* cache.answer(read("a"), query))).toBe("store")
      mail.on()
      expect(sourceOf(yield* cache.answer(read("a"), query))).toBe("store")
      expect(sourceOf(yield* cache.answer(read("a"), query))).toBe("memory")
      // Told twice that it hears: it may have been deaf in between.
      mail.on()
      expect(sourceOf(yield* cache.answer(read("a"), query))).toBe("store")
    }))

  it.scoped("is nothing of which it is not certain that a change would have been heard, until that is certain again", () =>
    Effect.gen(function*() {
      const mail = withMail(memoryStore())
      const { query } = counted()
      const { cache } = yield* makeCache({ store: mail.store, memory: true })
      yield* warm(cache, read("a"), query)
      // As after a time in which the process was stopped.
      mail.assure(-1)
      for (let i = 0; i < 2; i++) expect(sourceOf(yield* cache.answer(read("a"), query))).toBe("store")
      mail.assure(60_000)
      expect(sourceOf(yield* cache.answer(read("a"), query))).toBe("memory")
    }))

  it.scoped("is nothing that has changed before more changes than are remembered", () =>
    Effect.gen(function*() {
      const { deliver, store } = withMail(memoryStore())
      const { query } = counted()
      const { cache: other } = yield* makeCache({ store })
      const { cache } = yield* makeCache({ store, memory: true })
      const request = read("a", { tags: ["red"] })
      yield* warm(cache, request, query)
      yield* other.invalidate({ tags: ["red"] })
      yield* other.invalidate({ tags: Array.from({ length: 10_000 }, (_, i) => `tag ${i}`) })
      deliver()
      expect(yield* settle(cache, cache.fetch(request, query))).toBe(2)
      expect(yield* cache.answer(request, query)).toMatchObject({ value: 2, info: { source: "memory" } })
    }))

  it.scoped("is nothing that was queried anew since, though that itself may not be kept", () =>
    Effect.gen(function*() {
      const mail = withMail(memoryStore())
      const { cache } = yield* makeCache({ store: mail.store, memory: true })
      const request = read("a")
      yield* settle(cache, cache.fetch(request, Effect.succeed(1)))
      const [sent, gate] = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
      mail.off()
      const query = Effect.zipRight(Deferred.succeed(sent, undefined), Effect.as(Deferred.await(gate), 2))
      const refresh = yield* Effect.fork(cache.fetch({ ...request, mode: "refresh" }, query))
      yield* Deferred.await(sent)
      mail.on()
      expect(sourceOf(yield* cache.answer(request, Effect.die("asked")))).toBe("store")
      expect(sourceOf(yield* cache.answer(request, Effect.die("asked")))).toBe("memory")
      yield* Deferred.succeed(gate, undefined)
      yield* settle(cache, Fiber.join(refresh))
      expect(yield* cache.answer(request, Effect.die("asked"))).toMatchObject({ value: 2, info: { source: "store" } })
    }))

  it.scoped("is nothing that could not be invalidated in the store", () =>
    Effect.gen(function*() {
      let isOut = false
      const store = around(memoryStore(), ({ primitive, run }) =>
        isOut && primitive === "invalidate" ? Effect.fail(outOfOrder(primitive)) : run)
      const { query } = counted()
      const request = read("a", { tags: ["red"] })
      const { cache } = yield* makeCache({ store, memory: true })
      yield* warm(cache, request, query)
      isOut = true
      yield* Effect.exit(cache.invalidate({ tags: ["red"] }))
      for (const value of [2, 3]) expect(yield* cache.fetch(request, query)).toBe(value)
    }))

  it.scoped("is nothing where the store throws instead of telling", () =>
    Effect.gen(function*() {
      const broken: Array<NonNullable<CacheStore.CacheStore["changes"]>> = [
        () => {
          throw new Error("no")
        },
        (_, { on }) => Effect.zipRight(Effect.sync(on), Effect.die("no"))
      ]
      for (const changes of broken) {
        const { query } = counted()
        const { cache } = yield* makeCache({ store: CacheStore.make({ ...memoryStore(), changes }), memory: true })
        yield* settle(cache, cache.fetch(read("a"), query))
        for (let i = 0; i < 2; i++) expect(sourceOf(yield* cache.answer(read("a"), query))).toBe("store")
      }
    }))

  it.scoped("is as old as its ttl at the most, and as `maxAge`", () =>
    Effect.gen(function*() {
      const { cache } = yield* make({ memory: { maxAge: "10 seconds" } })
      const { query } = counted()
      const brief = read("brief", { ttl: "4 seconds", swr: "1 minute" })
      yield* warm(cache, brief, query)
      yield* warm(cache, read("long"), query)
      yield* TestClock.adjust("3999 millis")
      expect(sourceOf(yield* cache.answer(brief, query))).toBe("memory")
      yield* TestClock.adjust("1 millis")
      expect((yield* cache.answer(brief, query)).info.status).toBe("stale")
      yield* TestClock.adjust("5999 millis")
      expect(sourceOf(yield* cache.answer(read("long"), query))).toBe("memory")
      yield* TestClock.adjust("1 millis")
      expect(sourceOf(yield* cache.answer(read("long"), query))).toBe("store")
      expect(sourceOf(yield* cache.answer(read("long"), query))).toBe("memory")
    }))

  it.scoped("is no more than its bounds allow", () =>
    Effect.gen(function*() {
      const { query } = counted()
      const { cache } = yield* make({ memory: { maxEntries: 2 } })
      for (const name of ["a", "b", "c"]) yield* warm(cache, read(name), query)
      expect(sourceOf(yield* cache.answer(read("c"), query))).toBe("memory")
      expect(sourceOf(yield* cache.answer(read("a"), query))).toBe("store")

      const { cache: small } = yield* make({ memory: { maxBytes: 2_000 } })
      const large = Effect.succeed("x".repeat(3_000))
      yield* settle(small, small.fetch(read<string>("large"), large))
      expect(sourceOf(yield* small.answer(read<string>("large"), large))).toBe("store")
      yield* warm(small, read("a"), query)
    }))

  it.scoped("is only what would do for the caller if it came out of the store", () =>
    Effect.gen(function*() {
      const { cache } = yield* make()
      const nobody = Effect.succeed<number | null>(null)
      const request = read<number | null>("a")
      yield* warm(cache, request, nobody)
      expect(yield* cache.fetch({ ...request, accepts: (value) => value !== null }, Effect.succeed<number | null>(2))).toBe(2)

      // Under a name, or a tag, that the entry does not carry.
      const { query } = counted()
      yield* warm(cache, read("b"), query)
      yield* settle(cache, cache.fetch(read("b", { tags: ["red"] }), query))
      yield* cache.invalidate({ tags: ["red"] })
      expect(yield* settle(cache, cache.fetch(read("b"), query))).toBe(3)
      const named = read<number>("b", {}, { late: () => ({ keys: [{ key: "bee" }], entries: [] }) })
      yield* settle(cache, cache.fetch(named, query))
      yield* cache.invalidate({ keys: [{ key: "bee" }] })
      expect(yield* settle(cache, cache.fetch(named, query))).toBe(5)

      // By the classes of another client.
      const other = yield* cache.answer({ ...request, types: [] }, nobody)
      expect(other).toMatchObject({ value: 2, info: { status: "hit" } })
      expect((yield* settle(cache, cache.answer({ ...request, mode: "refresh" }, nobody))).info.status).toBe("refreshed")
      expect(yield* cache.answer(request, query)).toMatchObject({ value: null, info: { source: "memory" } })
    }))

  it.scoped("is nothing of another namespace, whose changes are not heard, and nothing on probation", () =>
    Effect.gen(function*() {
      const { query } = counted()
      const { cache } = yield* make()
      yield* settle(cache, cache.fetch(readKey("one", "another"), query))
      for (let i = 0; i < 2; i++) expect(sourceOf(yield* cache.answer(readKey("one", "another"), query))).toBe("store")
      const { cache: hardened } = yield* make({ hardened: true, intentTtl: 60_000, consistency: "strict" })
      yield* settle(hardened, hardened.fetch(read("a"), query))
      for (let i = 0; i < 2; i++) expect(sourceOf(yield* hardened.answer(read("a"), query))).toBe("store")
    }))

  it.scoped("comes out of plain code too", () =>
    Effect.gen(function*() {
      const { cache, taken } = yield* make()
      const { query } = counted()
      yield* warm(cache, read("a"), query)
      taken()
      const told: Array<unknown> = []
      cache.unsafeAnswer(read("a"), { hit: ({ info }) => told.push(info.source), otherwise: () => told.push("otherwise") })
      expect(told).toEqual(["memory"])
      expect(taken()).toEqual([])
    }))
})

describe("a store that does not tell of changes", () => {
  const silent = () => CacheStore.make({ ...memoryStore(), changes: undefined })

  it.scoped("needs a `maxAge`, which is how old answers become", () =>
    Effect.gen(function*() {
      const store = silent()
      const { query } = counted()
      const { cache } = yield* makeCache({ store, memory: { maxAge: 1_000 } })
      const { cache: other } = yield* makeCache({ store })
      const request = read("a", { tags: ["red"] })
      yield* warm(cache, request, query)
      yield* other.invalidate({ tags: ["red"] })
      expect(yield* cache.fetch(request, query)).toBe(1)
      yield* TestClock.adjust("1 second")
      expect(yield* settle(cache, cache.fetch(request, query))).toBe(2)
      // Its own it knows of.
      yield* cache.invalidate({ tags: ["red"] })
      expect(yield* settle(cache, cache.fetch(request, query))).toBe(3)
    }))

  it.scoped("is refused without one, by name", () =>
    Effect.gen(function*() {
      for (const memory of [true, { maxEntries: 5 }]) {
        const exit = yield* Effect.exit(makeCache({ store: silent(), memory }))
        expect(Exit.isFailure(exit) && String(exit.cause)).toMatch(/memory: got no maxAge, allowed: \{ maxAge \}/)
      }
    }))
})

it.scoped("bounds that make no sense are refused by name", () =>
  Effect.gen(function*() {
    const wrong = { maxBytes: 0, maxEntries: 1.5, maxAge: -1 }
    const exit = yield* Effect.exit(makeCache({ memory: wrong }))
    const text = String(Exit.isFailure(exit) && exit.cause)
    for (const name of Object.keys(wrong)) expect(text).toContain(`memory.${name}: got ${wrong[name as keyof typeof wrong]}`)
  }))
