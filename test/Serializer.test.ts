import * as Either from "effect/Either"
import { exact, layerExact, make } from "effect-prisma-cache/Serializer"
import { describe, expect, it } from "vitest"
import { serializerConformance } from "./conformance/serializer.js"

serializerConformance("Serializer.layerExact", layerExact)

describe("Serializer.exact", () => {
  const context = { digest: "", types: [] }

  it("answers at once, so that a caller in a hurry needs no fiber", () => {
    const encoded = exact.encode({ at: new Date(1) }, context)
    expect(Either.isEither(encoded)).toBe(true)
    const decoded = exact.decode(Either.getOrThrow(encoded), context)
    expect(decoded).toStrictEqual(Either.right({ at: new Date(1) }))
    expect(Either.isEither(exact.encode(() => 0, context))).toBe(true)
    expect(Either.isEither(exact.decode(new Uint8Array(), context))).toBe(true)
  })

  it("tells what to do about a value that it cannot store", () => {
    expect(exact.encode({ m: new Map() }, context)).toMatchObject({
      left: {
        message:
          "the value cannot be stored: it holds an instance of Map; make that plain data, or give a ValueType for its class"
      }
    })
  })
})

describe("Serializer.make", () => {
  it("makes a serializer of anybody's own", () => {
    const json = make({
      id: "json",
      encode: (value) => Either.right(new TextEncoder().encode(JSON.stringify(value))),
      decode: (bytes) => Either.right(JSON.parse(new TextDecoder().decode(bytes)))
    })
    expect(json).toMatchObject({ id: "json" })
  })
})
