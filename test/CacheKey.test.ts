import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as CacheKey from "effect-prisma-cache/CacheKey"
import fc from "fast-check"
import { execFile } from "node:child_process"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { describe, expect, it } from "vitest"
import { canonical } from "../src/internal/canonical.js"
import { anyText, objectOf } from "./conformance/values.js"
import { digests } from "./support/keySamples.js"

const digest = (parts: unknown): string => Either.getOrThrow(CacheKey.make(parts)).digest

class Point {
  constructor(
    readonly x: number,
    readonly y: number
  ) {}
}

class Temperature {
  constructor(readonly kelvin: number) {}
  toJSON() {
    return { kelvin: this.kelvin }
  }
}

describe("a key", () => {
  it("is a full SHA-256 that names its namespace and its label", () => {
    const key = Either.getOrThrow(CacheKey.make(["a", 1], { namespace: "shop", label: "User.findMany" }))
    expect(key).toStrictEqual({
      [CacheKey.TypeId]: CacheKey.TypeId,
      digest: expect.stringMatching(/^[A-Za-z0-9_-]{43}$/),
      namespace: "shop",
      label: "User.findMany"
    })
    expect(Either.getOrThrow(CacheKey.make(1))).toMatchObject({ namespace: undefined, label: "entry" })
  })

  it("is the same for the same parts, whatever the label", () => {
    expect(digest({ a: 1 })).toBe(Either.getOrThrow(CacheKey.make({ a: 1 }, { label: "other" })).digest)
  })

  it("is another one in another namespace", () => {
    const inNamespace = (namespace?: string) => Either.getOrThrow(CacheKey.make("parts", { namespace })).digest
    expect(new Set([inNamespace(), inNamespace(""), inNamespace("shop"), inNamespace("shop2")]).size).toBe(4)
  })

  it("is told from other values", () => {
    expect(CacheKey.isCacheKey(Either.getOrThrow(CacheKey.make(1)))).toBe(true)
    for (const value of [null, undefined, "key", {}, [], { digest: "x" }])
      expect(CacheKey.isCacheKey(value)).toBe(false)
  })

  it("is the same in another process, and in every release of this format", { timeout: 60_000 }, async () => {
    const program = fileURLToPath(new URL("./support/keySamples.ts", import.meta.url))
    const { stdout } = await promisify(execFile)(process.execPath, ["--import", "tsx", program])
    expect(JSON.parse(stdout)).toStrictEqual(digests())
    expect(digests()).toMatchInlineSnapshot(`
      [
        "Qs15JMwq0uz1xSN7a-qJFIKKF78jBGrGrW87xuI5UXY",
        "euip50PtzF8q4Wv5f5wvrJZ-A498cYiAJHBF1n1N_Ms",
        "k6w24GaopDVKF-c5RzYa0JSFnGhc-_DNjMYQvHeUTT4",
        "xISmQbW1bXkNCPcLL9PkiL3Bp3HuFFTOiCTYOwg7xbk",
        "mbFEc8Cj9AFvRl2I227-4BMMFbhoAjSmfn5Py6pZTP0",
        "1UFbojAcyU6LJdVoP3bXyWSkt5KwA2-56dZNXi47CFw",
        "-q5D1bTfUQlajcmTlfE20A3vp09Le56TtqKuJ4dXo-U",
      ]
    `)
  })
})

describe("parts that differ", () => {
  const different: ReadonlyArray<readonly [string, unknown, unknown]> = [
    ["a number and its text", 1, "1"],
    ["a number and a bigint", 1, 1n],
    ["a bigint and its text", 1n, "1"],
    ["zero and minus zero", 0, -0],
    ["NaN and null", NaN, null],
    ["NaN and its name", NaN, "NaN"],
    ["infinity and minus infinity", Infinity, -Infinity],
    ["null and its name", null, "null"],
    ["true and its name", true, "true"],
    ["true and one", true, 1],
    ["undefined and null", undefined, null],
    ["the empty string and nothing", "", undefined],
    ["an empty array and an empty object", [], {}],
    ["an array and an object with its indices", ["a"], { 0: "a" }],
    ["one element and the element", ["a"], "a"],
    ["different groupings", [["a"], "b"], ["a", ["b"]]],
    ["an element inside and after a list", [["a"], "b"], [["a", "b"]]],
    ["a member inside and after an object", { a: { b: 1 }, c: 2 }, { a: { b: 1, c: 2 } }],
    ["different splits", ["ab", "c"], ["a", "bc"]],
    ["different splits of key and value", { ab: "c" }, { a: "bc" }],
    ["two members and one that looks like both", { a: "1", b: "2" }, { a: "1s1:b2" }],
    ["an order of elements", [1, 2], [2, 1]],
    ["an absent element and none", [undefined], []],
    ["a null member and none", { a: null }, {}],
    ["a date and its time", new Date(5), 5],
    ["a date and its text", new Date(5), new Date(5).toISOString()],
    ["an invalid date and NaN", new Date(NaN), NaN],
    ["dates a millisecond apart", new Date(5), new Date(6)],
    ["bytes and their text", Uint8Array.of(97), "a"],
    ["bytes and their base64", Uint8Array.of(1, 2), "AQI="],
    ["bytes and their list", Uint8Array.of(1), [1]],
    ["an object with toJSON and its JSON", new Temperature(1), { kelvin: 1 }],
    ["objects with another JSON", new Temperature(1), new Temperature(2)],
    ["halves of surrogate pairs", "\ud800", "\ud801"],
    ["half of a surrogate pair and its replacement", "\ud800", "\ufffd"],
    ["composed and decomposed letters", "\u00e9", "e\u0301"],
    ["an own __proto__ and none", JSON.parse('{"__proto__":1}'), {}],
    ["values under __proto__", JSON.parse('{"__proto__":1}'), JSON.parse('{"__proto__":2}')],
    ["the pair that a 32-bit hash confuses", { id: 142, userId: 287 }, { id: 145, userId: 0 }],
    ["text in the format of another text", "s1:a", ["a"]],
    ["a list in the format of text", ["s1:a"], [["a"]]],
    ["long numbers", 9007199254740993n, 9007199254740992n]
  ]

  it.each(different)("have different keys: %s", (_, a, b) => {
    expect(canonical(a)).not.toBe(canonical(b))
    expect(digest(a)).not.toBe(digest(b))
    expect(digest([a])).not.toBe(digest([b]))
    expect(digest({ a })).not.toBe(digest({ a: b }))
  })

  it("all have different keys", () => {
    const all = different.flatMap(([, a, b]) => [a, b])
    const distinct = all.filter((a, i) => all.findIndex((b) => same(a, b)) === i)
    expect(new Set(all.map(digest)).size).toBe(distinct.length)
  })
})

describe("parts that are the same", () => {
  it.each<readonly [string, unknown, unknown]>([
    ["an order of keys", { a: 1, b: { c: 2, d: 3 } }, { b: { d: 3, c: 2 }, a: 1 }],
    ["an undefined member and none", { a: 1, b: undefined }, { a: 1 }],
    ["a text put together", "ab", ["a", "b"].join("")],
    ["views of the same bytes", Uint8Array.of(1, 0), new Uint16Array(Uint8Array.of(1, 0).buffer)],
    ["a part of a buffer and a copy of it", Uint8Array.of(9, 1, 2, 9).subarray(1, 3), Buffer.from([1, 2])],
    ["an object with and without a prototype", { a: 1 }, Object.assign(Object.create(null), { a: 1 })],
    ["objects with the same JSON", new Temperature(1), new Temperature(1)],
    ["a date and another one of that time", new Date(7), new Date(7)],
    ["Effect's data", Option.some({ a: 1 }), Option.some({ a: 1 })]
  ])("have the same key: %s", (_, a, b) => {
    expect(digest(a)).toBe(digest(b))
  })
})

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null

/** Equality as the key's documentation has it, written without the encoding. */
const same = (a: unknown, b: unknown): boolean => {
  if (!isObject(a) || !isObject(b)) return Object.is(a, b)
  if (Object.getPrototypeOf(a) !== Object.getPrototypeOf(b)) return false
  if (a instanceof Date) return Object.is(Number(a), Number(b))
  if (a instanceof Uint8Array) return Buffer.compare(a, Buffer.from(Object.values(b) as Array<number>)) === 0
  if (Array.isArray(a)) return a.length === b["length"] && a.every((element, i) => same(element, b[i]))
  const keysOf = (value: Record<string, unknown>) => Object.keys(value).filter((key) => value[key] !== undefined)
  return (
    keysOf(a).length === keysOf(b).length && keysOf(a).every((key) => Object.hasOwn(b, key) && same(a[key], b[key]))
  )
}

const fewKeys = fc.constantFrom("a", "b", "ab", "", "__proto__", "1:a")
const fewValues = fc.letrec<{ readonly value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom<unknown>(null, true, false, 0, -0, 1, "", "1", "a", "]", "s1:a", "n1;", "}", 1n, NaN, undefined),
    fc.constantFrom(0, 1, NaN).map((time) => new Date(time)),
    fc.uint8Array({ maxLength: 2, max: 1 }),
    fc.array(tie("value"), { maxLength: 3 }),
    fc.array(fc.tuple(fewKeys, tie("value")), { maxLength: 3 }).map(objectOf)
  )
})).value

const reordered = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(reordered)
  if (!isObject(value) || value instanceof Date || value instanceof Uint8Array) return value
  return objectOf(
    Object.entries(value)
      .reverse()
      .map(([key, member]) => [key, reordered(member)])
  )
}

describe("the encoding", () => {
  it("is the same for two values if and only if they are the same", () => {
    fc.assert(
      fc.property(fewValues, fewValues, (a, b) => {
        expect(canonical(a) === canonical(b)).toBe(same(a, b))
      }),
      { numRuns: 20_000 }
    )
  })

  it("does not depend on the order of keys", () => {
    fc.assert(
      fc.property(fewValues, (value) => {
        expect(canonical(reordered(value))).toBe(canonical(value))
      })
    )
  })

  it("says itself where it ends: no list of values reads as another one", () => {
    fc.assert(
      fc.property(fc.array(fewValues, { maxLength: 4 }), fc.array(fewValues, { maxLength: 4 }), (a, b) => {
        const joined = (values: ReadonlyArray<unknown>) => values.map((value) => canonical(value)).join("")
        expect(joined(a) === joined(b)).toBe(same(a, b))
      }),
      { numRuns: 5_000 }
    )
  })

  it("holds every text", () => {
    fc.assert(
      fc.property(anyText, anyText, (a, b) => {
        expect(digest(a) === digest(b)).toBe(a === b)
        expect(digest({ [a]: 1 }) === digest({ [b]: 1 })).toBe(a === b)
      })
    )
  })
})

describe("what has no value to tell it by is an error, not a key", () => {
  const cyclic: Record<string, unknown> = {}
  cyclic["self"] = [cyclic]
  let deep: unknown = 1
  for (let i = 0; i < 100_000; i++) deep = [deep]
  let web: unknown = "text"
  for (let i = 0; i < 60; i++) web = [web, web]

  it.each<readonly [string, string, unknown]>([
    ["a function", "Unsupported", () => 0],
    ["a function among members", "Unsupported", { where: () => 0 }],
    ["a symbol", "Unsupported", [Symbol("secret")]],
    ["a symbol as a key", "Unsupported", { [Symbol("secret")]: 1 }],
    ["an instance of a class", "Unsupported", new Point(1, 2)],
    ["a Map", "Unsupported", new Map([["secret", 1]])],
    ["a Set", "Unsupported", new Set(["secret"])],
    ["an array with a hole", "Unsupported", new Array(1)],
    ["an array with a further property", "Unsupported", Object.assign([1], { secret: 1 })],
    [
      "a getter that throws",
      "Unsupported",
      {
        get secret() {
          throw new Error("secret")
        }
      }
    ],
    [
      "a toJSON that throws",
      "Unsupported",
      {
        toJSON() {
          throw new Error("secret")
        }
      }
    ],
    ["a redacted value, as all of them look the same", "Unsupported", Redacted.make("secret")],
    ["a redacted value in Effect's data", "Unsupported", Option.some(Redacted.make("secret"))],
    ["a cyclic object", "TooDeep", cyclic],
    ["a deep array", "TooDeep", deep],
    [
      "a toJSON without an end",
      "TooDeep",
      new (class Endless {
        toJSON(): unknown {
          return new Endless()
        }
      })()
    ],
    ["a web of 2^60 paths", "TooLarge", web]
  ])("%s: %s", (_, reason, parts) => {
    const result = CacheKey.make(parts)
    expect(result).toMatchObject({ left: { _tag: "CacheKeyError", reason } })
    if (Either.isLeft(result)) expect(`${result.left}${result.left.message}`).not.toContain("secret")
  })

  it("tells what to do about it", () => {
    expect(CacheKey.make({ at: new Point(1, 2) })).toMatchObject({
      left: {
        message:
          "no cache key can be made: it holds an instance of Point, which has no value to tell it by; use plain data instead"
      }
    })
  })
})
