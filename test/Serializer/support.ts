import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import type { CacheEvent } from "effect-prisma-cache/CacheEvent"
import * as CacheKey from "effect-prisma-cache/CacheKey"
import * as CacheStore from "effect-prisma-cache/CacheStore"
import * as DistributedLock from "effect-prisma-cache/DistributedLock"
import * as MemoryLock from "effect-prisma-cache/DistributedLock/Memory"
import * as QueryCache from "effect-prisma-cache/QueryCache"
import * as Serializer from "effect-prisma-cache/Serializer"
import * as Compressed from "effect-prisma-cache/Serializer/Compressed"
import * as Encrypted from "effect-prisma-cache/Serializer/Encrypted"
import { crc32 } from "node:zlib"
import { expect, vi } from "vitest"
import { decimalType } from "../conformance/values.js"
import { read, settle } from "../QueryCache/support.js"
import { unhurried } from "../support/unhurried.js"

/** The bytes of a key, all the same. */
export const keyOf = (byte: number) => Redacted.make(new Uint8Array(32).fill(byte))

export const oneKey: Encrypted.Options = { current: "2026-01", keys: { "2026-01": keyOf(1) } }

/** Built where there is no module of Node's. */
export const bare = <A, E, R>(layer: Layer.Layer<A, E, R>): Layer.Layer<A, E, R> =>
  Layer.unwrapScoped(Effect.as(
    Effect.acquireRelease(
      Effect.sync(() => vi.spyOn(process, "getBuiltinModule").mockReturnValue(undefined)),
      (spy) => Effect.sync(() => spy.mockRestore())
    ),
    layer
  )).pipe((built) => Layer.scopedContext(Effect.scoped(Layer.build(built))))

type Provided = Layer.Layer<Serializer.Serializer, unknown>
type Over = Layer.Layer<Serializer.Serializer, unknown, Serializer.Serializer>

const exact = Serializer.layerExact
const compressed = Compressed.layer({ threshold: 0 })
const encrypted = Encrypted.layer(oneKey)
const over = (...layers: ReadonlyArray<Over>) => (bottom: Provided): Provided =>
  layers.reduceRight<Provided>((below, layer) => Layer.provide(layer, below), bottom)

/** Every wrapper and the ways to put them together, by their id, on Node's modules and on what the web platform has. */
export const compositions = {
  "deflate-1(exact-1)": over(compressed)(exact),
  "aes-256-gcm-1(exact-1)": over(encrypted)(exact),
  "aes-256-gcm-1(deflate-1(exact-1))": over(encrypted, compressed)(exact),
  "deflate-1(aes-256-gcm-1(exact-1))": over(compressed, encrypted)(exact)
}

export const bareCompositions = {
  "deflate-1(exact-1)": over(bare(compressed))(exact),
  "aes-256-gcm-1(exact-1)": over(bare(encrypted))(exact),
  "aes-256-gcm-1(deflate-1(exact-1))": over(bare(encrypted), bare(compressed))(exact)
}

export const build = (layer: Provided): Promise<Serializer.Serializer> =>
  Effect.runPromise(Effect.provide(Serializer.Serializer, layer))

export const encrypting = (options: Encrypted.Options): Promise<Serializer.Serializer> =>
  Effect.runPromise(Encrypted.make(Serializer.exact, options))

/** Both ways to call a serializer are one here: with a promise. */
export const encode = (serializer: Serializer.Serializer, value: unknown, context = contextOf("a")) =>
  Effect.runPromise(Effect.either(serializer.encode(value, context)))

export const decode = (serializer: Serializer.Serializer, bytes: Uint8Array, context = contextOf("a")) =>
  Effect.runPromise(Effect.either(serializer.decode(bytes, context)))

export const contextOf = (name: string): Serializer.Context => ({
  digest: name.padEnd(43, "-"),
  types: [decimalType]
})

/** A cache with this serializer over a store that others may share. */
export const makeCache = (serializer: Serializer.Serializer, store: CacheStore.CacheStore) =>
  Effect.gen(function*() {
    const events: Array<CacheEvent> = []
    const services = Layer.mergeAll(
      Layer.succeed(CacheStore.CacheStore, store),
      Layer.succeed(DistributedLock.DistributedLock, MemoryLock.make()),
      Layer.succeed(Serializer.Serializer, serializer)
    )
    const built = yield* Layer.build(
      QueryCache.layer({ ...unhurried, onEvent: (event) => void events.push(event) }).pipe(Layer.provide(services))
    )
    return { cache: Context.get(built, QueryCache.QueryCache), events }
  })

/** A store that remembers under which name what was stored. */
export const spied = (inner: CacheStore.CacheStore) => {
  const stored: Array<readonly [name: string, bytes: Uint8Array]> = []
  const store: CacheStore.CacheStore = {
    ...inner,
    replace: (name, bytes, ...rest) => {
      stored.push([name, bytes])
      return inner.replace(name, bytes, ...rest)
    }
  }
  const peek = (name: string) => Effect.map(inner.lookup(name, []), ({ entry }) => entry)
  const put = (name: string, bytes: Uint8Array) =>
    Effect.flatMap(peek(name), (before) => inner.replace(name, bytes, 60_000, before))
  return { store, stored, peek, put }
}

/** Asks for an entry, stores what the database says, and answers with where that is. */
export const keep = (
  cache: QueryCache.QueryCache,
  stored: ReadonlyArray<readonly [name: string, bytes: Uint8Array]>,
  key: string,
  value: unknown
) =>
  Effect.gen(function*() {
    const request = read<unknown>(key, {}, { key: Either.getOrThrow(CacheKey.make(key)), types: [decimalType] })
    const before = stored.length
    yield* settle(cache, cache.fetch(request, Effect.succeed(value)))
    const [name = "", bytes = new Uint8Array()] = stored[before] ?? []
    expect(bytes.length).toBeGreaterThan(0)
    return { request, name, bytes }
  })

const payloadAt = (bytes: Uint8Array) => 100 + new DataView(bytes.buffer, bytes.byteOffset).getUint32(96)

export const payloadOf = (bytes: Uint8Array): Uint8Array => bytes.slice(payloadAt(bytes))

/** The entry with another payload, and with the checksum that belongs to it. */
export const forged = (bytes: Uint8Array, payload: Uint8Array): Uint8Array => {
  const head = bytes.subarray(0, payloadAt(bytes))
  const made = new Uint8Array(head.length + payload.length)
  made.set(head)
  made.set(payload, head.length)
  new DataView(made.buffer).setUint32(17, crc32(made.subarray(21)))
  return made
}
