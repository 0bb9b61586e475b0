import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import { CacheOptionsError } from "effect-prisma-cache/CacheError"
import { exact, layerExact } from "effect-prisma-cache/Serializer"
import * as Compressed from "effect-prisma-cache/Serializer/Compressed"
import { constants, createInflateRaw, deflateRawSync } from "node:zlib"
import { memoryStore } from "../QueryCache/support.js"
import { bare, build, decode, encode, forged, keep, makeCache, spied } from "./support.js"

const mebibyte = 1 << 20

/** A stream of 256 MiB of zeros, made of the one of one mebibyte again and again. */
const bomb = (): Uint8Array => {
  const piece = deflateRawSync(new Uint8Array(mebibyte), { finishFlush: constants.Z_FULL_FLUSH })
  return Buffer.concat([...Array.from({ length: 256 }, () => piece), Uint8Array.of(3, 0)])
}

/** What says of itself that it is compressed, and how much it is. */
const claiming = (length: number, stream: Uint8Array): Uint8Array => {
  const made = new Uint8Array(5 + stream.length)
  made[0] = 1
  new DataView(made.buffer).setUint32(1, length)
  made.set(stream, 5)
  return made
}

const claims = [
  ["what is in it", 256 * mebibyte, "TooLarge"],
  ["as much as is allowed", 16 * mebibyte, "Malformed"],
  ["little", 100, "Malformed"],
  ["nothing", 0, "Malformed"]
] as const

const runtimes = [
  ["zlib", Compressed.layer()],
  ["a CompressionStream", bare(Compressed.layer())]
] as const

describe("a bomb of 256 MiB", () => {
  it("is one", async () => {
    const stream = bomb()
    expect(stream.length).toBeLessThan(mebibyte / 2)
    const inflate = createInflateRaw()
    inflate.end(stream)
    let length = 0
    for await (const chunk of inflate) length += chunk.length
    expect(length).toBe(256 * mebibyte)
  })

  for (const [name, layer] of runtimes) {
    it.each(claims)(`is refused by ${name} where it says that it is %s (%i bytes), without memory for it`, async (_, length, reason) => {
      const serializer = await build(Layer.provide(layer, layerExact))
      const bytes = claiming(length, bomb())
      const before = process.resourceUsage().maxRSS
      expect(await decode(serializer, bytes)).toMatchObject({ left: { _tag: "SerializerError", reason } })
      // Kilobytes. Twice what is allowed, for it may be there in pieces and as a whole.
      expect(process.resourceUsage().maxRSS - before).toBeLessThan(64 * 1_024)
    })
  }

  it.scopedLive("in the store is a miss, and gone", () =>
    Effect.gen(function*() {
      const { peek, put, store, stored } = spied(memoryStore())
      const { cache, events } = yield* makeCache(Either.getOrThrow(Compressed.make(exact)), store)
      const { bytes, name, request } = yield* keep(cache, stored, "a", ["text"])
      for (const [, length] of claims) {
        yield* put(name, forged(bytes, claiming(length, bomb())))
        events.length = 0
        expect(yield* Effect.flip(cache.fetch(request, Effect.fail("asked")))).toBe("asked")
        expect(yield* peek(name)).toBeNull()
        expect(events.map(({ _tag }) => _tag)).toContain("Corrupt")
      }
    }))
})

describe("compression", () => {
  const row = { id: 1, name: "Ada", email: "ada@example.org" }
  const sizes = async (value: unknown, options?: Compressed.Options) => {
    const serializer = Either.getOrThrow(Compressed.make(exact, options))
    const bytes = Either.getOrThrow(await encode(serializer, value))
    expect(await decode(serializer, bytes)).toEqual(Either.right(value))
    return { plain: Either.getOrThrow(await encode(exact, value)).length, bytes }
  }

  it("leaves less than the threshold alone, for one byte", async () => {
    const rows = Array.from({ length: 40 }, () => row)
    const { bytes, plain } = await sizes(rows)
    expect([bytes[0], bytes.length, plain < 2_048]).toEqual([0, plain + 1, true])
    expect((await sizes(rows, { threshold: plain })).bytes[0]).toBe(1)
    expect((await sizes(rows, { threshold: plain + 1 })).bytes[0]).toBe(0)
  })

  it("makes rows a fraction of what they were", async () => {
    const { bytes, plain } = await sizes(Array.from({ length: 100 }, (_, id) => ({ ...row, id })))
    expect(bytes.length).toBeLessThan(plain / 4)
  })

  it("leaves alone what would not become smaller", async () => {
    const noise = globalThis.crypto.getRandomValues(new Uint8Array(30_000))
    // Base64 does become smaller, by as much as it wastes.
    expect((await sizes(noise)).bytes[0]).toBe(1)
    const short = await sizes("abcdefghijklmnopqrstuvwxyz", { threshold: 0 })
    expect([short.bytes[0], short.bytes.length]).toEqual([0, short.plain + 1])
  })

  it("refuses to store what it would not read", async () => {
    const serializer = Either.getOrThrow(Compressed.make(exact, { maxBytes: 1_000 }))
    expect(await encode(serializer, "a".repeat(2_000))).toMatchObject({ left: { reason: "TooLarge" } })
    const wide = Either.getOrThrow(await encode(Either.getOrThrow(Compressed.make(exact)), "a".repeat(3_000)))
    expect(await decode(serializer, wide)).toMatchObject({ left: { reason: "TooLarge" } })
  })

  it.each(runtimes)("%s: reads nothing of a stream that was cut or has another length", async (_, layer) => {
    const serializer = await build(Layer.provide(layer, layerExact))
    const bytes = Either.getOrThrow(await encode(serializer, "text ".repeat(1_000)))
    for (let length = 0; length < bytes.length; length++) {
      expect(await decode(serializer, bytes.subarray(0, length))).toMatchObject({ left: { reason: "Malformed" } })
    }
    for (const by of [-1, 1]) {
      const other = bytes.slice()
      new DataView(other.buffer).setUint32(1, new DataView(bytes.buffer).getUint32(1) + by)
      expect(await decode(serializer, other)).toMatchObject({ left: { reason: "Malformed" } })
    }
  })

  it("names what is wrong with its options", () => {
    const wrong: ReadonlyArray<readonly [object, string, string]> = [
      [{ threshold: -1 }, "threshold", "got -1, allowed: bytes, 0 or more"],
      [{ threshold: "1 KiB" }, "threshold", "got string, allowed: bytes, 0 or more"],
      [{ maxBytes: 1.5 }, "maxBytes", "got 1.5, allowed: bytes, a whole number from 1 to 4294967295"],
      [{ level: 9 }, "level", "unknown; allowed: threshold, maxBytes"]
    ]
    for (const [options, path, message] of wrong) {
      const made = Compressed.make(exact, options)
      expect(Either.isLeft(made) && made.left).toBeInstanceOf(CacheOptionsError)
      expect(made).toMatchObject({ left: { problems: [{ path, message }] } })
    }
  })
})
