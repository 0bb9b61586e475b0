import { Decimal } from "@prisma/client/runtime/client"
import { describe, expect, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as CacheKey from "effect-prisma-cache/CacheKey"
import type { CacheStore } from "effect-prisma-cache/CacheStore"
import type { Request } from "effect-prisma-cache/QueryCache"
import fc from "fast-check"
import { crc32 } from "node:zlib"
import { anyRows, anyValue, decimalType, difference, objectOf } from "../conformance/values.js"
import { makeCache, memoryStore, read, settle } from "../QueryCache/support.js"
import { amount } from "../support/amount.js"

const seed = 20_260_301

const makeRandom = () => {
  let state = seed
  return (below: number): number => {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9) | 0
    return (state >>> 0) % below
  }
}
type Random = ReturnType<typeof makeRandom>

/** An answer of the cache, and how it lies in the store. */
interface Kept {
  readonly request: Request<unknown>
  readonly value: unknown
  readonly bytes: Uint8Array
}

const asked = "the database was asked"

/** Whether all that counts is the same: what tells this copy of an entry from every other is under no checksum. */
const isIntact = (bytes: Uint8Array, original: Uint8Array): boolean =>
  bytes[0] === original[0] && Buffer.compare(bytes.subarray(17), original.subarray(17)) === 0

/** A cache over a store in which something happens to entries: just before one is looked up, other bytes take its place. */
const makeWorld = Effect.gen(function*() {
  const inner = memoryStore()
  const stored: Array<readonly [name: string, bytes: Uint8Array]> = []
  const byName = new Map<string, Kept>()
  const counts = { lookups: 0, intact: 0, removed: 0 }
  let happens: ((kept: Kept) => Uint8Array) | undefined
  const look = (name: string) => Effect.map(inner.lookup(name, []), ({ entry }) => entry)
  const store: CacheStore = {
    ...inner,
    lookup: (name, tags) =>
      Effect.suspend(() => {
        const kept = byName.get(name)
        if (kept === undefined || happens === undefined) return inner.lookup(name, tags)
        counts.lookups++
        const bytes = happens(kept)
        if (isIntact(bytes, kept.bytes)) counts.intact++
        return look(name).pipe(
          Effect.flatMap((before) => inner.replace(name, bytes, 60_000, before)),
          Effect.zipRight(inner.lookup(name, tags))
        )
      }),
    replace: (name, bytes, ...rest) => {
      stored.push([name, bytes])
      return inner.replace(name, bytes, ...rest)
    },
    remove: (name, seen) =>
      Effect.zipRight(
        inner.remove(name, seen),
        Effect.map(look(name), (left) => {
          if (left === null) counts.removed++
        })
      )
  }
  const { cache } = yield* makeCache({ store })
  const keep = (key: string, value: unknown): Effect.Effect<Kept> =>
    Effect.gen(function*() {
      // Hashed once: it is not the key that is on trial.
      const made = Either.getOrThrow(CacheKey.make(key))
      const request = read<unknown>(key, { tags: ["t"] }, { key: made, types: [decimalType] })
      stored.length = 0
      yield* settle(cache, cache.fetch(request, Effect.succeed(value)))
      const [name, bytes] = stored[0] ?? ["", new Uint8Array()]
      expect(bytes.length).toBeGreaterThan(0)
      const kept = { request, value, bytes }
      byName.set(name, kept)
      return kept
    })
  return {
    cache,
    counts,
    keep,
    from: (what: typeof happens) => {
      happens = what
    }
  }
})

/** The bytes with the checksum that belongs to them. */
const sealed = (bytes: Uint8Array): Uint8Array => {
  if (bytes.length < 21) return bytes
  new DataView(bytes.buffer, bytes.byteOffset, bytes.length).setUint32(17, crc32(bytes.subarray(21)))
  return bytes
}

/** An entry that says of itself what the other does, with another payload or other stamps. */
const forged = ({ bytes }: Kept, change: { readonly payload?: Uint8Array; readonly stamps?: string }): Uint8Array => {
  const payloadAt = 100 + new DataView(bytes.buffer, bytes.byteOffset).getUint32(96)
  const stamps = change.stamps === undefined ? bytes.subarray(100, payloadAt) : new TextEncoder().encode(change.stamps)
  const payload = change.payload ?? bytes.subarray(payloadAt)
  const made = new Uint8Array(100 + stamps.length + payload.length)
  made.set(bytes.subarray(0, 100))
  new DataView(made.buffer).setUint32(96, stamps.length)
  made.set(stamps, 100)
  made.set(payload, 100 + stamps.length)
  return sealed(made)
}

const garbage = (random: Random, length: number) => Uint8Array.from({ length }, () => random(256))

const joined = (...parts: ReadonlyArray<Uint8Array>): Uint8Array => new Uint8Array(Buffer.concat(parts))

type Mutation = (bytes: Uint8Array, other: Uint8Array, random: Random) => Uint8Array

/** What can happen to bytes by accident. */
const accidents: Readonly<Record<string, Mutation>> = {
  "one bit is turned": (bytes, _, random) => {
    bytes[random(bytes.length)]! ^= 1 << random(8)
    return bytes
  },
  "some bits are turned": (bytes, _, random) => {
    for (let i = 0; i <= random(20); i++) bytes[random(bytes.length)]! ^= 1 << random(8)
    return bytes
  },
  "bits of the header are turned": (bytes, _, random) => {
    for (let i = 0; i <= random(3); i++) bytes[random(100)]! ^= 1 << random(8)
    return bytes
  },
  "a byte is another": (bytes, _, random) => {
    bytes[random(bytes.length)] = '[]{}",:0-dnbfum\n\\_'.charCodeAt(random(18))
    return bytes
  },
  "the end is missing": (bytes, _, random) => bytes.slice(0, random(bytes.length)),
  "the beginning is missing": (bytes, _, random) => bytes.slice(1 + random(bytes.length - 1)),
  "something follows": (bytes, _, random) => joined(bytes, garbage(random, 1 + random(50))),
  "it is there twice": (bytes) => joined(bytes, bytes),
  "it is of another version": (bytes, _, random) => {
    bytes[0] = (2 + random(254)) & 255
    return bytes
  },
  "a part of it is zero": (bytes, _, random) => bytes.fill(0, random(bytes.length), random(bytes.length)),
  "a part of it is elsewhere": (bytes, _, random) =>
    bytes.copyWithin(random(bytes.length), random(bytes.length), random(bytes.length)),
  "it is another's": (_, other) => other,
  "its end is another's": (bytes, other, random) => {
    const at = random(Math.min(bytes.length, other.length))
    return joined(bytes.subarray(0, at), other.subarray(at))
  },
  "its header is another's": (bytes, other) => joined(other.subarray(0, 100), bytes.subarray(100)),
  "it is nothing but noise": (_, __, random) => garbage(random, random(300)),
  "it is nothing but noise of this version": (_, __, random) => {
    const bytes = garbage(random, 1 + random(300))
    bytes[0] = 1
    return bytes
  }
}

const prototypes = [
  Object.prototype,
  Array.prototype,
  Date.prototype,
  Function.prototype,
  String.prototype,
  Uint8Array.prototype,
  Map.prototype,
  Decimal.prototype
]
const shapes = () =>
  prototypes.map((prototype) =>
    Reflect.ownKeys(prototype).map((key) => [String(key), Object.getOwnPropertyDescriptor(prototype, key)?.value]))

const values: ReadonlyArray<unknown> = [
  ...fc.sample(anyRows, { numRuns: 30, seed }),
  ...fc.sample(anyValue, { numRuns: 25, seed }),
  Array.from({ length: 50 }, (_, id) => ({ id, at: new Date(id), price: new Decimal(id) })),
  objectOf([["__proto__", { polluted: 1n }], ["constructor", { prototype: { polluted: new Date(0) } }]]),
  null,
  "",
  0
]

/** How often each entry is read at once: those reads share a query. */
const readers = 500

const damaged = amount(10_000, 100_000)

describe(`${damaged} damaged entries`, () => {
  it.scopedLive("are misses, and gone; or they are what they were", () =>
    Effect.gen(function*() {
      const before = shapes()
      const { cache, counts, from, keep } = yield* makeWorld
      const kept = yield* Effect.forEach(values, (value, i) => keep(`${i}`, value))
      const random = makeRandom()
      const kinds = Object.entries(accidents)
      const happened = new Map<Kept, string>()
      from((one) => {
        const [kind, mutate] = kinds[counts.lookups % kinds.length]!
        happened.set(one, kind)
        return mutate(one.bytes.slice(), kept[random(kept.length)]!.bytes, random)
      })
      const wrong: Array<string> = []
      let hits = 0
      let misses = 0
      const started = process.cpuUsage()
      for (let i = 0; counts.lookups < damaged; i++) {
        const one = kept[i % kept.length]!
        const query = Effect.zipRight(Effect.yieldNow(), Effect.fail(asked))
        const ask = Effect.exit(cache.fetch(one.request, query))
        for (const exit of yield* Effect.all(Array.from({ length: readers }, () => ask), { concurrency: "unbounded" })) {
          if (Exit.isSuccess(exit)) {
            hits++
            if (difference(exit.value, one.value) !== undefined) wrong.push(`a wrong value, after ${happened.get(one)}`)
          } else if (Cause.failureOrCause(exit.cause)._tag === "Left") misses++
          else wrong.push(Cause.pretty(exit.cause))
        }
      }
      const millis = Math.round(process.cpuUsage(started).user / 1_000)
      const tally = `${misses} misses, ${hits} hits, ${counts.removed} removed`
      console.log(`${counts.lookups} damaged entries: ${tally}, ${millis} ms of CPU`)
      expect(wrong).toEqual([])
      // Each that is not intact is removed, and both ways were taken.
      expect(counts.removed).toBe(counts.lookups - counts.intact)
      expect(Math.min(counts.intact, hits)).toBeGreaterThan(damaged / 25)
      expect((yield* cache.stats).errors).toBe(0)
      expect(shapes()).toEqual(before)
      // And the cache is none the worse for it.
      from(undefined)
      for (const { request, value } of kept) {
        yield* settle(cache, cache.fetch(request, Effect.succeed(value)))
        expect(difference(yield* cache.fetch(request, Effect.fail(asked)), value)).toBeUndefined()
      }
    }), 60_000)
})

/** Nested lists or objects, as JSON. */
const nested = (depth: number, open: string, inner: string, close: string) => open.repeat(depth) + inner + close.repeat(depth)
const payload = (plan: string, json: string) => ({ payload: new TextEncoder().encode(`${plan}\n${json}`) })
const depth = 100_000

describe("forged entries, whose checksum is right", () => {
  const damaged: ReadonlyArray<readonly [string, Parameters<typeof forged>[1]]> = [
    ["no payload", { payload: new Uint8Array() }],
    ["no JSON", payload("", "{")],
    ["a plan of great depth", payload(nested(depth, "[", '"d"', "]"), "[1]")],
    ["objects of great depth as a plan", payload(nested(depth, '{"a":', '"d"', "}"), "{}")],
    ["data of great depth that describe themselves", payload('"m"', nested(depth, '["a",', "1", "]"))],
    ["objects of great depth that describe themselves", payload('"m"', nested(depth, '["o","a",', "1", "]"))],
    ["no stamps", { stamps: "" }],
    ["stamps that are no JSON", { stamps: "[[" }],
    ["stamps of great depth", { stamps: nested(depth, "[", "", "]") }],
    ["objects of great depth for stamps", { stamps: nested(depth, '{"__proto__":', "1", "}") }],
    ["an object for stamps", { stamps: '{"__proto__":[["t"],["s:a.b"]],"length":2}' }],
    ["stamps that are numbers", { stamps: "[[1],[2]]" }],
    ["lists of lists for stamps", { stamps: '[[["t"]],[["s:a.b"]]]' }],
    ["fewer stamps than tags", { stamps: '[["t","u"],["s:a.b"]]' }]
  ]

  it.scopedLive("are removed where they cannot be read, however deep they go", () =>
    Effect.gen(function*() {
      const { cache, counts, from, keep } = yield* makeWorld
      const kept = yield* keep("a", { at: new Date(0) })
      for (const [name, change] of damaged) {
        from((one) => forged(one, change))
        counts.lookups = counts.removed = 0
        expect(yield* Effect.flip(cache.fetch(kept.request, Effect.fail(asked))), name).toBe(asked)
        expect(counts.removed, name).toBe(counts.lookups)
      }
    }))

  it.scopedLive("are never served under stamps that are not those of now", () =>
    Effect.gen(function*() {
      const { cache, from, keep } = yield* makeWorld
      const kept = yield* keep("a", 1)
      for (const stamps of [
        "[[],[]]",
        '[["t"],["s:a.b"]]',
        '[["__proto__","constructor"],["s:a.b","[object Object]"]]',
        JSON.stringify([Array.from({ length: depth }, (_, i) => `t${i}`), Array.from({ length: depth }, () => "s:a.b")])
      ]) {
        from((one) => forged(one, { stamps }))
        expect(yield* Effect.flip(cache.fetch(kept.request, Effect.fail(asked)))).toBe(asked)
      }
    }))

  it.scopedLive("may say any time of themselves", () =>
    Effect.gen(function*() {
      const { cache, from, keep } = yield* makeWorld
      const kept = yield* keep("a", 1)
      for (const at of [21, 29, 37, 45]) {
        for (const number of [NaN, Infinity, -Infinity, -1, 0, 5e-324, 1.7e308, 2 ** 53]) {
          from(({ bytes }) => {
            const made = bytes.slice()
            new DataView(made.buffer).setFloat64(at, number)
            return sealed(made)
          })
          expect(yield* settle(cache, cache.fetch(kept.request, Effect.succeed(1)))).toBe(1)
        }
      }
    }))

  it.scopedLive("of great depth are handed over as they are", () =>
    Effect.gen(function*() {
      const { cache, from, keep } = yield* makeWorld
      const kept = yield* keep("a", 1)
      from((one) => forged(one, payload("", nested(depth, "[", "1", "]"))))
      let value: unknown = yield* cache.fetch(kept.request, Effect.fail(asked))
      let levels = 0
      for (; Array.isArray(value); levels++) value = value[0]
      expect([levels, value]).toEqual([depth, 1])
    }))

  it.scopedLive("are no exceptions and change no prototype, whatever their payload is", () =>
    Effect.gen(function*() {
      const before = shapes()
      const { cache, counts, from, keep } = yield* makeWorld
      const kept = yield* Effect.forEach(values, (value, i) => keep(`${i}`, value))
      const random = makeRandom()
      const kinds = Object.values(accidents)
      from((one) => {
        const at = 100 + new DataView(one.bytes.buffer).getUint32(96)
        const [own, other] = [one, kept[random(kept.length)]!].map(({ bytes }) => bytes.slice(at))
        return forged(one, { payload: kinds[counts.lookups % kinds.length]!(own!, other!, random) })
      })
      for (let i = 0; counts.lookups < 10_000; i++) {
        const ask = Effect.exit(cache.fetch(kept[i % kept.length]!.request, Effect.fail(asked)))
        for (const exit of yield* Effect.all(Array.from({ length: readers }, () => ask), { concurrency: "unbounded" })) {
          if (Exit.isFailure(exit)) expect(Cause.failureOption(exit.cause)).toEqual(Option.some(asked))
        }
      }
      expect((yield* cache.stats).errors).toBe(0)
      expect(shapes()).toEqual(before)
      expect(Object.keys({})).toEqual([])
    }))
})

describe("an answer of great depth", () => {
  it.scopedLive("is given to whoever asked, and not stored", () =>
    Effect.gen(function*() {
      const { cache } = yield* makeCache()
      const deep: unknown = JSON.parse(nested(depth, '{"a":[', "1", "]}"))
      const ask = Effect.all([1, 2, 3].map(() => cache.fetch(read<unknown>("deep"), Effect.succeed(deep))), {
        concurrency: "unbounded"
      })
      expect((yield* settle(cache, ask)).every((value) => value === deep)).toBe(true)
      expect(yield* cache.stats).toMatchObject({ fills: 0, errors: 0 })
    }))
})
