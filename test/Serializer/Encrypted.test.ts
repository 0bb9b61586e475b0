import { describe, expect, it } from "@effect/vitest"
import * as Config from "effect/Config"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { CacheOptionsError } from "effect-prisma-cache/CacheError"
import { exact, layerExact, make, Serializer } from "effect-prisma-cache/Serializer"
import * as Compressed from "effect-prisma-cache/Serializer/Compressed"
import * as Encrypted from "effect-prisma-cache/Serializer/Encrypted"
import { inspect } from "node:util"
import { memoryStore, settle } from "../QueryCache/support.js"
import {
  bare,
  build,
  compositions,
  contextOf,
  decode,
  encode,
  encrypting,
  forged,
  keep,
  keyOf,
  makeCache,
  oneKey,
  payloadOf,
  spied
} from "./support.js"

const value = { id: 1, at: new Date(0), secret: "plaintext" }

const runtimes = [
  ["Node's crypto", Layer.provide(Encrypted.layer(oneKey), layerExact)],
  ["crypto.subtle", Layer.provide(bare(Encrypted.layer(oneKey)), layerExact)]
] as const

describe("encryption", () => {
  it.each(runtimes)("by %s: shows nothing of the value and never the same bytes twice", async (_, layer) => {
    const serializer = await build(layer)
    const seen = new Set<string>()
    const nonces = new Set<string>()
    for (let i = 0; i < 1_000; i++) {
      const bytes = Buffer.from(Either.getOrThrow(await encode(serializer, value)))
      expect(bytes.includes("plaintext") || bytes.includes("secret")).toBe(false)
      expect(bytes.subarray(1, 1 + 7).toString()).toBe("2026-01")
      nonces.add(bytes.subarray(8, 20).toString("hex"))
      seen.add(bytes.toString("hex"))
    }
    expect([seen.size, nonces.size]).toEqual([1_000, 1_000])
  })

  it.each(runtimes)("by %s: refuses bytes of which any bit was turned, or any part is missing or more", async (_, layer) => {
    const serializer = await build(layer)
    const bytes = Either.getOrThrow(await encode(serializer, value))
    for (let at = 0; at < bytes.length; at++) {
      for (let bit = 0; bit < 8; bit++) {
        const other = bytes.slice()
        other[at]! ^= 1 << bit
        expect(await decode(serializer, other)).toMatchObject({ left: { reason: "Malformed" } })
      }
      expect(await decode(serializer, bytes.subarray(0, at))).toMatchObject({ left: { reason: "Malformed" } })
      expect(await decode(serializer, bytes.subarray(at + 1))).toMatchObject({ left: { reason: "Malformed" } })
    }
    expect(await decode(serializer, Uint8Array.of(...bytes, 0))).toMatchObject({ left: { reason: "Malformed" } })
    expect(await decode(serializer, bytes)).toEqual(Either.right(value))
  })

  it("binds bytes to their entry, to their key's id and to the serializers below", async () => {
    const serializer = await encrypting(oneKey)
    const bytes = Either.getOrThrow(await encode(serializer, value, contextOf("a")))
    expect(await decode(serializer, bytes, contextOf("b"))).toMatchObject({ left: { reason: "Malformed" } })
    const renamed = await encrypting({ current: "2026-02", keys: { "2026-02": keyOf(1) } })
    const under = bytes.slice()
    under.set(new TextEncoder().encode("2026-02"), 1)
    expect(await decode(renamed, under)).toMatchObject({ left: { reason: "Malformed" } })
    const other = make({ ...exact, id: "exact-2" })
    const over = await Effect.runPromise(Encrypted.make(other, oneKey))
    expect(await decode(over, bytes)).toMatchObject({ left: { reason: "Malformed" } })
  })

  it("takes a key as bytes, as base64 and as base64url", async () => {
    const key = Uint8Array.from({ length: 32 }, (_, i) => 255 - i)
    const base64 = Buffer.from(key).toString("base64")
    const base64url = Buffer.from(key).toString("base64url")
    const made = await Promise.all([key, base64, base64url, `${base64}\n`].map((one) =>
      encrypting({ current: "k", keys: { k: Redacted.make<string | Uint8Array>(one) } })))
    for (const writer of made) {
      const bytes = Either.getOrThrow(await encode(writer, value))
      for (const reader of made) expect(await decode(reader, bytes)).toEqual(Either.right(value))
    }
  })

  it("has a copy of its keys", async () => {
    const key = new Uint8Array(32).fill(1)
    const serializer = await encrypting({ current: "2026-01", keys: { "2026-01": Redacted.make(key) } })
    key.fill(0)
    const bytes = Either.getOrThrow(await encode(serializer, value))
    expect(await decode(await encrypting(oneKey), bytes)).toEqual(Either.right(value))
  })

  it.effect("reads its keys from Effect's Config", () =>
    Effect.gen(function*() {
      const layer = Encrypted.layerConfig({
        current: Config.string("CACHE_KEY_ID"),
        keys: Config.all({ "2026-01": Config.redacted("CACHE_KEY_2026_01") })
      })
      const provider = ConfigProvider.fromMap(
        new Map([["CACHE_KEY_ID", "2026-01"], ["CACHE_KEY_2026_01", Buffer.alloc(32, 1).toString("base64")]])
      )
      const serializer = yield* Serializer.pipe(
        Effect.provide(Layer.provide(layer, layerExact)),
        Effect.withConfigProvider(provider)
      )
      const bytes = yield* serializer.encode(value, contextOf("a"))
      expect(yield* Effect.promise(() => decode(serializer, bytes))).toEqual(Either.right(value))
    }))
})

describe("keys that change", () => {
  const before: Encrypted.Options = oneKey
  const announced: Encrypted.Options = { current: "2026-01", keys: { "2026-01": keyOf(1), "2026-02": keyOf(2) } }
  const changed: Encrypted.Options = { ...announced, current: "2026-02" }
  const after: Encrypted.Options = { current: "2026-02", keys: { "2026-02": keyOf(2) } }

  it("are read as long as they are listed, by every process of two steps that follow each other", async () => {
    const steps = await Promise.all([before, announced, changed, after].map(encrypting))
    const reads = await Promise.all(steps.map(async (writer) => {
      const bytes = Either.getOrThrow(await encode(writer, value))
      return Promise.all(steps.map(async (reader) => Either.isRight(await decode(reader, bytes)) ? 1 : 0))
    }))
    expect(reads).toEqual([
      [1, 1, 1, 0],
      [1, 1, 1, 0],
      [0, 1, 1, 1],
      [0, 1, 1, 1]
    ])
  })

  it.scopedLive("cost nothing but misses, and those only when they are no longer listed", () =>
    Effect.gen(function*() {
      const { store, stored } = spied(memoryStore())
      const caches = yield* Effect.forEach([before, announced, changed, after], (options) =>
        Effect.flatMap(Encrypted.make(exact, options), (serializer) => makeCache(serializer, store)))
      const [first, second, third, fourth] = caches.map(({ cache }) => cache)
      const { request } = yield* keep(first!, stored, "a", "by the first")
      for (const cache of [first, second, third]) {
        expect(yield* cache!.fetch(request, Effect.fail("asked"))).toBe("by the first")
      }
      expect(yield* settle(fourth!, fourth!.fetch(request, Effect.succeed("by the last")))).toBe("by the last")
      expect(yield* third!.fetch(request, Effect.fail("asked"))).toBe("by the last")
    }))
})

describe("encrypted entries in the store", () => {
  const kinds = Object.entries(compositions).filter(([id]) => id.startsWith("aes"))

  it.scopedLive("are misses and gone when any byte is another, or one is missing, whatever their checksum says", () =>
    Effect.gen(function*() {
      for (const [, layer] of kinds) {
        const { peek, put, store, stored } = spied(memoryStore())
        const { cache } = yield* makeCache(yield* Effect.promise(() => build(layer)), store)
        const { bytes, name, request } = yield* keep(cache, stored, "a", value)
        const payload = payloadOf(bytes)
        const isMiss = (other: Uint8Array) =>
          Effect.gen(function*() {
            yield* put(name, forged(bytes, other))
            expect(yield* Effect.flip(cache.fetch(request, Effect.fail("asked")))).toBe("asked")
            expect(yield* peek(name)).toBeNull()
          })
        for (let at = 0; at < payload.length; at++) {
          const other = payload.slice()
          other[at]! ^= 1 << (at % 8)
          yield* isMiss(other)
          yield* isMiss(payload.subarray(0, at))
        }
        yield* put(name, forged(bytes, payload))
        expect(yield* cache.fetch(request, Effect.fail("asked"))).toEqual(value)
      }
    }))

  it.scopedLive("are misses and gone when they are another entry's, or another cache's", () =>
    Effect.gen(function*() {
      const { peek, put, store, stored } = spied(memoryStore())
      const { cache } = yield* makeCache(yield* Encrypted.make(exact, oneKey), store)
      const one = yield* keep(cache, stored, "one", "the first")
      const two = yield* keep(cache, stored, "two", "the second")
      yield* put(one.name, forged(one.bytes, payloadOf(two.bytes)))
      expect(yield* Effect.flip(cache.fetch(one.request, Effect.fail("asked")))).toBe("asked")
      expect(yield* peek(one.name)).toBeNull()

      // The same id of a key, and another key behind it.
      const foreign = spied(memoryStore())
      const stranger = yield* Encrypted.make(exact, { current: "2026-01", keys: { "2026-01": keyOf(9) } })
      const other = yield* makeCache(stranger, foreign.store)
      const theirs = yield* keep(other.cache, foreign.stored, "two", "the stranger's")
      yield* put(two.name, forged(two.bytes, payloadOf(theirs.bytes)))
      expect(yield* Effect.flip(cache.fetch(two.request, Effect.fail("asked")))).toBe("asked")
      expect(yield* peek(two.name)).toBeNull()
    }))

  it.scopedLive("are never shared by caches of different keys, nor by those that are not encrypted", () =>
    Effect.gen(function*() {
      const { store, stored } = spied(memoryStore())
      const other = { current: "2026-01", keys: { "2026-01": keyOf(9) } }
      const third = { current: "other", keys: { other: keyOf(9) } }
      const encrypted = yield* Effect.forEach([oneKey, other, third], (options) => Encrypted.make(exact, options))
      const serializers = [...encrypted, exact, Either.getOrThrow(Compressed.make(exact))]
      const caches = yield* Effect.forEach(serializers, (serializer) => makeCache(serializer, store))
      const { request } = yield* keep(caches[0]!.cache, stored, "a", "answer 0")
      for (let round = 0; round < 3; round++) {
        for (const [i, { cache }] of caches.entries()) {
          const answer = yield* settle(cache, cache.fetch(request, Effect.succeed(`answer ${i}`)))
          expect(answer).toBe(`answer ${i}`)
        }
      }
      // The last three have names of their own, and so their entries stay: the others are in each other's way.
      expect((yield* caches[3]!.cache.stats).hits).toBe(2)
      expect((yield* caches[4]!.cache.stats).hits).toBe(2)
      expect((yield* caches[1]!.cache.stats).hits).toBe(0)
      expect(new Set(stored.map(([name]) => name)).size).toBe(3)
    }))
})

describe("keys and values", () => {
  const bytes = Uint8Array.from({ length: 32 }, (_, i) => 0xa0 + i)
  const forms = ["hex", "base64", "base64url", "latin1"] as const
  const traces = [
    ...forms.map((form) => Buffer.from(bytes).toString(form).replace(/=+$/, "").slice(0, 20)),
    "a0 a1 a2 a3"
  ]
  const said = (what: unknown) =>
    [
      inspect(what, { depth: Infinity, showHidden: true, getters: true }),
      String(what),
      JSON.stringify(what) ?? "",
      what instanceof Error ? `${what.stack}${what.message}${inspect(what.cause)}` : ""
    ].join("\n")
  const saysNothing = (what: unknown) => {
    const text = said(what)
    const numbers = text.replace(/\s+/g, "")
    expect(numbers.includes(Array.from(bytes.subarray(0, 6)).join(","))).toBe(false)
    for (const trace of [...traces, "plaintext"]) expect(text.includes(trace), `${trace} in ${text}`).toBe(false)
  }
  const base64 = Buffer.from(bytes).toString("base64")

  it("would be found", () => {
    expect(() => saysNothing({ key: Buffer.from(bytes) })).toThrow()
    expect(() => saysNothing({ key: bytes })).toThrow()
    expect(() => saysNothing(new Error(base64))).toThrow()
    expect(() => saysNothing({ a: { b: "plaintext" } })).toThrow()
  })

  it.each([
    ["Node's crypto", (layer: ReturnType<typeof Encrypted.layer>) => layer],
    ["crypto.subtle", bare]
  ] as const)("are in nothing that a serializer by %s says", async (_, around) => {
    const layer = Layer.provide(around(Encrypted.layer({ current: "k", keys: { k: Redacted.make(bytes) } })), layerExact)
    saysNothing(layer)
    const serializer = await build(layer)
    saysNothing(serializer)
    const sealed = Either.getOrThrow(await encode(serializer, value))
    saysNothing(await decode(serializer, sealed, contextOf("b")))
    saysNothing(await decode(serializer, sealed.subarray(3)))
    saysNothing(await decode(serializer, Uint8Array.of(...sealed.subarray(0, -1), 0)))
    saysNothing(await encode(serializer, { secret: "plaintext", run: () => "plaintext" }))
  })

  it("are in nothing that is said of wrong options, and everything wrong is named at once", async () => {
    const wrong: ReadonlyArray<readonly [unknown, ReadonlyArray<readonly [string, RegExp]>]> = [
      [undefined, [["options", /^got nothing, allowed/], ["keys", /^got nothing/], ["current", /^got nothing/]]],
      [{ current: base64, keys: { k: Redacted.make(bytes) } }, [["current", /^got an id that `keys` does not have/]]],
      [{ current: "k", keys: { k: base64 } }, [["keys.k", /^got string in the open, allowed: a Redacted/]]],
      [{ current: "k", keys: { k: bytes } }, [["keys.k", /^got object in the open/]]],
      [{ current: "k", keys: { [base64]: Redacted.make(bytes) } }, [["keys", /^got an id of another form/]]],
      [{ current: "k", keys: { k: Redacted.make(bytes.subarray(0, 31)) } }, [["keys.k", /^got 31 bytes, allowed: 32/]]],
      [{ current: "k", keys: { k: Redacted.make(Buffer.from(bytes).toString("hex")) } }, [["keys.k", /^got base64 of 48 bytes/]]],
      [{ current: "k", keys: { k: Redacted.make(`${base64}!`) } }, [["keys.k", /^got a text that is no base64/]]],
      [{ current: "k", keys: { k: Redacted.make("") } }, [["keys.k", /^got a text that is no base64/]]],
      [{ current: "k", keys: { k: Redacted.make(5) } }, [["keys.k", /^got a Redacted number/]]],
      [{ current: 5, keys: Redacted.make(base64) }, [["keys", /^got object, allowed/], ["current", /^got number/]]],
      [{ current: "k", keys: { k: Redacted.make(bytes) }, [base64]: 1 }, [["options", /^got an option that nobody knows/]]],
      [{ current: "k", keys: { k: Redacted.make(""), l: base64 } }, [["keys.k", /^got/], ["keys.l", /^got/]]]
    ]
    for (const [options, problems] of wrong) {
      // @ts-expect-error what does not compile may come all the same
      const exit = await Effect.runPromiseExit(Effect.flip(Encrypted.make(exact, options)))
      const error = Exit.isSuccess(exit) ? exit.value : undefined
      expect(error).toBeInstanceOf(CacheOptionsError)
      expect(error?.problems).toHaveLength(problems.length)
      for (const [i, [path, message]] of problems.entries()) {
        expect(error?.problems[i]?.path).toBe(path)
        expect(error?.problems[i]?.message).toMatch(message)
      }
      saysNothing(error)
    }
  })

  it.scopedLive("are in nothing that a cache tells while entries are unreadable", () =>
    Effect.gen(function*() {
      const { put, store, stored } = spied(memoryStore())
      const serializer = yield* Encrypted.make(exact, { current: "k", keys: { k: Redacted.make(bytes) } })
      const { cache, events } = yield* makeCache(serializer, store)
      const { bytes: entry, name, request } = yield* keep(cache, stored, "a", value)
      yield* put(name, forged(entry, payloadOf(entry).fill(0, 20)))
      yield* Effect.flip(cache.fetch(request, Effect.fail("asked")))
      expect(events.map(({ _tag }) => _tag)).toContain("Corrupt")
      saysNothing(events)
      saysNothing(yield* cache.stats)
      expect(Buffer.concat(stored.map(([, stored]) => stored)).includes("plaintext")).toBe(false)
    }))
})
