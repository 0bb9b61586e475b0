import { Decimal } from "@prisma/client/runtime/client"
import * as Either from "effect/Either"
import { exact, SerializerError } from "effect-prisma-cache/Serializer"
import type { Context } from "effect-prisma-cache/Serializer"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { anyRows, anyValue, decimalType, difference } from "../conformance/values.js"

const context: Context = { digest: "", types: [decimalType] }
const encode = (value: unknown): Uint8Array => Either.getOrThrow(exact.encode(value, context))
const decode = (bytes: Uint8Array) => exact.decode(bytes, context)
const payload = (plan: string, json: string): Uint8Array => new TextEncoder().encode(`${plan}\n${json}`)
const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)

describe("what is stored", () => {
  it.each([
    ["plain data has no plan", [{ a: 1, b: ["x", null, { c: true }] }], '\n[{"a":1,"b":["x",null,{"c":true}]}]'],
    [
      "rows of one shape share one plan",
      [
        { at: new Date(1), n: 1 },
        { at: new Date(2), n: 2 }
      ],
      '[{"at":"d"}]\n[{"at":1,"n":1},{"at":2,"n":2}]'
    ],
    [
      "only what is special is in the plan",
      { a: { b: { c: 1n }, d: 1 } },
      '{"a":{"b":{"c":"n"}}}\n{"a":{"b":{"c":"1"},"d":1}}'
    ],
    ["a class is named in the plan", [new Decimal("1.5"), null], '[":Decimal"]\n["1.5",null]'],
    ["numbers say what they are if one of them is special", [1, NaN, -0], '["f"]\n[1,"NaN","-0"]'],
    ["different kinds say what they are", [1n, "x", { at: new Date(1) }], '["m"]\n[["n","1"],"x",["o","at",["d",1]]]'],
    ["an object or an array", [{ at: new Date(1) }, [2n]], '[["n",{"at":"d"}]]\n[{"at":1},["2"]]'],
    ["undefined and an invalid date", [{ u: undefined, d: new Date(NaN) }], '[{"u":"u","d":"d"}]\n[{"u":0,"d":false}]']
  ])("%s", (_, value, text) => {
    expect(textOf(encode(value))).toBe(text)
    expect(decode(payload(...(text.split("\n") as [string, string])))).toStrictEqual(Either.right(value))
  })

  it("can still be read as the first release wrote it", () => {
    const bytes = Buffer.from(
      "W3siY3JlYXRlZEF0IjoiZCIsImJhbGFuY2UiOiI6RGVjaW1hbCIsImJpZyI6Im4iLCJieXRlcyI6ImIiLCJyYXRpbyI6ImYiLCJub3RlIjoidSIsInRhZ3MiOlsiZCJdLCJtZXRhIjp7Il9fcHJvdG9fXyI6ImYifSwibWl4ZWQiOiJtIiwiZWl0aGVyIjpbIm4iLHsiYXQiOiJkIn1dfV0KW3siaWQiOjEsImNyZWF0ZWRBdCI6MTcwMDAwMDAwMDAwMCwiYmFsYW5jZSI6IjEyLjUwMSIsImJpZyI6IjkwMDcxOTkyNTQ3NDA5OTMiLCJieXRlcyI6IkFBSC8iLCJyYXRpbyI6Ii1JbmZpbml0eSIsIm5vdGUiOjAsInRhZ3MiOlswLGZhbHNlLG51bGxdLCJtZXRhIjp7Il9fcHJvdG9fXyI6Ii0wIn0sIm1peGVkIjpbImEiLFsiZCIsMV0sWyJmIiwiTmFOIl0sWyJvIiwiayIsWyI6RGVjaW1hbCIsIjEiXV0sWyJ1IiwwXSxbImIiLCJBUT09Il0sIsOpIiwxLG51bGwsdHJ1ZV0sImVpdGhlciI6eyJhdCI6NX19LHsiaWQiOjIsImNyZWF0ZWRBdCI6bnVsbCwiYmFsYW5jZSI6bnVsbCwiYmlnIjoiMCIsImJ5dGVzIjoiIiwicmF0aW8iOjAuNSwidGFncyI6W10sIm1ldGEiOm51bGwsIm1peGVkIjpbIm4iLCI3Il0sImVpdGhlciI6WyIxIl19XQ==",
      "base64"
    )
    const value = [
      {
        id: 1,
        createdAt: new Date(1_700_000_000_000),
        balance: new Decimal("12.501"),
        big: 9007199254740993n,
        bytes: Uint8Array.of(0, 1, 255),
        ratio: -Infinity,
        note: undefined,
        tags: [new Date(0), new Date(NaN), null],
        meta: Object.defineProperty({}, "__proto__", {
          value: -0,
          enumerable: true,
          writable: true,
          configurable: true
        }),
        mixed: [new Date(1), NaN, { k: new Decimal(1) }, undefined, Uint8Array.of(1), "é", 1, null, true],
        either: { at: new Date(5) }
      },
      {
        id: 2,
        createdAt: null,
        balance: null,
        big: 0n,
        bytes: new Uint8Array(),
        ratio: 0.5,
        tags: [],
        meta: null,
        mixed: 7n,
        either: [1n]
      }
    ]
    expect(difference(Either.getOrThrow(decode(bytes)), value)).toBeUndefined()
    expect(Buffer.from(encode(value)).toString("base64")).toBe(bytes.toString("base64"))
  })

  it("is small: a plan does not grow with the rows", () => {
    const row = (i: number) => ({ id: i, at: new Date(i), big: BigInt(i) })
    const planOf = (bytes: Uint8Array) => textOf(bytes).split("\n")[0]
    expect(planOf(encode([row(1)]))).toBe(planOf(encode(Array.from({ length: 500 }, (_, i) => row(i)))))
  })
})

describe("bytes that nobody encoded", () => {
  const deep = (depth: number, open: string, inner: string, close: string) =>
    open.repeat(depth) + inner + close.repeat(depth)

  const hostile: ReadonlyArray<readonly [string, Uint8Array]> = [
    ["no plan", new TextEncoder().encode("{}")],
    ["a plan that is no JSON", payload("{", "1")],
    ["a plan that is null", payload("null", "1")],
    ["a plan that is a number", payload("1", "1")],
    ["an empty list as a plan", payload("[]", "[1]")],
    ["a list of three as a plan", payload('["d",{},{}]', "[1]")],
    ["a list with no object as its second", payload('["d","d"]', "[1]")],
    ["an empty code", payload('""', "1")],
    ["an unknown code", payload('{"a":"x"}', '{"a":1}')],
    ["a code that is a name of every object", payload('"constructor"', "1")],
    ["a deep plan", payload(deep(100_000, "[", '"d"', "]"), "[1]")],
    ["a deep plan of objects", payload(deep(2_000, '{"a":', '"d"', "}"), "{}")],
    ["a deep plan for deep data", payload(deep(600, "[", '"d"', "]"), deep(600, "[", "1", "]"))],
    ["deep self-describing data", payload('"m"', deep(100_000, '["a",', "1", "]"))],
    ["self-describing data of 600 levels", payload('"m"', deep(600, '["a",', "1", "]"))],
    ["self-describing data without a code", payload('"m"', "[]")],
    ["self-describing data in an object", payload('"m"', '{"a":1}')],
    ["self-describing data within itself", payload('"m"', '["m",["m",1]]')],
    ["a key that is no string", payload('"m"', '["o",1,1]')],
    ["a date that is text", payload('"d"', '"2024-01-01"')],
    ["a bigint that is a fraction", payload('"n"', '"1.5"')],
    ["a bigint that is a number", payload('"n"', "1")],
    ["bytes that are a number", payload('"b"', "1")],
    ["a special number that is none", payload('"f"', '"Zero"')],
    ["a decimal that is none", payload('":Decimal"', '"one"')],
    ["a decimal that is an object", payload('":Decimal"', '{"s":1}')],
    ["bytes that are no UTF-8", Uint8Array.of(10, 34, 0xed, 0xa0, 0x80, 34)],
    ["a line feed alone", Uint8Array.of(10)]
  ]

  it.each(hostile)("%s", (_, bytes) => {
    const result = decode(bytes)
    expect(Either.isLeft(result) && result.left).toBeInstanceOf(SerializerError)
    expect(result).toMatchObject({ left: { reason: "Malformed" } })
  })

  it.each([
    [
      "a plan for what every object inherits",
      '{"constructor":"d","__proto__":{"polluted":"n"},"toString":{"call":"u"}}',
      "{}",
      {}
    ],
    ["a plan for what is not there", '{"a":"d","b":["n"]}', '{"c":1}', { c: 1 }],
    ["a plan for another shape", '[{"a":"d"}]', '[1,"x",[2],{"a":null}]', [1, "x", [2], { a: null }]],
    ["deep plain data", "", deep(100_000, "[", "1", "]"), undefined]
  ])("%s is of no effect", (_, plan, json, value) => {
    const result = decode(payload(plan, json))
    expect(Either.isRight(result)).toBe(true)
    if (value !== undefined) expect(result).toStrictEqual(Either.right(value))
  })

  it("cannot reach a prototype", () => {
    for (const [plan, json] of [
      ['"m"', '["o","__proto__",["o","polluted",true]]'],
      ['"m"', '["o","constructor",["o","prototype",["o","polluted",true]]]'],
      ['{"__proto__":{"polluted":"n"}}', '{"__proto__":{"polluted":"1"}}'],
      ['{"constructor":{"prototype":{"polluted":"n"}}}', '{"constructor":{"prototype":{"polluted":"1"}}}'],
      ['[{"__proto__":{"__proto__":"d"}}]', '[{"__proto__":{"__proto__":1}},{}]']
    ] as const) {
      const value = Either.getOrThrow(decode(payload(plan, json)))
      expect(Object.getPrototypeOf(Array.isArray(value) ? value[0] : value)).toBe(Object.prototype)
      expect(({} as { polluted?: unknown }).polluted).toBeUndefined()
      expect(Object.getPrototypeOf(Object.prototype)).toBeNull()
    }
  })

  it("100,000 damaged payloads throw nothing and change no prototype", { timeout: 120_000 }, () => {
    const prototypes = [
      Object.prototype,
      Array.prototype,
      Date.prototype,
      Function.prototype,
      String.prototype,
      Uint8Array.prototype,
      Decimal.prototype
    ]
    const shapes = () => prototypes.map((prototype) => Reflect.ownKeys(prototype).map(String))
    const before = shapes()
    const seed = 20_260_101
    const payloads = fc.sample(fc.oneof(anyRows, anyValue), { numRuns: 500, seed }).map(encode)
    let state = seed
    const random = (below: number): number => {
      state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9) | 0
      return (state >>> 0) % below
    }
    const damage = (bytes: Uint8Array): Uint8Array => {
      const damaged = Uint8Array.from(bytes)
      const end = damaged.indexOf(10)
      const at = random(3) === 0 && end > 0 ? random(end) : random(damaged.length) // the plan matters most
      switch (random(5)) {
        case 0:
          damaged[at]! ^= 1 << random(8)
          return damaged
        case 1:
          damaged[at] = '[]{}",:0-dnbfum\n\\_'.charCodeAt(random(18))
          return damaged
        case 2:
          return damaged.subarray(0, at)
        case 3:
          return damaged.subarray(at)
        default:
          return damaged.copyWithin(at, random(damaged.length), random(damaged.length))
      }
    }
    let values = 0
    let errors = 0
    for (let i = 0; i < 100_000; i++) {
      const result = decode(damage(payloads[i % payloads.length]!))
      if (Either.isRight(result)) values++
      else if (result.left instanceof SerializerError) errors++
    }
    expect(values + errors).toBe(100_000)
    expect(Math.min(values, errors)).toBeGreaterThan(10_000) // both ways were taken
    expect(shapes()).toStrictEqual(before)
    expect(Object.keys({})).toStrictEqual([])
  })
})

describe("plans that were met before", () => {
  it("are not mistaken for each other, however many there are", () => {
    for (let round = 0; round < 2; round++) {
      for (let i = 0; i < 3_000; i++) {
        const value = { [`column${i}`]: BigInt(i), at: i % 2 === 0 ? new Date(i) : "text" }
        expect(difference(Either.getOrThrow(decode(encode(value))), value)).toBeUndefined()
      }
    }
  })
})
