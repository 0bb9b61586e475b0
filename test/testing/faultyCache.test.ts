import { describe, expect, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/TestClock"
import * as TestContext from "effect/TestContext"
import type { Lookup, TagState } from "effect-prisma-cache/CacheStore"
import * as MemoryCache from "effect-prisma-cache/MemoryCache"
import * as QueryCache from "effect-prisma-cache/QueryCache"
import { layerExact } from "effect-prisma-cache/Serializer"
import { Faults } from "effect-prisma-cache/testing"
import { entryOf, read, readKey } from "../QueryCache/support.js"
import { amount } from "../support/amount.js"

/** A fault by name, and how it is brought about. */
interface Trouble {
  readonly name: string
  readonly begin: (faults: Faults.Faults) => Effect.Effect<void>
  /** Those who did not write may see what was there before: the store has not heard of the write, and cannot know. */
  readonly hidesWrites?: boolean
}

const any: ReadonlyArray<readonly [string, Faults.AnyFault]> = [
  ["fails as unavailable", Faults.fail()],
  ["is refused", Faults.fail("Rejected", "OOM")],
  ["takes a fifth of a second", Faults.stall("200 millis")],
  ["hangs", Faults.stall()],
  ["is done and answers with an error", Faults.loseAnswer("Timeout")],
  ["is done and does not answer", Faults.loseAnswer()],
  ["is done twice", Faults.duplicate]
]

const lies = <O extends Faults.Operation>(
  operation: O,
  named: Readonly<Record<string, Faults.Fault<Faults.Answers[O]>>>
): ReadonlyArray<Trouble> =>
  Object.entries(named).map(([name, fault]) => ({
    name: `${operation} ${name}`,
    begin: (faults) => faults.every(operation, fault)
  }))

const bytesOf = (change: (entry: Uint8Array) => Uint8Array | null) =>
  Faults.lie(({ entry, states }: Lookup): Lookup => ({ entry: entry === null ? null : change(entry), states }))
const statesOf = (change: (states: ReadonlyArray<TagState>) => ReadonlyArray<TagState>) =>
  Faults.lie(({ entry, states }: Lookup): Lookup => ({ entry, states: change(states) }))

/** Answers a lookup with the entry that the one before had, which is another's. */
const swapped = () => {
  let last: Uint8Array | null = null
  return bytesOf((entry) => {
    const other = last
    last = entry
    return other
  })
}

const wrong = {
  "says the opposite": Faults.lie((answers: ReadonlyArray<boolean>): ReadonlyArray<boolean> => answers.map((one) => !one)),
  "says too little": Faults.lie((): ReadonlyArray<boolean> => [])
}

let made = 0

const troubles: ReadonlyArray<Trouble> = [
  ...Faults.operations.flatMap((operation) =>
    any.map(([name, fault]): Trouble => ({
      name: `${operation} ${name}`,
      begin: (faults) => faults.every(operation, fault),
      hidesWrites: operation === "invalidate" || operation === "end"
    }))),
  ...any.map(([name, fault]): Trouble => ({
    name: `everything ${name}`,
    begin: (faults) => faults.every(Faults.operations, fault),
    hidesWrites: true
  })),
  ...lies("lookup", {
    "answers with nothing": bytesOf(() => null),
    "answers with no bytes": bytesOf(() => new Uint8Array()),
    "answers with zeros": bytesOf(() => new Uint8Array(500)),
    "answers with other bytes": bytesOf((entry) => entry.map((byte) => byte ^ 0x55)),
    "answers with one bit turned": bytesOf((entry) => entry.map((byte, i) => i === entry.length - 1 ? byte ^ 1 : byte)),
    "answers with half of it": bytesOf((entry) => entry.subarray(0, entry.length / 2)),
    "answers with more than it": bytesOf((entry) => Uint8Array.of(...entry, ...entry)),
    "answers with another entry": swapped(),
    "answers with no stamps": statesOf((states) => states.map(() => null)),
    "answers with fewer stamps": statesOf((states) => states.slice(1)),
    "answers with more stamps": statesOf((states) => [...states, "s:a.b"]),
    // Never the same twice: a store that says of every stamp that nothing has happened to it is believed.
    "answers with other stamps": statesOf((states) => states.map(() => `s:${++made}.0`)),
    "answers with intents": statesOf((states) => states.map(() => "w:-:-:a@9999999999999")),
    "answers with words": statesOf((states) => states.map(() => "hello"))
  }),
  ...lies("obtain", {
    "answers with nothing": Faults.lie((states) => states.map(() => null)),
    "answers with too few": Faults.lie((states) => states.slice(1)),
    "answers with stamps of its own": Faults.lie((states) => states.map((_, i) => `s:${i}.0`)),
    "answers with one stamp for all": Faults.pretend(["s:a.b", "s:a.b", "s:a.b", "s:a.b", "s:a.b"]),
    "answers with intents": Faults.lie((states) => states.map(() => "w:-:-:a@9999999999999"))
  }),
  ...lies("replace", {
    "says that it did and did not": Faults.pretend(true),
    "says that it did not and did not": Faults.pretend(false),
    "says the opposite": Faults.lie((stored) => !stored)
  }),
  ...lies("remove", { "does nothing": Faults.pretend(undefined) }),
  ...lies("invalidate", wrong),
  ...lies("begin", { "does nothing": Faults.pretend(undefined) }),
  ...lies("end", wrong),
  ...lies("acquire", { "gives it to everybody": Faults.pretend(true), "gives it to nobody": Faults.pretend(false) }),
  ...lies("extend", { "says that it is lost": Faults.pretend(false) }),
  ...lies("release", { "does nothing": Faults.pretend(true) }),
  ...lies("news", {
    "are always good": Faults.pretend("stored"),
    "are always bad": Faults.pretend("failed"),
    "are always none": Faults.pretend("free")
  })
]

/** Two caches, as of two processes, over one store and one lock with faults. */
const world = (consistency: QueryCache.Consistency) =>
  Effect.gen(function*() {
    const services = yield* Layer.build(Layer.merge(Faults.layer(MemoryCache.layerServices({ maxEntries: 100, maxTags: 1_000 })), layerExact))
    const lock = { ttl: 1_000, waitTimeout: 1_000 }
    const layer = Layer.fresh(QueryCache.layer({ consistency, intentTtl: 5_000, lock }))
    const make = Effect.map(Layer.build(layer), (built) => Context.get(built, QueryCache.QueryCache))
    const [writer, other] = yield* Effect.provide(Effect.all([make, make]), services)
    const faults = Context.get(services, Faults.Faults)
    // What is stalled would hold up the end of the test.
    yield* Effect.addFinalizer(() => faults.heal())
    return { faults, writer, other }
  })

/** Lets time pass until it is done. */
const inTime = <A, E, R>(seconds: number, effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function*() {
    const fiber = yield* Effect.fork(effect)
    for (let i = 0; i < seconds && (yield* Fiber.poll(fiber))._tag === "None"; i++) yield* TestClock.adjust("1 second")
    return fiber
  })

const scenario = (trouble: Trouble, consistency: QueryCache.Consistency) =>
  Effect.gen(function*() {
    const { faults, other, writer } = yield* world(consistency)
    /** The database: what each read must answer, and how often it was asked. */
    const rows = new Map([["a", 0], ["b", 0]])
    let queries = 0
    const query = (row: string) =>
      Effect.map(Effect.yieldNow(), () => {
        queries++
        return rows.get(row)
      })
    const write = (row: string) =>
      Effect.sync(() => {
        rows.set(row, (rows.get(row) ?? 0) + 1)
        return rows.get(row)
      })

    const reads = (cache: QueryCache.QueryCache) => [
      ["a", cache.fetch(read<number | undefined>("a", { tags: ["a"] }), query("a"))] as const,
      ["b", cache.fetch(read<number | undefined>("b", { tags: ["b"], swr: "1 day" }), query("b"))] as const,
      ["b", cache.fetch(readKey("b") as QueryCache.Request<number | undefined>, query("b"))] as const
    ]
    const wrongAnswers: Array<string> = []
    const look = (cache: QueryCache.QueryCache, mayBeOld: boolean) =>
      Effect.forEach(reads(cache), ([row, ask]) =>
        Effect.forEach([ask, ask], (each) => each, { concurrency: "unbounded" }).pipe(Effect.map((answers) => {
          const truth = rows.get(row)
          for (const answer of answers) {
            const isRight = mayBeOld ? answer !== undefined && answer <= (truth ?? 0) : answer === truth
            if (!isRight) wrongAnswers.push(`${row}: ${answer}, not ${truth}`)
          }
        })), { discard: true })
    const round = Effect.gen(function*() {
      yield* look(writer, false)
      yield* look(other, trouble.hidesWrites === true)
      yield* writer.write({ label: "a", touches: { tags: ["a"] } }, write("a"))
      yield* look(writer, false)
      yield* look(other, trouble.hidesWrites === true)
      const own = { key: { key: "b" }, strategy: { ttl: "1 minute" }, entry: entryOf } as const
      yield* writer.write({ label: "b", touches: { tags: ["b"] }, own }, write("b"))
      yield* look(writer, false)
    })

    yield* Fiber.join(yield* inTime(10, round)) // all is well
    yield* trouble.begin(faults)
    // Whatever hangs for good is let go in the end.
    const fiber = yield* inTime(60, Effect.zipRight(round, round))
    yield* faults.heal()
    const exit = yield* Fiber.await(yield* inTime(60, Fiber.join(fiber)))

    // And it caches again, in both.
    yield* TestClock.adjust("10 seconds")
    const cachesAgain = Effect.gen(function*() {
      for (let attempt = 0; attempt < 20; attempt++) {
        const before = queries
        yield* Effect.forEach([writer, other], (cache) => look(cache, false))
        if (queries === before) return true
      }
      return false
    })
    const recovered = yield* Fiber.join(yield* inTime(60, cachesAgain))
    return { name: trouble.name, failed: Exit.isFailure(exit), wrongAnswers: wrongAnswers.slice(0, 3), recovered }
  }).pipe(Effect.scoped, Effect.provide(TestContext.TestContext))

// The longer protocol, or both.
const consistencies = (["strict", "after-commit"] as const).slice(0, amount(1, 2))

describe.each(consistencies)("a cache with %s writes", (consistency) => {
  for (const operation of ["everything", ...Faults.operations]) {
    it(`fails no query and gives no wrong answer while ${operation} is out of order, and caches again then`, async () => {
      const chosen = troubles.filter(({ name }) => name.startsWith(`${operation} `))
      const told = await Effect.runPromise(
        Effect.forEach(chosen, (trouble) => scenario(trouble, consistency), { concurrency: "unbounded" })
      )
      expect(told.length).toBeGreaterThan(0)
      const isWrong = ({ failed, recovered, wrongAnswers }: (typeof told)[number]) =>
        failed || !recovered || wrongAnswers.length > 0
      expect(told.filter(isWrong)).toEqual([])
    })
  }
})
