import { Decimal } from "@prisma/client/runtime/client"
import type { ValueType } from "effect-prisma-cache/Serializer"
import fc from "fast-check"

/** The client's own `Decimal`, as the Prisma extension gives it. */
export const decimalType: ValueType<Decimal> = {
  code: "Decimal",
  is: (value) => value instanceof Decimal,
  encode: (value) => value.valueOf(), // unlike toString, with the sign of minus zero
  decode: (text) => new Decimal(text)
}

const isObject = (value: unknown): value is object => typeof value === "object" && value !== null

const member = (value: object, key: string | symbol): unknown => Object.getOwnPropertyDescriptor(value, key)?.value

/**
 * Where two values differ in anything that a program could see: class, key order, `-0`, a hole, a property of an array.
 * `undefined`: nowhere.
 */
export const difference = (a: unknown, b: unknown, path = "value"): string | undefined => {
  if (!isObject(a) || !isObject(b)) return Object.is(a, b) ? undefined : path
  if (Object.getPrototypeOf(a) !== Object.getPrototypeOf(b)) return `class of ${path}`
  if (a instanceof Date && b instanceof Date) return Object.is(a.getTime(), b.getTime()) ? undefined : `time of ${path}`
  if (a instanceof Uint8Array && b instanceof Uint8Array) {
    return Buffer.compare(a, b) === 0 ? undefined : `bytes of ${path}`
  }
  if (a instanceof Decimal && b instanceof Decimal) {
    return a.valueOf() === b.valueOf() && Object.is(a.s, b.s) ? undefined : `digits of ${path}`
  }
  const keys = Reflect.ownKeys(a)
  const others = Reflect.ownKeys(b)
  if (keys.length !== others.length || keys.some((key, i) => key !== others[i])) return `keys of ${path}`
  for (const key of keys) {
    const found = difference(member(a, key), member(b, key), `${path}.${String(key)}`)
    if (found !== undefined) return found
  }
  return undefined
}

/** All objects in a value, the buffers of byte arrays among them. */
export const objectsIn = (value: unknown, found = new Set<object>()): ReadonlySet<object> => {
  if (!isObject(value) || found.has(value)) return found
  found.add(value)
  if (value instanceof Uint8Array) found.add(value.buffer)
  else for (const key of Reflect.ownKeys(value)) objectsIn(member(value, key), found)
  return found
}

/** An object from its members, `__proto__` being a member like any other. */
export const objectOf = (members: Iterable<readonly [string, unknown]>): Record<string, unknown> => {
  const object: Record<string, unknown> = {}
  for (const [key, value] of members) {
    Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true })
  }
  return object
}

// -----------------------------------------------------------------------------
// arbitrary values
// -----------------------------------------------------------------------------

/** Any sequence of UTF-16 code units, halves of surrogate pairs included. */
export const anyText: fc.Arbitrary<string> = fc.oneof(
  fc.string(),
  fc.string({ unit: "binary", maxLength: 5 }),
  fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 4 }).map((units) => String.fromCharCode(...units)),
  fc.constantFrom("2024-01-01T00:00:00.000Z", "\n", "null", "NaN", "-0", "o", "a", "d", "[", "\u2028", "1e400")
)

export const anyKey: fc.Arbitrary<string> = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom("id", "name", "createdAt", "balance", "posts", "meta") },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      "__proto__",
      "constructor",
      "prototype",
      "toString",
      "hasOwnProperty",
      "$type",
      "toJSON",
      "",
      "0",
      "10",
      "9",
      "-1",
      "length",
      "then"
    )
  },
  { weight: 1, arbitrary: anyText }
)

const jsonLeaf = fc.oneof(
  fc.constant(null),
  fc.boolean(),
  fc.integer(),
  fc.double({ noNaN: true, noDefaultInfinity: true }).filter((value) => !Object.is(value, -0)),
  anyText
)

const decimal: fc.Arbitrary<Decimal> = fc.oneof(
  fc.tuple(fc.bigInt(), fc.nat(30)).map(([digits, scale]) => new Decimal(`${digits}e-${scale}`)),
  fc
    .constantFrom("-0", "1e-300", "123456789012345678901234567890.123456789", "NaN", "-Infinity")
    .map((text) => new Decimal(text))
)

const specialLeaf = fc.oneof(
  fc.date({ noInvalidDate: false }),
  fc.bigInt(),
  fc.uint8Array({ maxLength: 12 }),
  fc.constantFrom(NaN, Infinity, -Infinity, -0, undefined),
  decimal
)

const nested = (leaf: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> =>
  fc.letrec<{ readonly value: unknown }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 5, depthSize: "small" },
      leaf,
      fc.array(tie("value"), { maxLength: 5 }),
      fc.array(fc.tuple(anyKey, tie("value")), { maxLength: 5 }).map(objectOf)
    )
  })).value

/** What a JSON column may hold. */
export const anyJson: fc.Arbitrary<unknown> = nested(fc.oneof(jsonLeaf, fc.constant(-0)))

/** Any value that the library promises to give back. */
export const anyValue: fc.Arbitrary<unknown> = nested(fc.oneof(jsonLeaf, specialLeaf))

const column: fc.Arbitrary<fc.Arbitrary<unknown>> = fc.constantFrom<Array<fc.Arbitrary<unknown>>>(
  fc.integer(),
  fc.double(),
  anyText,
  fc.boolean(),
  fc.date({ noInvalidDate: false }),
  fc.bigInt(),
  fc.uint8Array({ maxLength: 8 }),
  decimal,
  anyJson,
  fc.array(fc.oneof(fc.date(), fc.constant(null)), { maxLength: 3 }),
  fc.array(decimal, { maxLength: 3 })
)

/** Rows as a query answers them: the same columns in each, any of them null, some with rows of a relation. */
export const anyRows: fc.Arbitrary<ReadonlyArray<unknown>> = fc
  .uniqueArray(fc.tuple(anyKey, column), { selector: ([key]) => key, minLength: 1, maxLength: 7 })
  .chain((columns) => {
    const row = fc
      .tuple(...columns.map(([, values]) => fc.option(values, { freq: 4 })))
      .map((values) => objectOf(columns.map(([key], i) => [key, values[i]])))
    const withRelations = fc
      .tuple(row, fc.array(row, { maxLength: 3 }), fc.option(row), fc.nat(9))
      .map(([own, many, one, count]) => ({ ...own, many, one, _count: { many: count } }))
    return fc.array(fc.oneof({ weight: 3, arbitrary: row }, withRelations), { maxLength: 6 })
  })
