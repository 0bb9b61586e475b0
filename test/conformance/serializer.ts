import { Decimal } from "@prisma/client/runtime/client"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import { Serializer, SerializerError } from "effect-prisma-cache/Serializer"
import type { Context, ValueTypes } from "effect-prisma-cache/Serializer"
import fc from "fast-check"
import { afterAll, describe, expect, it } from "vitest"
import { anyJson, anyRows, anyValue, decimalType, difference, objectOf, objectsIn } from "./values.js"

const context: Context = { digest: "ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0", types: [decimalType] }

const nest = (depth: number, wrap: (inner: unknown) => unknown): unknown => {
  let value: unknown = new Date(0)
  for (let i = 0; i < depth; i++) value = wrap(value)
  return value
}

const exactly: ReadonlyArray<readonly [string, unknown]> = [
  ["null", null],
  ["undefined", undefined],
  ["a string", "2024-01-01T00:00:00.000Z"],
  ["halves of surrogate pairs", ["\ud800", "\udfff", "a\udc00b", "\ud800\udc00"]],
  ["line feeds, quotes and nulls", ["\n", '"\\', "\u0000", "\u2028", "\ufeff"]],
  ["zero and minus zero", [0, -0]],
  ["minus zero alone", -0],
  ["NaN and the infinities", [NaN, Infinity, -Infinity]],
  ["the ends of numbers", [Number.MAX_VALUE, Number.MIN_VALUE, Number.MAX_SAFE_INTEGER, 1e21, 1.1, 5e-324]],
  ["booleans", { yes: true, no: false }],
  ["dates, an invalid one among them", [new Date(0), new Date(-1), new Date(8.64e15), new Date(NaN)]],
  ["bigints", [0n, -1n, 9007199254740993n, 10n ** 60n, -(10n ** 60n)]],
  ["bytes", [new Uint8Array(), Uint8Array.of(0, 255, 10, 13), new Uint8Array(5_000).map((_, i) => i)]],
  ["decimals", ["0", "-0", "1.10", "1e-300", "12345678901234567890.123", "NaN"].map((text) => new Decimal(text))],
  ["empty objects and arrays", [{}, [], [[]], [{}], { a: {}, b: [] }]],
  ["nulls among special values", [{ at: null }, { at: new Date(1) }, { at: null }]],
  ["columns that are not in every row", [{ a: 1n }, { b: new Date(2) }, {}, { b: null, a: 2n }]],
  [
    "values of different kinds in one column",
    [{ v: 1n }, { v: "1n" }, { v: [1n] }, { v: { n: 1n } }, { v: undefined }, { v: null }]
  ],
  ["numbers and special numbers in one column", [1, NaN, 2.5, -0, null, Infinity]],
  ["special numbers beside their names", [NaN, "NaN", -0, "-0"]],
  ["undefined in some rows only", [{ v: undefined }, { v: 1 }, { v: null }]],
  ["undefined and null", [undefined, null]],
  ["objects and arrays in one column", [{ v: { at: new Date(3) } }, { v: [new Date(4)] }, { v: "text" }, { v: 5 }]],
  [
    "relations and counts",
    [
      { id: 1n, posts: [{ at: new Date(5), tags: [] }], author: null, _count: { posts: 1 } },
      { id: 2n, posts: [], author: { born: new Date(6) }, _count: { posts: 0 } }
    ]
  ],
  ["a JSON column with `$type`", { meta: { $type: "DateTime", value: "2024-01-01T00:00:00.000Z" }, at: new Date(7) }],
  ["a JSON column with `__proto__`", JSON.parse('{"__proto__":{"polluted":true},"a":{"__proto__":null}}')],
  [
    "special values under `__proto__`",
    [
      objectOf([
        ["a", 1n],
        ["__proto__", new Date(8)]
      ]),
      objectOf([["__proto__", objectOf([["__proto__", -0]])]])
    ]
  ],
  [
    "an object that lacks what others have under an inherited name",
    [
      objectOf([
        ["constructor", 1n],
        ["toString", 2n],
        ["__proto__", 3n]
      ]),
      {}
    ]
  ],
  ["keys that look like indices", { b: new Date(9), 2: 1n, 1: "x", "-1": 0, "01": 2n }],
  ["keys in an order of their own", { z: 1, a: new Date(10), m: { y: 1n, b: 2 } }],
  [
    "different key orders in one array",
    [
      { a: 1n, b: 2 },
      { b: 3, a: 4n }
    ]
  ],
  ["a key with a line feed", { "a\nb": new Date(11) }],
  ["a key named toJSON", { toJSON: "text", at: new Date(12) }],
  ["deep arrays", nest(500, (inner) => [inner])],
  ["deep objects", nest(500, (inner) => ({ inner, also: 1 }))],
  [
    "the same object twice",
    (() => {
      const shared = { at: new Date(13) }
      return [shared, shared]
    })()
  ]
]

class Money {
  constructor(readonly amount: number) {}
}

const cyclic = (): unknown => {
  const object: Record<string, unknown> = { at: new Date(0) }
  object["self"] = { again: [object] }
  return object
}

const web = (): unknown => {
  let value: unknown = {}
  for (let i = 0; i < 60; i++) value = [value, value]
  return value
}

const refused: ReadonlyArray<readonly [string, string, () => unknown]> = [
  ["a function", "Unsupported", () => () => 0],
  ["an object with a function", "Unsupported", () => ({ run: () => 0 })],
  ["an object with toJSON", "Unsupported", () => ({ toJSON: () => "text" })],
  ["a symbol", "Unsupported", () => [Symbol.iterator]],
  ["a symbol as a key", "Unsupported", () => ({ [Symbol("key")]: 1 })],
  ["an instance of an unknown class", "Unsupported", () => ({ price: new Money(1) })],
  ["a Map", "Unsupported", () => new Map([[1, 2]])],
  ["a Set", "Unsupported", () => [new Set([1])]],
  ["a regular expression", "Unsupported", () => /x/],
  ["an Error", "Unsupported", () => new Error("text")],
  ["a Promise", "Unsupported", () => Promise.resolve(1)],
  ["a boxed string", "Unsupported", () => new String("text")],
  ["a Buffer", "Unsupported", () => Buffer.from("text")],
  ["another typed array", "Unsupported", () => Float64Array.of(1)],
  ["an ArrayBuffer", "Unsupported", () => new ArrayBuffer(1)],
  ["a subclass of Date", "Unsupported", () => new (class extends Date {})()],
  ["a subclass of Array", "Unsupported", () => new (class extends Array {})()],
  ["an object without a prototype", "Unsupported", () => Object.create(null)],
  ["an array with a hole", "Unsupported", () => new Array(3)],
  ["an array with a further property", "Unsupported", () => /(x)/.exec("x")],
  [
    "an array with a hole and a further property",
    "Unsupported",
    () => {
      const array = new Array(1)
      return Object.assign(array, { further: 1 })
    }
  ],
  [
    "a getter that throws",
    "Unsupported",
    () => ({
      get value() {
        throw new Error("secret")
      }
    })
  ],
  [
    "a proxy that throws",
    "Unsupported",
    () =>
      new Proxy(
        {},
        {
          ownKeys: () => {
            throw new Error("secret")
          }
        }
      )
  ],
  [
    "a revoked proxy",
    "Unsupported",
    () => {
      const { proxy, revoke } = Proxy.revocable({}, {})
      revoke()
      return proxy
    }
  ],
  ["what is a Date by its prototype only", "Unsupported", () => Object.create(Date.prototype)],
  ["what is bytes by its prototype only", "Unsupported", () => Object.create(Uint8Array.prototype)],
  ["an unknown class in a column of different kinds", "Unsupported", () => [1n, "text", new Money(1)]],
  ["a cyclic object", "TooDeep", cyclic],
  ["513 levels", "TooDeep", () => nest(513, (inner) => [inner])],
  ["100,000 levels", "TooDeep", () => nest(100_000, (inner) => ({ inner }))],
  ["100,000 levels in a column of different kinds", "TooDeep", () => [1n, "text", nest(100_000, (inner) => [inner])]],
  ["a web of 2^60 paths", "TooLarge", web]
]

/** What a serializer does not carry that others do. It has to say so. */
export interface Limits {
  /** Those of the examples that it refuses. */
  readonly refused: ReadonlyArray<string>
  readonly carries: (value: unknown) => boolean
}

/**
 * What every `Serializer` must do, whatever it makes of the bytes. The layer may need no more than itself.
 */
export const serializerConformance = <E>(name: string, layer: Layer.Layer<Serializer, E>, limits?: Limits): void => {
  describe(name, () => {
    const runtime = ManagedRuntime.make(layer)
    afterAll(() => runtime.dispose())

    const run = <A, F>(use: (serializer: Serializer) => Effect.Effect<A, F>): Promise<Either.Either<A, F>> =>
      runtime.runPromise(Effect.flatMap(Serializer, (serializer) => Effect.either(use(serializer))))
    const encode = (value: unknown, types: ValueTypes = context.types) =>
      run((serializer) => serializer.encode(value, { ...context, types }))
    const decode = (bytes: Uint8Array, types: ValueTypes = context.types) =>
      run((serializer) => serializer.decode(bytes, { ...context, types }))
    const roundTrip = async (value: unknown) => {
      const bytes = Either.getOrThrow(await encode(value))
      return { bytes, first: Either.getOrThrow(await decode(bytes)), second: Either.getOrThrow(await decode(bytes)) }
    }
    const refuses = async (value: unknown) => {
      expect(await encode(value)).toMatchObject({ left: { _tag: "SerializerError", reason: "Unsupported" } })
    }
    const check = async (value: unknown) => {
      if (limits?.carries(value) === false) return refuses(value)
      const { bytes, first, second } = await roundTrip(value)
      expect(bytes).toBeInstanceOf(Uint8Array)
      expect(difference(first, value)).toBeUndefined()
      expect(difference(second, value)).toBeUndefined()
      const others = objectsIn(value)
      for (const object of objectsIn(first)) expect(others.has(object)).toBe(false)
      const seconds = objectsIn(second)
      for (const object of objectsIn(first)) expect(seconds.has(object)).toBe(false)
    }

    describe("gives back exactly what it was given", () => {
      it.each(exactly)("%s", async (what, value) => {
        expect(limits?.carries(value) ?? true).toBe(!(limits?.refused ?? []).includes(what))
        await check(value)
        if (limits?.refused.includes(what) === true) return
        const { first } = await roundTrip(value)
        expect(first).toStrictEqual(value)
      })

      it("any JSON", () => fc.assert(fc.asyncProperty(anyJson, check), { numRuns: 300 }))

      it("any value", () => fc.assert(fc.asyncProperty(anyValue, check), { numRuns: 500 }))

      it("any rows", () => fc.assert(fc.asyncProperty(anyRows, check), { numRuns: 500 }))

      it("a thousand rows", () =>
        check(
          Array.from({ length: 1_000 }, (_, i) => ({
            id: i,
            at: i % 7 === 0 ? null : new Date(i),
            big: BigInt(i),
            price: new Decimal(i).div(7),
            note: i % 3 === 0 && limits === undefined ? "\ud800" : `row ${i}`
          }))
        ))

      it("a getter, as the value it has", async () => {
        const { first } = await roundTrip({
          get at() {
            return new Date(1)
          },
          plain: 1
        })
        expect(difference(first, { at: new Date(1), plain: 1 })).toBeUndefined()
      })
    })

    it("leaves the value and the bytes as they are", async () => {
      const value = [
        { at: new Date(1), nested: { big: 1n, list: [NaN, "x"] } },
        { at: null, nested: null }
      ]
      const before = structuredClone(value)
      const bytes = Either.getOrThrow(await encode(value))
      const copy = Uint8Array.from(bytes)
      await decode(bytes)
      expect(difference(value, before)).toBeUndefined()
      expect(Buffer.compare(bytes, copy)).toBe(0)
    })

    it("reads bytes wherever in a buffer they are", async () => {
      const value = { at: new Date(1), bytes: Uint8Array.of(1, 2, 3) }
      const bytes = Either.getOrThrow(await encode(value))
      const buffer = new Uint8Array(bytes.length + 16).fill(255)
      buffer.set(bytes, 7)
      const decoded = Either.getOrThrow(await decode(buffer.subarray(7, 7 + bytes.length)))
      buffer.fill(0)
      expect(difference(decoded, value)).toBeUndefined()
    })

    it("serves many callers at once", async () => {
      const values = Array.from({ length: 100 }, (_, i) => ({ i, at: new Date(i), mixed: [i, BigInt(i), `${i}`] }))
      const results = await Promise.all(values.map(roundTrip))
      results.forEach(({ first, second }, i) => {
        expect(difference(first, values[i])).toBeUndefined()
        expect(difference(second, values[i])).toBeUndefined()
      })
    })

    describe("refuses what it could not give back exactly", () => {
      it.each(refused)("%s: %s", async (_, reason, make) => {
        const result = await encode(make())
        expect(Either.isLeft(result) && result.left).toBeInstanceOf(SerializerError)
        expect(result).toMatchObject({ left: { _tag: "SerializerError", reason } })
      })

      it("a ValueType that throws, or that answers with no string", async () => {
        const broken = {
          code: "Money",
          is: (value: unknown): value is Money => value instanceof Money,
          decode: () => new Money(0)
        }
        const throwing = await encode(new Money(1), [
          {
            ...broken,
            encode: () => {
              throw new Error("secret")
            }
          }
        ])
        expect(throwing).toMatchObject({ left: { reason: "Unsupported" } })
        const numeric = await encode(new Money(1), [
          { ...broken, encode: (value: Money): string => JSON.parse(`${value.amount}`) }
        ])
        expect(numeric).toMatchObject({ left: { reason: "Unsupported" } })
      })
    })

    it("says nothing of the value in its errors", async () => {
      const values = [
        { secret: "secret", run: () => "secret" },
        [Symbol("secret")],
        { secret: new Map([["secret", 1]]) },
        new Proxy(
          {},
          {
            get: () => {
              throw new Error("secret")
            }
          }
        )
      ]
      for (const value of values) {
        const result = await encode(value)
        if (Either.isLeft(result))
          expect(`${result.left}${JSON.stringify(result.left)}${result.left.message}`).not.toContain("secret")
      }
    })

    it("reads an instance only with the ValueType that wrote it", async () => {
      const bytes = Either.getOrThrow(await encode([new Decimal("1.5"), null]))
      expect(await decode(bytes, [])).toMatchObject({ left: { _tag: "SerializerError", reason: "UnknownType" } })
    })

    it("keeps instances of several classes apart", async () => {
      const money = {
        code: "Money",
        is: (value: unknown): value is Money => value instanceof Money,
        encode: (value: Money) => `${value.amount}`,
        decode: (text: string) => new Money(Number(text))
      }
      const types: ValueTypes = [decimalType, money]
      const value = {
        same: [new Money(1), null, new Money(2)],
        two: [new Money(3), new Decimal("4.5"), null, new Money(5)],
        mixed: [new Money(6), new Decimal("7.5"), "8"]
      }
      const bytes = Either.getOrThrow(await encode(value, types))
      expect(difference(Either.getOrThrow(await decode(bytes, types)), value)).toBeUndefined()
    })

    it("answers damaged bytes with a value or a SerializerError, and changes no prototype", async () => {
      const prototypes = [
        Object.prototype,
        Array.prototype,
        Date.prototype,
        Function.prototype,
        Uint8Array.prototype,
        Decimal.prototype
      ]
      const before = prototypes.map((prototype) => Reflect.ownKeys(prototype).length)
      await fc.assert(
        fc.asyncProperty(
          anyRows,
          fc.nat(),
          fc.integer({ min: 0, max: 255 }),
          fc.boolean(),
          async (rows, at, byte, cut) => {
            const encoded = await encode(rows)
            if (limits?.carries(rows) === false) return
            const bytes = Uint8Array.from(Either.getOrThrow(encoded))
            bytes[at % bytes.length] = byte
            const result = await decode(cut ? bytes.subarray(0, at % bytes.length) : bytes)
            if (Either.isLeft(result)) expect(result.left).toBeInstanceOf(SerializerError)
          }
        ),
        { numRuns: 500 }
      )
      expect(prototypes.map((prototype) => Reflect.ownKeys(prototype).length)).toStrictEqual(before)
    })

    it("answers bytes that were never its own with a SerializerError", async () => {
      for (const bytes of [
        new Uint8Array(),
        new Uint8Array(1_000),
        new Uint8Array(64).fill(255),
        Buffer.from("\u0000\u0001{}")
      ]) {
        expect(await decode(bytes)).toMatchObject({ left: { _tag: "SerializerError" } })
      }
    })

    it("names its format", async () => {
      const id = Either.getOrThrow(await run((serializer) => Effect.succeed(serializer.id)))
      expect(id).toMatch(/^[!-~]{1,64}$/)
    })
  })
}
