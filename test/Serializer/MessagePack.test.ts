import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import { exact } from "effect-prisma-cache/Serializer"
import * as Compressed from "effect-prisma-cache/Serializer/Compressed"
import * as MessagePack from "effect-prisma-cache/Serializer/MessagePack"
import { describe, expect, it } from "vitest"
import { serializerConformance } from "../conformance/serializer.js"

serializerConformance("MessagePack", MessagePack.layer)
serializerConformance("compressed MessagePack", Layer.provide(Compressed.layer({ threshold: 0 }), MessagePack.layer))

describe("MessagePack", () => {
  const context = { digest: "", types: [] }
  const bytesOf = (value: unknown, serializer = MessagePack.messagePack) =>
    Either.getOrThrow(serializer.encode(value, context))

  it("is smaller than JSON where there are many numbers", () => {
    const rows = Array.from({ length: 100 }, (_, id) => ({ id, price: 1.5, ok: true, at: new Date(1_700_000_000_000) }))
    expect(bytesOf(rows).length).toBeLessThan(bytesOf(rows, exact).length)
  })

  it("answers at once, and refuses what it did not write", () => {
    expect(Either.isEither(MessagePack.messagePack.encode(1, context))).toBe(true)
    for (const bytes of [[], [10], [10, 2, 1], [10, 0, 0xc1], [10, 1, 0x7b], [120, 10, 0, 1]]) {
      expect(MessagePack.messagePack.decode(Uint8Array.from(bytes), context)).toMatchObject({
        left: { reason: "Malformed" }
      })
    }
  })
})
