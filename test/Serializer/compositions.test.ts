import * as Either from "effect/Either"
import { layerExact } from "effect-prisma-cache/Serializer"
import * as Layer from "effect/Layer"
import * as Compressed from "effect-prisma-cache/Serializer/Compressed"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { serializerConformance } from "../conformance/serializer.js"
import { anyRows, difference } from "../conformance/values.js"
import { amount } from "../support/amount.js"
import { bareCompositions, build, compositions, contextOf, decode, encode } from "./support.js"

// The last one is made of all the others; how it is the other way round is seen on the web platform.
for (const [id, layer] of Object.entries(compositions).slice(amount(-1, 0))) serializerConformance(id, layer)

serializerConformance("compression above its default threshold", Layer.provide(Compressed.layer(), layerExact))

describe("serializers around others", () => {
  const both = [
    ...Object.entries(compositions).map(([id, layer]) => ({ id, layer, where: "on Node's modules", now: true })),
    ...Object.entries(bareCompositions).map(([id, layer]) => ({ id, layer, where: "on the web platform", now: false }))
  ]

  it.each(both)("$id $where: has all names in its own, the outer one first", async ({ id, layer }) => {
    expect((await build(layer)).id).toBe(id)
  })

  it.each(both)("$id $where: gives back sets of random rows exactly", async ({ layer }) => {
    const serializer = await build(layer)
    for (const rows of fc.sample(anyRows, { numRuns: amount(150, 1_000), seed: 20_260_401 })) {
      const bytes = Either.getOrThrow(await encode(serializer, rows))
      expect(difference(Either.getOrThrow(await decode(serializer, bytes)), rows)).toBeUndefined()
    }
  })

  it.each(both)("$id $where: answers at once where nothing has to be waited for ($now)", async ({ layer, now }) => {
    const serializer = await build(layer)
    const value = [{ at: new Date(0), text: "text".repeat(100) }]
    expect(Either.isEither(serializer.encode(value, contextOf("a")))).toBe(now)
    const bytes = Either.getOrThrow(await encode(serializer, value))
    expect(Either.isEither(serializer.decode(bytes, contextOf("a")))).toBe(now)
  })

  it.each(Object.entries(bareCompositions))("%s: what one runtime wrote the other reads", async (id, layer) => {
    const web = await build(layer)
    const node = await build(compositions[id as keyof typeof bareCompositions])
    const value = Array.from({ length: 100 }, (_, i) => ({ id: i, at: new Date(i), name: `row ${i}` }))
    for (const [writer, reader] of [[web, node], [node, web]] as const) {
      const bytes = Either.getOrThrow(await encode(writer, value))
      expect(await decode(reader, bytes)).toEqual(Either.right(value))
    }
  })
})
